"""The budget preview: what is counted where, what is refused when, and what the claim is told to reserve."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import partial

import pytest

from handrail.gate import decide
from handrail.policy.binding import binding
from handrail.policy.compile import CompiledPolicy, compile_policy
from handrail.policy.load import load
from handrail.words.budget import Room
from handrail.words.fact import Failed
from handrail.words.level import Rung
from handrail.words.money import NANO
from handrail.words.verdict import Charge, Decision, Need, Verdict
from tests.unit.gate.cases import (
    ANYTHING,
    HEAD,
    NOW,
    REFUND,
    facts_of,
    policy_of,
    proposal_of,
    verdict,
)

MIDNIGHT = 1_793_746_800_000
"""2026-11-04, 00:00 in Warsaw."""
HALF_HOUR = 1_800_000
EACH = "budgets: [{id: b, actions: 5, per: total, each: args.any}]"


def with_budget(text: str, *, starts: str = "bounded") -> Verdict:
    policy = policy_of(f"budgets: [{{id: b, {text}}}]", starts=starts)
    return verdict(policy, proposal_of(policy, customer_id="c-1"), facts_of(**{"budget:b": Room(0)}))


@pytest.mark.parametrize(
    ("used", "decision"),
    [(0, Decision.ALLOW), (19, Decision.ALLOW), (20, Decision.DENY), (99, Decision.DENY)],
)
def test_the_action_over_the_limit_is_denied(used: int, decision: Decision) -> None:
    policy = policy_of("budgets: [{id: b, tools: pay, actions: 20, per: day}]")
    found = verdict(policy, proposal_of(policy), facts_of(**{"budget:b": Room(used)}))
    assert found.decision is decision
    assert found.charges == (() if decision is Decision.DENY else (Charge("b", "[]", MIDNIGHT, 1, 20),))


def test_the_reason_says_which_budget_how_much_and_when_it_renews() -> None:
    policy = policy_of("budgets: [{id: b, tools: pay, actions: 20, per: day}]")
    found = verdict(policy, proposal_of(policy), facts_of(**{"budget:b": Room(20)}))
    assert found.steps[-1].name == "budget:b"
    assert found.reasons == (
        (
            "20 of 20 actions of the budget b are used; it renews at 2026-11-05 00:00 (Europe/Warsaw); "
            "a person can top it up"
        ),
    )


@pytest.mark.parametrize("used", [Failed("the store is slow"), None, "3", True, 3, Decimal(0), 1.0])
def test_a_use_that_is_not_known_denies(used: object) -> None:
    policy = policy_of("budgets: [{id: b, actions: 20, per: day}]")
    assert verdict(policy, proposal_of(policy), facts_of(**{"budget:b": used})).decision is Decision.DENY
    assert verdict(policy, proposal_of(policy), facts_of(**{"budget:b": Room(3)})).decision is Decision.ALLOW


@pytest.mark.parametrize("now", [Failed("no clock"), "noon", 10**18, True])
def test_a_time_that_is_not_known_denies(now: object) -> None:
    policy = policy_of("budgets: [{id: b, actions: 20, per: day}]")
    facts = facts_of(**{"budget:b": Room(3)})
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
        ("tools: pay, actions: 5, per: task, each: amount", '["task","ticket-812","each","40"]', 0),
    ],
)
def test_each_window_has_its_scope(text: str, scope: str, window: int) -> None:
    (live,) = with_budget(text).charges
    assert (live.scope, live.window) == (scope, window)


def test_a_shadow_has_a_ledger_of_its_own() -> None:
    (charge,) = with_budget("actions: 5, per: task, alert_at: [50%]", starts="shadow").charges
    assert charge.scope == '["shadow","task","ticket-812"]'
    assert charge.alert_at == ()
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
        (1, "1", True),
        ("1.0", 1, False),
        (1, True, False),
        ("true", True, False),
        ("é", "e\u0301", False),
    ],
)
def test_equal_values_share_a_scope_and_others_never_do(one: object, other: object, *, same: bool) -> None:
    assert (_scope(one) == _scope(other)) is same


def _scope(value: object) -> str:
    policy = policy_of(EACH, schema=ANYTHING)
    found = verdict(policy, proposal_of(policy, any=value), facts_of(**{"budget:b": Room(0)}))
    return found.charges[0].scope


@pytest.mark.parametrize("value", [None, [], {}, Decimal("1E+50"), Decimal("NaN")])
def test_a_value_that_names_nobody_denies(value: object) -> None:
    policy = policy_of(EACH, schema=ANYTHING)
    for any_, decision in ((value, Decision.DENY), ("c-1", Decision.ALLOW)):
        found = verdict(policy, proposal_of(policy, any=any_), facts_of(**{"budget:b": Room(0)}))
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
    facts = facts_of(**{"budget:b": Room(0)})
    without = verdict(policy, replace(proposal_of(policy), task=missing), facts)
    assert (without.decision, without.steps[-1].name) == (Decision.DENY, "budget:b")
    assert verdict(policy, proposal_of(policy), facts).decision is Decision.ALLOW


def test_a_budget_of_another_tool_or_agent_does_not_count() -> None:
    head = "budgets: [{id: b, actions: 1, per: day, "
    for text, counts in (("tools: look}]", False), ("tools: pay}]", True), ("agents: support}]", True)):
        policy = policy_of(head + text)
        found = decide(policy, proposal_of(policy), facts_of(**{"budget:b": Room(1)}))
        assert isinstance(found, Verdict)
        assert (found.decision is Decision.DENY) is counts


def test_what_is_asked_lists_its_charges_too() -> None:
    policy = policy_of("budgets: [{id: b, actions: 5, per: day}]")
    found = verdict(policy, proposal_of(policy), facts_of(Rung.SUGGEST, **{"budget:b": Room(0)}))
    assert found.decision is Decision.ASK
    assert [charge.budget for charge in found.charges] == ["b"]


MONEY = "budgets: [{id: b, tools: pay, amount: 50, per: day%s}]"
COSTS = """
agents: {support: {may: [pay, look]}}
tools:
  pay: {does: pay, amount: args.amount, cost: 0.02, starts: bounded, at_most: bounded}
  look: {does: read, cost: "size(args.order_id) * 0.001"}
"""


def costing(body: str) -> CompiledPolicy:
    """A policy whose tools cost something, both bound."""
    compiled = compile_policy(load(f"handrail: 1\n{COSTS}{body}\n"))
    return compiled.bind(binding("pay", REFUND)).bind(binding("look", REFUND))


@pytest.mark.parametrize(
    ("used", "amount", "decision"),
    [
        (0, Decimal(50), Decision.ALLOW),
        (0, Decimal("50.000000001"), Decision.DENY),
        (10 * NANO, Decimal(40), Decision.ALLOW),
        (10 * NANO + 1, Decimal(40), Decision.DENY),
        (50 * NANO, Decimal(0), Decision.ALLOW),
    ],
)
def test_an_amount_is_counted_exactly_in_nano_units(used: int, amount: Decimal, decision: Decision) -> None:
    policy = policy_of(MONEY % "")
    found = verdict(policy, proposal_of(policy, amount=amount), facts_of(**{"budget:b": Room(used)}))
    assert found.decision is decision
    if decision is Decision.ALLOW:
        assert found.charges == (Charge("b", "[]", MIDNIGHT, int(amount * NANO), 50 * NANO, "amount"),)


def test_money_is_told_in_plain_words() -> None:
    policy = policy_of(MONEY % "")
    facts = facts_of(**{"budget:b": Room(48_200_000_000)})
    assert verdict(policy, proposal_of(policy, amount=3), facts).reasons == (
        (
            "$48.20 of $50 of the budget b are used and this takes $3; "
            "it renews at 2026-11-05 00:00 (Europe/Warsaw); a person can top it up"
        ),
    )
    assert verdict(policy, proposal_of(policy, amount=60), facts).reasons == (
        (
            "this takes $60, and the whole budget b is $50; "
            "it renews at 2026-11-05 00:00 (Europe/Warsaw); a person can top it up"
        ),
    )


def test_what_a_person_topped_up_is_room() -> None:
    policy = policy_of(MONEY % "")
    for raised, decision in ((0, Decision.DENY), (5 * NANO, Decision.ALLOW)):
        facts = facts_of(**{"budget:b": Room(48 * NANO, raised)})
        assert verdict(policy, proposal_of(policy, amount=5), facts).decision is decision


def test_an_amount_that_can_not_be_evaluated_denies_with_why() -> None:
    policy = policy_of(MONEY % "")
    proposal = proposal_of(policy, amount=5)
    without = replace(proposal, args={"order_id": "o-17"})
    facts = facts_of(**{"budget:b": Room(0)})
    found = verdict(policy, without, facts)
    assert (found.decision, found.steps[-1].name) == (Decision.DENY, "arguments:amount")
    assert found.reasons[0].startswith("the amount can't be used: ")
    assert verdict(policy, proposal, facts).decision is Decision.ALLOW


@pytest.mark.parametrize(("amount", "quantity"), [("args.amount * 2", 80 * NANO), ("1", NANO)])
def test_the_amount_of_a_budget_is_what_the_policy_makes_of_the_arguments(amount: str, quantity: int) -> None:
    text = (
        HEAD.replace("STARTS", "bounded").replace("AT_MOST", "bounded").replace("args.amount", f'"{amount}"')
    )
    budget = "budgets: [{id: b, tools: pay, amount: 500, per: day}]"
    policy = compile_policy(load(text + budget)).bind(binding("pay", REFUND))
    (charge,) = verdict(policy, proposal_of(policy), facts_of(**{"budget:b": Room(0)})).charges
    assert charge.quantity == quantity


@pytest.mark.parametrize(("tool", "quantity"), [("pay", 20_000_000), ("look", 4_000_000)])
def test_running_a_tool_costs_what_its_cost_says(tool: str, quantity: int) -> None:
    policy = costing("budgets: [{id: b, cost: 1, per: total}]")
    facts = facts_of(None, **{"budget:b": Room(0)})
    (charge,) = verdict(policy, proposal_of(policy, tool), facts).charges
    assert (charge.quantity, charge.unit, charge.limit) == (quantity, "cost", NANO)


def test_a_rule_may_be_about_the_cost() -> None:
    policy = costing('rules: [{id: dear, tools: look, when: "cost > 0.005", deny: "Too dear."}]')
    for order, decision in (("o-17", Decision.ALLOW), ("o-1700", Decision.DENY)):
        proposal = proposal_of(policy, "look", order_id=order)
        assert verdict(policy, proposal, facts_of()).decision is decision


def _given(value: object, _names: object) -> object:
    return value


def test_a_cost_is_rounded_up_and_one_that_is_no_money_denies() -> None:
    policy = costing("budgets: [{id: b, cost: 1, per: total, tools: look}]")
    thin = policy.bound["look"]
    for value, quantity in ((Decimal("0.0000000001"), 1), (Decimal(-1), None), (Decimal("NaN"), None)):
        odd = replace(thin, cost=partial(_given, value))
        way = replace(policy.access["support"]["look"], tool=odd)
        bent = replace(policy, bound={"look": odd}, access={"support": {"look": way}})
        found = verdict(bent, proposal_of(bent, "look"), facts_of(**{"budget:b": Room(0)}))
        if quantity is None:
            assert (found.decision, found.steps[-1].name) == (Decision.DENY, "arguments:cost")
        else:
            assert [charge.quantity for charge in found.charges] == [quantity]


@pytest.mark.parametrize(
    "budget",
    [
        "{id: b, tokens: 1, per: day}",
        '{id: b, cost: 1, per: day, models: "o:*"}',
        "{id: b, cost: 1, per: day, agents: clerk}",
    ],
)
def test_what_only_models_use_is_not_counted_for_tools(budget: str) -> None:
    clerk = COSTS.replace("agents: {", "agents: {clerk: {may: [pay]}, ")
    compiled = compile_policy(load(f'handrail: 1\n{clerk}models: {{"o:*": {{}}}}\nbudgets: [{budget}]\n'))
    policy = compiled.bind(binding("pay", REFUND))
    found = decide(policy, proposal_of(policy), facts_of())
    assert isinstance(found, Verdict)
    assert (found.decision, found.charges) == (Decision.ALLOW, ())


def test_a_rolling_budget_asks_for_its_length_and_charges_its_newest_bucket() -> None:
    policy = policy_of("budgets: [{id: b, actions: 5, per: 24h, alert_at: [50%, 90%]}]")
    asked = decide(policy, proposal_of(policy), facts_of())
    assert isinstance(asked, Need)
    newest = NOW // HALF_HOUR * HALF_HOUR
    assert asked.queries[0].given == {"scope": "[]", "window": newest, "rolling": 48 * HALF_HOUR}
    found = verdict(policy, proposal_of(policy), facts_of(**{"budget:b": Room(4)}))
    expected = Charge("b", "[]", newest, 1, 5, "actions", alert_at=(50, 90), rolling=48 * HALF_HOUR)
    assert found.charges == (expected,)
    full = verdict(policy, proposal_of(policy), facts_of(**{"budget:b": Room(5)}))
    assert full.reasons == (
        "5 of 5 actions of the budget b are used; what is used counts for 1 day; a person can top it up",
    )


def test_a_child_session_spends_what_its_root_has() -> None:
    policy = policy_of("budgets: [{id: b, actions: 5, per: session}]")
    (budget,) = policy.access["support"]["pay"].budgets
    for session, owner in (({"id": "s-2", "root": "s-1"}, "s-1"), ({"id": "s-2"}, "s-2")):
        assert budget.scope({"session": session}, False) == f'["session","{owner}"]'  # noqa: FBT003 as the gate
