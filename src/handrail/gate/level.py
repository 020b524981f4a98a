"""Levels: whether the action runs without a person, by the table in ``words.semantics`` and nothing else."""

from __future__ import annotations

from handrail.gate.context import NOTHING, Context, Finding, passed
from handrail.policy import digests
from handrail.policy.compiled import BoundTool
from handrail.policy.model import Does
from handrail.words.level import Rung
from handrail.words.semantics import SEMANTICS
from handrail.words.verdict import ANYONE, Measure, Outcome, Step

PASSED = passed(Measure.LEVEL)
READ = Does.READ
_REASONS = {
    Rung.SUGGEST: "A person decides each time.",
    Rung.PREAPPROVED: "Only what is pre-approved runs without a person, and this is not.",
}


def _asks(rung: Rung) -> Finding:
    reason = _REASONS.get(rung, "A person decides here.")
    step = Step(Measure.LEVEL, Outcome.ASK, rung.word, reason, ANYONE, digests.of_level(rung))
    return Finding((step,), Outcome.ASK)


ASKS = {rung: _asks(rung) for rung in SEMANTICS}


def level(context: Context) -> Finding:
    """Ask unless the level lets this action run alone. A pattern that can't be evaluated is none."""
    tool, alone = context.tool, context.alone
    if tool is None:
        return NOTHING
    if alone.anything or (alone.reads and tool.policy.does is READ):
        return PASSED
    step = _preapproved(context, tool) if alone.preapproved else None
    return ASKS[context.as_if] if step is None else Finding((step,))


def _preapproved(context: Context, tool: BoundTool) -> Step | None:
    matched = tool.preapproved.matched(context.names)
    return next((tool.preapproved.steps[index] for index, why in matched if why is None), None)
