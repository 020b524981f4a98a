"""The gate as a whole: what it needs, in which order it looks, and what a verdict says."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from handrail.gate import BY_HAND, decide
from handrail.words.budget import Room
from handrail.words.fact import Failed
from handrail.words.level import Rung
from handrail.words.restriction import Halt
from handrail.words.verdict import Ask, Decision, Measure, Need, Outcome, Query, Verdict
from tests.unit.gate.cases import NOW, facts_of, judged, policy_of, proposal_of, restrictions, verdict

BODY = """
facts:
  customer: {python: "shop:customer", with: {id: args.customer_id}}
  ticket: {python: "desk:ticket", with: {id: task}}
  unused: {python: "shop:unused", with: {id: task}}
rules:
  - {id: vip, tools: pay, when: 'customer.tier == "vip"', ask: leads}
preapproved:
  - {id: small, tools: pay, when: "customer.tier == 'small'"}
checks:
  topic: {tools: pay, when: 'ticket.category != "legal"', if_not_ok: deny}
budgets:
  - {id: refunds, tools: pay, actions: 2, per: day}
  - {id: each, tools: pay, actions: 2, per: day, each: customer.tier}
"""
CUSTOMER, TICKET = {"tier": "gold"}, {"category": "refund"}
SUPPLIED = {"customer": CUSTOMER, "ticket": TICKET, "budget:refunds": Room(0), "budget:each": Room(0)}
MIDNIGHT = 1_793_746_800_000


def test_the_time_and_the_restrictions_are_needed_before_anything_else() -> None:
    policy = policy_of(BODY)
    assert decide(policy, proposal_of(policy), {}) == Need((Query("now"), Query("restrictions")))
    only_now = decide(policy, proposal_of(policy), {"now": NOW})
    assert only_now == Need((Query("restrictions"),))


def test_every_fact_that_can_be_used_now_is_asked_for_at_once() -> None:
    policy = policy_of(BODY)
    found = decide(policy, proposal_of(policy, customer_id="c-1"), facts_of())
    assert found == Need(
        (
            Query("customer", {"id": "c-1"}),
            Query("ticket", {"id": "ticket-812"}),
            Query("budget:refunds", {"scope": "[]", "window": MIDNIGHT}),
        )
    )


def test_a_budget_that_counts_by_a_fact_is_asked_for_once_the_fact_is_there() -> None:
    policy = policy_of(BODY)
    facts = facts_of(customer=CUSTOMER, ticket=TICKET, **{"budget:refunds": Room(0)})
    found = decide(policy, proposal_of(policy, customer_id="c-1"), facts)
    assert found == Need((Query("budget:each", {"scope": '["each","gold"]', "window": MIDNIGHT}),))


def test_with_every_fact_there_is_a_verdict_that_names_what_passed() -> None:
    policy = policy_of(BODY)
    found = verdict(policy, proposal_of(policy, customer_id="c-1"), facts_of(**SUPPLIED))
    assert found.decision is Decision.ALLOW
    names = [step.name for step in found.steps]
    assert names == ["halt", "permission", "arguments", "deny", "check:topic", "ask", "level", "budget"]
    assert (found.amount, found.policy) == (40_000_000_000, policy.digest)


def test_a_fact_that_can_not_be_asked_for_has_failed_and_is_not_asked() -> None:
    policy = policy_of(BODY)
    found = decide(policy, proposal_of(policy), facts_of())
    assert isinstance(found, Need)
    assert "customer" not in {query.name for query in found.queries}
    without = {key: value for key, value in SUPPLIED.items() if key != "customer"}
    refused = verdict(policy, proposal_of(policy), facts_of(**without))
    assert refused.decision is Decision.DENY
    assert "args.customer_id is missing" in refused.reasons[0]


def test_what_a_fact_supplied_says_is_not_asked_for_again_even_when_it_failed() -> None:
    policy = policy_of(BODY)
    facts = facts_of(customer=Failed("down"), ticket=Failed("down"), **{"budget:refunds": Failed("down")})
    assert isinstance(decide(policy, proposal_of(policy, customer_id="c"), facts), Verdict)


def test_facts_of_preapproved_patterns_are_asked_for_on_that_rung_only() -> None:
    body = """
facts: {customer: {python: "shop:customer", with: {id: args.order_id}}}
preapproved: [{id: small, tools: pay, when: "customer.tier == 'small'"}]
"""
    policy = policy_of(body)
    assert isinstance(decide(policy, proposal_of(policy), facts_of(Rung.BOUNDED)), Verdict)
    found = decide(policy, proposal_of(policy), facts_of(Rung.PREAPPROVED))
    assert found == Need((Query("customer", {"id": "o-17"}),))


@pytest.mark.parametrize(
    ("change", "measure"),
    [
        ({"agent": "stranger"}, Measure.PERMISSION),
        ({"tool": "unknown"}, Measure.PERMISSION),
        ({"args": {"order_id": 5}}, Measure.ARGUMENTS),
        ({"refusal": "too deep"}, Measure.ARGUMENTS),
    ],
)
def test_what_is_refused_at_the_door_asks_for_no_fact(change: dict[str, object], measure: Measure) -> None:
    policy = policy_of(BODY)
    proposal = proposal_of(policy, customer_id="c-1")
    assert isinstance(decide(policy, proposal, facts_of()), Need)
    found = verdict(policy, replace(proposal, **change), facts_of())  # type: ignore[arg-type]
    assert found.decision is Decision.DENY
    assert found.steps[-1].measure is measure


def test_a_deny_ends_the_road_and_nothing_is_charged() -> None:
    policy = policy_of(
        "rules: [{id: no, tools: pay, when: amount > 1, deny: Never.}]\n"
        + BODY.replace(
            "rules:\n  - {id: vip, tools: pay, when: 'customer.tier == \"vip\"', ask: leads}\n", ""
        )
    )
    found = verdict(policy, proposal_of(policy, customer_id="c"), facts_of(**SUPPLIED))
    assert [step.name for step in found.steps] == ["halt", "permission", "arguments", "deny:no"]
    assert (found.decision, found.reasons, found.charges) == (Decision.DENY, ("Never.",), ())


def test_questions_of_all_rooms_are_collected_and_the_charges_are_listed() -> None:
    policy = policy_of(BODY)
    facts = facts_of(Rung.SUGGEST, **{**SUPPLIED, "customer": {"tier": "vip"}})
    found = verdict(policy, proposal_of(policy, customer_id="c"), facts)
    assert {ask.step for ask in found.asks} == {"ask:vip", "level:suggest"}
    assert {ask.audience for ask in found.asks} == {"leads", "anyone"}
    assert [charge.budget for charge in found.charges] == ["refunds", "each"]


def test_the_same_inputs_give_the_same_answer() -> None:
    policy = policy_of(BODY)
    facts, proposal = facts_of(**SUPPLIED), proposal_of(policy, customer_id="c")
    assert decide(policy, proposal, facts) == decide(policy, proposal, facts)


def test_deciding_changes_nothing_that_it_was_given() -> None:
    policy = policy_of(BODY)
    facts, proposal = facts_of(**SUPPLIED), proposal_of(policy, customer_id="c")
    before = (dict(facts), dict(proposal.args))
    decide(policy, proposal, facts)
    assert (facts, proposal.args) == before


@pytest.mark.parametrize("given", [None, "nobody", 7, {}])
def test_restrictions_that_are_none_deny_instead_of_being_asked_for_again(given: object) -> None:
    policy = policy_of()
    found = verdict(policy, proposal_of(policy), {"now": NOW, "restrictions": given})
    assert found.decision is Decision.DENY
    assert verdict(policy, proposal_of(policy), facts_of()).decision is Decision.ALLOW


def test_approved_questions_pass_and_other_questions_remain() -> None:
    policy = policy_of("rules: [{id: big, tools: pay, when: amount > 5, ask: leads}]")
    facts, proposal = facts_of(Rung.SUGGEST), proposal_of(policy)
    asks = verdict(policy, proposal, facts).asks
    rule, of_level = sorted(asks)
    partly = decide(policy, proposal, facts, approved=frozenset({rule}))
    assert isinstance(partly, Verdict)
    assert (partly.decision, partly.asks) == (Decision.ASK, frozenset({of_level}))
    wholly = decide(policy, proposal, facts, approved=asks)
    assert isinstance(wholly, Verdict)
    assert wholly.decision is Decision.ALLOW
    assert [step.reason for step in wholly.steps if step.rule] == ["approved", "approved"]


@pytest.mark.parametrize("change", ["step", "digest", "audience"])
def test_an_approval_of_anything_else_answers_nothing(change: str) -> None:
    policy = policy_of("rules: [{id: big, tools: pay, when: amount > 5, ask: leads}]")
    (ask,) = judged(policy).asks
    other = replace(ask, **{change: "other"})
    for approved, decision in ((other, Decision.ASK), (ask, Decision.ALLOW)):
        found = decide(policy, proposal_of(policy), facts_of(), approved=frozenset({approved}))
        assert isinstance(found, Verdict)
        assert found.decision is decision


@pytest.mark.parametrize(
    ("rule", "same"),
    [
        ("{id: big, tools: pay, when: amount > 5, ask: {group: leads, because: Other words.}}", True),
        ("{id: big, tools: pay, when: amount > 6, ask: leads}", False),
        ("{id: big, tools: [pay, pay], when: amount > 5, ask: leads}", False),
        ("{id: big, tools: pay, when: amount > 5, ask: leads, lifted_at: autonomous}", False),
    ],
)
def test_a_rule_with_other_text_asks_another_question(rule: str, *, same: bool) -> None:
    first = judged(policy_of("rules: [{id: big, tools: pay, when: amount > 5, ask: leads}]")).asks
    assert (judged(policy_of(f"rules: [{rule}]")).asks == first) is same


def test_a_deny_wins_over_an_approval() -> None:
    policy = policy_of("rules: [{id: big, tools: pay, when: amount > 5, deny: no}]")
    approved = frozenset({Ask("deny:big", judged(policy).steps[-1].digest, "anyone")})
    found = decide(policy, proposal_of(policy), facts_of(), approved=approved)
    assert isinstance(found, Verdict)
    assert found.decision is Decision.DENY


def test_a_person_is_held_by_the_schema_alone() -> None:
    body = (
        "rules: [{id: big, tools: pay, when: amount > 5, deny: no}]\nbudgets: [{id: b, actions: 1, per: day}]"
    )
    policy = policy_of(body, starts="shadow")
    halted = {"now": NOW, "restrictions": restrictions(None, Halt("h", None, None, "stop", "admin", NOW))}
    proposal = replace(proposal_of(policy), agent="lead@example.com")
    for facts in ({}, halted):
        found = decide(policy, proposal, facts, order=BY_HAND)
        assert isinstance(found, Verdict)
        assert (found.decision, found.enforced, found.charges) == (Decision.ALLOW, Decision.ALLOW, ())
    for wrong in ({"order_id": 5}, {"order_id": "o", "amount": Decimal(1), "more": 1}):
        refused = decide(policy, replace(proposal, args=wrong), {}, order=BY_HAND)
        assert isinstance(refused, Verdict)
        assert refused.enforced is Decision.DENY


def test_a_person_can_not_run_a_tool_that_is_bound_to_nothing() -> None:
    policy = policy_of()
    found = decide(policy, proposal_of(policy, "unknown"), {}, order=BY_HAND)
    assert isinstance(found, Verdict)
    assert found.decision is Decision.DENY
    assert found.steps[-1].outcome is Outcome.DENY
