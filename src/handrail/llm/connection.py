"""One connection to an upstream: HTTP/1.1, one request after the other. Whatever is wrong ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from handrail.llm.headers import Headers

HEAD = 128 * 1024
"""Bytes of an answer's head at most."""
WAITING = 256 * 1024
"""Bytes of an answer that wait for a slow client, before the upstream has to wait, too."""
OK = 200
"""The first status of an answer; a smaller one announces it."""
FRAMED = frozenset({b"content-length", b"transfer-encoding"})
"""The headers that say where a body ends. Without one it ends with the connection."""


@dataclass(eq=False)
class Broken(Exception):
    """There is no answer, or no more of it."""

    why: str
    unsent: bool
    """Whether provably nothing reached the upstream."""
    late: bool = False


class Connection(asyncio.Protocol):
    """Whoever asks reads the answer to its end, or closes the connection."""

    def __init__(self, silence: float, lost: Callable[[Connection], None]) -> None:
        """``silence``: seconds without a byte after which it is given up. ``lost`` is told of its end."""
        self._silence, self._lost = silence, lost
        self._transport: asyncio.Transport | None = None
        self._parser: HttpResponseParser | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._broken: Broken | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._fresh()

    def _fresh(self, *, bodiless: bool = False) -> None:
        self.status = 0
        self.headers: Headers = []
        self._bodiless = bodiless
        self._pieces: list[bytes] = []
        self._held = self._head = 0
        self._whole = self._kept = self._to_the_end = self._paused = False

    @property
    def usable(self) -> bool:
        """Whether another request may follow: the answer is whole, and the upstream keeps the connection."""
        way = self._transport
        if way is None or self._broken is not None or way.is_closing() or way.get_write_buffer_size():
            return False
        return self._whole and self._kept

    async def ask(self, head: bytes, body: bytes, *, bodiless: bool) -> None:
        """Send a request, and wait for the head of its answer; ``bodiless`` is one to HEAD.

        Raises:
            Broken: there is none. It counts as sent.
        """
        if self._idle is not None:
            self._idle.cancel()
        self._fresh(bodiless=bodiless)
        self._parser = HttpResponseParser(self)
        if self._transport is not None:
            self._transport.writelines((head, body) if body else (head,))
        while not self.status:
            await self._news()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body, in whatever pieces it comes.

        Raises:
            Broken: it ends before its end.
        """
        while True:
            while self._pieces:
                found, self._pieces, self._held = self._pieces, [], 0
                self._go_on()
                yield found[0] if len(found) == 1 else b"".join(found)
            if self._whole:
                return
            await self._news()

    def rest(self, seconds: float) -> None:
        """Nobody asks for now; it is closed when nobody does for so long."""
        self._parser = None
        self._idle = asyncio.get_running_loop().call_later(seconds, self.close)

    def close(self) -> None:
        """End it, without waiting for anything."""
        if self._idle is not None:
            self._idle.cancel()
        if self._transport is not None:
            self._transport.abort()

    async def _news(self) -> None:
        """Wait until there is more to read."""
        if self._broken is not None:
            raise self._broken
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        late = loop.call_later(self._silence, self._fail, Broken("it fell silent", unsent=False, late=True))
        try:
            await self._waiter
        finally:
            late.cancel()
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, broken: Broken) -> None:
        self._broken = self._broken or broken
        self.close()
        self._wake()

    def _go_on(self) -> None:
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It stands."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """It is over; what came so far can still be read."""
        self._broken = self._broken or Broken("it broke the connection", unsent=False)
        self._lost(self)
        self._wake()

    def eof_received(self) -> None:
        """The upstream sends no more: the end of a body that says no length."""
        self._whole = self._whole or (self._to_the_end and self.status != 0)

    def data_received(self, data: bytes) -> None:
        """Read what came. Without a request nothing may come."""
        parser = self._parser
        if parser is None:
            self.close()
            return
        if not self.status:
            self._head += len(data)
        try:
            parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._kept = False
            if not self._whole:
                self._fail(Broken("it does not answer in HTTP", unsent=False))
        if not self.status and self._head > HEAD:
            self._fail(Broken("its answer has too long a head", unsent=False))
        if self._held > WAITING and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def on_message_begin(self) -> None:
        """The parser's: a message begins. A second answer to one request is none."""
        self._kept = self._kept and not self._whole

    def on_header(self, name: bytes, value: bytes) -> None:
        """The parser's: a header, or what stands behind a body, which is passed over."""
        if not self.status:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The parser's: the head is whole."""
        if self._parser is None or self._whole:
            return
        status = self._parser.get_status_code()
        if status < OK:
            self.headers = []
            return
        self.status = status
        self._kept = self._parser.should_keep_alive() and not self._bodiless
        self._to_the_end = FRAMED.isdisjoint(name.lower() for name, _ in self.headers)
        self._whole = self._bodiless

    def on_body(self, piece: bytes) -> None:
        """The parser's: a piece of the body."""
        if not self._whole:
            self._pieces.append(piece)
            self._held += len(piece)

    def on_message_complete(self) -> None:
        """The parser's: it was the last one."""
        self._whole = self.status != 0
