"""Approvals: what people have answered is no longer asked; nothing else is let by."""

from __future__ import annotations

from dataclasses import replace

from handrail.words.verdict import Ask, Outcome, Step


def answered(steps: tuple[Step, ...], approved: frozenset[Ask]) -> tuple[Step, ...]:
    """The steps, those among them passed that ask exactly what was approved. A deny stays a deny."""
    return tuple(
        replace(step, outcome=Outcome.PASS, reason="approved")
        if step.outcome is Outcome.ASK and step.ask in approved
        else step
        for step in steps
    )
