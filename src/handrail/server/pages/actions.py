"""One action: its whole story in order, and what people may still do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from handrail.engine.cancel import NOT_STARTED, cancel
from handrail.engine.models.story import call_before
from handrail.engine.settle import resolve
from handrail.engine.views.story import Story, story
from handrail.server.auth.who import Caller, allow, state_of
from handrail.server.pages.drawing import go, page, part
from handrail.server.pages.told import WORDS
from handrail.words.errors import BadArguments, Conflict, NotFound
from handrail.words.lifecycle import State

if TYPE_CHECKING:
    from handrail.ports import Transaction
    from handrail.words.model_call import ModelCall

router = APIRouter(include_in_schema=False, prefix="/actions")
Viewer = Annotated[Caller, Depends(allow("viewer"))]
Reviewer = Annotated[Caller, Depends(allow("reviewer"))]
Text = Annotated[str, Form()]
SETTLED = {"done": State.DONE, "failed": State.FAILED}
"""What a person may say of an action whose end nobody knows."""


@router.get("/{action_id}")
def shown(request: Request, caller: Viewer, action_id: str) -> Response:
    """The whole story."""
    return _drawn(request, caller, action_id)


@router.get("/{action_id}/now")
def again(request: Request, caller: Viewer, action_id: str) -> Response:
    """What of it changes."""
    return part(request, "_action.html", **_values(request, caller, action_id))


@router.post("/{action_id}/cancel")
def take_back(request: Request, caller: Reviewer, action_id: str, reason: Text = "") -> Response:
    """Take back what has not started."""
    if not reason.strip():
        return _drawn(request, caller, action_id, wrong="Taking back needs a reason: it stays in the log.")
    try:
        cancel(state_of(request).engine, action_id, caller.human().id, reason)
    except (Conflict, BadArguments) as error:
        return _drawn(request, caller, action_id, wrong=str(error), reason=reason)
    return go(request, f"/actions/{action_id}", "Taken back: it will not run.")


@router.post("/{action_id}/settle")
def settle(
    request: Request, caller: Reviewer, action_id: str, state: Text = "", reason: Text = ""
) -> Response:
    """Say how it ended, after somebody looked."""
    if state not in SETTLED or not reason.strip():
        wrong = "Say whether it took effect, and how you know: it stays in the log."
        return _drawn(request, caller, action_id, wrong=wrong, reason=reason)
    try:
        resolve(state_of(request).engine, action_id, SETTLED[state], caller.human().id, reason)
    except (NotFound, BadArguments) as error:
        return _drawn(request, caller, action_id, wrong=str(error), reason=reason)
    return go(request, f"/actions/{action_id}", "Settled, with your name and reason.")


def _drawn(
    request: Request, caller: Caller, action_id: str, wrong: str | None = None, reason: str = ""
) -> Response:
    values = _values(request, caller, action_id)
    return page(request, "action.html", 422 if wrong else 200, **{**values, "wrong": wrong, "reason": reason})


def _values(request: Request, caller: Caller, action_id: str) -> dict[str, Any]:
    engine, exact = state_of(request).engine, caller.role != "viewer"
    engine.refresh()

    def work(tx: Transaction) -> tuple[Story, ModelCall | None]:
        found = story(engine, tx, action_id, exact=exact)
        return found, call_before(tx, found.action.session, action_id)

    found, before = engine.store.read(work)
    state = found.action.state
    return {
        "story": found,
        "call_before": before,
        "may_cancel": exact and state in NOT_STARTED,
        "may_settle": exact and state is State.UNKNOWN,
        "exact": exact,
        "wrong": None,
        "reason": "",
        **WORDS,
    }
