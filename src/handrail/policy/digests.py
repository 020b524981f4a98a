"""Digests of what a rule, check or level asks, so that an approval answers what was asked."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal

from handrail.policy.model import BudgetPolicy, CheckPolicy, RulePolicy
from handrail.words.level import Rung

LENGTH = 32
"""Hex digits: 128 bits."""


def of_rule(rule: RulePolicy) -> str:
    """The digest of what a rule says; its reason and its place in the file are not part of it."""
    lifted = rule.lifted_at.word if rule.lifted_at is not None else None
    return _digest("rule", rule.id, rule.tools.terms, rule.when.value, rule.effect, rule.audience, lifted)


def of_check(check: CheckPolicy) -> str:
    """The digest of what a check looks for, where, and what it does then."""
    looks_in = check.looks_in.value if check.looks_in else None
    regex = check.regex.value if check.regex else None
    when = check.when.value if check.when else None
    looks = (check.kind, looks_in, check.phrases, regex, check.schema, when, check.judge, check.model)
    does = (check.if_not_ok, check.on_error, check.audience, check.options)
    return _digest("check", check.id, check.tools.terms, looks, does)


def of_budget(budget: BudgetPolicy) -> str:
    """The digest of what a budget limits; whoever let an action exceed another limit is asked anew."""
    tools = budget.tools.terms if budget.tools else None
    each = budget.each.value if budget.each else None
    counts = (budget.unit, budget.limit, budget.per, budget.rolling_ms, tools, budget.models, budget.agents)
    return _digest("budget", budget.id, counts, each, budget.at_limit, budget.audience)


def of_level(rung: Rung) -> str:
    """The digest of the question that a level asks."""
    return _digest("level", rung.word)


def _digest(*parts: object) -> str:
    text = json.dumps(parts, sort_keys=True, default=_exact)
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def _exact(value: object) -> object:
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    return dict(value)  # type: ignore[call-overload]
