"""Conditions of standing approvals: what they may say, and that nothing but a plain yes lets anything run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handrail.policy.binding import binding
from handrail.policy.compile import CompiledPolicy, compile_policy
from handrail.policy.load import load
from handrail.policy.standing import condition
from handrail.words.errors import PolicyError
from handrail.words.fact import Failed
from handrail.words.verdict import Outcome
from tests.unit.gate.cases import HEAD, NOW, REFUND, facts_of, policy_of, proposal_of, verdict

SHOP = """
facts:
  customer: {python: "shop:customer", with: {id: args.order_id}}
  ticket: {python: "desk:ticket", with: {id: task}}
  order: {python: "shop:order", with: {id: args.order_id}}
rules:
  - {id: known, tools: pay, when: 'customer.tier == "blocked" || ticket.kind == "legal"', ask: leads}
"""
POLICY = policy_of(SHOP)
GOLD = {"tier": "gold", "score": 3}


def mistakes(when: str, tool: str = "pay", policy: CompiledPolicy = POLICY) -> list[str]:
    try:
        condition(policy, tool, when)
    except PolicyError as error:
        return [str(one) for one in error.problems]
    return []


@pytest.mark.parametrize(
    ("when", "mistake"),
    [
        ("amont < 80", "condition:1:1: unknown name amont; expected one of"),
        ("args.ordr == 'x'", "condition:1:6: "),
        ("amount + 1", "condition:1:"),
        ("amount < 'x'", "condition:1:"),
        ("amount <", "condition:1:9"),
        ("amount < 80 &&\n  customer.tier = 'x'", "condition:2:"),
        # what the agent says of itself, also where it would only restrict, and where it chooses a fact
        ("confidence > 0.9", "condition:1:1: 'confidence' is what the agent says"),
        ("amount < 5 && confidence < 0.9", "condition:1:15: 'confidence' is what the agent says"),
        ("task == 'task-1'", "condition:1:1: 'task' is what the agent says"),
        ("amount < 5 ||\n session.id == 's'", "condition:2:2: 'session' is what the agent says"),
        ("rationale == 'x'", "condition:1:1: "),
        ("ticket.kind == 'plain'", "condition:1:1: the fact 'ticket' is chosen by what the agent says"),
        # a fact that no rule of this tool reads is not resolved for it
        ("order.paid == true", "condition:1:1: no rule for pay reads the fact 'order'"),
    ],
)
def test_a_condition_that_could_not_be_right_is_refused_with_its_place(when: str, mistake: str) -> None:
    found = mistakes(when)
    assert len(found) == 1
    assert found[0].startswith(mistake), found


@pytest.mark.parametrize(
    "when",
    [
        "amount < 80",
        "amount < 80 && args.reason.contains('broken')",
        "customer.tier in ['gold', 'silver'] && amount <= 20",
        "agent == 'support' && does == 'pay' && category == 'refunds'",
        "now < timestamp('2026-11-27T00:00:00Z')",
        "true",
    ],
)
def test_conditions_over_arguments_facts_and_trusted_words_are_made_ready(when: str) -> None:
    """The twins of the refusals."""
    assert mistakes(when) == []


def test_a_tool_that_the_policy_does_not_name_has_no_condition() -> None:
    assert mistakes("true", "pey") == [
        "condition:1:1: no tool is named 'pey'; expected a tool of the policy; did you mean 'pay'?"
    ]
    assert mistakes("true", "look") == []


def test_a_tool_without_an_amount_has_none_in_its_conditions() -> None:
    assert mistakes("amount < 5", "look")
    assert mistakes("args.amount < 5", "look") == []


def holds(
    when: str | None,
    facts: Mapping[str, object] | None = None,
    policy: CompiledPolicy = POLICY,
    **args: object,
) -> bool:
    return condition(policy, "pay", when).holds(proposal_of(policy, "pay", **args), facts or {})


def test_a_condition_may_be_about_what_running_the_tool_costs() -> None:
    head = HEAD.replace("amount: args.amount", 'cost: "args.amount * 0.5"').replace("AT_MOST", "bounded")
    policy = compile_policy(load(head.replace("STARTS", "bounded"))).bind(binding("pay", REFUND))
    for amount, holds in ((Decimal(40), True), (Decimal(41), False)):
        proposal = proposal_of(policy, amount=amount)
        assert condition(policy, "pay", "cost <= 20").holds(proposal, {}) is holds
    assert mistakes("cost <= 20") != []


def test_it_holds_where_it_is_true_and_only_there() -> None:
    assert holds("amount <= 40")
    assert not holds("amount < 40")
    assert holds("args.reason == 'broken'", reason="broken")
    assert not holds("args.reason == 'broken'", reason="late")
    assert holds("customer.tier == 'gold' && amount < 50", {"customer": GOLD})
    assert not holds("customer.tier == 'gold' && amount < 50", {"customer": {"tier": "new"}})


def test_no_condition_always_holds() -> None:
    assert holds(None)


def test_it_needs_the_facts_that_it_reads() -> None:
    assert condition(POLICY, "pay", "customer.tier == 'x' && amount < 1").needs == {"customer"}
    assert condition(POLICY, "pay", "amount < 1").needs == frozenset()
    assert condition(POLICY, "pay", None).needs == frozenset()


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"customer": Failed("the shop is closed")},
        {"customer": {"failed": "the shop is closed"}},
        {"customer": None},
        {"customer": {}},
        {"customer": []},
        {"order": GOLD},
    ],
)
def test_a_fact_that_is_missing_or_failed_is_a_no(facts: Mapping[str, object]) -> None:
    """Also where the condition would be true without it: nothing is taken for an answer."""
    for when in ("customer.score < 5", "!(customer.tier == 'new')", "customer.tier != 'new'"):
        assert not holds(when, facts)
        assert holds(when, {"customer": GOLD})
    for when in ("!has(customer.tier)", "amount > 1 || customer.score < 5"):
        assert facts.get("customer") in ({}, None, []) or not holds(when, facts)


def test_a_failed_fact_never_passes_for_one_without_a_field() -> None:
    """`!has(…)` is true of a customer without a tier, not of a shop that could not be asked."""
    assert holds("!has(customer.tier)", {"customer": {}})
    assert not holds("!has(customer.tier)", {"customer": {"failed": "the shop is closed"}})


@pytest.mark.parametrize("now", [None, "2026", True, 10**30, Failed("no clock")])
def test_a_time_that_is_none_is_a_no(now: object) -> None:
    when = "now < timestamp('2026-11-27T00:00:00Z')"
    assert not holds(when, {"now": now})
    assert not holds(when)
    assert holds(when, {"now": NOW})


def test_an_amount_that_is_no_number_is_a_no() -> None:
    assert not holds("amount < 50", amount="40")
    assert not holds("amount < 50", amount=None)
    assert holds("amount < 50", amount=Decimal("49.99"))


def test_another_binding_another_tool_and_one_that_is_not_bound_are_a_no() -> None:
    """The condition was checked against the schema of one tool as it was."""
    ready, action = condition(POLICY, "pay", "amount < 50"), proposal_of(POLICY)
    assert ready.holds(action, {})
    assert not ready.holds(replace(action, tool="look"), {})
    assert not ready.holds(replace(action, binding="other"), {})
    unbound = CompiledPolicy(POLICY.policy, POLICY.digest, POLICY.prepared)
    assert not condition(unbound, "pay", "amount < 50").holds(action, {})
    bound = unbound.bind(binding("pay", REFUND))
    assert condition(bound, "pay", "amount < 50").holds(action, {})


CONDITIONS = (
    "amount > 30",
    "amount > 100 || customer.tier == 'vip'",
    "customer.tier in ['vip', 'gold'] && amount > 20",
    "!(customer.score >= 5)",
    "customer.tier == 'vip' ? amount > 5 : amount > 50",
    "has(customer.note) || args.reason.contains('x')",
    "customer.score * amount < 100",
)
SOUND = st.fixed_dictionaries(
    {"tier": st.sampled_from(["vip", "gold", "new"]), "score": st.integers(0, 9)},
    optional={"note": st.just("n")},
)
ODD: st.SearchStrategy[object] = st.one_of(
    st.builds(Failed, st.just("x")), st.none(), st.just({}), st.text(max_size=2), st.just({"tier": 5})
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(CONDITIONS),
    st.one_of(SOUND, ODD),
    st.decimals(0, 200, places=2),
    st.sampled_from([None, "x", "because"]),
)
def test_it_is_true_exactly_where_a_rule_of_the_same_words_holds(
    when: str, customer: object, amount: Decimal, reason: str | None
) -> None:
    """The gate is the oracle: a rule that can't be worked out asks, a condition that can't be never holds."""
    policy = policy_of(
        f"""
facts:
  customer: {{python: "shop:customer", with: {{id: args.order_id}}}}
rules:
  - {{id: same, tools: pay, when: "{when}", ask: {{group: leads, because: yes}}}}
"""
    )
    args = {"amount": amount} | ({"reason": reason} if reason is not None else {})
    facts = {"customer": customer}
    action = proposal_of(policy, "pay", **args)
    asked = [
        step.reason == "yes"
        for step in verdict(policy, action, facts_of(**facts)).steps
        if step.rule == "same" and step.outcome is Outcome.ASK
    ]
    found = condition(policy, "pay", when).holds(action, facts)
    if "customer" not in when or not isinstance(customer, Failed):
        assert found is (asked == [True])
    else:
        assert not found


def test_a_condition_is_compiled_once_and_anew_for_another_policy_or_another_schema() -> None:
    when = "args.reason == 'compiled once'"
    first = condition(POLICY, "pay", when)
    assert condition(policy_of(SHOP), "pay", when) is first, "equal text, policy and schema"
    assert condition(POLICY, "look", when) is not first
    other = policy_of(SHOP.replace("legal", "unlawful"))
    assert condition(other, "pay", when) is not first
    wider = policy_of(SHOP, schema={**REFUND, "required": []})
    assert condition(wider, "pay", when) is not first
    assert condition(wider, "pay", when).tool is wider.bound["pay"]
    needs = "order.paid == true"
    reads = policy_of(SHOP.replace('ticket.kind == "legal"', "order.paid == true"))
    assert condition(reads, "pay", needs).needs == {"order"}
    assert mistakes(needs), "what another policy allows is still a mistake under this one"
