"""`budgets:` limits on money, tokens and actions: how much, over what, per which window."""

from __future__ import annotations

from decimal import Decimal

from handrail.policy.model import AtLimit, BudgetPolicy, Unit, Window
from handrail.policy.model_patterns import MODEL, SPELLED
from handrail.policy.reader import Fields, Reader
from handrail.policy.sections.agents import agents_of
from handrail.policy.sections.rules import each, id_of, selector
from handrail.policy.units import DURATION, PERCENT, duration, percent
from handrail.policy.yaml import Node, Pairs, Scalar
from handrail.words.money import to_nano

UNITS = tuple(str(unit) for unit in Unit)
WINDOWS = {str(window): window for window in Window if window is not Window.ROLLING}
AT_LIMIT = {str(effect): effect for effect in AtLimit}
ASKING = (str(AtLimit.ASK), str(AtLimit.PAUSE))
METERED = frozenset({Unit.COST, Unit.TOKENS})
"""What a call of a model takes from budgets."""
_COUNTED = frozenset({Unit.ACTIONS, Unit.TOKENS})


def budgets(reader: Reader, node: Node) -> tuple[BudgetPolicy, ...]:
    """Every budget, in the order of the file."""
    return each(reader, node, "budgets", lambda item: _budget(reader, item))


def _budget(reader: Reader, node: Node) -> BudgetPolicy:
    fields = reader.fields(
        node,
        "a budget",
        required=("id", "per"),
        optional=("tools", "models", "agents", *UNITS, "each", "alert_at", "at_limit"),
    )
    unit = Unit(fields.one_of(UNITS, "a budget") or Unit.ACTIONS)
    window, rolling = fields.get("per", lambda per: _per(reader, per), (Window.DAY, None))
    effect, audience = fields.get("at_limit", lambda at: _at_limit(reader, at), (AtLimit.DENY, ""))
    return BudgetPolicy(
        id=id_of(reader, fields, "budgets"),
        unit=unit,
        limit=_limit(reader, unit, fields),
        per=window,
        place=fields.place,
        tools=fields.get("tools", lambda tools: selector(reader, tools), None),
        agents=fields.get("agents", lambda agents: agents_of(reader, agents), ()),
        each=fields.get("each", reader.expression, None),
        rolling_ms=rolling,
        alert_at=fields.get("alert_at", lambda shares: _alert_at(reader, shares), ()),
        at_limit=effect,
        audience=audience,
        models=_models(reader, unit, fields),
    )


def _models(reader: Reader, unit: Unit, fields: Fields) -> tuple[str, ...]:
    node = fields.nodes.get("models")
    if node is None:
        return ()
    if unit not in METERED:
        message = f"calls of models are not counted in {unit}"
        reader.report(fields.places["models"], message, "a budget in cost or tokens")
    nodes = reader.one_or_more(node)
    if not nodes:
        reader.report(node.place, "an empty list names no model", "a model, or no `models` for all of them")
    return tuple(reader.named(item, MODEL, "a model", SPELLED) for item in nodes)


def _at_limit(reader: Reader, node: Node) -> tuple[AtLimit, str]:
    """``deny``, ``ask`` or ``pause``; the last two perhaps with the group that is asked."""
    if not isinstance(node, Pairs):
        return reader.choice(node, AT_LIMIT), ""
    fields = reader.fields(node, "at_limit", optional=ASKING)
    effect = fields.one_of(ASKING, "at_limit")
    return AtLimit(effect or AtLimit.ASK), fields.get(effect or "", reader.identifier, "")


def _limit(reader: Reader, unit: Unit, fields: Fields) -> Decimal:
    node = fields.nodes.get(unit)
    if node is None:
        return Decimal(1)
    limit = Decimal(reader.whole(node)) if unit in _COUNTED else _money(reader, node)
    if isinstance(node, Scalar) and node.value == 0:
        reader.report(node.place, "a limit of 0 would refuse everything", "more than zero")
    return limit


def _money(reader: Reader, node: Node) -> Decimal:
    amount = reader.number(node)
    try:
        to_nano(amount)
    except ValueError as error:
        reader.report(node.place, str(error), "an amount of money")
    return amount


def _per(reader: Reader, node: Node) -> tuple[Window, int | None]:
    word = node.text if isinstance(node, Scalar) else ""
    if word[:1].isdigit():
        return Window.ROLLING, reader.spelled(node, duration, DURATION, 1)
    return reader.choice(node, WINDOWS, ", or a time such as 24h"), None


def _alert_at(reader: Reader, node: Node) -> tuple[int, ...]:
    """Whole percentages, each once, rising."""
    found: list[int] = []
    for item in reader.items(node, "a list of percentages such as [50%, 75%, 90%]"):
        share = reader.spelled(item, percent, PERCENT, None)
        if share is None:
            continue  # told of already
        if share != int(share) or share == 0 or (found and share <= found[-1]):
            reader.report(item.place, f"{share}% stands here", "whole percentages above 0, rising")
        found.append(int(share))
    return tuple(found)
