"""The budget preview: refuses what a budget has no room for, and lists what the claim must reserve."""

from __future__ import annotations

from handrail.gate.context import Context, Finding, denied, passed
from handrail.policy.compiled import Budget
from handrail.policy.expressions import EvaluationError
from handrail.words.fact import Failed
from handrail.words.verdict import Charge, Measure

PASSED = passed(Measure.BUDGET)


def budget(context: Context) -> Finding:
    """Deny at the first budget that is used up or can't be told; nothing is taken from any."""
    access = context.access
    if access is None or not access.budgets:
        return PASSED
    charges: list[Charge] = []
    for limit in access.budgets:
        found = _charge(context, limit)
        if isinstance(found, str):
            return denied(Measure.BUDGET, found, limit.id)
        charges.append(found)
    return Finding(PASSED.steps, charges=tuple(charges))


def _charge(context: Context, limit: Budget) -> Charge | str:
    """What this action takes from one budget, or why it can't."""
    if limit.refusal is not None:
        return limit.refusal
    used, now = context.facts.get(limit.fact), context.facts.get("now")
    if isinstance(now, bool) or not isinstance(now, int):
        return "this budget can't be told: the time is not known"
    try:
        scope = limit.scope(context.names, context.shadow)
        charge = Charge(limit.id, scope, limit.begins(now), 1, limit.limit)
    except (EvaluationError, ValueError) as error:
        return f"this budget can't be told: {error}"
    return _refused(limit, used, now) or charge


def _refused(limit: Budget, used: object, now: int) -> str | None:
    if isinstance(used, bool) or not isinstance(used, int) or used < 0:
        why = used.why if isinstance(used, Failed) else "its use is not known"
        return f"this budget can't be told: {why}"
    if used + 1 <= limit.limit:
        return None
    return f"{used} of {limit.limit} actions of the budget {limit.id} are used; {limit.renews(now)}"
