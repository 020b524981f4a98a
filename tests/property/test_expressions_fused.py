"""The fast road against the reference: fused, indexed and compiled code gives what each tree alone gives."""

from __future__ import annotations

from typing import Any

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from handrail.policy.expressions import (
    EvaluationError,
    Expression,
    ExpressionError,
    evaluator,
    expression,
    fuse,
)
from handrail.policy.expressions.evaluate import evaluate
from handrail.policy.expressions.values import truth
from tests.property.expressions import ENVIRONMENT, HOSTILE, INDEXED, LIMITED, TEXTS

Names = dict[str, Any]


def loaded(texts: list[str]) -> list[Expression]:
    """Those of the texts that load: the checker refuses comparisons that can never be true."""
    found = []
    for text in texts:
        try:
            found.append(expression(text, ENVIRONMENT))
        except ExpressionError as error:
            # Random texts compare what is never equal; any other refusal is a mistake of the checker.
            if "never" not in error.message and "has no meaning" not in error.message:
                raise
    return found


def one_by_one(expressions: list[Expression], names: Names) -> list[tuple[int, str | None]]:
    out: list[tuple[int, str | None]] = []
    for place, each in enumerate(expressions):
        try:
            if truth(evaluate(each.node, each.text, names)):
                out.append((place, None))
        except EvaluationError as error:
            out.append((place, error.why))
    return out


@given(st.lists(TEXTS, min_size=1, max_size=6), HOSTILE)
@settings(max_examples=60, deadline=None)
def test_fused_rules_say_what_each_rule_alone_says(texts: list[str], names: Names) -> None:
    """For any values, also of wrong kinds, `fuse` names the same rules with the same reasons, in order."""
    rules = loaded(texts)
    assume(rules)
    assert fuse(rules)(names) == one_by_one(rules, names)


@given(st.lists(INDEXED, min_size=8, max_size=14), st.lists(HOSTILE, min_size=1, max_size=4))
@settings(max_examples=40, deadline=None)
def test_rules_behind_a_text_are_never_overlooked(texts: list[str], many: list[Names]) -> None:
    """An index on a text skips only rules that are false: not one that is true, not one without an answer."""
    rules = loaded(texts)
    fused = fuse(rules)
    for names in many:
        assert fused(names) == one_by_one(rules, names)


@given(st.lists(LIMITED, min_size=60, max_size=120), st.lists(HOSTILE, min_size=1, max_size=4))
@settings(max_examples=15, deadline=None)
def test_rules_behind_a_limit_are_never_overlooked(texts: list[str], many: list[Names]) -> None:
    """An index on a limit skips only rules that are false."""
    rules = loaded([*texts, *(f"amount >= {each}" for each in range(-5, 60))])
    fused = fuse(rules)
    for names in many:
        assert fused(names) == one_by_one(rules, names)


@given(TEXTS, HOSTILE)
@example("size([args.opt]) == 1", {"args": {}})
@example("[d.s] == [1]", {"d": {}})
@settings(max_examples=100, deadline=None)
def test_a_compiled_expression_has_the_value_of_its_tree(text: str, names: Names) -> None:
    """`evaluator` gives what `evaluate` gives, or fails for the same reason."""
    for each in loaded([text]):
        try:
            expected = evaluate(each.node, each.text, names)
        except EvaluationError as error:
            expected = error.why
        try:
            found = evaluator(each)(names)
        except EvaluationError as error:
            found = error.why
        assert found == expected or "was promised" in str(found) or "binary float" in str(found)


@given(TEXTS, TEXTS, HOSTILE)
@settings(max_examples=80, deadline=None)
def test_adding_a_condition_to_a_row_never_hides_an_error(one: str, other: str, names: Names) -> None:
    """`a || b` is false only when both are false, `a && b` is true only when both are true."""
    rules = loaded([one, other])
    assume(len(rules) == 2)
    either, both = loaded([f"({one}) || ({other})", f"({one}) && ({other})"])
    alone = dict(one_by_one(rules, names))
    assert bool(fuse([either])(names)) == bool(alone)
    assert (fuse([both])(names) == [(0, None)]) == (alone == {0: None, 1: None})
