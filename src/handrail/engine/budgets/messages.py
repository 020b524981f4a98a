"""What people are told when a budget reaches a percentage of its limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.engine.budgets.views import view_of, whose
from handrail.engine.questions.sentences import WITHIN
from handrail.policy.budgets.words import quantity_of
from handrail.words.budget import BudgetNews

if TYPE_CHECKING:
    from handrail.policy.compiled import Budget
    from handrail.policy.model import Policy
    from handrail.ports import Transaction
    from handrail.words.budget import BudgetAlert

SPENDERS = 3
"""Who spends most: so many are told."""


def news_of(tx: Transaction, policy: Policy, alert: BudgetAlert) -> BudgetNews:
    """An alert in words. Of a budget that the policy has no more, what is known without it."""
    budget = next((each for each in policy.budgets if each.id == alert.budget), None)
    if budget is None:
        return BudgetNews(alert.budget, alert.percent, f"{alert.used:,}", f"{alert.limit:,}", alert.at)
    view = view_of(policy, budget)
    return BudgetNews(
        budget=alert.budget,
        percent=alert.percent,
        used=quantity_of(view, alert.used),
        limit=quantity_of(view, alert.limit),
        at=alert.at,
        window=WITHIN[budget.per],
        whose=whose(policy, budget, alert.scope),
        renews=_renews(view, alert.at),
        spenders=_spenders(tx, view, alert),
    )


def _renews(view: Budget, at: int) -> str:
    try:
        return view.renews(at)
    except ValueError:
        return ""


def _spenders(tx: Transaction, view: Budget, alert: BudgetAlert) -> tuple[str, ...]:
    found = tx.budgets.spenders(alert.budget, alert.scope, alert.window, SPENDERS, view.rolling)
    return tuple(f"{each.agent} with {each.tool}: {quantity_of(view, each.quantity)}" for each in found)
