"""Agents: what each may do, and the lines for its system prompt."""

from __future__ import annotations

from fastapi import Request, Response
from msgspec import Struct

from handrail.engine.core import Engine
from handrail.engine.restrict import rung_of
from handrail.policy.boundaries import boundaries
from handrail.server.api.route import Name, Who, answer, engine_of, route, routes
from handrail.words.errors import NotFound

router = routes("agents")


class Permitted(Struct):
    """A tool that the agent may ask for. Without a binding nobody has registered it: it is refused."""

    tool: str
    rung: str
    binding: str | None
    here: bool


class AgentShape(Struct):
    """One agent as the policy has it. The boundaries are advice to the model, never a defence."""

    agent: str
    may: list[Permitted]
    boundaries: str


@route(router, "GET /agents/{agent}", gives=AgentShape)
def get_agent(request: Request, caller: Who, agent: Name) -> Response:
    """Look at an agent: its tools, and the lines for its system prompt. An agent looks at itself."""
    engine = engine_of(request)
    engine.refresh()
    if caller.key is not None and agent not in caller.key.agents:
        raise NotFound(f"the policy knows no agent {agent!r}")
    lines = boundaries(engine.policy.policy, agent)
    may = [_permitted(engine, agent, tool) for tool in engine.policy.permitted(agent)]
    return answer(AgentShape(agent, may, lines))


def _permitted(engine: Engine, agent: str, tool: str) -> Permitted:
    known = engine.tools.get(tool)
    bound = known is not None and tool in engine.policy.bound
    return Permitted(
        tool,
        rung_of(engine, agent, tool).word,
        known.binding.digest if known is not None and bound else None,
        known is not None and not known.elsewhere,
    )
