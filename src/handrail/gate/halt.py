"""The kill switch: while a halt covers an agent, a tool, or both, nothing of it passes."""

from __future__ import annotations

from handrail.gate.context import Context, Finding, denied, passed
from handrail.words.fact import Failed
from handrail.words.verdict import Measure, Need, Outcome, Query, Step

PASSED = passed(Measure.HALT)
NEEDED = ("now", "restrictions")
"""What every decision about an agent's action needs, whatever the policy says."""


def halt(context: Context) -> Finding | Need:
    """Deny what any halt covers, with every such halt's reason."""
    restrictions = context.restrictions
    if restrictions is None or "now" not in context.facts:
        return _needs(context)
    if isinstance(restrictions, Failed):
        return denied(Measure.HALT, f"whether it is stopped can't be told: {restrictions.why}")
    if not restrictions.halts:
        return PASSED
    proposal = context.proposal
    steps = tuple(
        Step(Measure.HALT, Outcome.DENY, thrown.id, f"{thrown.scope} is stopped: {thrown.reason}")
        for thrown in restrictions.halts
        if thrown.covers(proposal.agent, proposal.tool)
    )
    return Finding(steps, Outcome.DENY) if steps else PASSED


def _needs(context: Context) -> Finding | Need:
    missing = tuple(Query(name) for name in NEEDED if name not in context.facts)
    # what was supplied and is no restriction can't be asked for again
    return Need(missing) if missing else denied(Measure.HALT, "whether it is stopped can't be told")
