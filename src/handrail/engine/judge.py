"""Judging: the loop that feeds the gate the facts it needs, each once, and denies when anything is odd."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from handrail.engine.core import logger
from handrail.engine.effects import BUDGET, Facts, Road
from handrail.gate import ORDER, decide
from handrail.gate.context import Room
from handrail.words.fact import Failed
from handrail.words.level import Rung
from handrail.words.verdict import Decision, Measure, Need, Outcome, Step, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handrail.engine.core import Engine
    from handrail.policy.compile import CompiledPolicy
    from handrail.words.action import Proposal
    from handrail.words.restriction import Restrictions
    from handrail.words.verdict import Ask

BUILT_IN = ("now", "restrictions")


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict, its facts, and the restrictions of the moment, which a claim tests again."""

    verdict: Verdict
    facts: dict[str, object]
    restrictions: Restrictions
    supplied: Mapping[str, object] = field(default_factory=dict, repr=False)
    """Everything that the gate was given, also of the rail's own."""


def judge(
    engine: Engine,
    proposal: Proposal,
    approved: frozenset[Ask] = frozenset(),
    order: tuple[Room, ...] = ORDER,
) -> Road:
    """Give ``Judged``. The policy and the restrictions are read once, so that both are of one moment."""
    policy, restrictions = engine.policy, engine.restrictions
    supplied: dict[str, object] = {"now": engine.clock(), "restrictions": restrictions}
    while True:
        try:
            answer = decide(policy, proposal, supplied, approved=approved, order=order)
        except Exception as error:  # noqa: BLE001 - whatever fails in the gate is a refusal
            logger.exception("the gate failed on action %s", proposal.id)
            answer = refusal(policy.digest, f"The gate could not decide: {type(error).__name__}.")
        if isinstance(answer, Need):
            again = [query.name for query in answer.queries if query.name in supplied]
            if not again:
                found = yield Facts(answer.queries)
                supplied |= {query.name: found.get(query.name, _NOT_SUPPLIED) for query in answer.queries}
                continue
            answer = refusal(policy.digest, f"The gate asked twice for {', '.join(again)}.")
        return Judged(answer, told(supplied), restrictions, supplied)


def judge_again(
    policy: CompiledPolicy, proposal: Proposal, judged: Judged, approved: frozenset[Ask]
) -> Judged | None:
    """The same judgement on the same facts with these asks answered; None when the gate can't give it."""
    if policy.digest != judged.verdict.policy:
        return None
    answer = decide(policy, proposal, judged.supplied, approved=approved)
    return None if isinstance(answer, Need) else replace(judged, verdict=answer)


def told(supplied: Mapping[str, object]) -> dict[str, object]:
    """The facts worth keeping with an action: those of the policy, not the rail's own."""
    return {
        name: {"failed": value.why} if isinstance(value, Failed) else value
        for name, value in supplied.items()
        if name not in BUILT_IN and not name.startswith(BUDGET)
    }


def refusal(policy: str, reason: str) -> Verdict:
    """A verdict for when there can be no other."""
    step = Step(Measure.PERMISSION, Outcome.DENY, "", reason)
    return Verdict(Decision.DENY, Decision.DENY, Rung.SHADOW, (step,), policy)


_NOT_SUPPLIED = Failed("it was not supplied")
