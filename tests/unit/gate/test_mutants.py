"""Checks that no other test of the gate missed when they were taken out, one by one."""

from __future__ import annotations

from decimal import Decimal

import pytest

from handrail.gate import decide
from handrail.gate.approval import answered
from handrail.gate.budget import budget
from handrail.gate.context import Context, Finding
from handrail.gate.deny import deny
from handrail.gate.facts import facts as known
from handrail.words.budget import Room
from handrail.words.level import Rung
from handrail.words.verdict import ANYONE, Decision, Measure, Need, Outcome, Query, Step
from tests.unit.gate.cases import ANYTHING, facts_of, judged, policy_of, proposal_of, restrictions, verdict

TWO = """
  heads: {people: [head@example.com], need: 1, answer_within: 4 h, if_no_answer: reject}
rules:
  - {id: big, tools: pay, when: "amount > 10", ask: leads}
  - {id: odd, tools: pay, when: 'args.reason == "odd"', ask: heads}
"""
LIMITED = """
rules: [{id: huge, tools: pay, when: "amount > 1000", deny: "Too much."}]
budgets: [{id: refunds, tools: pay, actions: 5, per: day}]
"""


def test_an_action_with_one_of_two_questions_approved_still_asks_the_other() -> None:
    """Half an answer is none."""
    policy = policy_of(TWO)
    proposal = proposal_of(policy, reason="odd")
    asks = verdict(policy, proposal, facts_of()).asks
    assert len(asks) == 2
    for one in asks:
        found = decide(policy, proposal, facts_of(), approved=frozenset({one}))
        assert not isinstance(found, Need)
        assert (found.decision, found.asks) == (Decision.ASK, asks - {one})
    both = decide(policy, proposal, facts_of(), approved=asks)
    assert not isinstance(both, Need)
    assert both.decision is Decision.ALLOW


@pytest.mark.parametrize("outcome", [Outcome.DENY, Outcome.PASS])
def test_an_approval_changes_nothing_but_a_question(outcome: Outcome) -> None:
    """A deny of the very rule that was approved stays a deny."""
    step = Step(Measure.CHECK, outcome, "words", "found", ANYONE, "d1")
    assert answered((step,), frozenset({step.ask})) == (step,)


def test_an_approval_answers_the_question_that_it_names() -> None:
    """The twin of the test above."""
    step = Step(Measure.CHECK, Outcome.ASK, "words", "found", ANYONE, "d1")
    assert [each.outcome for each in answered((step,), frozenset({step.ask}))] == [Outcome.PASS]


def test_the_time_is_asked_for_even_when_the_restrictions_are_known() -> None:
    """A verdict without the moment it was given at could not be given again."""
    policy = policy_of()
    proposal = proposal_of(policy)
    assert decide(policy, proposal, {"restrictions": restrictions()}) == Need((Query("now"),))
    assert verdict(policy, proposal, facts_of()).decision is Decision.ALLOW


@pytest.mark.parametrize(("amount", "decision"), [(True, Decision.DENY), (1, Decision.ALLOW)])
def test_true_is_no_amount_of_money(amount: object, decision: Decision) -> None:
    """A tool that takes anything would be charged one for it."""
    assert judged(policy_of(schema=ANYTHING), amount=amount).decision is decision


def test_true_is_no_time_of_day() -> None:
    """It would be one millisecond after the epoch, in a window of long ago."""
    policy = policy_of(LIMITED)
    found = verdict(policy, proposal_of(policy), {**facts_of(), "now": True})
    assert found.decision is Decision.DENY
    asked = decide(policy, proposal_of(policy), facts_of())
    assert isinstance(asked, Need)
    assert [query.name for query in asked.queries] == ["budget:refunds"]


def test_what_is_denied_charges_nothing_in_whatever_order_the_rooms_stand() -> None:
    """A refusal must not eat a budget."""
    policy = policy_of(LIMITED)
    facts = facts_of(**{"budget:refunds": Room(0)})
    order = (known, budget, deny)
    names = {"amount": Decimal(5000)}

    def amount(context: Context) -> Finding:
        context.names.update(names)
        return Finding(())

    denied = decide(policy, proposal_of(policy), facts, order=(amount, *order))
    assert not isinstance(denied, Need)
    assert (denied.decision, denied.charges) == (Decision.DENY, ())
    names["amount"] = Decimal(5)
    allowed = decide(policy, proposal_of(policy), facts, order=(amount, *order))
    assert not isinstance(allowed, Need)
    assert [charge.budget for charge in allowed.charges] == ["refunds"]
    assert allowed.rung is Rung.BOUNDED


@pytest.mark.parametrize("amount", [Decimal(-41115), Decimal("41115.00000000000001"), Decimal("41115e30")])
def test_an_amount_that_is_refused_is_not_repeated_in_the_reason(amount: Decimal) -> None:
    """Reasons go into the journal, and the policy may hide the argument."""
    found = judged(policy_of(), amount=amount)
    assert found.decision is Decision.DENY
    assert all("41115" not in reason for reason in found.reasons)
    assert judged(policy_of(), amount=Decimal("411.15")).decision is Decision.ALLOW
