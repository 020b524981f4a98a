"""Sessions: the runs of agents, newest first, and one of them on one axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from handrail.engine.loops import hold, release
from handrail.engine.views.timeline import WIDTH, timeline
from handrail.server.auth.who import Caller, allow, state_of
from handrail.server.pages.calls import CALLS
from handrail.server.pages.drawing import go, page, part
from handrail.server.pages.told import WORDS, stamp
from handrail.words.errors import BadArguments, Conflict

router = APIRouter(include_in_schema=False, prefix="/sessions")
Viewer = Annotated[Caller, Depends(allow("viewer"))]
Reviewer = Annotated[Caller, Depends(allow("reviewer"))]
Word = Annotated[str, Query(max_length=500)]
ROWS = 50


@router.get("")
def listed(
    request: Request, caller: Viewer, agent: Word = "", task: Word = "", before: Word = ""
) -> Response:
    """The newest sessions; of one agent, or for one task, where that was asked."""
    del caller
    return page(request, "sessions.html", **_rows(request, agent, task, before))


@router.get("/rows")
def again(request: Request, caller: Viewer, agent: Word = "", task: Word = "") -> Response:
    """The newest rows, when something came."""
    del caller
    return part(request, "_sessions.html", **_rows(request, agent, task, ""))


@router.get("/{session_id}")
def shown(request: Request, caller: Viewer, session_id: str, after: Word = "") -> Response:
    """What an agent did in one run, on one axis."""
    return page(request, "session.html", **_line(request, caller, session_id, after))


@router.get("/{session_id}/now")
def now(request: Request, caller: Viewer, session_id: str, after: Word = "") -> Response:
    """What of it changes."""
    return part(request, "_session.html", **_line(request, caller, session_id, after))


@router.post("/{session_id}/hold")
def held(
    request: Request, caller: Reviewer, session_id: str, reason: Annotated[str, Form()] = ""
) -> Response:
    """Hold it: nothing of it starts any more."""
    return _told(request, session_id, hold, reason, caller.human().id, "Held. Nothing of it starts any more.")


@router.post("/{session_id}/release")
def released(
    request: Request, caller: Reviewer, session_id: str, reason: Annotated[str, Form()] = ""
) -> Response:
    """Let it go on."""
    return _told(request, session_id, release, reason, caller.human().id, "Released. It may go on.")


def _told(
    request: Request, session_id: str, work: Callable[..., object], reason: str, person: str, done: str
) -> Response:
    try:
        work(state_of(request).engine, session_id, reason, person)
    except (BadArguments, Conflict) as error:
        return go(request, f"/sessions/{quote(session_id)}", str(error), bad=True)
    return go(request, f"/sessions/{quote(session_id)}", done)


def _rows(request: Request, agent: str, task: str, before: str) -> dict[str, Any]:
    engine = state_of(request).engine
    engine.refresh()
    found = engine.store.read(
        lambda tx: tx.sessions.listing(agent or None, task or None, before or None, ROWS + 1)
    )
    kept = [(name, value) for name, value in (("agent", agent), ("task", task)) if value]
    return {
        "sessions": found[:ROWS],
        "agents": list(engine.policy.policy.agents),
        "agent": agent,
        "task": task,
        "fresh": f"/sessions/rows?{urlencode(kept)}",
        "more": len(found) > ROWS and f"/sessions?{urlencode([*kept, ('before', found[ROWS - 1].id)])}",
        "first": not before,
        "stamp": stamp,
    }


def _line(request: Request, caller: Caller, session_id: str, after: str) -> dict[str, Any]:
    engine = state_of(request).engine
    engine.refresh()
    found = engine.store.read(lambda tx: timeline(engine, tx, session_id, after))
    return {
        "line": found,
        "after": after,
        "may_hold": caller.role != "viewer",
        "width": WIDTH,
        "call_states": CALLS,
        **WORDS,
    }
