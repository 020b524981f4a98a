"""The gate's one function: an action goes through the rooms in order, to a verdict or a need."""

from __future__ import annotations

from collections.abc import Mapping

from handrail.gate.approval import answered, let_exceed
from handrail.gate.arguments import arguments
from handrail.gate.ask import ask
from handrail.gate.budget import budget
from handrail.gate.context import Room, context_of
from handrail.gate.deny import deny
from handrail.gate.facts import facts as known
from handrail.gate.halt import halt
from handrail.gate.level import level
from handrail.gate.permission import permission
from handrail.gate.verification import verification
from handrail.policy.compile import CompiledPolicy
from handrail.words.action import Proposal
from handrail.words.level import Rung
from handrail.words.verdict import Ask, Charge, Decision, Need, Outcome, Step, Verdict

ORDER: tuple[Room, ...] = (
    halt,
    permission,
    arguments,
    known,
    deny,
    verification,
    ask,
    level,
    budget,
)
"""The road of an agent's action. The first room that denies ends it; what asks is collected."""

BY_HAND: tuple[Room, ...] = (arguments,)
"""The road of an action that a person runs: as that person, so only what the tool itself can take counts."""

PASS, ASK, DENY = Outcome.PASS, Outcome.ASK, Outcome.DENY
ALLOWED = Decision.ALLOW
NOBODY: frozenset[Ask] = frozenset()


def decide(
    policy: CompiledPolicy,
    proposal: Proposal,
    facts: Mapping[str, object],
    *,
    approved: frozenset[Ask] = NOBODY,
    order: tuple[Room, ...] = ORDER,
) -> Verdict | Need:
    """The verdict on one action, or everything that could be used now and is not in ``facts``.

    ``facts`` has ``now`` (milliseconds since the epoch, UTC), ``restrictions``, the policy's facts by name,
    and ``budget:<id>`` (the ``Room`` of its window); each a value or ``Failed``. ``approved`` is what
    people have answered about this very action. The same inputs always give the same answer; nothing raises.
    """
    context = context_of(policy, proposal, facts)
    steps: list[Step] = []
    amount: int | None = None
    charges: tuple[Charge, ...] = ()
    decision = ALLOWED
    for room in order:
        found = room(context)
        if not isinstance(found, tuple):
            return found
        told, outcome, moved, charged = found
        if moved is not None:
            amount = moved
        if charged:
            charges = charged
        if outcome is PASS:
            steps += told
        elif outcome is DENY:
            decision, charges = Decision.DENY, ()
            steps += told
            break
        else:
            asked = told
            if approved:
                asked = answered(told, approved)
                charges = let_exceed(charges, asked)
            steps += asked
            if any(step.outcome is ASK for step in asked):
                decision = Decision.ASK
    enforced = decision if order is BY_HAND else _enforced(decision, context.rung)
    return Verdict(decision, enforced, context.rung, tuple(steps), policy.digest, amount, charges)


def _enforced(decision: Decision, rung: Rung) -> Decision:
    """On the shadow rung nothing runs and nobody is asked; what is refused stays refused."""
    return Decision.SHADOW if rung is Rung.SHADOW and decision is not Decision.DENY else decision
