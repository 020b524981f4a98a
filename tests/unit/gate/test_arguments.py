"""Arguments: by the schema, of the tool that is bound, and with an amount that is money."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from handrail.policy.binding import binding
from handrail.policy.compile import CompiledPolicy, compile_policy
from handrail.policy.load import load
from handrail.words.verdict import Decision, Measure
from tests.unit.gate.cases import REFUND, facts_of, judged, policy_of, proposal_of, verdict

ANY = {"type": "object", "properties": {"amount": {}}, "additionalProperties": True}


def loose() -> CompiledPolicy:
    """The same tool, of a schema that says nothing of its amount."""
    text = """
handrail: 1
agents: {support: {may: [pay]}}
tools: {pay: {does: pay, amount: args.amount, starts: bounded, at_most: bounded}}
"""
    return compile_policy(load(text)).bind(binding("pay", ANY))


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ({"order_id": 5}, "order_id: the value is not of type"),
        ({"order_id": None}, "order_id: the value is not of type"),
        ({"amount": "40"}, "amount: the value is not of type"),
        ({"secret": "s3cr3t"}, "'secret' was unexpected"),
        ({"reason": object()}, "can't be validated"),
    ],
)
def test_what_the_schema_does_not_allow_is_denied_and_its_value_not_repeated(
    args: dict[str, object], why: str
) -> None:
    found = judged(policy_of(), None, **args)
    assert found.decision is Decision.DENY
    assert found.steps[-1].measure is Measure.ARGUMENTS
    assert why in found.reasons[0]
    assert "s3cr3t" not in found.reasons[0]


def test_a_missing_argument_is_denied() -> None:
    policy = policy_of()
    proposal = replace(proposal_of(policy), args={"amount": Decimal(4)})
    assert "order_id" in verdict(policy, proposal, facts_of()).reasons[0]


@pytest.mark.parametrize("value", [Decimal("40.5"), Decimal("10.00000000000000000000000001"), 41])
def test_numbers_are_compared_exactly_with_the_schemas_limits(value: object) -> None:
    schema = {**REFUND, "properties": {"order_id": {}, "amount": {"type": "number", "maximum": 40}}}
    policy = policy_of().bind(binding("pay", schema))
    found = verdict(policy, proposal_of(policy, "pay", amount=value), facts_of())
    limited = Decimal(str(value)) > 40 or "00000000000000000000000001" in str(value)
    assert (found.decision is Decision.DENY) is limited


@pytest.mark.parametrize(
    "value",
    [
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        Decimal(-1),
        -1,
        Decimal("-0.01"),
        Decimal("0.0000000001"),
        Decimal("1.00000000000000000000000000000000000001"),
        Decimal("1E+30"),
        2**63,
        None,
        "9999",
        True,
        [],
        {"value": 9999},
        1.5,
        float("nan"),
    ],
)
def test_what_is_no_amount_of_money_is_denied(value: object) -> None:
    policy = loose()
    found = verdict(policy, proposal_of(policy, "pay", amount=value), facts_of())
    assert found.decision is Decision.DENY
    assert found.steps[-1].measure is Measure.ARGUMENTS


def test_a_missing_amount_is_denied() -> None:
    policy = loose()
    found = verdict(policy, replace(proposal_of(policy), args={}), facts_of())
    assert found.steps[-1].name == "arguments:amount"
    assert "args.amount is missing" in found.reasons[0]


@pytest.mark.parametrize(
    ("value", "nano"),
    [
        (0, 0),
        (Decimal("0.000000001"), 1),
        (Decimal("40.10"), 40_100_000_000),
        (Decimal("-0"), 0),
        (9_000_000_000, 9 * 10**18),
    ],
)
def test_an_amount_of_money_is_kept_exactly(value: object, nano: int) -> None:
    policy = loose()
    found = verdict(policy, proposal_of(policy, "pay", amount=value), facts_of())
    assert (found.decision, found.amount) == (Decision.ALLOW, nano)


def test_arguments_that_were_refused_at_the_door_are_denied_with_that_reason() -> None:
    policy = policy_of()
    proposal = replace(proposal_of(policy), args={}, refusal="it has a number that is not finite")
    assert verdict(policy, proposal, facts_of()).reasons == ("it has a number that is not finite",)


def test_a_proposal_for_another_binding_is_denied() -> None:
    policy = policy_of()
    proposal = proposal_of(policy)
    again = policy.bind(binding("pay", {**REFUND, "title": "changed"}))
    assert verdict(policy, proposal, facts_of()).decision is Decision.ALLOW
    assert "has changed" in verdict(again, proposal, facts_of()).reasons[0]
