"""`tools:` what each does, how much may be done alone with it, and what an undescribed one is taken for."""

from __future__ import annotations

from collections.abc import Mapping

from handrail.policy.model import AgentPolicy, Does, Place, ToolPolicy
from handrail.policy.reader import IDENTIFIER, TOOL_NAME, Fields, Reader
from handrail.policy.yaml import Node, Pairs, Scalar
from handrail.words.level import WORDS, Rung

DOES = {str(does): does for does in Does}
_WORDS = (
    *("does", "category", "touches", "amount", "cost", "undo", "starts", "at_most"),
    *("by_hand", "risk", "idempotent"),
)
_WAYS_BACK = {"none": "none", "sql": "sql", "workspace": "workspace"}
_UNDO = "none, sql, workspace, {compensate: TOOL}, {restore: …} or {cancel_within: 10 min}"
_EXAMPLES = {word: word for word in ("none", "some", "good")}

Undo = Mapping[str, object] | str


def tools(reader: Reader, node: Node) -> dict[str, ToolPolicy]:
    """Every described tool by name."""
    found: dict[str, ToolPolicy] = {}
    for name, place, value in reader.entries(node, "tools by name"):
        reader.check_name(name, place, TOOL_NAME, "a tool's name")
        fields = reader.fields(value, "a tool", optional=_WORDS)
        reader.remember(f"tools.{name}", fields)
        found[name] = _tool(reader, name, place, fields)
    return found


def undescribed(
    agents: Mapping[str, AgentPolicy], described: Mapping[str, ToolPolicy]
) -> dict[str, ToolPolicy]:
    """The tools that some agent may use and nobody described: taken for the worst, on trial, never alone."""
    permissions = (permission for agent in agents.values() for permission in agent.may)
    return {
        permission.tool: ToolPolicy(
            permission.tool, Does.RUN, Rung.SHADOW, Rung.SUGGEST, permission.place, described=False
        )
        for permission in permissions
        if permission.tool not in described
    }


def _tool(reader: Reader, name: str, place: Place, fields: Fields) -> ToolPolicy:
    does = fields.get("does", lambda node: reader.choice(node, DOES), Does.RUN)
    starts, at_most = _rungs(reader, does, fields)
    return ToolPolicy(
        name=name,
        does=does,
        starts=starts,
        at_most=at_most,
        place=place,
        category=fields.get("category", reader.identifier, None),
        touches=fields.get("touches", lambda node: _touches(reader, node), ()),
        amount=fields.get("amount", reader.expression, None),
        cost=fields.get("cost", reader.expression, None),
        undo=fields.get("undo", lambda node: _undo(reader, does, node), "none"),
        by_hand=fields.get("by_hand", reader.duration, None),
        risk=fields.get("risk", lambda node: _risk(reader, node), None),
        idempotent=fields.get("idempotent", reader.flag, False),
    )


def _rungs(reader: Reader, does: Does, fields: Fields) -> tuple[Rung, Rung]:
    """Where the tool starts and its ceiling; what is left out never gives more than what is said."""

    def rung(word: str) -> Rung | None:
        return fields.get(word, lambda node: reader.choice(node, WORDS), None)

    first = Rung.PREAPPROVED if does is Does.READ else Rung.SHADOW
    usual = Rung.PREAPPROVED if does is Does.READ else Rung.SUGGEST
    starts, at_most = rung("starts"), rung("at_most")
    if at_most is Rung.SHADOW:
        reader.report(
            fields.places["at_most"],
            "at_most: shadow would keep the tool on trial for ever",
            "suggest or more",
        )
    if starts is None:
        return min(
            first, at_most if at_most is not None else first
        ), at_most if at_most is not None else usual
    if at_most is not None and starts > at_most:
        message = f"starts: {starts.word} is above at_most: {at_most.word}"
        reader.report(fields.places["starts"], message, f"{at_most.word} or less")
    return starts, at_most if at_most is not None else max(usual, starts)


def _touches(reader: Reader, node: Node) -> tuple[str, ...]:
    return tuple(reader.named(item, IDENTIFIER, "a word") for item in reader.one_or_more(node))


def _undo(reader: Reader, does: Does, node: Node) -> Undo:
    way = _way_back(reader, node)
    if does is Does.READ and way != "none":
        reader.report(node.place, "a tool that only reads has nothing to undo", "undo: none")
    return way


def _way_back(reader: Reader, node: Node) -> Undo:
    if isinstance(node, Scalar):
        return reader.choice(node, _WAYS_BACK)
    if not isinstance(node, Pairs):
        reader.wrong(node, _UNDO)
        return "none"
    fields = reader.fields(node, "undo", optional=("compensate", "restore", "cancel_within"))
    way = fields.one_of(("compensate", "restore", "cancel_within"), "undo")
    if way == "cancel_within":
        return {way: fields.get(way, reader.duration, 0)}
    if way == "compensate":
        return {way: fields.get(way, lambda tool: reader.named(tool, TOOL_NAME, "a tool's name"), "")}
    return {way: fields.get(way, lambda recipe: _restore(reader, recipe), "")} if way else "none"


def _restore(reader: Reader, node: Node) -> object:
    """A text, or texts by name: what they mean is checked once this way back is alive."""
    if isinstance(node, Pairs):
        return {name: reader.text(value) for name, _, value in reader.entries(node, "a recipe")}
    return reader.text(node)


def _risk(reader: Reader, node: Node) -> Mapping[str, object]:
    fields = reader.fields(node, "risk", optional=("worst_case", "per_week", "training_examples"))
    return {
        "worst_case": fields.get("worst_case", reader.number, None),
        "per_week": fields.get("per_week", reader.number, None),
        "training_examples": fields.get(
            "training_examples", lambda word: reader.choice(word, _EXAMPLES), None
        ),
    }
