"""Every permitted difference from official CEL: what CEL does, what we do, and that the docs list these."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cel_expr_python import cel

from handrail.policy.expressions import (
    DYN,
    INT,
    STRING,
    Environment,
    EvaluationError,
    ExpressionError,
    Object,
    OneOf,
    evaluator,
    expression,
    limits,
)
from handrail.policy.expressions.functions import FUNCTIONS

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "expressions.md"

ENVIRONMENT = Environment(
    {
        "args": Object({"s": STRING}),
        "d": DYN,
        "count": INT,
        "does": OneOf(frozenset({"read", "pay"})),
    }
)
ORACLE = cel.NewEnv(
    variables={"args": cel.Type.DYN, "d": cel.Type.DYN, "count": cel.Type.INT, "does": cel.Type.STRING}
)
REFUSED, NOTHING = "refused", "no answer"

# difference, expression, values, what official CEL gives, what we give
CASES: list[tuple[str, str, dict[str, Any], Any, Any]] = [
    ("decimal", "0.1 + 0.2 == 0.3", {}, False, True),
    ("mixed-numbers", "2 * 1.5", {}, REFUSED, Decimal("3.0")),
    ("decimal-remainder", "5.5 % 2.0", {}, REFUSED, Decimal("1.5")),
    ("inexact", "1e30 + 1e-30", {}, 1e30, NOTHING),
    ("decimal-zero", "1.0 / 0.0", {}, float("inf"), NOTHING),
    ("not-a-number", "d.n < 5 || d.n >= 5", {"d": {"n": Decimal("NaN")}}, False, NOTHING),
    ("not-a-number", "d.n > 5", {"d": {"n": Decimal("Infinity")}}, True, NOTHING),
    ("division-of-dyn", "d.n / 2 == 2", {"d": {"n": 5}}, True, REFUSED),
    ("other-kinds", 'd.n == "1"', {"d": {"n": 1}}, False, NOTHING),
    ("other-kinds", 'd.n != "1"', {"d": {"n": 1}}, True, NOTHING),
    ("other-kinds-in", 'd.n in ["1"]', {"d": {"n": 1}}, False, NOTHING),
    ("never-equal", 'does == "payy"', {"does": "pay"}, False, REFUSED),
    ("empty-list", "1 in []", {}, False, REFUSED),
    ("order-of-bool", "true > false", {}, True, REFUSED),
    ("chained", "1 < 2 == true", {}, True, REFUSED),
    ("mixed-list", 'size([1, "a"])', {}, 2, REFUSED),
    ("keys", "size({1: 2})", {}, 1, REFUSED),
    ("shadowing", "[1].all(count, true)", {"count": 2}, True, REFUSED),
    ("string-of-decimal", "string(1.5)", {}, "1.5", REFUSED),
    ("int-of-text", 'int(" +7 ")', {}, 7, REFUSED),
    ("decimal-index", "[1, 2][d.n]", {"d": {"n": Decimal("1.0")}}, 2, NOTHING),
    ("written-pattern", '"a".matches(args.s)', {"args": {"s": "a"}}, True, REFUSED),
    ("pattern-error", '"a".matches("(")', {}, NOTHING, REFUSED),
    ("microseconds", 'duration("1ns") == duration("1ns")', {}, True, REFUSED),
    ("left-out", "5u", {}, 5, REFUSED),
    ("left-out", 'b"a"', {}, b"a", REFUSED),
    ("left-out", "double(1)", {}, 1.0, REFUSED),
    ("left-out", "uint(1)", {}, 1, REFUSED),
    ("left-out", "type(1) == type(2)", {}, True, REFUSED),
    ("left-out", "dyn(1)", {}, 1, REFUSED),
    ("left-out", 'bytes("a")', {}, b"a", REFUSED),
    ("left-out", "[1].map(x, x)", {}, [1], REFUSED),
    ("left-out", "[1].filter(x, true)", {}, [1], REFUSED),
    ("left-out", '{"a": 1}.all(k, true)', {}, True, REFUSED),
    ("left-out", ".count", {"count": 2}, 2, REFUSED),
    ("left-out", 'duration("1h").getHours()', {}, 1, REFUSED),
    ("caps", " && ".join(["count == 1"] * 400), {"count": 1}, True, REFUSED),
]


def official(text: str, names: dict[str, Any]) -> Any:
    try:
        program = ORACLE.compile(text)
    except RuntimeError:
        return REFUSED
    found = program.eval(data=_binary(names))
    return NOTHING if found.type() == cel.Type.ERROR else found.plain_value()


def _binary(value: Any) -> Any:
    """A value with its decimals as the binary floats that official CEL knows."""
    if isinstance(value, dict):
        return {key: _binary(each) for key, each in value.items()}
    return float(value) if isinstance(value, Decimal) else value


def ours(text: str, names: dict[str, Any]) -> Any:
    try:
        checked = expression(text, ENVIRONMENT, expect=None)
    except ExpressionError:
        return REFUSED
    try:
        return evaluator(checked)(names)
    except EvaluationError:
        return NOTHING


@pytest.mark.parametrize(("difference", "text", "names", "theirs", "expected"), CASES)
def test_the_difference_is_what_the_table_says(
    difference: str, text: str, names: dict[str, Any], theirs: Any, expected: Any
) -> None:
    """Official CEL gives the one answer and we give the other, not only in words."""
    assert official(text, names) == theirs
    assert ours(text, names) == expected
    assert theirs != expected, difference


def _section(title: str) -> str:
    return PAGE.read_text("utf-8").split(f"## {title}\n")[1].split("\n## ")[0]


def _first_cells(title: str) -> list[str]:
    rows = [
        line.split(" | ")[0].lstrip("| ") for line in _section(title).splitlines() if line.startswith("| ")
    ]
    return rows[1:]


def test_the_docs_list_exactly_the_tested_differences() -> None:
    """A difference without a test, or a test without a row, fails."""
    assert _first_cells("Where it differs from official CEL") == list(
        dict.fromkeys(case[0] for case in CASES)
    )


def test_the_docs_quote_what_is_tested() -> None:
    """Each expression that a row quotes on official CEL's side is, or is part of, a tested one."""
    rows = [line for line in _section("Where it differs from official CEL").splitlines() if "|" in line]
    tested = [text for _, text, *_ in CASES]
    quoted = [
        text for row in rows for text in re.findall(r"`([^`]+)`", row.split(" | ")[1] if " | " in row else "")
    ]
    assert len(quoted) > 25
    assert [text for text in quoted if not any(text in each for each in tested)] == []


def test_the_docs_name_every_function() -> None:
    """The table of functions has those of the code, `has` and the macros, and no others."""
    named = {name for cell in _first_cells("Functions") for name in re.findall(r"(\w+)\(", cell)}
    assert named == {*FUNCTIONS, "has", "all", "exists", "exists_one"}


def test_the_docs_give_the_caps_of_the_code() -> None:
    """Each cap of the code stands in the table, in its order."""
    rows = [line for line in _section("Caps").splitlines() if re.search(r"[0-9] \|$", line)]
    given = [int(line.split(" | ")[1].strip(" |")) for line in rows]
    assert given == [
        limits.MAX_TEXT,
        limits.MAX_DEPTH,
        limits.MAX_NODES,
        limits.MAX_PATTERN,
        limits.MAX_STRING,
        limits.MAX_LIST,
        limits.MAX_STEPS,
    ]


def test_every_example_of_the_docs_loads() -> None:
    """The block at the top of the page is a list of expressions that the checker takes."""
    names = ("amount", "args", "customer", "ticket", "confidence", "now")
    block = PAGE.read_text("utf-8").split("```cel\n")[1].split("```")[0]
    loaded = [expression(line, Environment(dict.fromkeys(names, DYN))) for line in block.splitlines()]
    assert len(loaded) == 10
