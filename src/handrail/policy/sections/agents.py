"""`agents:` who they are, which tools each may ask for, and with which arguments."""

from __future__ import annotations

from handrail.policy.model import AgentPolicy, Permission, Place
from handrail.policy.reader import TOOL_NAME, VARIABLE, Reader
from handrail.policy.yaml import Node, Pairs, Scalar

TOLD_WHEN = ("rejected", "expired", "cancelled", "answered", "denied")
"""How an action can end for which an agent can be told something of one's own."""
LONGEST = 500
_TOOL = "a tool's exact name"

Allowed = str | int | bool


def agents(reader: Reader, node: Node) -> dict[str, AgentPolicy]:
    """Every agent by name."""
    found: dict[str, AgentPolicy] = {}
    for name, place, value in reader.entries(node, "agents by name"):
        reader.check_name(name, place, TOOL_NAME, "an agent's name")
        fields = reader.fields(value, "an agent", required=("may",), optional=("told", "told_when"))
        reader.remember(f"agents.{name}", fields)
        may = fields.get("may", lambda nodes: _may(reader, nodes), ())
        told = fields.get("told", reader.texts, ())
        told_when = fields.get("told_when", lambda texts: _told_when(reader, texts), {})
        found[name] = AgentPolicy(name, may, told, place, told_when)
    return found


def agents_of(reader: Reader, node: Node) -> tuple[str, ...]:
    """For whom something is: an agent or a list of them; whether there are such is checked later."""
    nodes = reader.one_or_more(node)
    if not nodes:
        reader.report(node.place, "an empty list names no agent", "an agent, or no `agents` for all of them")
    return tuple(reader.named(item, TOOL_NAME, "an agent's name") for item in nodes)


def _told_when(reader: Reader, node: Node) -> dict[str, str]:
    """A text for each of the words that is there."""
    fields = reader.fields(node, "told_when", optional=TOLD_WHEN)
    if fields.readable and not fields.nodes:
        reader.report(node.place, "nothing stands here", f"a text for one of {', '.join(TOLD_WHEN)}")
    return {word: _short(reader, text) for word, text in fields.nodes.items()}


def _short(reader: Reader, node: Node) -> str:
    text = reader.text(node, "what the agent is told")
    if len(text) > LONGEST:
        reader.report(node.place, f"a text of {len(text)} characters", f"at most {LONGEST}")
    return text


def _may(reader: Reader, node: Node) -> tuple[Permission, ...]:
    found: dict[str, Permission] = {}
    for item in reader.items(node, "a list of tools"):
        permission = _permission(reader, item)
        if permission.tool in found:
            first = found[permission.tool].place.line
            message = f"{permission.tool!r} stands here twice, first in line {first}"
            reader.report(permission.place, message, "each tool once")
        elif permission.tool:
            found[permission.tool] = permission
    return tuple(found.values())


def _permission(reader: Reader, node: Node) -> Permission:
    if not isinstance(node, Pairs):
        return Permission(_tool(reader, reader.text(node, _TOOL), node.place), {}, node.place)
    if len(node.entries) != 1:
        reader.report(node.place, f"{len(node.entries)} tools in one entry", "one tool with its arguments")
        return Permission("", {}, node.place)
    key, arguments = node.entries[0]
    return Permission(_tool(reader, key.text, key.place), _arguments(reader, arguments), key.place)


def _tool(reader: Reader, name: str, place: Place) -> str:
    if "*" in name:
        reader.report(
            place, f"{name!r} is a pattern", "exact names of tools: a pattern would cover new tools too"
        )
    elif name:
        reader.check_name(name, place, TOOL_NAME, "a tool's name")
    return name


def _arguments(reader: Reader, node: Node) -> dict[str, tuple[Allowed, ...]]:
    found: dict[str, tuple[Allowed, ...]] = {}
    for name, place, value in reader.entries(node, "arguments with the values each may have"):
        reader.check_name(name, place, VARIABLE, "an argument's name")
        found[name] = tuple(_allowed(reader, item) for item in reader.one_or_more(value))
        if not found[name]:
            reader.report(value.place, f"no value of {name!r} is allowed", "at least one value or pattern")
    return found


def _allowed(reader: Reader, node: Node) -> Allowed:
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, str):
        _check_pattern(reader, value, node)
        return value
    if isinstance(value, int):
        return value
    reader.wrong(node, "a text, a pattern with * or **, a whole number, true or false")
    return ""


def _check_pattern(reader: Reader, pattern: str, node: Node) -> None:
    """A pattern, or a path, that could never match a value in normal form is a mistake."""
    from handrail.policy.globs import glob, is_glob

    if not pattern:
        reader.report(node.place, "an empty text stands here", "a text or a pattern")
    elif is_glob(pattern) or pattern.startswith("/"):
        try:
            glob(pattern)
        except ValueError as error:
            reader.report(node.place, str(error), "* for one segment, ** for one or more, in normal form")
