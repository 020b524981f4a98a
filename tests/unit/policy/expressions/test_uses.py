"""How an expression uses a name: whether what the agent says of itself only makes a rule stricter."""

from __future__ import annotations

import pytest

from handrail.policy.expressions import DYN, Environment, Polarity, Use, expression, uses_of

ENVIRONMENT = Environment(dict.fromkeys(("confidence", "amount", "args", "flag"), DYN))
P, N, M = Polarity.POSITIVE, Polarity.NEGATIVE, Polarity.MIXED


@pytest.mark.parametrize(
    ("text", "uses"),
    [
        ("confidence < 0.85", [Use(0, P, guards=False)]),
        ("amount > 100", []),
        ("amount > 100 || confidence < 0.85", [Use(16, P, guards=False)]),
        ("amount > 100 && confidence < 0.85", [Use(16, P, guards=True)]),
        ("confidence > 0.1 && confidence < 0.85", [Use(0, P, guards=False), Use(20, P, guards=False)]),
        ("!(confidence > 0.85)", [Use(2, N, guards=False)]),
        ("!!(confidence > 0.85)", [Use(3, P, guards=False)]),
        ("!(amount > 1 && confidence > 0.8)", [Use(16, N, guards=False)]),
        ("!(amount > 1 || confidence > 0.8)", [Use(16, N, guards=True)]),
        ("flag || amount > 1 && confidence < 1", [Use(22, P, guards=True)]),
        ("confidence < 1 ? flag : true", [Use(0, M, guards=True)]),
        ("flag ? confidence < 1 : true", [Use(7, P, guards=True)]),
        ("args.tags.exists(t, t > confidence)", [Use(20, P, guards=False)]),
        ("args.tags.exists(t, flag && t > confidence)", [Use(28, P, guards=True)]),
        ("args.tags.exists_one(t, t > confidence)", [Use(0, M, guards=True)]),
        ("(confidence < 1) == flag", [Use(1, M, guards=True)]),
        ("[confidence < 1][0]", [Use(0, M, guards=True)]),
        ("confidence.all(t, t > 1)", [Use(0, M, guards=True)]),
        ("flag == (amount > confidence + 1)", [Use(0, M, guards=True)]),
        ("has(confidence.x)", [Use(0, P, guards=False)]),
    ],
)
def test_each_use_is_told_with_its_effect(text: str, uses: list[Use]) -> None:
    """Place, direction, and whether it can switch another condition off."""
    assert uses_of(expression(text, ENVIRONMENT).node, "confidence") == uses
