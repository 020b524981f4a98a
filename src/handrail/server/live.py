"""Live news of one process: one thread hears of commits and reads them once, however many people look on.

What was read last is kept in a ring, which every stream reads at its own speed; a stream that falls out of it
is ended with a marker, and resumes by its last event's id. News is only a reason to look: where none comes,
the journal is read once a second all the same.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import msgspec
from fastapi.sse import format_sse_event
from starlette.concurrency import run_in_threadpool

from handrail.server.api.shapes import entry_shape
from handrail.server.errors import logger
from handrail.words.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence

    from handrail.ports import Store
    from handrail.words.entry import StoredEntry

RING = 4_096
"""Events that are kept for streams that are a little behind."""
PAGE = 500
LOOK = 1.0
"""Seconds after which the journal is read although nobody told of news."""
PAUSE = 0.004
"""Seconds for which news is gathered before it is read."""
_encode = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(frozen=True, slots=True)
class Event:
    """One entry, ready to be sent."""

    cursor: str
    kind: str
    action: str | None
    agent: str | None
    tool: str | None
    wire: bytes


class Dropped(Exception):
    """A stream was slower than its news."""


class Live:
    """The broadcaster of one process."""

    def __init__(self, store: Store, closing: asyncio.Event) -> None:
        """Nothing is read before somebody looks on; all who wait are woken when the server is ``closing``."""
        self._store = store
        self._closing = closing
        self._ring: deque[Event] = deque()
        self._first = 0
        """The place of the ring's oldest event; places grow for ever."""
        self._places: dict[str | None, int] = {}
        """The place after each event of the ring, and after the one before the first, by cursor."""
        self._base: str | None = None
        self._told = asyncio.Event()
        self._watched: dict[str, set[asyncio.Event]] = {}
        self._lookers = 0
        self._wanted = threading.Event()
        self._stop = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._cursor: str | None = None
        self._reading = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hear of news until the server ends."""
        self._loop = asyncio.get_running_loop()
        thread = threading.Thread(target=self._listen, name="handrail-live", daemon=True)
        thread.start()
        tasks = [asyncio.create_task(each) for each in (self._wake(), self._tick())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            self._stop.set()
            self._wanted.set()
            await run_in_threadpool(thread.join)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """While this lasts, the journal is read."""
        self._lookers += 1
        self._wanted.set()
        try:
            yield
        finally:
            self._lookers -= 1
            if not self._lookers:
                self._wanted.clear()
                self._forget()

    @contextmanager
    def watching(self, action: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever the journal tells of this action."""
        bell = asyncio.Event()
        self._watched.setdefault(action, set()).add(bell)
        try:
            with self.looking():
                yield bell
        finally:
            left = self._watched[action]
            left.discard(bell)
            if not left:
                del self._watched[action]

    async def _wake(self) -> None:
        """Let everybody who waits look once the server is closing."""
        await self._closing.wait()
        self._told.set()
        for bells in self._watched.values():
            for bell in bells:
                bell.set()

    async def _tick(self) -> None:
        """One clock for all streams: each looks around now and then, and finds that its reader has gone."""
        while True:
            await asyncio.sleep(LOOK)
            self._tell()

    async def since(self, cursor: str | None) -> AsyncGenerator[list[Event], None]:
        """Every event after a cursor, without loss or repeat; an empty list each time that nothing came.

        Raises:
            Dropped: whoever reads this was slower than the news.
        """
        with self.looking():
            while (place := self._places.get(cursor)) is None:
                told = self._told
                events = await run_in_threadpool(self._page, cursor)
                cursor = events[-1].cursor if events else cursor
                yield events
                if not events:
                    await told.wait()
            while True:
                if place < self._first:
                    raise Dropped
                told = self._told
                begin = place - self._first
                events = list(islice(self._ring, begin, begin + PAGE))
                place += len(events)
                yield events
                if not events:
                    await told.wait()

    async def newest(self) -> str | None:
        """Where a stream begins that asks for what comes from now on."""
        return await run_in_threadpool(self._store.read, lambda tx: tx.journal.newest_cursor())

    def _listen(self) -> None:
        """The thread: hear, read, pass on."""
        while not self._stop.is_set():
            try:
                with closing(self._store.news()) as news:
                    while not self._stop.is_set():
                        if not self._wanted.is_set():
                            self._reading = False
                            self._wanted.wait()
                            continue
                        self._read_on()
                        if news.wait(LOOK):
                            self._stop.wait(PAUSE)
            except StoreError as error:
                logger.warning("live news stopped and is tried again: %s", type(error).__name__)
                self._stop.wait(LOOK)
            except Exception:  # noqa: BLE001 - the thread must outlive any one reading
                logger.exception("live news failed and is tried again")
                self._stop.wait(LOOK)

    def _read_on(self) -> None:
        if not self._reading:
            self._cursor = self._store.read(lambda tx: tx.journal.newest_cursor())
            self._call(self._begin, self._cursor)
            self._reading = True
        while events := self._page(self._cursor):
            self._cursor = events[-1].cursor
            self._call(self._publish, events)

    def _page(self, cursor: str | None) -> list[Event]:
        found = self._store.read(lambda tx: tx.journal.settled(cursor, PAGE))
        return [event_of(at, stored) for at, stored in found]

    def _call(self, function: object, argument: object) -> None:
        # the loop may have ended between two looks: then nobody looks on any more
        with suppress(RuntimeError):
            if self._loop is not None:
                self._loop.call_soon_threadsafe(function, argument)  # type: ignore[arg-type]

    def _begin(self, cursor: str | None) -> None:
        """The ring is empty, and stands after this cursor; what came before is read from the store."""
        self._forget()
        self._places = {cursor: self._first}
        self._base = cursor
        self._tell()
        for bells in self._watched.values():
            for bell in bells:
                bell.set()

    def _forget(self) -> None:
        """What the ring held is old: events that it does not have may follow, so no place in it counts."""
        self._first += len(self._ring) + 1
        self._ring.clear()
        self._places = {}

    def _publish(self, events: Sequence[Event]) -> None:
        for event in events:
            self._ring.append(event)
            self._places[event.cursor] = self._first + len(self._ring)
            for bell in self._watched.get(event.action or "", ()):
                bell.set()
        while len(self._ring) > RING:
            gone = self._ring.popleft()
            self._first += 1
            self._places.pop(self._base, None)
            self._base = gone.cursor
        self._tell()

    def _tell(self) -> None:
        told, self._told = self._told, asyncio.Event()
        told.set()


def event_of(cursor: str, stored: StoredEntry) -> Event:
    """An entry as it is sent."""
    entry = stored.entry
    data = _encode(entry_shape(stored)).decode()
    wire = format_sse_event(data_str=data, event=entry.kind.value, id=cursor)
    return Event(cursor, entry.kind.value, entry.action, entry.agent, entry.tool, wire)
