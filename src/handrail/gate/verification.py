"""Coded checks: each looks at the action's content, and says which of them passed."""

from __future__ import annotations

from dataclasses import replace

from handrail.gate.context import NOTHING, Context, Finding
from handrail.policy.compiled import Check, Names
from handrail.policy.expressions import EvaluationError
from handrail.words.verdict import Outcome, Step


def verification(context: Context) -> Finding:
    """Run every check of the tool; one that can't tell does what its ``on_error`` says, and never passes."""
    tool = context.tool
    if tool is None or not tool.checks:
        return NOTHING
    steps = tuple(_step(check, context.names) for check in tool.checks)
    return Finding(steps, _worst(steps))


def _step(check: Check, names: Names) -> Step:
    try:
        why = check.verify(names)
    except EvaluationError as error:
        return replace(check.error, reason=f"this check can't tell: {error.why}")
    if why is None:
        return check.passed
    return replace(check.not_ok, reason=f"{check.not_ok.reason} ({why})") if why else check.not_ok


def _worst(steps: tuple[Step, ...]) -> Outcome:
    outcomes = [step.outcome for step in steps]
    if Outcome.DENY in outcomes:
        return Outcome.DENY
    return Outcome.ASK if Outcome.ASK in outcomes else Outcome.PASS
