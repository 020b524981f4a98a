"""The same expressions and values through the official CEL runtime: the answers must be the same.

The expressions come from our own grammar. Values are such that both sides hold them exactly: 64-bit numbers,
quarters, texts, null, nested, missing. Ours parses first: its caps keep what would crash the oracle away.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from cel_expr_python import cel
from cel_expr_python.ext import ext_strings
from hypothesis import example, given, settings

from handrail.policy.expressions import EvaluationError, ExpressionError, evaluator, expression
from tests.property.expressions import ENVIRONMENT, TEXTS, VALUES

ORACLE = cel.NewEnv(
    variables=dict.fromkeys(ENVIRONMENT.names, cel.Type.DYN) | {"now": cel.Type.TIMESTAMP},
    extensions=[ext_strings.ExtStrings()],
)


class _Nothing:
    """No answer."""

    def __repr__(self) -> str:
        return "no answer"


NOTHING = _Nothing()


def as_cel(value: Any) -> Any:
    """The value as the oracle holds it: quarters are exact in binary."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: as_cel(each) for key, each in value.items()}
    return [as_cel(each) for each in value] if isinstance(value, list) else value


def oracle(text: str, names: dict[str, Any]) -> Any:
    # An error comes back as a value, and its text is truthy: only its type tells.
    found = ORACLE.compile(text).eval(data=as_cel(names))
    return NOTHING if found.type() == cel.Type.ERROR else found.plain_value()


def ours(text: str, names: dict[str, Any]) -> Any:
    try:
        return evaluator(expression(text, ENVIRONMENT))(names)
    except EvaluationError:
        return NOTHING


@given(TEXTS, VALUES)
@example("args.n / args.m == 0", {"args": {"n": -(2**63), "m": -1}})
@example("args.n % args.m == 0", {"args": {"n": -(2**63), "m": -1}})
@example("-args.n > 0", {"args": {"n": -(2**63)}})
@example("args.n % 3 == -1 && args.n / 2 == -3", {"args": {"n": -7}})
@example("args.no < 3 || true", {"args": {"no": None}})
@example("has(args.inner.s)", {"args": {}})
@example("args.nums.exists_one(v0, v0 / 0 == 1)", {"args": {"nums": [1]}})
@settings(max_examples=200, deadline=None)
def test_an_expression_means_what_it_means_in_cel(text: str, names: dict[str, Any]) -> None:
    """Each answer, and each lack of one, is that of the official runtime."""
    try:
        expression(text, ENVIRONMENT)
    except ExpressionError as error:
        # Random texts compare what is never equal; any other refusal is a mistake of the checker.
        if "never" not in error.message and "has no meaning" not in error.message:
            raise
        return
    assert repr(ours(text, names)) == repr(oracle(text, names))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("args.b && d.b", {"args": {"b": False}, "d": {}}),
        ("d.b && args.b", {"args": {"b": False}, "d": {}}),
        ("d.b || args.b", {"args": {"b": True}, "d": {}}),
        ("d.b || args.b", {"args": {"b": False}, "d": {}}),
        ("!d.b", {"d": {}}),
        ("d.b ? true : true", {"d": {}}),
        ("args.b ? true : d.b", {"args": {"b": True}, "d": {}}),
        ("args.b ? true : d.b", {"args": {"b": False}, "d": {}}),
    ],
)
def test_the_three_values_are_those_of_cel(text: str, names: dict[str, Any]) -> None:
    """A missing value beside true and false, on either side of each operator."""
    assert repr(ours(text, names)) == repr(oracle(text, names))


def test_the_oracle_can_tell_a_difference() -> None:
    """The comparison above can fail: with another value the answer is another, and an error is no answer."""
    assert oracle("args.n == 1", {"args": {"n": 1}}) is True
    assert oracle("args.n == 1", {"args": {"n": 2}}) is False
    assert oracle("args.n == 1", {"args": {}}) is NOTHING
