"""Agents: what each may do, where its tools stand, what it is told; an admin sets a rung by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from handrail.engine.restrict import rung_of, set_rung
from handrail.policy.boundaries import boundaries
from handrail.server.auth.who import Caller, allow, state_of
from handrail.server.pages.doing import fresh, tried
from handrail.server.pages.keys import of_agents, working
from handrail.server.pages.overview import STEPS
from handrail.words.errors import BadArguments, NotFound
from handrail.words.level import Rung

if TYPE_CHECKING:
    from handrail.engine.core import Engine
    from handrail.words.restriction import Grant

router = APIRouter(include_in_schema=False, prefix="/agents")
Viewer = Annotated[Caller, Depends(allow("viewer"))]
Admin = Annotated[Caller, Depends(allow("admin"))]
Text = Annotated[str, Form()]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one tool of an agent stands. ``ready`` says whether somebody has registered it."""

    tool: str
    rung: Rung
    ceiling: Rung
    grant: Grant | None
    ready: bool


@router.get("")
def listed(request: Request, caller: Viewer) -> Response:
    """Every agent of the policy, what waits to be accepted, and for an admin the keys."""
    engine = state_of(request).engine
    engine.refresh()
    keys, schemas = engine.store.read(lambda tx: (tx.keys.listing(), tx.toolbox.listing()))
    agents = {agent: _standings(engine, agent) for agent in engine.policy.policy.agents}
    at = engine.clock()
    return fresh(
        request,
        "agents.html",
        agents=agents,
        steps=STEPS,
        waiting=[each for each in schemas if each.accepted_at is None],
        keys=of_agents(keys, at),
        live=[each for each in keys if working(each, at)],
        ended=[each for each in keys if not working(each, at)],
        manages=caller.role == "admin",
    )


@router.get("/agent")
def shown(request: Request, caller: Viewer, name: str) -> Response:
    """One agent: its tools on their rungs, and the lines for its system prompt."""
    engine = state_of(request).engine
    engine.refresh()
    told = boundaries(engine.policy.policy, name)
    return fresh(
        request,
        "agent.html",
        agent=name,
        standings=_standings(engine, name),
        told=told,
        steps=STEPS,
        Rung=Rung,
        manages=caller.role == "admin",
    )


@router.get("/rung")
def ask(request: Request, caller: Admin, agent: str, tool: str) -> Response:
    """The form that sets a rung by hand."""
    del caller
    engine = state_of(request).engine
    engine.refresh()
    found = next((each for each in _standings(engine, agent) if each.tool == tool), None)
    if found is None:
        raise NotFound(f"the policy does not let {agent[:60]} use {tool[:60]}")
    return fresh(request, "rung.html", agent=agent, standing=found, steps=STEPS, Rung=Rung)


@router.post("/rung")
def put(request: Request, caller: Admin, agent: Text, tool: Text, rung: Text, reason: Text = "") -> Response:
    """Set a rung by hand: it is marked so for ever."""

    def act() -> str:
        _, after = set_rung(state_of(request).engine, agent, tool, _rung(rung), reason, caller.human().id)
        return f"{tool} of {agent} now stands at: {STEPS[after][0]}."

    return tried(request, f"/agents/agent?name={quote(agent)}", act)


def _rung(word: str) -> Rung:
    try:
        return Rung.of(word)
    except ValueError as error:
        raise BadArguments(str(error)) from error


def _standings(engine: Engine, agent: str) -> list[Standing]:
    if agent not in engine.policy.policy.agents:
        raise NotFound(f"the policy knows no agent {agent[:60]}")
    return [_standing(engine, agent, tool) for tool in engine.policy.permitted(agent)]


def _standing(engine: Engine, agent: str, tool: str) -> Standing:
    described = engine.policy.policy.tools.get(tool)
    ceiling = described.at_most if described else Rung.SUGGEST
    grant = engine.restrictions.grants.get((agent, tool))
    ready = tool in engine.tools and tool in engine.policy.bound
    return Standing(tool, rung_of(engine, agent, tool), ceiling, grant, ready)
