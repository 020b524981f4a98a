"""Expressions and values made at random from the checker's own grammar: by type, so that they mostly load.

`TEXTS` gives conditions, `VALUES` what fits the schema (null, missing and nested values included), `HOSTILE`
what does not.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from handrail.policy.expressions import (
    DYN,
    INT,
    NUMBER,
    TIMESTAMP,
    Environment,
    Object,
    OneOf,
    type_of_schema,
)
from handrail.words.fact import Failed

ARGS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "s": {"type": "string"},
        "e": {"enum": ["a", "b", "ab"]},
        "n": {"type": "integer"},
        "m": {"type": "integer"},
        "q": {"type": "number"},
        "b": {"type": "boolean"},
        "no": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "so": {"type": ["string", "null"]},
        "opt": {"type": "integer"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "nums": {"type": "array", "items": {"type": "integer"}},
        "inner": {"$ref": "#/$defs/inner"},
        "rows": {"type": "array", "items": {"$ref": "#/$defs/inner"}},
    },
    "$defs": {
        "inner": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"s": {"type": "string"}, "n": {"type": "integer"}, "b": {"type": "boolean"}},
            "required": ["n"],
        }
    },
}
ENVIRONMENT = Environment(
    {
        "args": type_of_schema(ARGS),
        "d": DYN,
        "count": INT,
        "amount": NUMBER,
        "does": OneOf(frozenset({"read", "pay"})),
        "customer": Object({"tier": OneOf(frozenset({"small", "vip"}))}, open=True),
        "now": TIMESTAMP,
    }
)

LETTERS = ["", "a", "b", "ab", "ż", "😀", "A", "1"]
INTS = ["0", "1", "2", "-1", "3", "7", "0x10", "9223372036854775807", "-9223372036854775808"]
DECIMALS = ["0.5", "-1.25", "2.0", ".75", "1e2"]
BRANCH = 3


def quoted(text: str) -> str:
    return '"' + text + '"'


@cache
@st.composite
def _integer(draw: DrawFn, depth: int, inside: tuple[str, ...]) -> str:
    leaves = ["args.n", "args.m", "args.no", "args.opt", "args.inner.n", "count", 'args["n"]', *inside]
    if depth <= 0 or draw(st.integers(0, 2)) == 0:
        return draw(st.sampled_from([*leaves, *INTS]))
    one = _integer(depth - 1, inside)
    text = _text(depth - 1, inside)
    kinds: list[SearchStrategy[str]] = [
        st.lists(one, min_size=2, max_size=3).flatmap(_sum_of),
        st.tuples(one, one).map("({0[0]} / {0[1]})".format),
        st.tuples(one, one).map("({0[0]} % {0[1]})".format),
        one.map("-({})".format),
        text.map("size({})".format),
        st.sampled_from(["args.tags", "args.nums", "args.rows"]).map("{}.size()".format),
        one.map("args.nums[{}]".format),
        st.tuples(_boolean(depth - 1, inside), one, one).map("({0[0]} ? {0[1]} : {0[2]})".format),
        st.sampled_from(["getHours", "getMonth", "getDayOfWeek", "getDate", "getDayOfYear"]).map(
            'now.{}("Europe/Warsaw")'.format
        ),
    ]
    return draw(st.one_of(kinds))


def _sum_of(parts: list[str]) -> SearchStrategy[str]:
    signs = st.lists(st.sampled_from(["+", "-", "*"]), min_size=len(parts), max_size=len(parts))
    return signs.map(lambda each: " ".join(f"{a} {b}" for a, b in zip(each, parts, strict=True))[1:].strip())


@cache
@st.composite
def _text(draw: DrawFn, depth: int, inside: tuple[str, ...]) -> str:
    leaves = ["args.s", "args.so", "args.e", "args.inner.s", "customer.tier", "does"]
    if depth <= 0 or draw(st.integers(0, 2)) == 0:
        return draw(st.one_of(st.sampled_from(leaves), st.sampled_from(LETTERS).map(quoted)))
    one = _text(depth - 1, inside)
    kinds: list[SearchStrategy[str]] = [
        st.tuples(one, one).map("({0[0]} + {0[1]})".format),
        one.map("({}).lowerAscii()".format),
        one.map("({}).upperAscii()".format),
        _integer(depth - 1, inside).map("string({})".format),
        _integer(depth - 1, inside).map("args.tags[{}]".format),
        st.tuples(_boolean(depth - 1, inside), one, one).map("({0[0]} ? {0[1]} : {0[2]})".format),
    ]
    return draw(st.one_of(kinds))


@cache
@st.composite
def _boolean(draw: DrawFn, depth: int, inside: tuple[str, ...]) -> str:
    if depth <= 0:
        return draw(_plain(inside))
    one = _boolean(depth - 1, inside)
    kinds: list[SearchStrategy[str]] = [
        _plain(inside),
        st.lists(one, min_size=2, max_size=4).flatmap(_row_of),
        one.map("!({})".format),
        st.tuples(one, one, one).map("({0[0]} ? {0[1]} : {0[2]})".format),
        _compared(_integer(depth - 1, inside)),
        _compared(_text(depth - 1, inside)),
        st.tuples(_integer(depth - 1, inside), st.lists(_integer(0, inside), min_size=1, max_size=3)).map(
            lambda pair: f"{pair[0]} in [{', '.join(pair[1])}]"
        ),
        _text(depth - 1, inside).map("{} in args.tags".format),
        _of_text(depth, inside),
        _macro(depth, inside),
    ]
    return draw(st.one_of(kinds))


def _compared(part: SearchStrategy[str]) -> SearchStrategy[str]:
    signs = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    return st.tuples(part, signs, part).map("({0[0]} {0[1]} {0[2]})".format)


def _row_of(parts: list[str]) -> SearchStrategy[str]:
    signs = st.lists(st.sampled_from(["&&", "||"]), min_size=len(parts), max_size=len(parts))
    return signs.map(
        lambda each: "(" + " ".join(f"{a} {b}" for a, b in zip(each, parts, strict=True))[2:].strip() + ")"
    )


@cache
def _of_text(depth: int, inside: tuple[str, ...]) -> SearchStrategy[str]:
    part = _text(depth - 1, inside)
    calls = st.sampled_from(["startsWith", "endsWith", "contains"])
    patterns = st.sampled_from(['"^a"', '"b$"', 'r"[a-z]+"', '"ż|😀"', '"(?i)A"'])
    return st.one_of(
        st.tuples(part, calls, part).map("({0[0]}).{0[1]}({0[2]})".format),
        st.tuples(part, patterns).map("({0[0]}).matches({0[1]})".format),
    )


@cache
def _macro(depth: int, inside: tuple[str, ...]) -> SearchStrategy[str]:
    name = f"v{len(inside)}"
    body = _boolean(depth - 1, (*inside, f"{name}"))
    row = st.sampled_from(
        [f"{name}.n > 0", f"{name}.b", f'{name}.s == "a"', f"has({name}.s)", f"{name}.n < 9"]
    )
    kinds = st.sampled_from(["all", "exists", "exists_one"])
    return st.one_of(
        st.tuples(kinds, body).map(lambda pair: f"args.nums.{pair[0]}({name}, {pair[1]})"),
        st.tuples(kinds, row).map(lambda pair: f"args.rows.{pair[0]}({name}, {pair[1]})"),
    )


@cache
def _plain(inside: tuple[str, ...]) -> SearchStrategy[str]:
    """The smallest conditions, as policies have them."""
    fields = ["s", "e", "n", "q", "b", "no", "so", "opt", "tags", "inner"]
    texts = ["args.s", "args.so", "args.inner.s", "d.s", "customer.name"]
    numbers = ["args.q", "amount", "d.q", "args.n", "args.no", *inside]
    signs = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    return st.one_of(
        st.sampled_from(["true", "false", "args.b", "args.inner.b", "d.b", "args.no == null", "null != d.s"]),
        st.sampled_from(fields).map("has(args.{})".format),
        st.sampled_from(["d.s", "d.q", "args.inner.s", "customer.name"]).map("has({})".format),
        st.tuples(st.sampled_from(numbers), signs, st.sampled_from([*INTS, *DECIMALS])).map(" ".join),
        st.tuples(st.sampled_from(texts), signs, st.sampled_from(LETTERS).map(quoted)).map(" ".join),
        st.tuples(st.sampled_from(LETTERS).map(quoted), signs, st.sampled_from(texts)).map(" ".join),
        st.sampled_from(
            ['args.e == "a"', 'does == "pay"', 'customer.tier in ["vip"]', 'args.e in ["a", "ab"]']
        ),
        st.lists(st.sampled_from(LETTERS).map(quoted), min_size=1, max_size=3).map(
            lambda each: f"d.s in [{', '.join(each)}]"
        ),
        st.sampled_from(['args.inner == {"n": 1}', "args.nums == [1, 2]", "args.nums + [1] == [2, 1]"]),
        st.sampled_from(['now < timestamp("2026-06-01T00:00:00Z")', 'now - duration("36h") >= now']),
    )


TEXTS = _boolean(BRANCH, ())
INDEXED = st.tuples(
    st.sampled_from(["args.s", "d.s", "args.e", "customer.tier"]),
    st.sampled_from(['"a"', '"ab"', '"b"', '"vip"', '"small"']),
    _boolean(1, ()),
).map(lambda of: f"{of[0]} == {of[1]} && {of[2]}")
LIMITED = st.tuples(
    st.sampled_from(["amount", "d.q", "args.n"]),
    st.sampled_from(["<", "<=", ">", ">="]),
    st.sampled_from([*INTS, *DECIMALS]),
    st.sampled_from(["", " && args.b", " && d.b"]),
).map(lambda of: f"{of[0]} {of[1]} {of[2]}{of[3]}")

_letters = st.sampled_from(LETTERS)
_ints = st.one_of(st.integers(-3, 8), st.sampled_from([2**63 - 1, -(2**63)]))
_exact = st.one_of(st.integers(-5, 9), st.integers(-20, 40).map(lambda each: Decimal(each) / 4))
_FIRST = datetime.fromisoformat("1900-01-01")
_times = st.datetimes(_FIRST, _FIRST.replace(year=2200), allow_imaginary=False, timezones=st.just(UTC))


def _fields(required: dict[str, SearchStrategy[Any]], optional: dict[str, SearchStrategy[Any]]) -> Any:
    """Objects that have all their fields, and objects in which some of the optional ones are missing."""
    some = st.fixed_dictionaries(required, optional=optional)
    return st.one_of(st.fixed_dictionaries(required | optional), some)


_inner = _fields({"n": _ints}, {"s": _letters, "b": st.booleans()})
_args = _fields(
    {"s": _letters, "e": st.sampled_from(["a", "b", "ab"]), "n": _ints, "m": _ints, "b": st.booleans()},
    {
        "q": _exact,
        "no": st.one_of(st.none(), _ints),
        "so": st.one_of(st.none(), _letters),
        "opt": _ints,
        "tags": st.lists(_letters, max_size=3),
        "nums": st.lists(_ints, max_size=3),
        "inner": _inner,
        "rows": st.lists(_inner, max_size=3),
    },
)
_optional = {"s": st.one_of(st.none(), _letters), "q": st.one_of(st.none(), _exact), "b": st.booleans()}
VALUES: SearchStrategy[dict[str, Any]] = _fields(
    {"args": _args, "now": _times, "does": st.sampled_from(["read", "pay"])},
    {
        "d": _fields({}, _optional),
        "count": _ints,
        "amount": _exact,
        "customer": _fields({"tier": st.sampled_from(["small", "vip"])}, {"name": _letters}),
    },
)


class Word(StrEnum):
    """A text that is not exactly a str."""

    A = "a"
    VIP = "vip"


ODD: SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([1.5, float("nan"), 2**70, -(2**64), Word.A, Word.VIP, "a", "vip", "", object(), (1,)]),
    st.sampled_from([Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("1E+999999"), Decimal(2)]),
    st.lists(st.one_of(st.none(), st.integers(0, 2), st.just("a")), max_size=2),
    st.just(Failed("the shop did not answer")),
    st.dictionaries(
        st.sampled_from(["s", "n", "q", "b", "tier"]), st.sampled_from([1, "a", None]), max_size=2
    ),
)


@st.composite
def _spoiled(draw: DrawFn) -> dict[str, Any]:
    """Values that fit, but for some that anything else has taken the place of, or nothing."""
    names = draw(VALUES)
    for _ in range(draw(st.integers(1, 3))):
        place = names
        inner = [key for key, value in names.items() if isinstance(value, dict) and value]
        go_in = draw(st.booleans())
        if inner and go_in:
            place = names[draw(st.sampled_from(inner))]
        key = draw(st.sampled_from(sorted(place)))
        place[key] = draw(ODD)
        if draw(st.integers(0, 4)) == 0:
            del place[key]
    return names


HOSTILE: SearchStrategy[dict[str, Any]] = st.one_of(VALUES, _spoiled())
