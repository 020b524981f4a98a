"""Approvals: what people have answered is no longer asked; nothing else is let by."""

from __future__ import annotations

from dataclasses import replace

from handrail.words.verdict import Ask, Charge, Measure, Outcome, Step


def answered(steps: tuple[Step, ...], approved: frozenset[Ask]) -> tuple[Step, ...]:
    """The steps, those among them passed that ask exactly what was approved. A deny stays a deny."""
    return tuple(
        replace(step, outcome=Outcome.PASS, reason="approved")
        if step.outcome is Outcome.ASK and step.ask in approved
        else step
        for step in steps
    )


def let_exceed(charges: tuple[Charge, ...], steps: tuple[Step, ...]) -> tuple[Charge, ...]:
    """The charges, those among them without a limit whose budgets people let this very action exceed."""
    let = {step.rule for step in steps if step.measure is Measure.BUDGET and step.outcome is Outcome.PASS}
    return tuple(replace(charge, soft=True) if charge.budget in let else charge for charge in charges)
