"""Limits that ask instead of refusing, and budgets that are frozen: what the gate says of each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handrail.gate import decide
from handrail.words.budget import Freeze, Room
from handrail.words.money import NANO
from handrail.words.verdict import Decision, Verdict
from tests.unit.gate.cases import NOW, facts_of, policy_of, proposal_of, restrictions, verdict

MONEY = "budgets: [{id: b, tools: pay, amount: 50, per: day%s}]"
FROZEN = Freeze("b", "head@example.com", "Something is odd.", NOW)


def test_a_frozen_budget_denies_and_says_who_froze_it_and_why() -> None:
    policy = policy_of(MONEY % "")
    facts = facts_of(**{"budget:b": Room(0)})
    for frozen, decision in (({"b": FROZEN}, Decision.DENY), ({"other": FROZEN}, Decision.ALLOW)):
        stopped = replace(restrictions(), frozen=frozen)
        found = verdict(policy, proposal_of(policy), facts | {"restrictions": stopped})
        assert found.decision is decision
        if decision is Decision.DENY:
            assert found.reasons == (
                "the budget b was frozen by head@example.com, until a person thaws it: Something is odd.",
            )


@pytest.mark.parametrize(
    ("limit", "audience", "end"),
    [
        (", at_limit: ask", "anyone", "a yes lets this one exceed it by $10"),
        (", at_limit: {ask: leads}", "leads", "a yes lets this one exceed it by $10"),
        (
            ", at_limit: {pause: leads}",
            "leads",
            (
                "a yes lets this one exceed it by $10; "
                "without an answer it goes on by itself once there is room"
            ),
        ),
    ],
)
def test_a_soft_limit_asks_its_audience_and_says_how_much_over(limit: str, audience: str, end: str) -> None:
    policy = policy_of(MONEY % limit)
    found = verdict(policy, proposal_of(policy), facts_of(**{"budget:b": Room(20 * NANO)}))
    assert found.decision is Decision.ASK
    (ask,) = found.asks
    assert (ask.step, ask.audience) == ("budget:b", audience)
    assert found.reasons[0].endswith(end)
    assert [charge.soft for charge in found.charges] == [False]
    inside = verdict(policy, proposal_of(policy), facts_of(**{"budget:b": Room(10 * NANO)}))
    assert inside.decision is Decision.ALLOW


def test_what_never_fits_does_not_promise_to_go_on_by_itself() -> None:
    policy = policy_of(MONEY % ", at_limit: pause")
    found = verdict(policy, proposal_of(policy, amount=60), facts_of(**{"budget:b": Room(0)}))
    assert found.reasons[0].endswith("a yes lets this one exceed it by $10")


def test_an_answer_lets_exactly_the_budget_that_asked_be_exceeded() -> None:
    both = (
        "budgets: [{id: b, tools: pay, amount: 50, per: day, at_limit: ask}, {id: c, actions: 9, per: day}]"
    )
    policy = policy_of(both)
    facts = facts_of(**{"budget:b": Room(20 * NANO), "budget:c": Room(0)})
    asked = verdict(policy, proposal_of(policy), facts)
    found = decide(policy, proposal_of(policy), facts, approved=asked.asks)
    assert isinstance(found, Verdict)
    assert found.decision is Decision.ALLOW
    assert {charge.budget: charge.soft for charge in found.charges} == {"b": True, "c": False}
    full = facts | {"budget:c": Room(9)}
    refused = decide(policy, proposal_of(policy), full, approved=asked.asks)
    assert isinstance(refused, Verdict)
    assert (refused.decision, refused.charges) == (Decision.DENY, ())


def test_an_answer_to_another_limit_is_none() -> None:
    policy, tighter = (
        policy_of(MONEY % ", at_limit: ask"),
        policy_of(MONEY.replace("50", "45") % ", at_limit: ask"),
    )
    facts = facts_of(**{"budget:b": Room(20 * NANO)})
    asked = verdict(policy, proposal_of(policy), facts).asks
    for one, decision in ((policy, Decision.ALLOW), (tighter, Decision.ASK)):
        found = decide(one, proposal_of(one), facts, approved=asked)
        assert isinstance(found, Verdict)
        assert found.decision is decision


def test_a_frozen_budget_is_not_exceeded_by_an_answer() -> None:
    policy = policy_of(MONEY % ", at_limit: ask")
    facts = facts_of(**{"budget:b": Room(20 * NANO)})
    asked = verdict(policy, proposal_of(policy), facts).asks
    stopped = facts | {"restrictions": replace(restrictions(), frozen={"b": FROZEN})}
    found = decide(policy, proposal_of(policy), stopped, approved=asked)
    assert isinstance(found, Verdict)
    assert found.decision is Decision.DENY


def test_a_shadow_that_would_ask_charges_nothing_that_could_be_taken() -> None:
    policy = policy_of(MONEY % ", at_limit: ask", starts="shadow")
    found = verdict(policy, proposal_of(policy), facts_of(**{"budget:b": Room(50 * NANO)}))
    assert (found.decision, found.enforced) == (Decision.ASK, Decision.SHADOW)
