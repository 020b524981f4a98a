"""A budget of the running policy as pages and messages need it: its window, its quantities in words."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from handrail.policy.budgets.scope import budget_of, counted_by, scope_of
from handrail.policy.expressions import EvaluationError
from handrail.words.errors import BadArguments

if TYPE_CHECKING:
    from handrail.policy.compiled import Budget
    from handrail.policy.model import BudgetPolicy, Policy

EVERYBODY = "[]"
"""The scope of a budget that counts everything together."""
HIDDEN = "[redacted]"


def view_of(policy: Policy, budget: BudgetPolicy) -> Budget:
    """Everything of a budget but its scope: limit, window, words."""
    return budget_of(budget, (ZoneInfo(policy.timezone), policy.currency), None, frozenset())


def whose(policy: Policy, budget: BudgetPolicy | None, scope: str) -> str:
    """For whom a scope counts, in words: ``task T-1``, ``c-17``; empty for everybody.

    A value that the policy hides is not told.
    """
    if scope == EVERYBODY:
        return ""
    try:
        parts = json.loads(scope)
    except ValueError:
        return scope
    told: list[str] = []
    place = 0
    while place < len(parts):
        word = parts[place]
        if word == "shadow":
            told.append("on trial")
            place += 1
            continue
        value = parts[place + 1] if place + 1 < len(parts) else ""
        if word == "each" and (budget is None or _is_hidden(policy, budget)):
            value = HIDDEN
        told.append(f"{value}" if word == "each" else f"{word} {value}")
        place += 2
    return ", ".join(told)


def same(budget: BudgetPolicy) -> str:
    """What a budget counts apart, within a sentence: ``, for the same order_id``; empty when it does not."""
    return f", for the same {budget.each.value.removeprefix('args.')}" if budget.each else ""


def scope_in(budget: BudgetPolicy, scope: str) -> str:
    """A scope that somebody wrote, letter for letter as this budget's windows are kept by it.

    Raises:
        BadArguments: the budget counts nothing by such a scope: what is for it would be for nobody.
    """
    words = counted_by(budget)
    try:
        parts = json.loads(scope, parse_float=Decimal)
        if isinstance(parts, list) and tuple(parts[::2]) == words and len(parts) == 2 * len(words):
            return scope_of(budget, parts[1::2])
    except (ValueError, RecursionError, TypeError, EvaluationError):
        pass
    shape = json.dumps([part for word in words for part in (word, "…")], ensure_ascii=False)
    wanted = f"expected {shape}" if words else "it counts everything together, so name none"
    raise BadArguments(f"{scope[:100]!r} is no scope of the budget {budget.id}; {wanted}")


def _is_hidden(policy: Policy, budget: BudgetPolicy) -> bool:
    """Whether what the budget counts by is an argument that the policy hides, or may be."""
    value = budget.each.value if budget.each else ""
    return any(
        value == path or path.startswith(f"{value}.") or path.split(".", 1)[-1] in value
        for path in policy.redact
    )
