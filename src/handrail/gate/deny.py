"""Deny rules: one that holds denies, and so does one that can't be evaluated."""

from __future__ import annotations

from dataclasses import replace

from handrail.gate.context import NOTHING, Context, Finding, passed
from handrail.policy.compiled import Rules
from handrail.words.verdict import Measure, Outcome, Step

PASSED = passed(Measure.DENY)


def deny(context: Context) -> Finding:
    """Deny what any of the tool's deny rules is about, with every such rule's reason."""
    tool = context.tool
    if tool is None:
        return NOTHING
    matched = tool.deny.matched(context.names)
    if not matched:
        return PASSED
    return Finding(tuple(_step(tool.deny, index, why) for index, why in matched), Outcome.DENY)


def _step(rules: Rules, index: int, why: str | None) -> Step:
    step = rules.steps[index]
    return step if why is None else replace(step, reason=f"this rule can't be evaluated: {why}")
