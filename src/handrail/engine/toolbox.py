"""The toolbox: schemas of tools that run elsewhere. The first is pinned as it comes, a changed one waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from handrail.engine import record
from handrail.engine.texts import LONGEST_NAME, name_of
from handrail.policy.binding import Binding, binding
from handrail.ports import Commit
from handrail.words.entry import Kind
from handrail.words.errors import BadArguments, Conflict, NotFound
from handrail.words.toolbox import ToolSchema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handrail.engine.core import Engine
    from handrail.ports import Transaction

LARGEST = 65_536
"""Bytes of one schema."""
WAITING = 20
"""Versions of one tool that may wait for a person at a time."""
_encode = msgspec.json.Encoder(order="sorted").encode


def register(engine: Engine, tool: str, schema: Mapping[str, object], agent: str, by: str) -> ToolSchema:
    """Remember the schema of a tool that ``agent`` runs; it counts once ``accepted_at`` is set.

    Of a tool that the policy does not give to this agent nothing is kept: nobody pins what others use.

    Raises:
        PolicyError: the schema and the policy do not fit each other.
        BadArguments: the schema is too large, or no JSON Schema of an object.
        Conflict: too many versions of this tool wait.
    """
    bound = _binding(name_of(tool, "the tool"), schema)
    engine.refresh()
    known = engine.tools.get(tool)
    at = engine.clock()
    text = _text(bound)
    if tool not in engine.policy.permitted(agent):
        return ToolSchema(tool, bound.digest, text, at, by)
    if known is not None and (not known.elsewhere or known.binding.digest == bound.digest):
        accepted = at if known.binding.digest == bound.digest else None
        return ToolSchema(tool, bound.digest, text, at, by, accepted, by if accepted else None)
    engine.policy.bind(bound)
    found = engine.store.restrict(Commit.TOOL, lambda tx: _register(tx, bound, text, by))
    engine.refresh()
    engine.stir()
    return found


def _register(tx: Transaction, bound: Binding, text: str, by: str) -> ToolSchema:
    found = tx.toolbox.get(bound.tool, bound.digest)
    if found is not None:
        return found
    versions = [each for each in tx.toolbox.listing() if each.tool == bound.tool]
    if len(versions) > WAITING:
        raise Conflict(f"{len(versions)} versions of {bound.tool} are known; accept one, or register fewer")
    at = tx.now()
    first = not versions
    made = ToolSchema(bound.tool, bound.digest, text, at, by, at if first else None, by if first else None)
    tx.toolbox.add(made)
    body = {"tool": bound.tool, "binding": bound.digest, "by": by, "accepted": first}
    tx.journal.append([record.plain(Kind.TOOL_REGISTERED, at, **body)])
    return made


def accept(engine: Engine, tool: str, digest: str, person: str) -> ToolSchema:
    """A person pins this version of a tool; proposals made for another are denied from now on, everywhere.

    Raises:
        NotFound: no such version was registered.
        PolicyError: the schema and the policy do not fit each other.
    """
    engine.refresh()
    waiting = engine.store.read(lambda tx: tx.toolbox.get(tool, digest))
    if waiting is None:
        raise NotFound(f"no host has registered the version {digest[:12]} of {tool}")
    engine.policy.bind(Binding(tool, msgspec.json.decode(waiting.schema), digest))

    def work(tx: Transaction) -> ToolSchema:
        at = tx.now()
        if not tx.toolbox.accept(tool, digest, person, at):
            raise NotFound(f"no host has registered the version {digest[:12]} of {tool}")
        body = {"tool": tool, "binding": digest, "person": person}
        tx.journal.append([record.plain(Kind.TOOL_ACCEPTED, at, **body)])
        return tx.toolbox.get(tool, digest) or waiting

    found = engine.store.restrict(Commit.TOOL, work)
    engine.refresh()
    engine.stir()
    return found


def _binding(tool: str, schema: Mapping[str, object]) -> Binding:
    if schema.get("type") != "object":
        raise BadArguments('the schema of a tool describes its arguments: expected {"type": "object", …}')
    if len(tool) > LONGEST_NAME:
        raise BadArguments("the tool's name is too long")
    try:
        found = binding(tool, schema)
    except ValueError as error:
        raise BadArguments(str(error)) from error
    if len(_text(found)) > LARGEST:
        raise BadArguments(f"the schema of {tool} is larger than {LARGEST:,} bytes")
    return found


def _text(bound: Binding) -> str:
    return _encode(bound.schema).decode()
