"""Halts: what is stopped, stopping in two deliberate steps, and letting go again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from handrail.engine.restrict import halt, lift, strangers
from handrail.server.auth.who import Caller, allow, state_of
from handrail.server.pages.doing import fresh
from handrail.server.pages.drawing import go, page
from handrail.words.errors import BadArguments, NotFound, Refused
from handrail.words.restriction import Halt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.ports import Transaction
    from handrail.words.action import Action

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Caller, Depends(allow("viewer"))]
Reviewer = Annotated[Caller, Depends(allow("reviewer"))]
Admin = Annotated[Caller, Depends(allow("admin"))]
Text = Annotated[str, Form()]


@router.get("/halts")
def listed(request: Request, caller: Viewer) -> Response:
    """What is halted, what is running, and the first step of a halt."""
    engine = state_of(request).engine
    engine.catch_up()

    def work(tx: Transaction) -> tuple[Sequence[Halt], Sequence[Action]]:
        return tx.restrictions.read().halts, tx.actions.running()

    halts, running = engine.store.read(work)
    policy = engine.policy.policy
    return fresh(
        request,
        "halts.html",
        halts=halts,
        running=running,
        agents=list(policy.agents),
        tools=list(policy.tools),
        may_halt=caller.role != "viewer",
        may_lift=caller.role == "admin",
    )


@router.get("/halts/new")
def ask(request: Request, caller: Reviewer, agent: str = "", tool: str = "", reason: str = "") -> Response:
    """The second step: say exactly what will stop, and ask."""
    del caller
    if not reason.strip():
        return go(request, "/halts", "A stop needs a reason: it stays in the log.", bad=True)
    wanted = Halt("", agent or None, tool or None, reason, "", 0)
    running = state_of(request).store.read(lambda tx: tx.actions.running())
    covered = [each for each in running if wanted.covers(each.agent, each.tool)]
    return page(request, "halt.html", halt=wanted, running=covered)


@router.post("/halts")
def throw(request: Request, caller: Reviewer, reason: Text, agent: Text = "", tool: Text = "") -> Response:
    """Halt."""
    engine, me = state_of(request).engine, caller.human()
    try:
        _, running = halt(engine, reason, me.id, agent or None, tool or None)
    except (Refused, BadArguments) as error:
        return go(request, "/halts", str(error), bad=True)
    still = f" {len(running)} that began before still run." if running else " Nothing is running."
    unknown = strangers(engine.policy.policy, agent or None, tool or None)
    said = " ".join(["Stopped. Nothing that it covers starts any more.", *unknown]) + still
    return go(request, "/halts", said, bad=bool(unknown))


@router.post("/halts/{halt_id}/lift")
def let_go(request: Request, caller: Admin, halt_id: str, reason: Text = "") -> Response:
    """End a halt."""
    try:
        lift(state_of(request).engine, halt_id, reason, caller.human().id)
    except NotFound:
        return go(request, "/halts", "That stop is over: somebody let it go on before.", bad=True)
    except (Refused, BadArguments) as error:
        return go(request, "/halts", str(error), bad=True)
    return go(request, "/halts", "It goes on.")
