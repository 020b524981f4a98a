"""Ask rules: one that holds asks, and so does one that can't be evaluated, also where it would be lifted."""

from __future__ import annotations

from dataclasses import replace

from handrail.gate.context import NOTHING, Context, Finding, passed
from handrail.policy.compiled import Rules
from handrail.words.verdict import Measure, Outcome, Step

PASSED = passed(Measure.ASK)


def ask(context: Context) -> Finding:
    """Ask what the tool's ask rules are about, save for rules that the level lifts."""
    tool = context.tool
    if tool is None:
        return NOTHING
    matched = tool.ask.matched(context.names)
    if not matched:
        return PASSED
    lifts = context.alone.lifts
    steps = tuple(_step(tool.ask, index, why, lifts=lifts) for index, why in matched)
    asks = any(step.outcome is Outcome.ASK for step in steps)
    return Finding(steps, Outcome.ASK) if asks else Finding((*PASSED.steps, *steps))


def _step(rules: Rules, index: int, why: str | None, *, lifts: bool) -> Step:
    step, lifted = rules.steps[index], rules.lifted[index]
    # a rule that can't be evaluated is not lifted: what it guards against is not known to be away
    if why is not None:
        return replace(step, reason=f"this rule can't be evaluated: {why}")
    return lifted if lifts and lifted is not None else step
