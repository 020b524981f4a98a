"""What every room of the gate is given, and what it answers with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from handrail.policy.compile import CompiledPolicy
from handrail.policy.compiled import Access, BoundTool
from handrail.policy.names import proposed
from handrail.words.action import Proposal
from handrail.words.fact import Failed
from handrail.words.level import Rung
from handrail.words.restriction import Restrictions
from handrail.words.semantics import SEMANTICS, Alone
from handrail.words.verdict import Charge, Measure, Need, Outcome, Step


class Context(NamedTuple):
    """One action on its road. ``tool`` and ``access`` are None when it is not bound, or not the agent's.

    ``as_if`` is the rung that is decided for: the tool's ceiling when it stands on the shadow rung.
    ``names`` is what expressions may name: each room adds what it found out (the amount, the facts).
    """

    policy: CompiledPolicy
    proposal: Proposal
    facts: Mapping[str, object]
    restrictions: Restrictions | Failed | None
    tool: BoundTool | None
    access: Access | None
    rung: Rung
    as_if: Rung
    alone: Alone
    names: dict[str, object]

    @property
    def shadow(self) -> bool:
        """Whether it is only recorded what would have happened."""
        return self.rung is SHADOW


class Finding(NamedTuple):
    """What one room found: its steps and the strictest outcome among them."""

    steps: tuple[Step, ...]
    outcome: Outcome = Outcome.PASS
    amount: int | None = None
    charges: tuple[Charge, ...] = ()


Room = Callable[[Context], Finding | Need]
"""One measure of the gate."""

SHADOW, SUGGEST = Rung.SHADOW, Rung.SUGGEST


def _stands(rung: Rung, ceiling: Rung) -> tuple[Rung, Rung, Alone]:
    """Never above the ceiling; what stands on the shadow rung is decided as at the ceiling."""
    stands = min(rung, ceiling)
    as_if = stands if stands is not SHADOW else max(ceiling, SUGGEST)
    return stands, as_if, SEMANTICS[as_if]


# for every rung and ceiling, looked up by their numbers: comparing enums costs more than the rest
_STANDS = tuple(tuple(_stands(rung, ceiling) for ceiling in Rung) for rung in Rung)
NOTHING = Finding(())
"""A room that has nothing to say."""
_STANDING = (Restrictions, Failed)


def passed(measure: Measure) -> Finding:
    """The one answer of a measure that everything passed."""
    return Finding((Step(measure, Outcome.PASS),))


def denied(measure: Measure, reason: str, rule: str = "") -> Finding:
    """The answer of a measure that refuses."""
    return Finding((Step(measure, Outcome.DENY, rule, reason),), Outcome.DENY)


def context_of(policy: CompiledPolicy, proposal: Proposal, facts: Mapping[str, object]) -> Context:
    """Everything about the action that needs no question."""
    given = facts.get("restrictions")
    restrictions = given if isinstance(given, _STANDING) else None
    tool = policy.bound.get(proposal.tool)
    ways = policy.access.get(proposal.agent)
    rung, as_if, alone = _stand(tool, proposal, restrictions)
    return Context(
        policy,
        proposal,
        facts,
        restrictions,
        tool,
        ways.get(proposal.tool) if ways is not None else None,
        rung,
        as_if,
        alone,
        proposed(tool, proposal),
    )


def _stand(
    tool: BoundTool | None, proposal: Proposal, restrictions: Restrictions | Failed | None
) -> tuple[Rung, Rung, Alone]:
    """Where the tool stands, the rung that is decided for, and what runs alone there."""
    if tool is None:
        return _STANDS[SHADOW][SUGGEST]
    rung = tool.policy.starts
    if type(restrictions) is Restrictions and restrictions.grants:
        grant = restrictions.grants.get((proposal.agent, proposal.tool))
        rung = grant.rung if grant is not None else rung
    return _STANDS[rung][tool.policy.at_most]
