"""The journal: search, and a live stream that resumes without loss or repeat."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

from fastapi import Header, Query, Request, Response
from fastapi.sse import EventSourceResponse
from msgspec import Struct
from starlette.concurrency import run_in_threadpool

from handrail.server.api.route import (
    PAGE,
    Filter,
    Limit,
    answer,
    following,
    route,
    routes,
    store_of,
)
from handrail.server.api.shapes import EntryShape, entry_shape
from handrail.server.auth.who import identify, permit, state_of, who
from handrail.server.errors import Problem
from handrail.server.live import Dropped, Event
from handrail.server.roles import ROLES
from handrail.words.entry import Kind
from handrail.words.errors import StoreError
from handrail.words.query import EntryFilter

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

router = routes("journal")
BEAT = 15.0
"""Seconds between two signs of life of a stream, after which its caller's rights are looked at again."""
ENDING = frozenset({Kind.PERSON_CHANGED.value, Kind.SIGNED_OUT.value})
"""News after which a caller's rights are looked at before anything more is told."""
OPENED = b"retry: 1000\n\n"
DROPPED = b'event: dropped\ndata: {"why": "slower than the news; come back with the last event\'s id"}\n\n'
Ident = Annotated[str | None, Query(pattern=r"^[0-9a-f]{28}$")]


class EntryPage(Struct):
    """Entries, newest first."""

    items: list[EntryShape]
    next: str | None


@route(router, "GET /entries", gives=EntryPage)
def list_entries(  # noqa: PLR0913, PLR0917 - every filter is a parameter
    request: Request,
    kind: Annotated[Kind | None, Query()] = None,
    action: Ident = None,
    agent: Filter = None,
    tool: Filter = None,
    session: Filter = None,
    task: Filter = None,
    text: Annotated[Filter, Query(description="Any text in it.")] = None,
    cursor: Annotated[str | None, Query(pattern=r"^[0-9]{1,18}$")] = None,
    limit: Limit = PAGE,
) -> Response:
    """Search the journal, newest first."""
    wanted = EntryFilter(
        kind=kind.value if kind else None,
        action=action,
        agent=agent,
        tool=tool,
        session=session,
        task=task,
        text=text,
        before=None if cursor is None else int(cursor),
        limit=limit,
    )
    found = store_of(request).read(lambda tx: tx.journal.newest(wanted))
    items = [entry_shape(each) for each in found]
    return answer(EntryPage(items, following(found, limit, lambda it: str(it.seq))))


@route(router, "GET /stream", gives=None, streams=True)
async def stream_entries(
    request: Request,
    kind: Annotated[list[Kind] | None, Query(description="Only these kinds.")] = None,
    agent: Filter = None,
    tool: Filter = None,
    last_event_id: Annotated[
        str | None, Header(pattern=r"^([0-9]{1,18}\.[0-9]{1,18})?$", description="Where to go on.")
    ] = None,
) -> Response:
    """Follow the journal as server-sent events.

    Each event's name is its kind, its data the entry, its id where to go on after it: a stream that breaks
    resumes with `Last-Event-ID`, without loss or repeat. Without it, the stream begins now. One that is too
    slow for its news ends with the event `dropped`.
    """
    live = state_of(request).live
    cursor = last_event_id or await live.newest()
    kinds = frozenset(each.value for each in kind or ())

    def wanted(event: Event) -> bool:
        return (
            (not kinds or event.kind in kinds) and agent in (None, event.agent) and tool in (None, event.tool)
        )

    def wire(events: Sequence[Event]) -> bytes:
        return b"".join(event.wire for event in events if wanted(event))

    return Followed(request, cursor, wire)


class Followed(EventSourceResponse):
    """A stream of the journal, counted for its caller from the first byte to the last."""

    def __init__(
        self, request: Request, cursor: str | None, wire: Callable[[Sequence[Event]], bytes]
    ) -> None:
        """From a cursor on, as ``wire`` tells it."""
        super().__init__(followed(request, cursor, wire), headers={"x-accel-buffering": "no"})
        self._streams, self._caller = state_of(request).limits.streams, who(request).name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; 429 for one too many."""
        with self._streams.held(self._caller) as fits:
            if not fits:
                detail = f"{self._streams.most} streams of yours are open. Close one, then open this again."
                raise Problem(429, detail, headers={"retry-after": "5"})
            await super().__call__(scope, receive, send)


async def followed(
    request: Request, cursor: str | None, wire: Callable[[Sequence[Event]], bytes]
) -> AsyncIterator[bytes]:
    """The journal from a cursor on, as ``wire`` tells it, until the caller may look on no more."""
    state = state_of(request)
    yield OPENED
    beaten = time.monotonic()
    try:
        async with aclosing(state.live.since(cursor)) as news:
            async for events in news:
                if state.closing.is_set():
                    return
                if any(event.kind in ENDING for event in events) and not await _may_still(request):
                    return
                cursor = events[-1].cursor if events else cursor
                found = wire(events)
                if found:
                    yield found
                if time.monotonic() - beaten >= BEAT:
                    beaten = time.monotonic()
                    if not await _may_still(request):
                        return
                    # an id without data moves on where a quiet stream will resume
                    yield f": beat\nid: {cursor}\n\n".encode() if cursor else b": beat\n\n"
    except Dropped:
        yield DROPPED
    except StoreError:
        return


async def _may_still(request: Request) -> bool:
    return await run_in_threadpool(_still_may, request)


def _still_may(request: Request) -> bool:
    """Whether the caller may still look on: a sign-in or a role may have ended meanwhile."""
    try:
        permit(identify(request), ROLES["GET /api/v1/stream"])
    except Problem as refused:
        return refused.status_code not in {401, 403}
    return True
