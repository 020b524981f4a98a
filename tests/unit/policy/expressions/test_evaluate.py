"""What expressions give for values, and why they give nothing: on the fast road and by the reference."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any

import pytest

from handrail.policy.expressions import (
    BOOL,
    DYN,
    INT,
    NUMBER,
    STRING,
    Environment,
    EvaluationError,
    Type,
    evaluator,
    expression,
)
from handrail.policy.expressions.evaluate import evaluate
from handrail.policy.expressions.limits import MAX_LIST, MAX_STEPS, MAX_STRING
from handrail.words.fact import Failed

NAMES = ("args", "amount", "customer", "now", "i", "j")
ENVIRONMENT = Environment({**dict.fromkeys(NAMES, DYN), "i": INT, "j": INT})
MORNING = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
D = Decimal


def given(text: str, *, expect: Type | None = None, **names: Any) -> Any:
    """The value by the fast road, which must be the reference's too."""
    checked = expression(text, ENVIRONMENT, expect=expect)
    value = evaluator(checked)(names)
    reference = evaluate(checked.node, text, names)
    assert (value, type(value)) == (reference, type(reference))
    return value


def why(text: str, **names: Any) -> str:
    """Why there is no answer: on both roads, and for the same reason."""
    checked = expression(text, ENVIRONMENT, expect=None)
    with pytest.raises(EvaluationError) as caught:
        evaluator(checked)(names)
    with pytest.raises(EvaluationError) as reference:
        evaluate(checked.node, text, names)
    assert caught.value.why == reference.value.why
    return caught.value.why


@pytest.mark.parametrize(
    ("text", "names", "value"),
    [
        ("i + j * 2", {"i": 1, "j": 2}, 5),
        ("i / 2", {"i": -7}, -3),
        ("i % 2", {"i": -7}, -1),
        ("7 / i", {"i": -2}, -3),
        ("7 % i", {"i": -2}, 1),
        ("amount * 2", {"amount": D("0.1")}, D("0.2")),
        ("0.1 + 0.2", {}, D("0.3")),
        ("decimal(amount) / 4", {"amount": 10}, D("2.5")),
        ("2.0 / 3", {}, D("0." + "6" * 33 + "7")),
        ("1.0 / 8", {}, D("0.125")),
        ("5.5 % 2", {}, D("1.5")),
        ("-amount", {"amount": D("1.50")}, D("-1.50")),
        ("amount == 10.0", {"amount": 10}, True),
        ("amount > 9.99", {"amount": 10}, True),
        ("int(amount)", {"amount": D("-2.9")}, -2),
        ('int("-12") + int(amount)', {"amount": "3"}, -9),
        ("decimal(amount)", {"amount": "1.50"}, D("1.50")),
        ("string(amount) + string(true)", {"amount": 12}, "12true"),
        ("size(amount)", {"amount": "żółw😀"}, 5),
        ("size(amount)", {"amount": {"a": 1}}, 1),
        ("args.tags.size()", {"args": {"tags": [1, 2]}}, 2),
        ("amount + amount", {"amount": "ab"}, "abab"),
        ("amount + [1]", {"amount": [0]}, [0, 1]),
        ("args.a[1].b", {"args": {"a": [0, {"b": 7}]}}, 7),
        ('args["a"]', {"args": {"a": None}}, None),
        ('{"x": i}["x"]', {"i": 3}, 3),
        ("amount.lowerAscii()", {"amount": "ÀBC"}, "Àbc"),
        ("amount.upperAscii()", {"amount": "żabc"}, "żABC"),
        ('amount.matches("^b+$")', {"amount": "abb"}, False),
        ('amount.matches("b+")', {"amount": "abb"}, True),
        ('amount.startsWith("a") && amount.endsWith("b")', {"amount": "ab"}, True),
        ('"b" in args', {"args": {"b": None}}, True),
        ("amount in [1, 2.5]", {"amount": D("2.5")}, True),
        ("[1, 2] == [1.0, 2]", {}, True),
        ("args.a == args.b", {"args": {"a": {"x": [1]}, "b": {"x": [1]}}}, True),
        ("args.a == args.b", {"args": {"a": [1, "x"], "b": [2, 3]}}, False),
        ("args.a == null", {"args": {"a": None}}, True),
        ('args.a == "x"', {"args": {"a": None}}, False),
        ("args.a in [null, 1]", {"args": {"a": None}}, True),
        ("has(args.a)", {"args": {"a": None}}, True),
        ("has(args.a)", {"args": {}}, False),
        ("args.a.all(x, x > 0)", {"args": {"a": []}}, True),
        ("args.a.all(x, x > 0)", {"args": {"a": [0, None]}}, False),
        ("args.a.exists(x, x > 0)", {"args": {"a": [None, 1]}}, True),
        ("args.a.exists(x, x.b.exists(y, y == x.c))", {"args": {"a": [{"b": [1, 2], "c": 2}]}}, True),
        ("args.a.exists_one(x, x > 0)", {"args": {"a": [1, 0]}}, True),
        ("args.a.exists_one(x, x > 0)", {"args": {"a": [1, 1]}}, False),
        ('now.getHours("Europe/Warsaw")', {"now": MORNING}, 0),
        ("now.getHours()", {"now": MORNING}, 23),
        ('now.getHours("-01:30")', {"now": MORNING}, 22),
        ('now.getDate("+00:30")', {"now": MORNING}, 2),
        ("now.getDayOfMonth()", {"now": MORNING}, 0),
        ("now.getDayOfWeek()", {"now": MORNING}, 0),
        ("now.getMonth()", {"now": MORNING}, 2),
        ("now.getFullYear()", {"now": MORNING}, 2026),
        ("now.getDayOfYear()", {"now": MORNING}, 59),
        ("now.getMinutes() + now.getSeconds()", {"now": MORNING}, 30),
        ('now - timestamp("2026-03-01T00:30:00+01:00")', {"now": MORNING}, timedelta(hours=24)),
        ('now + duration("-1h30m") < now', {"now": MORNING}, True),
        ('duration("1.5h")', {}, timedelta(minutes=90)),
        ('duration("250ms1us")', {}, timedelta(microseconds=250_001)),
        (
            "timestamp(args.at)",
            {"args": {"at": "2026-01-01T00:00:00.25Z"}},
            datetime(2026, 1, 1, 0, 0, 0, 250000, UTC),
        ),
    ],
)
def test_an_expression_gives_the_right_value(text: str, names: dict[str, Any], value: Any) -> None:
    """Values and their types are exact."""
    found = given(text, **names)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "names", "said"),
    [
        ("amount > 1", {}, "amount is not known here"),
        (
            "customer.tier == 'x'",
            {"customer": Failed("the shop is closed")},
            "customer could not be had: the shop is",
        ),
        ("customer.tier == 'x'", {"customer": {}}, "customer.tier is missing"),
        ("args.a.b == 1", {"args": {}}, "args.a is missing"),
        ("args.a.b == 1", {"args": {"a": None}}, "null has no fields, in `args.a.b`"),
        ("has(args.a.b)", {"args": {"a": None}}, "null has no fields, in `has(args.a.b)`"),
        ("args.a < 3", {"args": {"a": None}}, "null < a number has no meaning, in `args.a < 3`"),
        ("args.a == 3", {"args": {"a": "3"}}, "text cannot be compared with a number, in `args.a == 3`"),
        ("args.a != 3", {"args": {"a": True}}, "true or false cannot be compared with a number"),
        ('args.a in ["3"]', {"args": {"a": 3}}, "a number cannot be compared with text"),
        ("args.a == args.b", {"args": {"a": [1], "b": ["1"]}}, "a number cannot be compared with text"),
        ("amount > 1", {"amount": 1.5}, "a binary float"),
        ("amount > 1", {"amount": float("nan")}, "a binary float"),
        ("amount > 1", {"amount": D("NaN")}, "infinite or not a number"),
        ("amount < 1", {"amount": D("-Infinity")}, "infinite or not a number"),
        ("amount == amount", {"amount": D("NaN")}, "infinite or not a number"),
        ("amount > 1", {"amount": 2**63}, "does not fit into 64 bits"),
        ("amount > 1", {"amount": object()}, "a kind that expressions do not know"),
        ("amount > 1", {"amount": (1,)}, "a kind that expressions do not know"),
        ("now > now", {"now": datetime(2026, 1, 1)}, "a time without a time zone"),  # noqa: DTZ001
        ("i + 1 > 0", {"i": 2**63 - 1}, "does not fit into 64 bits, in `i + 1`"),
        ("i * i > 0", {"i": 2**40}, "does not fit into 64 bits"),
        ("-i > 0", {"i": -(2**63)}, "does not fit into 64 bits"),
        ("i / j > 0", {"i": -(2**63), "j": -1}, "does not fit into 64 bits"),
        ("i / j > 0", {"i": 1, "j": 0}, "division by zero, in `i / j`"),
        ("i % j > 0", {"i": 1, "j": 0}, "division by zero"),
        ("1.5 / j > 0", {"j": 0}, "division by zero"),
        ("i / 2 > 0", {"i": D("1.0")}, "a decimal stands where a whole number was promised"),
        ("amount + 0.1 > 0", {"amount": D("1e34")}, "does not fit into 34 digits"),
        ("amount * amount > 0", {"amount": D("1e6000")}, "does not fit into 34 digits"),
        ("amount * amount > 0", {"amount": D("1e-6000")}, "does not fit into 34 digits"),
        ("int(amount) > 0", {"amount": D("1E+999999999")}, "does not fit into 64 bits"),
        ("decimal(amount) > 0", {"amount": "1e99999"}, "does not fit into 34 digits"),
        ("decimal(amount) > 0", {"amount": "1e999999999"}, "not a decimal number"),
        ("int(amount) > 0", {"amount": "9" * 5000}, "not a whole number"),
        ("int(amount) > 0", {"amount": "٣"}, "not a whole number"),
        ("string(amount) == ''", {"amount": D(1)}, "string() does not take a decimal"),
        ("amount + 1 == 2", {"amount": "1"}, "text + a number has no meaning"),
        ("amount.size() > 1", {"amount": 1}, "size() does not take a number"),
        ("amount.matches('a')", {"amount": "\ud800"}, "not valid Unicode"),
        ("args.a[0] == 1", {"args": {"a": []}}, "the list has no element there"),
        ("args.a[-1] == 1", {"args": {"a": [1]}}, "the list has no element there"),
        ("args.a[amount] == 1", {"args": {"a": [1]}, "amount": D(0)}, "a list has no elements by a number"),
        (
            "args.a[amount] == 1",
            {"args": {"a": [1]}, "amount": True},
            "a list has no elements by true or false",
        ),
        ("{'a': 1}[amount] == 1", {"amount": "b"}, "it is missing"),
        ("args.a.all(x, true)", {"args": {"a": {"b": 1}}}, "args.a is an object, not a list"),
        ("args.a.all(x, x > 0)", {"args": {"a": [1, None]}}, "null > a number has no meaning"),
        ("args.a.exists_one(x, x > 0)", {"args": {"a": [1, None]}}, "null > a number has no meaning"),
        ("args.a && true", {"args": {"a": "yes"}}, "text stands where true or false belongs, in `args.a`"),
        ("!args.a", {"args": {"a": None}}, "null stands where true or false belongs"),
        ("args.a ? true : false", {"args": {"a": 1}}, "a number stands where true or false belongs"),
        ("timestamp(args.a) < now", {"args": {"a": "2026"}, "now": MORNING}, "not a time like"),
        ("now + duration(args.a) > now", {"args": {"a": "87600000h"}, "now": MORNING}, "out of range"),
        ("duration(args.a) > duration('1h')", {"args": {"a": "99999999999h"}}, "out of range"),
        ("now.getHours('+23:00') > 1", {"now": datetime.max.replace(tzinfo=UTC)}, "out of range"),
        ("args.a + args.a == ''", {"args": {"a": "x" * (MAX_STRING // 2 + 1)}}, "longer than 100000"),
        ("args.a + args.a == args.a", {"args": {"a": [1] * (MAX_LIST // 2 + 1)}}, "longer than 10000"),
        ("args.a.all(x, true)", {"args": {"a": [1] * (MAX_STEPS + 1)}}, "more than 10000 elements"),
        ("args.a.all(x, args.a.all(y, true))", {"args": {"a": [1] * 100}}, "more than 10000 elements"),
        ("args.a.all(x, x in args.a)", {"args": {"a": [1] * 100}}, "more than 10000 elements"),
        ("args.a.all(x, [x] != args.a)", {"args": {"a": [1] * 100}}, "more than 10000 elements"),
        (
            "args.a.all(x, args.t.contains('b'))",
            {"args": {"a": [1] * 9, "t": "b" * 10**7}},
            "more than 10000",
        ),
        ("args.a.all(x, args.t.matches('b'))", {"args": {"a": [1] * 9, "t": "b" * 10**7}}, "more than 10000"),
        (
            "args.a.all(x, args.t + 'a' != 'b')",
            {"args": {"a": [1] * 200, "t": "b" * 50_000}},
            "more than 10000",
        ),
    ],
)
def test_an_expression_without_an_answer_says_why(text: str, names: dict[str, Any], said: str) -> None:
    """The reason is in plain words, with the place, and without the values."""
    assert said in why(text, **names)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("args.a + args.a != ''", {"args": {"a": "x" * (MAX_STRING // 2)}}),
        ("args.a.all(x, true)", {"args": {"a": [1] * MAX_STEPS}}),
        ("args.a.all(x, args.a.all(y, true))", {"args": {"a": [1] * 99}}),
        ("args.a.all(x, true) && args.a.all(x, true)", {"args": {"a": [1] * MAX_STEPS}}),
        ("args.a.all(x, x in args.a)", {"args": {"a": [1] * 99}}),
        ("args.a.all(x, [x] != args.a)", {"args": {"a": [1] * 98}}),
        ("args.a.all(x, args.t.contains('b'))", {"args": {"a": [1] * 9, "t": "b" * 10**6}}),
        ("args.a.all(x, args.t + 'a' != 'b')", {"args": {"a": [1] * 195, "t": "b" * 50_000}}),
        ("args.a.all(x, x in ['b', 'c'])", {"args": {"a": ["b"] * MAX_STEPS}}),
        ("args.a < 3", {"args": {"a": 2}}),
        ("amount > 1", {"amount": 2**63 - 1}),
        ("amount > 1", {"amount": D("1E+999999999")}),
    ],
)
def test_what_is_just_within_bounds_has_an_answer(text: str, names: dict[str, Any]) -> None:
    """The twins of the refusals above."""
    assert given(text, **names) is True


@pytest.mark.parametrize("bad", ["args.x", "amount > 1", "customer.tier == 'a'"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("false && {}", False),
        ("{} && false", False),
        ("true || {}", True),
        ("{} || true", True),
        ("true && {}", None),
        ("{} && true", None),
        ("false || {}", None),
        ("{} || false", None),
        ("!({})", None),
        ("({}) ? true : true", None),
        ("true ? true : ({})", True),
        ("false ? ({}) : false", False),
        ("!(false && {})", True),
        ("[false, true].exists(v, v || {})", True),
        ("[false, true].all(v, v && {})", False),
        ("[false].exists(v, v || {})", None),
    ],
)
def test_no_answer_spreads_except_where_the_rest_decides(bad: str, text: str, expected: bool | None) -> None:  # noqa: FBT001
    """The table of three values, with each kind of missing thing in the gap."""
    names: dict[str, Any] = {"args": {}, "customer": Failed("down")}
    full = text.format(bad)
    if expected is None:
        assert why(full, **names)
    else:
        assert given(full, **names) is expected


@pytest.mark.parametrize(
    ("expect", "good", "bad"),
    [
        (NUMBER, 1, "1"),
        (NUMBER, D("1.5"), None),
        (NUMBER, D("1.5"), D("NaN")),
        (NUMBER, D("1.5"), 1.5),
        (NUMBER, 5, 2**63),
        (INT, 1, D(1)),
        (STRING, "a", 1),
        (BOOL, True, 1),
        (BOOL, False, None),
    ],
)
def test_a_value_is_of_the_promised_type_or_there_is_none(expect: Type, good: Any, bad: Any) -> None:
    """What was dyn at load is held to the expected type when it runs."""
    assert given("args.x", expect=expect, args={"x": good}) == good
    with pytest.raises(EvaluationError):
        evaluator(expression("args.x", ENVIRONMENT, expect=expect))({"args": {"x": bad}})


def test_values_nested_too_deep_give_no_answer_and_no_crash() -> None:
    """Equality of data of depth 100,000 ends in a reason."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert "nested too deep" in why("args.x == args.y", args={"x": deep, "y": [deep]})
    assert given("size(args.x) == 1", args={"x": deep}) is True


def test_the_thread_s_own_decimal_settings_do_not_matter() -> None:
    """A context of two digits elsewhere in the program changes no result."""
    with localcontext() as context:
        context.prec = 2
        assert given("amount + 0.01", amount=D("1234.56")) == D("1234.57")
        assert given("-amount", amount=D("-1234.56")) == D("1234.56")
        assert given("amount > 1234.55", amount=D("1234.56")) is True


def test_a_reason_never_shows_the_values() -> None:
    """What an agent or a customer wrote stays out of logs that only need the reason."""
    said = why(
        "args.secret < 3 || customer.secret + 1 > 2", args={"secret": "hunter2"}, customer={"secret": "x"}
    )
    assert "hunter2" not in said
    assert "args.secret < 3" in said
