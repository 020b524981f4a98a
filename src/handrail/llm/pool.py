"""Connections to upstreams, and what is known when one breaks: whether anything can have reached it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import certifi

from handrail.llm.connection import Broken, Connection
from handrail.llm.headers import Headers

if TYPE_CHECKING:
    from handrail.llm.settings import Upstream

CONNECT = 10.0
"""Seconds for a connection; nothing was sent before it stands."""
IDLE = 4.0
"""Seconds that an unused connection is kept: servers close theirs after 5 and more, and a request that meets
such a closing would have to be presumed spent."""
AT_ONCE = 1_000
KEPT = 100
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Answer:
    """What an upstream answers; its bytes come as it sends them, and raise ``Broken`` before their end."""

    status: int
    headers: Headers
    pieces: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an upstream is."""

    host: str
    port: int
    secure: bool
    path: str


class Pool:
    """Connections that requests share, to upstreams of the settings only. No redirect is followed."""

    def __init__(self, silence: float) -> None:
        """``silence``: seconds without a byte after which an upstream is given up."""
        self._silence = silence
        self._open: set[Connection] = set()
        self._resting: dict[_Place, list[Connection]] = {}
        self._room = asyncio.Semaphore(AT_ONCE)

    @asynccontextmanager
    async def ask(
        self, upstream: Upstream, method: str, target: str, headers: Headers, body: bytes
    ) -> AsyncIterator[Answer]:
        """Send a request; its answer, as soon as its head is here. Leaving early closes the connection.

        Raises:
            Broken: there is no answer.
        """
        place = _place(upstream.url)
        head = _head(method, place.path + target, headers)
        connection = await self._connection(place)
        try:
            await connection.ask(head, body, bodiless=method == "HEAD")
            yield Answer(connection.status, connection.headers, connection.pieces())
        finally:
            self._give_back(place, connection)

    async def close(self) -> None:
        """Close every connection."""
        for connection in tuple(self._open):
            connection.close()

    async def _connection(self, place: _Place) -> Connection:
        try:
            async with asyncio.timeout(CONNECT):
                await self._room.acquire()
        except TimeoutError as error:
            raise Broken("too many calls run", unsent=True, late=True) from error
        try:
            return self._rested(place) or await self._connected(place)
        except BaseException:
            self._room.release()
            raise

    def _rested(self, place: _Place) -> Connection | None:
        """A connection that was used before; the one that was used last is the surest to stand."""
        resting = self._resting.get(place)
        while resting:
            if (found := resting.pop()).usable:
                return found
            found.close()
        return None

    async def _connected(self, place: _Place) -> Connection:
        made = Connection(self._silence, self._forget)
        try:
            async with asyncio.timeout(CONNECT):
                await asyncio.get_running_loop().create_connection(
                    lambda: made, place.host, place.port, ssl=_trust() if place.secure else None
                )
        except (OSError, UnicodeError) as error:
            late = isinstance(error, TimeoutError)
            raise Broken("it can't be reached", unsent=True, late=late) from error
        self._open.add(made)
        return made

    def _forget(self, connection: Connection) -> None:
        self._open.discard(connection)
        for resting in self._resting.values():
            if connection in resting:
                resting.remove(connection)

    def _give_back(self, place: _Place, connection: Connection) -> None:
        self._room.release()
        resting = self._resting.setdefault(place, [])
        if connection.usable and len(resting) < KEPT:
            connection.rest(IDLE)
            resting.append(connection)
        else:
            connection.close()


def host_of(upstream: Upstream) -> bytes:
    """What its requests name as their host."""
    return urlsplit(upstream.url).netloc.encode("idna" if not upstream.url.isascii() else "ascii")


@cache
def _place(url: str) -> _Place:
    parts = urlsplit(url)
    host = parts.hostname or ""
    plain = host if host.isascii() else host.encode("idna").decode()
    return _Place(plain, parts.port or PORTS[parts.scheme], parts.scheme == "https", parts.path)


@cache
def _trust() -> ssl.SSLContext:
    """Whom certificates are believed: the system's authorities, and Mozilla's."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _head(method: str, target: str, headers: Headers) -> bytes:
    """The head of a request.

    Raises:
        Broken: something in it would end a line of it.
    """
    lines = [f"{method} {target} HTTP/1.1".encode(), *(b"%s: %s" % header for header in headers), b"", b""]
    head = b"\r\n".join(lines)
    ends = len(lines) - 1
    if head.count(b"\r") != ends or head.count(b"\n") != ends or b"\0" in head or " " in target:
        raise Broken("this request can't be written", unsent=True)
    return head
