"""The type checker: each mistake is found at load, at its place; each right twin loads."""

from __future__ import annotations

import pytest

from handrail.policy.expressions import (
    BOOL,
    DECIMAL,
    DURATION,
    DYN,
    INT,
    NUMBER,
    STRING,
    TIMESTAMP,
    Environment,
    ExpressionError,
    ListOf,
    Nullable,
    Object,
    OneOf,
    Type,
    expression,
)
from handrail.policy.expressions.tree import Literal, Select

ENVIRONMENT = Environment(
    {
        "args": Object(
            {
                "to": STRING,
                "note": Nullable(STRING),
                "count": INT,
                "tier": OneOf(frozenset({"small", "big", "vip"})),
                "tags": ListOf(STRING),
                "kinds": ListOf(OneOf(frozenset({"a", "b"}))),
                "flag": BOOL,
                "inner": Object({"x": INT}),
            },
            required=frozenset({"to"}),
        ),
        "amount": NUMBER,
        "price": DECIMAL,
        "customer": Object({"tier": STRING}, open=True),
        "now": TIMESTAMP,
        "fact": DYN,
    }
)

# wrong, its right twin, where the error points, what it says, nearest
MISTAKES: list[tuple[str, str, int, str, str | None]] = [
    ("amuont > 1", "amount > 1", 0, "unknown name amuont", "amount"),
    ("Amount > 1", "amount > 1", 0, "unknown name Amount", "amount"),
    ("args.teir == 'vip'", "args.tier == 'vip'", 5, "unknown field teir", "tier"),
    ("args['teir'] == 'vip'", "args['tier'] == 'vip'", 5, "unknown field teir", "tier"),
    ("has(args.nota)", "has(args.note)", 9, "unknown field nota", "note"),
    ("args.inner.y == 1", "args.inner.x == 1", 11, "unknown field y", None),
    ("amount.x == 1", "args.count == 1", 7, "number has no fields", None),
    ("args.tier == 'vpi'", "args.tier == 'vip'", 13, "'vpi' is not among the values", "vip"),
    ("'vpi' != args.tier", "'vip' != args.tier", 0, "'vpi' is not among the values", "vip"),
    ("args.tier in ['vip', 'bgi']", "args.tier in ['vip', 'big']", 21, "'bgi' is not among", "big"),
    ("'c' in args.kinds", "'a' in args.kinds", 0, "'c' is not among the values", None),
    ("amount == 'x'", "amount == 1", 10, "never equal", None),
    ("args.to == 1", "args.to == '1'", 11, "never equal", None),
    ("args.count in ['1']", "args.count in [1]", 15, "never equal", None),
    ("1 in args.tags", "'1' in args.tags", 5, "never equal", None),
    ("args.to == null", "args.note == null", 11, "never equal", None),
    ("now == 'x'", "now == timestamp('2026-01-01T00:00:00Z')", 7, "never equal", None),
    ("args.tags == 'x'", "args.tags == ['x']", 13, "never equal", None),
    ("args.to > 1", "args.count > 1", 0, "has no meaning", None),
    ("args.flag < true", "args.flag == true", 0, "has no meaning", None),
    ("args.note < null", "args.note < 'x'", 0, "has no meaning", None),
    ("args.tags < args.tags", "args.tags == args.tags", 0, "has no meaning", None),
    ("'a' in args.to", "args.to.contains('a')", 7, "nothing can be looked for", "contains()"),
    ("'nope' in args", "'note' in args", 0, "'nope' is not among the values", "note"),
    ("1 in args", "'to' in args", 0, "not the name of a field", None),
    ("args.count in []", "args.count in [1]", 14, "empty list", None),
    ("args.to + 1 == 'a'", "args.to + '1' == 'a'", 0, "string + int has no meaning", None),
    ("args.to - 'a' == 'a'", "args.to + 'a' == 'a'", 0, "has no meaning", None),
    ("now + now == now", "now + duration('1h') == now", 0, "has no meaning", None),
    ("-args.to == 'a'", "-args.count == 1", 1, "has no opposite", None),
    ("fact.n / 2 == 1", "int(fact.n) / 2 == 1", 0, "whole numbers or decimals", None),
    ("1 == 2 / fact.n", "1 == 2 / decimal(fact.n)", 9, "whole numbers or decimals", None),
    ("!args.count", "!args.flag", 1, "where true or false belongs", None),
    ("args.flag && args.to", "args.flag && args.to == 'a'", 13, "where true or false belongs", None),
    ("args.count ? true : false", "args.flag ? true : false", 0, "where true or false belongs", None),
    ("(args.flag ? 1 : 'a') == 1", "(args.flag ? 1 : 2) == 1", 17, "one branch gives int", None),
    ("[1, 'a'] == [1]", "[1, 2] == [1]", 0, "must be of one type", None),
    ("args.tags['a'] == 'a'", "args.tags[0] == 'a'", 10, "where int belongs", None),
    ("args.tags[amount] == 'a'", "args.tags[args.count] == 'a'", 10, "where int belongs", None),
    ("args[1] == 'a'", "args['to'] == 'a'", 5, "where string belongs", None),
    ("amount[0] == 1", "args.tags[0] == '1'", 6, "has no elements", None),
    ("fact[true] == 1", "fact[1] == 1", 5, "where int belongs", None),
    ("args.to.all(x, true)", "args.tags.all(x, true)", 0, "elements of a list", None),
    ("args.tags.all(amount, true)", "args.tags.all(each, true)", 9, "is a name already", None),
    ("args.tags.all(x, y == 'a')", "args.tags.all(x, x == 'a')", 17, "unknown name y", None),
    ("args.tags.all(x, x > 1)", "args.tags.all(x, x > 'a')", 17, "has no meaning", None),
    ("args.to.lower() == 'a'", "args.to.lowerAscii() == 'a'", 8, "not in the subset", "lowerAscii()"),
    ("len(args.to) == 1", "size(args.to) == 1", 0, "not in the subset", "size()"),
    ("args.to.startswith('a')", "args.to.startsWith('a')", 8, "not in the subset", "startsWith"),
    ("startsWith(args.to, 'a')", "args.to.startsWith('a')", 0, "is a method", None),
    ("args.count.int() == 1", "int(args.count) == 1", 11, "is a function", None),
    ("args.to.startsWith()", "args.to.startsWith('a')", 8, "is given 1 values", None),
    ("args.to.startsWith('a', 'b')", "args.to.startsWith('a')", 8, "is given 3 values", None),
    ("args.count.startsWith('a')", "args.to.startsWith('a')", 0, "does not take int", None),
    ("size(amount) == 1", "size(args.tags) == 1", 5, "does not take number", None),
    ("args.to.matches(args.to)", "args.to.matches('a')", 16, "only a written text", None),
    ("args.to.matches('(')", "args.to.matches('a')", 16, "RE2 does not accept", None),
    ("args.to.matches('(?=a)')", "args.to.matches('(?i)a')", 16, "RE2 does not accept", None),
    (f"args.to.matches('{'a' * 1001}')", "args.to.matches('a')", 16, "longer than 1000", None),
    ("now.getHours('Warsaw') == 1", "now.getHours('Europe/Warsaw') == 1", 13, "no such time zone", None),
    ("now.getHours('../x') == 1", "now.getHours('+02:00') == 1", 13, "no such time zone", None),
    ("now.getHours('+99:00') == 1", "now.getHours() == 1", 13, "no such time zone", None),
    ("args.to.getHours() == 1", "timestamp(args.to).getHours() == 1", 0, "does not take string", None),
    ("now > timestamp('yesterday')", "now > timestamp('2026-01-01T00:00:00Z')", 16, "not a time like", None),
    ("now > timestamp('2026-02-30T00:00:00Z')", "now > now", 16, "does not exist", None),
    ("now - now > duration('4 h')", "now - now > duration('4h')", 21, "not a duration like", None),
    ("amount > decimal('1,5')", "amount > decimal('1.5')", 17, "not a decimal number", None),
    ("amount > int('1.5')", "amount > int('1')", 13, "not a whole number", None),
    ("string(price) == '1'", "string(args.count) == '1'", 7, "does not take a decimal", None),
    ("amount", "amount > 1", 0, "the expression gives number", None),
    ("args.to", "args.flag", 0, "the expression gives string", None),
]


@pytest.mark.parametrize(("wrong", "right", "offset", "said", "nearest"), MISTAKES)
def test_a_mistake_is_refused_and_its_right_twin_loads(
    wrong: str, right: str, offset: int, said: str, nearest: str | None
) -> None:
    """The error tells what, where and the nearest valid word; without the mistake it loads."""
    with pytest.raises(ExpressionError) as caught:
        expression(wrong, ENVIRONMENT)
    assert (caught.value.offset, caught.value.nearest) == (offset, nearest)
    assert said in caught.value.message
    assert expression(right, ENVIRONMENT).text == right


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2", INT),
        ("1 / 2", INT),
        ("1 + 2.0", DECIMAL),
        ("amount + 1", NUMBER),
        ("amount / 3", DECIMAL),
        ("amount % 3", NUMBER),
        ("-price", DECIMAL),
        ("fact.n * 2", NUMBER),
        ("fact.n + fact.m", DYN),
        ("fact.n + 'a'", STRING),
        ("now - now", DURATION),
        ("now - duration('1h')", TIMESTAMP),
        ("duration('1h') + now", TIMESTAMP),
        ("args.flag ? 1 : 2.0", NUMBER),
        ("args.flag ? 1 : null", Nullable(INT)),
        ("args.flag ? 'a' : args.tier", OneOf(frozenset({"a", "small", "big", "vip"}))),
        ("args.tags + ['a']", ListOf(STRING)),
        ("args.tags[0]", STRING),
        ("{'a': 1, 'b': 2.5}[args.to]", NUMBER),
        ("customer.anything", DYN),
        ("customer.tier", STRING),
        ("args.note", Nullable(STRING)),
        ("size(args.to)", INT),
        ("decimal(args.to)", DECIMAL),
        ("now.getHours()", INT),
        ("args.to.contains('a')", BOOL),
    ],
)
def test_an_expression_has_the_type_that_follows_from_its_parts(text: str, expected: Type) -> None:
    """Types go up the tree."""
    assert expression(text, ENVIRONMENT, expect=None).type == expected


@pytest.mark.parametrize(
    ("text", "expect", "found"),
    [
        ("fact.n", NUMBER, NUMBER),
        ("fact.b", BOOL, BOOL),
        ("args.note", STRING, Nullable(STRING)),
        ("args.count", NUMBER, INT),
        ("args.tier", STRING, OneOf(frozenset({"small", "big", "vip"}))),
        ("args.to", DYN, STRING),
    ],
)
def test_what_is_known_only_at_run_time_is_taken_at_load(text: str, expect: Type, found: Type) -> None:
    """A dyn or a null may turn out as expected, so it loads and keeps the promise it must hold."""
    assert expression(text, ENVIRONMENT, expect=expect).type == found


@pytest.mark.parametrize(
    ("text", "expect"), [("amount", INT), ("null", STRING), ("args.to", NUMBER), ("1", BOOL)]
)
def test_another_type_than_expected_is_refused(text: str, expect: Type) -> None:
    """The twin of the test above."""
    with pytest.raises(ExpressionError, match="the expression gives"):
        expression(text, ENVIRONMENT, expect=expect)


def test_an_expression_tells_the_root_names_it_reads() -> None:
    """A macro's variable is no root name; a name inside the macro is."""
    found = expression("args.tags.all(x, x == customer.tier || amount > 1)", ENVIRONMENT)
    assert found.names == {"args", "customer", "amount"}


def test_what_is_written_out_is_worked_out_at_load() -> None:
    """A literal moment is a constant of the tree, and a field by its written name is a field."""
    root = expression("now > timestamp('2026-01-01T00:00:00Z')", ENVIRONMENT).node
    assert isinstance(root.children[1], Literal)
    assert isinstance(expression("args['to'] == 'a'", ENVIRONMENT).node.children[0], Select)
