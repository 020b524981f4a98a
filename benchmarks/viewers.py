"""People who look on, at little cost: each hears the page's stream and fetches its part, as the script does.

A browser's own work is not in it; one process plays them all, so that they take little from the server.
"""

from __future__ import annotations

import asyncio
import re
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

GAP = 0.25
"""Seconds between two fetches for the same reason, as the script waits."""
TIMES = 4
"""So many times as long as the slowest answer took, if that is longer."""
FETCHES = frozenset({"actions", "questions", "ladder", "halts", "policy"})
"""What the overview's part is fetched for."""
PATIENCE = 60.0
"""Seconds within which everybody must have seen the last change."""
LATELY = 100
"""So many numbers are noted when a viewer first sees one."""
EVENT = re.compile(rb"event: (\w+)\n")
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
RAN = re.compile(rb"<b>(\d+)</b> ran")
GZIP = 31
"""What zlib calls a gzip stream."""


@dataclass(slots=True)
class Seen:
    """What they saw: when each had the part that shows so many actions, in seconds of ``perf_counter``."""

    shown: dict[bytes, int] = field(default_factory=dict)
    """How many actions ran by what was sent: the same bytes are unpacked once."""
    first: list[dict[int, float]] = field(default_factory=list)
    """For each viewer: when a number was first on the screen."""
    fetched: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """Somebody sees something new."""

    async def everywhere(self, number: int) -> None:
        """Wait until everybody sees this number."""
        while not all(number in each for each in self.first):
            self.news.clear()
            await self.news.wait()

    def number(self, body: bytes) -> int:
        """How many actions ran today, as this part shows."""
        if body not in self.shown:
            found = RAN.search(zlib.decompress(body, GZIP))
            if found is None:
                raise ValueError("this part shows no number of actions")
            self.shown[body] = int(found[1])
        return self.shown[body]


class Viewer:
    """One browser with the overview open: a stream, and one more connection to fetch by."""

    def __init__(self, port: int, cookie: str, seen: Seen) -> None:
        """Nothing is open yet."""
        self._port, self._cookie, self._seen = port, cookie, seen
        self._first: dict[int, float] = {}
        self._last = -1
        seen.first.append(self._first)
        self._waiting: dict[str, bool] = {}
        """What was told lately, and whether more came meanwhile."""
        self._slowest = 0.0
        self._wanted = asyncio.Event()
        self.ready = asyncio.Event()

    async def look(self) -> None:
        """Until it is cancelled."""
        stream = asyncio.create_task(self._hear())
        try:
            await self._fetch_when_wanted()
        finally:
            stream.cancel()

    async def _hear(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(self._request("/live", "text/event-stream"))
        left = b""
        while received := await reader.read(65_536):
            left += received
            if b"retry:" in received:
                self.ready.set()
            for name in EVENT.findall(left):
                if name.decode() in FETCHES:
                    self._tell(name.decode())
            left = left[left.rfind(b"\n") + 1 :]
        raise ConnectionError("the stream ended")

    def _tell(self, measure: str) -> None:
        if measure in self._waiting:
            self._waiting[measure] = True
            return
        self._waiting[measure] = False
        self._wanted.set()
        asyncio.get_running_loop().call_later(max(GAP, TIMES * self._slowest), self._again, measure)

    def _again(self, measure: str) -> None:
        if self._waiting.pop(measure):
            self._tell(measure)

    async def _fetch_when_wanted(self) -> None:
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            # a server closes what nobody used for a while: a browser comes again
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while await self._wanted.wait():
                    try:
                        await self._fetch(reader, writer)
                    except (asyncio.IncompleteReadError, ConnectionError):
                        self._wanted.set()
                        raise

    async def _fetch(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._wanted.clear()
        began = time.perf_counter()
        writer.write(self._request("/overview", "text/html"))
        head = await reader.readuntil(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not head.startswith(b"HTTP/1.1 200") or length is None:
            raise ValueError(f"the part was not sent: {head!r}")
        body = await reader.readexactly(int(length[1]))
        ended = time.perf_counter()
        self._slowest = ended - began
        self._seen.fetched += 1
        shown = self._seen.number(body)
        if shown > self._last:
            # the first part that is fetched shows a whole day
            self._first |= dict.fromkeys(range(max(self._last, shown - LATELY) + 1, shown + 1), ended)
            self._last = shown
            self._seen.news.set()

    def _request(self, path: str, accept: str) -> bytes:
        return (
            f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{self._port}\r\ncookie: handrail={self._cookie}\r\n"
            f"accept: {accept}\r\naccept-encoding: gzip\r\nhx-request: true\r\n\r\n"
        ).encode()


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of it: how long each change took to each screen (seconds), and what all of them took."""

    took: list[float]
    fetched: int
    """Parts that were fetched."""
    used: float
    """What ``cpu`` told more at the end than when everybody looked on."""
    own: float
    """Seconds of CPU of this process meanwhile: the viewers', and of what makes the changes."""


async def looking(
    port: int,
    cookies: list[str],
    changes: int,
    change: Callable[[int], int],
    apart: float,
    cpu: Callable[[], float],
) -> Looked:
    """Let somebody look on for each cookie while changes are made.

    ``change`` makes the change, and gives the number that shows it; ``cpu`` tells the server's seconds.
    """
    seen = Seen()
    viewers = [Viewer(port, cookie, seen) for cookie in cookies]
    tasks = [asyncio.create_task(each.look()) for each in viewers]
    await asyncio.gather(*(each.ready.wait() for each in viewers))
    begun: dict[int, float] = {}
    used, own = cpu(), time.process_time()
    for number in range(changes):
        began = time.perf_counter()
        begun[await asyncio.to_thread(change, number)] = began
        await asyncio.sleep(apart)
    await asyncio.wait_for(seen.everywhere(max(begun)), PATIENCE)
    used, own = cpu() - used, time.process_time() - own
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    wrong = [each for each in ended if not isinstance(each, asyncio.CancelledError)]
    if wrong:
        raise RuntimeError(f"{len(wrong)} viewers lost sight") from wrong[0]
    took = [first[number] - at for first in seen.first for number, at in begun.items()]
    return Looked(took, seen.fetched, used, own)
