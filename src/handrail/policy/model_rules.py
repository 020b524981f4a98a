"""Which language models an agent may call, what the policy says of their price, and which budgets count."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import tzinfo
from decimal import Decimal

from handrail.policy.budgets.scope import budget_of
from handrail.policy.compiled import Budget, Evaluate
from handrail.policy.expressions import Expression, evaluator
from handrail.policy.model import BudgetPolicy, ModelPolicy, Policy
from handrail.policy.model_patterns import matcher, overlap
from handrail.policy.sections.budgets import METERED
from handrail.words.model_price import ModelPrice

MAY_NAME = frozenset({"agent"})
"""What a budget that counts model calls may count for each of."""

Matches = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Counted:
    """A budget that model calls fill, with whose and which ones."""

    budget: Budget
    agents: tuple[str, ...]
    models: tuple[Matches, ...] | None


@dataclass(frozen=True, slots=True)
class ModelRules:
    """The policy's word on model calls. Agents may call what a pattern names; the first that fits decides."""

    currency: str = "USD"
    dollar: Decimal | None = None
    """What a US dollar costs in ``currency``: without it a price in dollars can't be used."""
    agents: frozenset[str] = frozenset()
    """Every agent of the policy; a stranger may call nothing."""
    patterns: tuple[tuple[Matches, ModelPolicy], ...] = field(default=(), repr=False)
    counted: tuple[Counted, ...] = field(default=(), repr=False)
    sessions_required: bool = False
    """Whether no model is called outside a session."""

    def permits(self, agent: str, upstream: str, model: str) -> str | None:
        """Why ``agent`` may not call ``model`` of ``upstream``, in a sentence; None when it may."""
        name = f"{upstream}:{model}"
        known = self._first(name)
        if agent not in self.agents:
            return f"The policy does not know the agent {agent!r}: it may call no model."
        if known is None:
            return f"The policy lets no agent call the model {name}: no line of `models` names it."
        if known.agents and agent not in known.agents:
            return f"The policy does not let {agent} call the model {name}: only {', '.join(known.agents)}."
        return None

    def price(self, upstream: str, model: str) -> ModelPrice | None:
        """What the policy says that a model costs; None where it leaves that to the price list."""
        known = self._first(f"{upstream}:{model}")
        return known.price if known else None

    def budgets(self, agent: str, upstream: str, model: str) -> tuple[Budget, ...]:
        """Every budget that a call counts against, in the order of the policy: those of cost and of tokens.

        Their scopes are made of ``agent``, ``task`` and ``session`` only.
        """
        name = f"{upstream}:{model}"
        return tuple(
            each.budget
            for each in self.counted
            if (not each.agents or agent in each.agents)
            and (each.models is None or any(matches(name) for matches in each.models))
        )

    def _first(self, name: str) -> ModelPolicy | None:
        return next((known for matches, known in self.patterns if matches(name)), None)


def covers_models(budget: BudgetPolicy) -> bool:
    """Whether a budget counts calls of models: one in cost or tokens that is not for tools alone."""
    return budget.unit in METERED and (budget.tools is None or bool(budget.models))


def metered(policy: Policy, budget: BudgetPolicy) -> bool:
    """Whether some model that some agent of ``budget`` may call counts against it."""
    return covers_models(budget) and any(
        (not budget.agents or not known.agents or not set(budget.agents).isdisjoint(known.agents))
        and (not budget.models or any(overlap(known.pattern, wanted) for wanted in budget.models))
        for known in policy.models
    )


def model_rules(
    policy: Policy, zone: tzinfo, each: Iterable[tuple[BudgetPolicy, Expression | None]]
) -> ModelRules:
    """The rules of a policy that was checked; ``each`` are its budgets with what they count for each of."""
    return ModelRules(
        policy.currency,
        policy.dollar,
        frozenset(policy.agents),
        tuple((matcher(known.pattern), known) for known in policy.models),
        tuple(
            _counted(budget, (zone, policy.currency), parsed)
            for budget, parsed in each
            if covers_models(budget)
        ),
        policy.sessions_required,
    )


def _counted(budget: BudgetPolicy, place: tuple[tzinfo, str], parsed: Expression | None) -> Counted:
    value: Evaluate | None = evaluator(parsed) if parsed is not None else None
    models = tuple(map(matcher, budget.models)) or None
    return Counted(budget_of(budget, place, value, frozenset()), budget.agents, models)
