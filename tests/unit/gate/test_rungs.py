"""Every rung with every effect of a rule: what is decided, and what is done about it."""

from __future__ import annotations

import pytest

from handrail.words.fact import Failed
from handrail.words.level import Rung
from handrail.words.verdict import Decision, Measure, Outcome
from tests.unit.gate.cases import facts_of, policy_of, proposal_of, restrictions, verdict

CUSTOMER = "facts:\n  customer: {python: 'shop:customer', with: {id: args.order_id}}\n"
RULE = CUSTOMER + "rules:\n  - {id: r, tools: pay, "
CHECK = CUSTOMER + "checks:\n  c: {tools: pay, "
TRUE, BROKEN = 'when: "amount > 5"', "when: 'customer.tier == \"gold\"'"
BODIES = {
    "none": "",
    "deny that holds": RULE + TRUE + ", deny: no}",
    "deny that errs": RULE + BROKEN + ", deny: no}",
    "ask that holds": RULE + TRUE + ", ask: leads}",
    "ask that errs": RULE + BROKEN + ", ask: leads}",
    "lifted ask that holds": RULE + TRUE + ", ask: leads, lifted_at: autonomous}",
    "lifted ask that errs": RULE + BROKEN + ", ask: leads, lifted_at: autonomous}",
    "preapproved that matches": CUSTOMER + "preapproved:\n  - {id: p, tools: pay, " + TRUE + "}",
    "preapproved that errs": CUSTOMER + "preapproved:\n  - {id: p, tools: pay, " + BROKEN + "}",
    "check that is ok": CHECK + TRUE + ", if_not_ok: deny}",
    "check that asks": CHECK + 'when: "amount > 50", if_not_ok: ask}',
    "check that denies": CHECK + 'when: "amount > 50", if_not_ok: deny}',
    "check that can't tell, and asks": CHECK + BROKEN + ", if_not_ok: deny, on_error: ask}",
    "check that can't tell, and denies": CHECK + BROKEN + ", if_not_ok: ask, on_error: deny}",
}
ALLOW, ASK, DENY, SHADOW = Decision.ALLOW, Decision.ASK, Decision.DENY, Decision.SHADOW
# the decision on the rungs suggest, preapproved, bounded and autonomous
LIVE = {
    "none": (ASK, ASK, ALLOW, ALLOW),
    "deny that holds": (DENY, DENY, DENY, DENY),
    "deny that errs": (DENY, DENY, DENY, DENY),
    "ask that holds": (ASK, ASK, ASK, ASK),
    "ask that errs": (ASK, ASK, ASK, ASK),
    "lifted ask that holds": (ASK, ASK, ASK, ALLOW),
    "lifted ask that errs": (ASK, ASK, ASK, ASK),
    "preapproved that matches": (ASK, ALLOW, ALLOW, ALLOW),
    "preapproved that errs": (ASK, ASK, ALLOW, ALLOW),
    "check that is ok": (ASK, ASK, ALLOW, ALLOW),
    "check that asks": (ASK, ASK, ASK, ASK),
    "check that denies": (DENY, DENY, DENY, DENY),
    "check that can't tell, and asks": (ASK, ASK, ASK, ASK),
    "check that can't tell, and denies": (DENY, DENY, DENY, DENY),
}
RUNGS = (Rung.SUGGEST, Rung.PREAPPROVED, Rung.BOUNDED, Rung.AUTONOMOUS)
ROWS = [
    (effect, rung, decision)
    for effect, row in LIVE.items()
    for rung, decision in zip(RUNGS, row, strict=True)
]


def test_the_table_has_every_effect() -> None:
    assert BODIES.keys() == LIVE.keys()


@pytest.mark.parametrize(("effect", "rung", "decision"), ROWS)
def test_a_live_rung_does_what_it_decides(effect: str, rung: Rung, decision: Decision) -> None:
    policy = policy_of(BODIES[effect])
    found = verdict(policy, proposal_of(policy), facts_of(rung, customer=Failed("shop is down")))
    assert (found.decision, found.enforced, found.rung) == (decision, decision, rung)


@pytest.mark.parametrize(("effect", "ceiling", "decision"), ROWS)
def test_shadow_decides_as_at_the_ceiling_and_runs_nothing(
    effect: str, ceiling: Rung, decision: Decision
) -> None:
    policy = policy_of(BODIES[effect], starts="shadow", at_most=ceiling.word)
    found = verdict(policy, proposal_of(policy), facts_of(customer=Failed("shop is down")))
    assert (found.decision, found.rung) == (decision, Rung.SHADOW)
    assert found.enforced is (DENY if decision is DENY else SHADOW)


@pytest.mark.parametrize(
    ("rung", "decision"),
    [(Rung.SUGGEST, ASK), (Rung.PREAPPROVED, ALLOW), (Rung.BOUNDED, ALLOW), (Rung.AUTONOMOUS, ALLOW)],
)
def test_a_tool_that_only_reads_runs_alone_from_preapproved_on(rung: Rung, decision: Decision) -> None:
    policy = policy_of()
    facts = facts_of()
    facts["restrictions"] = restrictions(rung, tool="look")
    assert verdict(policy, proposal_of(policy, "look"), facts).decision is decision


def test_a_grant_above_the_ceiling_counts_as_the_ceiling() -> None:
    policy = policy_of(BODIES["lifted ask that holds"], at_most="bounded")
    found = verdict(policy, proposal_of(policy), facts_of(Rung.AUTONOMOUS, customer={}))
    assert (found.rung, found.decision) == (Rung.BOUNDED, ASK)
    higher = policy_of(BODIES["lifted ask that holds"], at_most="autonomous")
    found = verdict(higher, proposal_of(higher), facts_of(Rung.AUTONOMOUS, customer={}))
    assert (found.rung, found.decision) == (Rung.AUTONOMOUS, ALLOW)


def test_without_a_grant_a_tool_stands_where_it_starts() -> None:
    policy = policy_of(starts="suggest")
    assert verdict(policy, proposal_of(policy), facts_of()).rung is Rung.SUGGEST


def test_a_lifted_rule_is_named_among_the_passed_steps() -> None:
    policy = policy_of(BODIES["lifted ask that holds"])
    found = verdict(policy, proposal_of(policy), facts_of(Rung.AUTONOMOUS, customer={}))
    step = next(step for step in found.steps if step.rule == "r")
    assert (step.measure, step.outcome, step.reason) == (Measure.ASK, Outcome.PASS, "lifted at autonomous")


def test_the_question_of_a_level_is_the_same_each_time_and_another_on_another_rung() -> None:
    policy = policy_of()
    asks = [
        verdict(policy, proposal_of(policy), facts_of(rung)).asks
        for rung in (Rung.SUGGEST, Rung.SUGGEST, Rung.PREAPPROVED)
    ]
    assert asks[0] == asks[1]
    assert asks[0].isdisjoint(asks[2])
