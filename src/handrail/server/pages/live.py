"""The one stream of a page: it tells which kind of thing changed, and the page fetches its part anew."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import Response

from handrail.server.api.entries import Followed
from handrail.server.auth.who import Caller, allow, state_of
from handrail.words.entry import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.server.live import Event

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Caller, Depends(allow("viewer"))]
CURSOR = r"^([0-9]{1,18}\.[0-9]{1,18})?$"
Cursor = Annotated[str | None, Query(pattern=CURSOR)]
LastEvent = Annotated[str | None, Header(pattern=CURSOR)]

_ACTIONS = (Kind.PROPOSED, Kind.DECIDED, Kind.REDECIDED, Kind.INTENDED, Kind.DONE, Kind.FAILED, Kind.UNKNOWN)
_QUESTIONS = (
    Kind.ASKED,
    Kind.VOTED,
    Kind.ESCALATED,
    Kind.APPROVED,
    Kind.REJECTED,
    Kind.EDITED,
    Kind.ANSWERED,
    Kind.RESUMED,
)
MEASURES: dict[str, tuple[Kind, ...]] = {
    "actions": (*_ACTIONS, Kind.SETTLED, Kind.CANCELLED, Kind.EXPIRED, Kind.STANDING_USED),
    "questions": (*_QUESTIONS, Kind.CANCELLED, Kind.EXPIRED),
    "standings": (Kind.STANDING_MADE, Kind.STANDING_USED, Kind.STANDING_REVOKED),
    "budgets": (
        Kind.BUDGET_ALERT,
        Kind.BUDGET_OVERRUN,
        Kind.BUDGET_RAISED,
        Kind.BUDGET_RAISE_ENDED,
        Kind.BUDGET_FROZEN,
        Kind.BUDGET_THAWED,
    ),
    "halts": (Kind.HALTED, Kind.LIFTED, Kind.RESTORED),
    "ladder": (Kind.PROMOTED, Kind.DEMOTED),
    "policy": (Kind.POLICY_ACTIVATED, Kind.TOOL_REGISTERED, Kind.TOOL_ACCEPTED),
    "sessions": (Kind.SESSION_OPENED, Kind.SESSION_ENDED, Kind.SESSION_HELD, Kind.SESSION_RELEASED),
    "calls": (
        Kind.MODEL_ASKED,
        Kind.MODEL_DONE,
        Kind.MODEL_FAILED,
        Kind.MODEL_PRESUMED,
        Kind.MODEL_REFUSED,
    ),
    "people": (
        Kind.PERSON_INVITED,
        Kind.PERSON_CHANGED,
        Kind.SIGNED_IN,
        Kind.SIGN_IN_FAILED,
        Kind.SIGNED_OUT,
        Kind.KEY_MADE,
        Kind.KEY_REVOKED,
    ),
    "payloads": (Kind.ERASED,),
}
"""What a page can listen for, and the entries that tell of it."""


@router.get("/live")
async def live(
    request: Request, caller: Viewer, since: Cursor = None, last_event_id: LastEvent = None
) -> Response:
    """Tell what changes, from where the page was drawn or the stream broke."""
    del caller
    cursor = last_event_id or since or await state_of(request).live.newest()
    return Followed(request, cursor, wire)


def wire(events: Sequence[Event]) -> bytes:
    """The kinds of things that these events change, each once."""
    return _wire(frozenset(event.kind for event in events), events[-1].cursor) if events else b""


@lru_cache(64)
def _wire(kinds: frozenset[str], cursor: str) -> bytes:
    """The same for all who look on."""
    found = [name for name, tells in MEASURES.items() if not kinds.isdisjoint(tells)]
    return b"".join(f"event: {name}\nid: {cursor}\ndata: changed\n\n".encode() for name in found)
