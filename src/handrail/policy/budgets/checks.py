"""Whether a policy's budgets can do what they say: something fills each of them, and somebody is asked."""

from __future__ import annotations

from collections.abc import Iterable

from handrail.policy.expressions import Expression
from handrail.policy.model import AtLimit, BudgetPolicy, CheckKind, Does, Policy, ToolPolicy, Unit
from handrail.policy.model_patterns import MODEL, overlap
from handrail.policy.model_rules import MAY_NAME, covers_models, metered
from handrail.policy.nearest import nearest
from handrail.policy.reader import Reader
from handrail.policy.selectors import selected

_METER = {
    Unit.COST: "`models:` with a model that its agents may call, or `cost:` on a tool that it is for",
    Unit.TOKENS: "`models:` with a model that its agents may call",
}
_SHOWN = 3


def check_budgets(
    reader: Reader, policy: Policy, found: Iterable[tuple[BudgetPolicy, Expression | None]]
) -> None:
    """Report every budget that could count nothing, or ask nobody; ``found`` has what each counts by."""
    for budget, each in found:
        _check_audience(reader, policy, budget)
        unknown = _check_models(reader, policy, budget)
        if budget.unit is Unit.AMOUNT:
            _check_amounts(reader, policy, budget)
        if budget.unit in _METER and not unknown and not _fed(policy, budget):
            place = reader.places[f"budgets.{budget.id}.{budget.unit}"]
            reader.report(
                place, f"nothing here uses {_what(budget.unit)} that it counts", _METER[budget.unit]
            )
        if each is not None and budget.each is not None and covers_models(budget) and policy.models:
            for name in sorted(each.names - MAY_NAME):
                place = budget.each.at(max(budget.each.value.find(name), 0))
                message = f"a call of a model has no {name!r} that it could be counted for"
                reader.report(place, message, "agent, or `tools:` so that only actions are counted")


def _what(unit: Unit) -> str:
    return "money" if unit is Unit.COST else "tokens"


def _check_audience(reader: Reader, policy: Policy, budget: BudgetPolicy) -> None:
    if budget.at_limit is AtLimit.DENY or policy.approvers:
        return
    place = reader.places[f"budgets.{budget.id}.at_limit"]
    message = f"at_limit: {budget.at_limit}, and nobody could be asked: the policy has no approvers"
    reader.report(place, message, "`approvers:` with people, or at_limit: deny")


def _check_models(reader: Reader, policy: Policy, budget: BudgetPolicy) -> bool:
    """Report patterns that are for no model of the policy; whether there were any."""
    known = [model.pattern for model in policy.models]
    unknown = [wanted for wanted in budget.models if not any(overlap(wanted, each) for each in known)]
    for wanted in filter(MODEL.fullmatch, unknown):
        place = reader.values[f"budgets.{budget.id}.models"]
        expected = f"one of {', '.join(known)}" if known else "a model that `models:` names"
        reader.report(place, f"no model is named {wanted!r}", expected, nearest(wanted, known))
    return bool(unknown)


def _fed(policy: Policy, budget: BudgetPolicy) -> bool:
    """Whether a model, a tool that says what it costs, or a judge fills this budget."""
    if metered(policy, budget):
        return True
    tools = [one for one in _tools(policy, budget) if _used(policy, budget, one)]
    if budget.unit is Unit.COST and any(tool.cost is not None for tool in tools):
        return True
    judged = [check.tools for check in policy.checks if check.kind is CheckKind.JUDGE]
    return any(tool.name in selected(chosen, policy.tools) for chosen in judged for tool in tools)


def _tools(policy: Policy, budget: BudgetPolicy) -> list[ToolPolicy]:
    """The tools whose actions it is for."""
    if budget.tools is None:
        return [] if budget.models else list(policy.tools.values())
    return [policy.tools[name] for name in selected(budget.tools, policy.tools)]


def _used(policy: Policy, budget: BudgetPolicy, tool: ToolPolicy) -> bool:
    """Whether one of its agents may use a tool."""
    agents = [agent for agent in policy.agents.values() if not budget.agents or agent.name in budget.agents]
    return any(permission.tool == tool.name for agent in agents for permission in agent.may)


def _check_amounts(reader: Reader, policy: Policy, budget: BudgetPolicy) -> None:
    """Every tool that could move money past it must say how much; one that only reads moves none."""
    place = reader.places[f"budgets.{budget.id}.amount"]
    chosen = _tools(policy, budget)
    named = budget.tools.terms if budget.tools else ()
    without = [
        one.name for one in chosen if one.amount is None and (one.does is not Does.READ or one.name in named)
    ]
    if without:
        more = f" and {len(without) - _SHOWN} more" if len(without) > _SHOWN else ""
        names = ", ".join(map(repr, without[:_SHOWN])) + more
        have = "has" if len(without) == 1 else "have"
        expected = f"`amount: args.…` in tools: {without[0]}, or `tools:` with those whose money is counted"
        reader.report(place, f"{names} {have} no amount", expected)
    elif all(one.amount is None for one in chosen) and (budget.tools is None or chosen):
        reader.report(place, "none of these tools has an amount", "`amount: args.…` in a tool")
