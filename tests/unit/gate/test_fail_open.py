"""The ways in which other gates were found open: each must be shut here, and its lawful twin must pass."""

from __future__ import annotations

from decimal import Decimal

import pytest

from handrail.policy.binding import binding
from handrail.policy.compile import CompiledPolicy, compile_policy
from handrail.policy.load import load
from handrail.words.errors import PolicyError
from handrail.words.fact import Failed
from handrail.words.verdict import Decision
from tests.unit.gate.cases import facts_of, policy_of, proposal_of, verdict

ALLOW, DENY = Decision.ALLOW, Decision.DENY
SQL = """
handrail: 1
agents: {support: {may: [sql]}}
tools: {sql: {does: run, starts: bounded, at_most: bounded}}
checks: {no-drop: {tools: sql, in: args.verb, phrases: [drop], if_not_ok: deny, on_error: deny}}
"""
VALUE = """
handrail: 1
agents: {support: {may: [pay]}}
tools: {pay: {does: pay, starts: bounded, at_most: bounded}}
rules: [{id: big, tools: pay, when: "args.amount > 500", deny: Too much.}]
"""
OPEN = {"type": "object"}


def decided(text: str, tool: str, args: dict[str, object]) -> Decision:
    policy = compile_policy(load(text)).bind(binding(tool, OPEN))
    return verdict(policy, proposal_of(policy, tool, **args), facts_of()).decision


@pytest.mark.parametrize(
    "verb", ["drop", "DROP", "drop ", " Drop\n", "ｄｒｏｐ", "dr\u200bop", "drоp", "DROP;", "d\u0300rop"]
)
def test_a_denied_word_is_denied_in_every_disguise(verb: str) -> None:
    assert decided(SQL, "sql", {"verb": verb}) is DENY


@pytest.mark.parametrize("verb", ["select", "dropped", "raindrop"])
def test_other_words_pass(verb: str) -> None:
    assert decided(SQL, "sql", {"verb": verb}) is ALLOW


@pytest.mark.parametrize(
    "amount",
    [
        9999,
        Decimal(9999),
        Decimal("500.000000001"),
        Decimal("9.999E3"),
        "9999",
        {"value": 9999},
        [9999],
        None,
        True,
        False,
        Decimal("NaN"),
        Decimal("Infinity"),
        9999.0,
        2**64,
        "",
    ],
)
def test_a_limit_of_500_denies_9999_in_every_shape(amount: object) -> None:
    assert decided(VALUE, "pay", {"amount": amount}) is DENY


@pytest.mark.parametrize("amount", [0, 500, Decimal(500), Decimal("499.999999999")])
def test_a_limit_of_500_lets_500_pass(amount: object) -> None:
    assert decided(VALUE, "pay", {"amount": amount}) is ALLOW


@pytest.mark.parametrize("condition", ["args.limit < 500", "args.limit <= 500", "args.limit != 500"])
@pytest.mark.parametrize("args", [{}, {"limit": None}])
def test_null_and_missing_are_never_below_a_limit(condition: str, args: dict[str, object]) -> None:
    """A check that must hold does not hold for what is not there; != null is a plain difference."""
    text = f"""
handrail: 1
agents: {{support: {{may: [pay]}}}}
tools: {{pay: {{does: pay, starts: bounded, at_most: bounded}}}}
checks: {{low: {{tools: pay, when: "{condition}", if_not_ok: deny, on_error: deny}}}}
"""
    expected = ALLOW if "!=" in condition and "limit" in args else DENY
    assert decided(text, "pay", args) is expected
    assert decided(text, "pay", {"limit": 3}) is ALLOW


@pytest.mark.parametrize(
    "condition",
    [
        "amount.value > 500",
        "amount >> 500",
        "amnt > 500",
        "args.amnt > 500",
        "amount > '500'",
        "customer.tier == 'vip'",
        "amount > 500;",
        "regex(args.reason, 'x')",
        "amount",
        "",
    ],
)
def test_a_rule_that_can_not_mean_what_it_says_does_not_load(condition: str) -> None:
    with pytest.raises(PolicyError):
        policy_of(f'rules: [{{id: r, tools: pay, when: "{condition}", deny: no}}]')
    lawful = policy_of('rules: [{id: r, tools: pay, when: "amount > 500", deny: no}]')
    assert verdict(lawful, proposal_of(lawful), facts_of()).decision is ALLOW


def with_fact(effect: str) -> CompiledPolicy:
    return policy_of(f"""
facts: {{customer: {{python: "shop:customer", with: {{id: args.order_id}}}}}}
rules: [{{id: r, tools: pay, when: "customer.blocked == true", {effect}}}]
""")


@pytest.mark.parametrize("effect", ["deny: no", "ask: leads"])
@pytest.mark.parametrize(
    "customer",
    [Failed("no such customer"), {}, 1, None, "gold", [], {"blocked": "yes"}],
)
def test_a_rule_that_errs_fires(effect: str, customer: object) -> None:
    policy = with_fact(effect)
    found = verdict(policy, proposal_of(policy), facts_of(customer=customer))
    assert found.decision is (DENY if effect.startswith("deny") else Decision.ASK)
    assert "can't be evaluated" in found.reasons[0]


@pytest.mark.parametrize("effect", ["deny: no", "ask: leads"])
def test_a_rule_that_is_false_does_not_fire(effect: str) -> None:
    policy = with_fact(effect)
    assert verdict(policy, proposal_of(policy), facts_of(customer={"blocked": False})).decision is ALLOW
