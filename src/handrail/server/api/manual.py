"""Manual control: an admin runs a tool of the server by hand, also while agents are halted."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request, Response

from handrail.engine.by_hand import run_by_hand
from handrail.server.api.route import Who, answer, engine_of, reading, route, routes
from handrail.server.api.shapes import ActionShape, Object, Reason, Taken, Word, action_shape

router = routes("manual actions")


class NewManual(Taken):
    """A call of one of the server's own tools, as the person who asks for it."""

    tool: Word
    args: Object
    reason: Reason
    task: Word | None = None


@route(
    router,
    "POST /manual-actions",
    takes=NewManual,
    gives=ActionShape,
    status=201,
    said={
        "tool": "issue_refund",
        "args": {"order_id": "o-17", "amount": 25},
        "reason": "The agent is halted.",
    },
)
def run_manually(request: Request, caller: Who, given: Annotated[NewManual, reading(NewManual)]) -> Response:
    """Run a tool by hand. Its schema and the claim hold; halts and levels of agents do not apply."""
    engine = engine_of(request)
    done = run_by_hand(engine, given.tool, given.args, caller.human().id, given.reason, given.task)
    return answer(action_shape(done), 201)
