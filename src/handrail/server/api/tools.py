"""Tools that run elsewhere: their hosts register the schemas, a person accepts a changed one."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import Request, Response
from msgspec import Meta, Struct

from handrail.engine.toolbox import accept, register
from handrail.server.api.route import Name, Who, answer, engine_of, reading, route, routes, store_of
from handrail.server.api.shapes import Digest, Moment, Object, Taken, Word, maybe, moment
from handrail.words.toolbox import ToolSchema

router = routes("tools")
SCHEMA = {"type": "object", "properties": {"order_id": {"type": "string"}}, "required": ["order_id"]}
BINDING = "a3" * 32


class NewTool(Taken):
    """A tool that the caller's agent runs."""

    name: Word
    schema: Annotated[Object, Meta(description="The JSON Schema of its arguments.")]


class Registered(Struct):
    """Whether proposals for this version of the tool are judged, or denied until a person accepts it."""

    tool: str
    binding: Digest
    accepted: bool


class ToolShape(Struct):
    """One version of a tool's schema."""

    tool: str
    binding: Digest
    schema: Annotated[msgspec.Raw, Meta(extra_json_schema={"type": "object"})]
    registered_at: Moment
    registered_by: str
    accepted: bool
    accepted_at: Moment | None
    accepted_by: str | None


class ToolList(Struct):
    """Every version of every tool, the newest first."""

    items: list[ToolShape]


class Acceptance(Taken):
    """Which version is accepted."""

    binding: Digest


@route(
    router,
    "POST /tools",
    takes=NewTool,
    gives=Registered,
    said={"name": "find_order", "schema": SCHEMA},
    shown={"tool": "find_order", "binding": BINDING, "accepted": True},
)
def register_tool(request: Request, caller: Who, given: Annotated[NewTool, reading(NewTool)]) -> Response:
    """Register a tool that runs where the agent is.

    The first schema of a tool counts at once; another one waits until an admin accepts it, and proposals
    made for it are denied meanwhile. A tool that the policy does not give to the agent is never accepted.
    """
    if caller.key is None:
        raise AssertionError("an agent has a key")
    found = register(engine_of(request), given.name, given.schema, caller.key.agents[0], caller.name)
    return answer(Registered(found.tool, found.binding, found.accepted_at is not None))


@route(router, "GET /tools", gives=ToolList)
def list_tools(request: Request) -> Response:
    """List the schemas of tools that run elsewhere."""
    found = store_of(request).read(lambda tx: tx.toolbox.listing())
    return answer(ToolList([_shape(each) for each in found]))


@route(router, "POST /tools/{tool}/accept", takes=Acceptance, gives=ToolShape, said={"binding": BINDING})
def accept_tool(
    request: Request, caller: Who, tool: Name, given: Annotated[Acceptance, reading(Acceptance)]
) -> Response:
    """Accept a version of a tool's schema instead of the one before."""
    return answer(_shape(accept(engine_of(request), tool, given.binding, caller.human().id)))


def _shape(found: ToolSchema) -> ToolShape:
    return ToolShape(
        found.tool,
        found.binding,
        msgspec.Raw(found.schema.encode()),
        moment(found.registered_at),
        found.registered_by,
        found.accepted_at is not None,
        maybe(found.accepted_at),
        found.accepted_by,
    )
