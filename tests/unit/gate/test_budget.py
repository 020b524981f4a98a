"""The budget preview: what is counted where, what is refused when, and what the claim is told to reserve."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from handrail.gate import decide
from handrail.words.fact import Failed
from handrail.words.level import Rung
from handrail.words.verdict import Charge, Decision, Need, Verdict
from tests.unit.gate.cases import ANYTHING, NOW, facts_of, policy_of, proposal_of, verdict

MIDNIGHT = 1_793_746_800_000
"""2026-11-04, 00:00 in Warsaw."""
EACH = "budgets: [{id: b, actions: 5, per: total, each: args.any}]"


def with_budget(text: str, *, starts: str = "bounded") -> Verdict:
    policy = policy_of(f"budgets: [{{id: b, {text}}}]", starts=starts)
    return verdict(policy, proposal_of(policy, customer_id="c-1"), facts_of(**{"budget:b": 0}))


@pytest.mark.parametrize(
    ("used", "decision"),
    [(0, Decision.ALLOW), (19, Decision.ALLOW), (20, Decision.DENY), (99, Decision.DENY)],
)
def test_the_action_over_the_limit_is_denied(used: int, decision: Decision) -> None:
    policy = policy_of("budgets: [{id: b, tools: pay, actions: 20, per: day}]")
    found = verdict(policy, proposal_of(policy), facts_of(**{"budget:b": used}))
    assert found.decision is decision
    assert found.charges == (() if decision is Decision.DENY else (Charge("b", "[]", MIDNIGHT, 1, 20),))


def test_the_reason_says_which_budget_how_much_and_when_it_renews() -> None:
    policy = policy_of("budgets: [{id: b, tools: pay, actions: 20, per: day}]")
    found = verdict(policy, proposal_of(policy), facts_of(**{"budget:b": 20}))
    assert found.steps[-1].name == "budget:b"
    assert found.reasons == (
        "20 of 20 actions of the budget b are used; it renews at 2026-11-05 00:00 (Europe/Warsaw)",
    )


@pytest.mark.parametrize("used", [Failed("the store is slow"), None, "3", True, -1, Decimal(0), 1.0])
def test_a_use_that_is_not_known_denies(used: object) -> None:
    policy = policy_of("budgets: [{id: b, actions: 20, per: day}]")
    assert verdict(policy, proposal_of(policy), facts_of(**{"budget:b": used})).decision is Decision.DENY
    assert verdict(policy, proposal_of(policy), facts_of(**{"budget:b": 3})).decision is Decision.ALLOW


@pytest.mark.parametrize("now", [Failed("no clock"), "noon", 10**18, True])
def test_a_time_that_is_not_known_denies(now: object) -> None:
    policy = policy_of("budgets: [{id: b, actions: 20, per: day}]")
    facts = facts_of(**{"budget:b": 3})
    assert verdict(policy, proposal_of(policy), facts | {"now": now}).decision is Decision.DENY
    assert verdict(policy, proposal_of(policy), facts | {"now": NOW}).decision is Decision.ALLOW


@pytest.mark.parametrize(
    ("text", "scope", "window"),
    [
        ("actions: 5, per: day", "[]", MIDNIGHT),
        ("actions: 5, per: hour", "[]", MIDNIGHT),
        ("actions: 5, per: total", "[]", 0),
        ("actions: 5, per: task", '["task","ticket-812"]', 0),
        ("actions: 5, per: session", '["session","s-1"]', 0),
        ("actions: 5, per: total, each: args.customer_id", '["each","c-1"]', 0),
        ("tools: pay, actions: 5, per: task, each: amount", '["task","ticket-812","each",40]', 0),
    ],
)
def test_each_window_has_its_scope(text: str, scope: str, window: int) -> None:
    (live,) = with_budget(text).charges
    assert (live.scope, live.window) == (scope, window)


def test_a_shadow_has_a_ledger_of_its_own() -> None:
    (charge,) = with_budget("actions: 5, per: task", starts="shadow").charges
    assert charge.scope == '["shadow","task","ticket-812"]'
    (plain,) = with_budget("actions: 5, per: day", starts="shadow").charges
    assert plain.scope == '["shadow"]'


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("c-1", "c-1", True),
        ("c-1", "c-2", False),
        ('c","x', "c", False),
        (1, Decimal("1.0"), True),
        (10, Decimal("1E1"), True),
        (0, Decimal("-0.00"), True),
        (1, "1", False),
        (1, True, False),
        ("true", True, False),
        ("é", "e\u0301", False),
    ],
)
def test_equal_values_share_a_scope_and_others_never_do(one: object, other: object, *, same: bool) -> None:
    assert (_scope(one) == _scope(other)) is same


def _scope(value: object) -> str:
    policy = policy_of(EACH, schema=ANYTHING)
    found = verdict(policy, proposal_of(policy, any=value), facts_of(**{"budget:b": 0}))
    return found.charges[0].scope


@pytest.mark.parametrize("value", [None, [], {}, Decimal("1E+50"), Decimal("NaN")])
def test_a_value_that_names_nobody_denies(value: object) -> None:
    policy = policy_of(EACH, schema=ANYTHING)
    for any_, decision in ((value, Decision.DENY), ("c-1", Decision.ALLOW)):
        found = verdict(policy, proposal_of(policy, any=any_), facts_of(**{"budget:b": 0}))
        assert found.decision is decision


def test_a_missing_value_denies_and_is_not_asked_about() -> None:
    policy = policy_of("budgets: [{id: b, tools: pay, actions: 5, per: total, each: args.customer_id}]")
    found = decide(policy, proposal_of(policy), facts_of())
    assert isinstance(found, Verdict)
    assert (found.decision, found.steps[-1].name) == (Decision.DENY, "budget:b")
    assert isinstance(decide(policy, proposal_of(policy, customer_id="c"), facts_of()), Need)


@pytest.mark.parametrize("missing", [None, ""])
def test_a_budget_per_task_refuses_an_action_without_one(missing: str | None) -> None:
    policy = policy_of("budgets: [{id: b, actions: 5, per: task}]")
    facts = facts_of(**{"budget:b": 0})
    without = verdict(policy, replace(proposal_of(policy), task=missing), facts)
    assert (without.decision, without.steps[-1].name) == (Decision.DENY, "budget:b")
    assert verdict(policy, proposal_of(policy), facts).decision is Decision.ALLOW


def test_a_budget_of_another_tool_or_agent_does_not_count() -> None:
    head = "budgets: [{id: b, actions: 1, per: day, "
    for text, counts in (("tools: look}]", False), ("tools: pay}]", True), ("agents: support}]", True)):
        policy = policy_of(head + text)
        found = decide(policy, proposal_of(policy), facts_of(**{"budget:b": 1}))
        assert isinstance(found, Verdict)
        assert (found.decision is Decision.DENY) is counts


def test_what_is_asked_lists_its_charges_too() -> None:
    policy = policy_of("budgets: [{id: b, actions: 5, per: day}]")
    found = verdict(policy, proposal_of(policy), facts_of(Rung.SUGGEST, **{"budget:b": 0}))
    assert found.decision is Decision.ASK
    assert [charge.budget for charge in found.charges] == ["b"]


@pytest.mark.parametrize(
    "text", ["cost: 5, per: day", "amount: 5, per: day", "tokens: 5, per: day", "actions: 5, per: 2 h"]
)
def test_a_budget_that_can_not_be_counted_yet_denies_instead_of_vanishing(text: str) -> None:
    found = with_budget(f"tools: pay, {text}")
    assert found.decision is Decision.DENY
    assert "in this version" in found.reasons[0]
