"""Calls of models: newest first, searched by who may read them, and one of them with what was said."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from handrail.engine.models.prompts import Found, pretty, search
from handrail.engine.models.story import call_story, cost_of
from handrail.server.auth.who import Caller, allow, state_of
from handrail.server.pages.drawing import page, part
from handrail.server.pages.talk import talk
from handrail.server.pages.told import FAILED, NOW, WORDS, aligned
from handrail.words.model_call import CallFilter, CallState
from handrail.words.overview import Met

if TYPE_CHECKING:
    from handrail.ports import Transaction

router = APIRouter(include_in_schema=False, prefix="/calls")
Viewer = Annotated[Caller, Depends(allow("viewer"))]
Word = Annotated[str, Query(max_length=500)]
ROWS = 50
CALLS = {
    CallState.RUNNING: ("under way", NOW),
    CallState.DONE: ("answered", Met.RAN),
    CallState.FAILED: ("failed", FAILED),
    CallState.UNKNOWN: ("lost sight of", FAILED),
}
"""How a call's state is called, and which shape it has."""
PARTS = {
    "input": "read",
    "output": "written",
    "cached": "of them from a cache",
    "reasoning": "of them thinking",
    "images": "images",
    "searches": "searches",
}
"""What a call used, in words."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, as it stands in the address."""

    text: Word = ""
    agent: Word = ""
    model: Word = ""
    task: Word = ""
    session: Word = ""


Wanted = Annotated[Asked, Depends(Asked)]


@router.get("")
def listed(request: Request, caller: Viewer, asked: Wanted, before: Word = "") -> Response:
    """The newest calls that fit."""
    return page(request, "calls.html", **_rows(request, caller, asked, before))


@router.get("/rows")
def again(request: Request, caller: Viewer, asked: Wanted) -> Response:
    """The newest rows, when something came."""
    return part(request, "_calls.html", **_rows(request, caller, asked, ""))


@router.get("/{call_id}")
def shown(request: Request, caller: Viewer, call_id: str) -> Response:
    """What was asked and answered, what it cost, and what the agent did next."""
    return page(request, "call.html", **_values(request, caller, call_id))


@router.get("/{call_id}/now")
def now(request: Request, caller: Viewer, call_id: str) -> Response:
    """What of it changes."""
    return part(request, "_call.html", **_values(request, caller, call_id))


def _rows(request: Request, caller: Caller, asked: Asked, before: str) -> dict[str, Any]:
    engine, reads = state_of(request).engine, caller.role != "viewer"
    engine.catch_up()
    kept = {name: value for name, value in asdict(asked).items() if value and (reads or name != "text")}
    filters = {name: value for name, value in kept.items() if name != "text"}
    wanted = CallFilter(**filters, before=before or None, limit=ROWS)

    def work(tx: Transaction) -> Found:
        if "text" in kept:
            return search(engine, tx, wanted, kept["text"])
        found = tx.model_calls.listing(wanted)
        return Found(tuple(found), found[-1].id if len(found) == ROWS else None)

    found = engine.store.read(work)
    more = urlencode([*kept.items(), ("before", found.next)]) if found.next else ""
    return {
        "calls": list(
            zip(found.calls, aligned([cost_of(engine, each) for each in found.calls]), strict=True)
        ),
        "call_states": CALLS,
        "asked": asked,
        "reads": reads,
        "agents": list(engine.policy.policy.agents),
        "fresh_url": f"/calls/rows?{urlencode(kept)}",
        "more": f"/calls?{more}" if more else None,
        "searched": "text" in kept,
        "first": not before,
        **WORDS,
    }


def _values(request: Request, caller: Caller, call_id: str) -> dict[str, Any]:
    engine, reads = state_of(request).engine, caller.role != "viewer"
    engine.catch_up()
    found = engine.store.read(lambda tx: call_story(engine, tx, call_id, exact=reads))
    usage = asdict(found.call.usage) if found.call.usage is not None else {}
    return {
        "story": found,
        "call": found.call,
        "call_states": CALLS,
        "used": [(word, usage[name]) for name, word in PARTS.items() if usage.get(name)],
        "request_text": pretty(found.shown.request) if found.shown else "",
        "response_text": pretty(found.shown.response) if found.shown else "",
        "reads": reads,
        "talk": talk,
        **WORDS,
    }
