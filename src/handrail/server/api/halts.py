"""The kill switch: nothing that a halt covers starts after the request was answered, on any server."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request, Response
from msgspec import Meta, Struct

from handrail.engine.restrict import halt, lift, strangers
from handrail.server.api.route import Name, Who, answer, engine_of, reading, route, routes, store_of
from handrail.server.api.shapes import ActionShape, Moment, Reason, Taken, Word, action_shape, moment
from handrail.words.errors import NotFound
from handrail.words.restriction import Halt

router = routes("halts")


class HaltShape(Struct):
    """A halt in force. Without an agent it is for every agent, without a tool for every tool."""

    id: str
    agent: str | None
    tool: str | None
    scope: str
    reason: str
    by: str
    at: Moment


class HaltList(Struct):
    """Every halt in force."""

    items: list[HaltShape]


class NewHalt(Taken):
    """What to stop: everything, an agent, a tool, or one agent's tool."""

    reason: Reason
    agent: Word | None = None
    tool: Word | None = None


class Halted(Struct):
    """The halt, and what it covers that is still running."""

    halt: HaltShape
    running: list[ActionShape]
    warnings: Annotated[list[str], Meta(description="Names that the policy does not know: mistyped?")] = []


class NewLift(Taken):
    """Why it may go on."""

    reason: Reason


class Lifted(Struct):
    """The halts that are still in force."""

    items: list[HaltShape]


@route(router, "GET /halts", gives=HaltList)
def list_halts(request: Request) -> Response:
    """List the halts in force."""
    found = store_of(request).read(lambda tx: tx.restrictions.read()).halts
    return answer(HaltList([_shape(each) for each in found]))


@route(
    router,
    "POST /halts",
    takes=NewHalt,
    gives=Halted,
    status=201,
    said={"agent": "support", "reason": "It refunds the wrong orders."},
)
def throw_halt(request: Request, caller: Who, given: Annotated[NewHalt, reading(NewHalt)]) -> Response:
    """Throw the kill switch. Once this is answered, nothing that it covers starts."""
    engine = engine_of(request)
    made, running = halt(engine, given.reason, caller.human().id, given.agent, given.tool)
    found = store_of(request).read(lambda tx: tx.restrictions.read()).halts
    shape = next((_shape(each) for each in found if each.id == made), None)
    if shape is None:
        raise NotFound(f"the halt {made} was lifted in the same moment")
    unknown = strangers(engine.policy.policy, given.agent, given.tool)
    return answer(Halted(shape, [action_shape(each) for each in running], unknown), 201)


@route(
    router,
    "POST /halts/{halt_id}/lift",
    takes=NewLift,
    gives=Lifted,
    said={"reason": "The rule for orders was mended."},
)
def lift_halt(
    request: Request,
    caller: Who,
    halt_id: Name,  # whoever stopped everything by SQL chose the id
    given: Annotated[NewLift, reading(NewLift)],
) -> Response:
    """End a halt; what is still in force."""
    lift(engine_of(request), halt_id, given.reason, caller.human().id)
    found = store_of(request).read(lambda tx: tx.restrictions.read()).halts
    return answer(Lifted([_shape(each) for each in found]))


def _shape(found: Halt) -> HaltShape:
    return HaltShape(found.id, found.agent, found.tool, found.scope, found.reason, found.by, moment(found.at))
