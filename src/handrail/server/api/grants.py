"""Grants: where each tool stands for each agent, and setting it by hand."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request, Response
from msgspec import Meta, Struct

from handrail.engine.core import Engine
from handrail.engine.restrict import rung_of, set_rung
from handrail.server.api.route import Name, Who, answer, engine_of, reading, route, routes
from handrail.server.api.shapes import Moment, Reason, Taken, moment
from handrail.words.level import Rung

router = routes("grants")
RUNGS = tuple(rung.word for rung in Rung)


class GrantShape(Struct):
    """The rung of one agent's tool. Without a grant it stands where the policy starts it."""

    agent: str
    tool: str
    rung: str
    ceiling: str
    since: Moment | None
    by: str | None
    reason: str | None
    override: bool


class GrantList(Struct):
    """Every tool of every agent that the policy permits."""

    items: list[GrantShape]


class NewGrant(Taken):
    """A rung by hand: it is marked so for ever."""

    rung: Annotated[str, Meta(pattern=f"^({'|'.join(RUNGS)})$", examples=["suggest"])]
    reason: Reason


@route(router, "GET /grants", gives=GrantList)
def list_grants(request: Request) -> Response:
    """List where every tool stands."""
    engine = engine_of(request)
    engine.refresh()
    agents = engine.policy.policy.agents
    return answer(
        GrantList(
            [_shape(engine, agent, tool) for agent in agents for tool in engine.policy.permitted(agent)]
        )
    )


@route(
    router,
    "PUT /grants/{agent}/{tool}",
    takes=NewGrant,
    gives=GrantShape,
    said={"rung": "suggest", "reason": "Two wrong refunds today."},
)
def set_grant(
    request: Request, caller: Who, agent: Name, tool: Name, given: Annotated[NewGrant, reading(NewGrant)]
) -> Response:
    """Set a rung by hand, at most as high as the policy's ceiling."""
    engine = engine_of(request)
    rung = next(each for each in Rung if each.word == given.rung)
    set_rung(engine, agent, tool, rung, given.reason, caller.human().id)
    engine.refresh()
    return answer(_shape(engine, agent, tool))


def _shape(engine: Engine, agent: str, tool: str) -> GrantShape:
    described = engine.policy.policy.tools.get(tool)
    grant = engine.restrictions.grants.get((agent, tool))
    return GrantShape(
        agent,
        tool,
        rung_of(engine, agent, tool).word,
        (described.at_most if described else Rung.SUGGEST).word,
        moment(grant.since) if grant else None,
        grant.by if grant else None,
        grant.reason if grant else None,
        grant.override if grant else False,
    )
