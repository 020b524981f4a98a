"""`rules:`, `preapproved:` and `never:`: one condition each, over selected tools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from handrail.policy.model import Effect, NeverPolicy, Place, PreapprovedPolicy, RulePolicy, Selector, Text
from handrail.policy.reader import Fields, Reader
from handrail.policy.yaml import Node, Pairs
from handrail.words.level import Rung


class HasId(Protocol):
    """Anything with an id and a place."""

    @property
    def id(self) -> str:
        """What people call it; unique in its section."""

    @property
    def place(self) -> Place:
        """Where it stands."""


R = TypeVar("R", bound=HasId)


def rules(reader: Reader, node: Node) -> tuple[RulePolicy, ...]:
    """Every rule, in the order of the file."""
    return each(reader, node, "rules", lambda item: _rule(reader, item))


def preapproved(reader: Reader, node: Node) -> tuple[PreapprovedPolicy, ...]:
    """What level 1 may do alone."""
    return each(reader, node, "preapproved", lambda item: _preapproved(reader, item))


def never(reader: Reader, node: Node) -> tuple[NeverPolicy, ...]:
    """What must be proven."""
    return each(reader, node, "never", lambda item: _never(reader, item))


def each(reader: Reader, node: Node, section: str, read: Callable[[Node], R]) -> tuple[R, ...]:
    """Every entry of a list whose entries have ids, each id once."""
    found = [read(item) for item in reader.items(node, f"a list of {section}")]
    first: dict[str, Place] = {}
    for entry in found:
        if entry.id and entry.id in first:
            message = f"the id {entry.id!r} stands here twice, first in line {first[entry.id].line}"
            reader.report(entry.place, message, f"an id of its own in {section}")
        first.setdefault(entry.id, entry.place)
    return tuple(found)


def id_of(reader: Reader, fields: Fields, section: str) -> str:
    """The entry's id; remembers where its keys stand."""
    name = fields.get("id", reader.identifier, "")
    reader.remember(f"{section}.{name}", fields)
    return name


def selector(reader: Reader, node: Node) -> Selector:
    """Which tools: one term or a list of them. Whether they match any tool is checked when all are known."""
    expected = 'a tool, a list, writes, "category:…", "does:…", "touches:…" or "*"'
    nodes = reader.one_or_more(node)
    if not nodes:
        reader.report(node.place, "an empty list selects no tool", expected)
    terms = tuple(reader.text(item, expected) for item in nodes)
    return Selector(terms, node.place, tuple(item.place for item in nodes))


def tools_and_when(reader: Reader, fields: Fields, word: str = "when") -> tuple[Selector, Text]:
    """The two parts that every kind of rule has."""
    tools = fields.get("tools", lambda node: selector(reader, node), Selector((), fields.place))
    return tools, fields.get(word, reader.expression, Text("", fields.place))


def asked(reader: Reader, node: Node) -> tuple[str, str]:
    """The audience and the reason of ``ask: group`` or ``ask: {group: …, because: …}``."""
    if not isinstance(node, Pairs):
        return reader.identifier(node), ""
    fields = reader.fields(node, "ask", required=("group",), optional=("because",))
    return fields.get("group", reader.identifier, ""), fields.get("because", reader.text, "")


def _rule(reader: Reader, node: Node) -> RulePolicy:
    fields = reader.fields(
        node, "a rule", required=("id", "tools", "when"), optional=("deny", "ask", "lifted_at")
    )
    name = id_of(reader, fields, "rules")
    tools, when = tools_and_when(reader, fields)
    effect = fields.one_of(("deny", "ask"), "a rule")
    audience, reason = "", fields.get("deny", reader.text, "")
    if effect == "ask":
        audience, reason = fields.get("ask", lambda group: asked(reader, group), ("", ""))
    return RulePolicy(
        id=name,
        tools=tools,
        when=when,
        effect=Effect(effect or "deny"),
        reason=reason or f"{name}: {' '.join(when.value.split())}",
        audience=audience,
        place=fields.place,
        lifted_at=_lifted(reader, fields, effect),
    )


def _lifted(reader: Reader, fields: Fields, effect: str | None) -> Rung | None:
    if "lifted_at" in fields.nodes and effect == "deny":
        reader.report(
            fields.places["lifted_at"], "a deny rule is never lifted", "lifted_at on ask rules only"
        )
    autonomous = {Rung.AUTONOMOUS.word: Rung.AUTONOMOUS}
    return fields.get("lifted_at", lambda node: reader.choice(node, autonomous), None)


def _preapproved(reader: Reader, node: Node) -> PreapprovedPolicy:
    fields = reader.fields(node, "a preapproved pattern", required=("id", "tools", "when"))
    name = id_of(reader, fields, "preapproved")
    return PreapprovedPolicy(name, *tools_and_when(reader, fields), fields.place)


def _never(reader: Reader, node: Node) -> NeverPolicy:
    fields = reader.fields(node, "an assertion", required=("id", "tools", "runs_alone_when"))
    name = id_of(reader, fields, "never")
    return NeverPolicy(name, *tools_and_when(reader, fields, "runs_alone_when"), fields.place)
