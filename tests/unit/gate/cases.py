"""A small policy, bound tools and proposals that the gate's tests decide about."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from handrail.gate import decide
from handrail.policy.binding import binding
from handrail.policy.compile import CompiledPolicy, compile_policy
from handrail.policy.load import load
from handrail.words.action import Proposal
from handrail.words.level import Rung
from handrail.words.restriction import Grant, Halt, Restrictions
from handrail.words.verdict import Need, Step, Verdict

NOW = 1_793_750_000_000
"""2026-11-04, 00:53 in Warsaw."""

REFUND: dict[str, object] = {
    "type": "object",
    "properties": {
        "order_id": {"type": "string"},
        "amount": {"type": "number"},
        "reason": {"type": "string"},
        "customer_id": {"type": "string"},
    },
    "required": ["order_id"],
    "additionalProperties": False,
}

HEAD = """
handrail: 1
timezone: Europe/Warsaw
agents:
  support: {may: [pay, look]}
tools:
  pay: {does: pay, category: refunds, amount: args.amount, starts: STARTS, at_most: AT_MOST}
  look: {does: read, starts: preapproved, at_most: autonomous}
approvers:
  leads: {people: [lead@example.com], need: 1, answer_within: 4 h, if_no_answer: reject}
"""


ANYTHING: dict[str, object] = {"type": "object"}


def policy_of(
    body: str = "",
    *,
    starts: str = "bounded",
    at_most: str = "autonomous",
    schema: Mapping[str, object] = REFUND,
) -> CompiledPolicy:
    """The policy of HEAD with ``body`` after it, both tools bound to ``schema``."""
    compiled = compile_policy(load(HEAD.replace("STARTS", starts).replace("AT_MOST", at_most) + body))
    return compiled.bind(binding("pay", schema)).bind(binding("look", schema))


def proposal_of(policy: CompiledPolicy, tool: str = "pay", **args: object) -> Proposal:
    """A proposal of the agent ``support`` for a bound (or unknown) tool; ``amount`` is 40 unless given."""
    bound = policy.bound.get(tool)
    return Proposal(
        id="a-1",
        agent="support",
        tool=tool,
        session="s-1",
        task="ticket-812",
        payload=b"{}",
        args={"order_id": "o-17", "amount": Decimal(40), **args},
        digest="d-1",
        binding=bound.binding.digest if bound else "",
        confidence=Decimal("0.9"),
    )


def restrictions(rung: Rung | None = None, *halts: Halt, tool: str = "pay") -> Restrictions:
    """The restrictions of a moment: perhaps a grant of ``rung``, perhaps halts."""
    grants = {}
    if rung is not None:
        grants = {("support", tool): Grant("support", tool, rung, 0, "admin", "test", override=True)}
    return Restrictions(1, None, halts, grants)


def facts_of(rung: Rung | None = None, /, **more: object) -> dict[str, object]:
    """The facts of a decision at NOW."""
    return {"now": NOW, "restrictions": restrictions(rung), **more}


def verdict(policy: CompiledPolicy, proposal: Proposal, facts: Mapping[str, object]) -> Verdict:
    """The verdict; a need is a failure of the test."""
    found = decide(policy, proposal, facts)
    assert not isinstance(found, Need), found
    return found


def judged(policy: CompiledPolicy, rung: Rung | None = None, **args: object) -> Verdict:
    """The verdict on paying with ``args``."""
    return verdict(policy, proposal_of(policy, "pay", **args), facts_of(rung))


def step_named(found: Verdict, name: str) -> Step:
    """The one step of that name."""
    return next(step for step in found.steps if step.name == name)
