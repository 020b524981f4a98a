"""The door: arguments become canonical bytes once; what is not finite JSON is refused, never repaired."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pydantic
import pytest

from handrail.engine.door import DEEPEST, LARGEST, digest, freeze, parse, recorded_output, thaw
from handrail.words.errors import BadArguments


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


class Word(enum.StrEnum):
    YES = "yes"


class Subclass(str):
    __slots__ = ()


@dataclass
class Point:
    x: int
    price: Decimal


class Order(pydantic.BaseModel):
    id: str
    when: date
    total: float = 1.5


class Hostile:
    """Something whose own code fails when it is written down."""

    def model_dump(self, mode: str) -> dict[str, object]:
        raise RuntimeError("no")


class HostileMap(Mapping[str, object]):
    """A mapping whose own code fails."""

    def __getitem__(self, key: str) -> object:
        raise RuntimeError("no")

    def __iter__(self) -> Any:
        raise RuntimeError("no")

    def __len__(self) -> int:
        return 1


def nested(levels: int) -> list[Any]:
    """A list in a list, so many times."""
    found: list[Any] = []
    for _ in range(levels - 1):
        found = [found]
    return found


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (float("nan"), "not a finite number"),
        (float("inf"), "not a finite number"),
        (-float("inf"), "not a finite number"),
        (Decimal("NaN"), "not a finite number"),
        (Decimal("sNaN"), "not a finite number"),
        (Decimal("-Infinity"), "not a finite number"),
        ({"a": [float("nan")]}, r"x\.a\[0\] is nan"),
        (2**63, "beyond 64 bits"),
        (-(2**63) - 1, "beyond 64 bits"),
        ({"a": 2**64}, r"x\.a is a whole number beyond 64 bits"),
        (Point(2**70, Decimal(1)), "beyond 64 bits"),
        (Point(1, Decimal("NaN")), "not a finite number"),
        ("half \ud800", "can't be written as JSON"),
        ({"\udfff": 1}, "can't be written as JSON"),
        ({1: "a"}, "a key that is no text"),
        ({None: "a"}, "a key that is no text"),
        (object(), "which is not JSON"),
        (int, "which is not JSON"),
        (lambda: 1, "which is not JSON"),
        (1j, "which is not JSON"),
        (Hostile(), "which is not JSON"),
        (Subclass("x"), "which is not JSON"),
        (nested(DEEPEST + 1), "more than 64 levels deep"),
        (nested(10_000), "more than 64 levels deep"),
        ("x" * 10_000_000, "at most 1,048,576 are accepted"),
        (["x" * 1_000] * 2_000, "at most 1,048,576 are accepted"),
    ],
    ids=lambda value: str(value)[:20] if isinstance(value, int | float | Decimal | str) else None,
)
def test_what_is_no_finite_json_is_refused_with_its_place(value: object, why: str) -> None:
    with pytest.raises(BadArguments, match=why) as refused:
        freeze({"x": value})
    assert len(str(refused.value)) < 1_000


@pytest.mark.parametrize(
    ("value", "bytes_"),
    [
        (2**63 - 1, b"9223372036854775807"),
        (-(2**63), b"-9223372036854775808"),
        (True, b"true"),
        (1, b"1"),
        (1.0, b"1.0"),
        (0.1, b"0.1"),
        (1e22, b"1E+22"),
        (5e-324, b"5E-324"),
        (1e-5, b"0.00001"),
        (Decimal("-0"), b"0"),
        (Decimal("0.10"), b"0.10"),
        (Decimal("123456789012345678901234567890.123456789"), b"123456789012345678901234567890.123456789"),
        (Decimal("1E+400"), b"1E+400"),
        (None, b"null"),
        ('żółw 🐢 \0 "', '"żółw 🐢 \\u0000 \\""'.encode()),
        (Colour.RED, b'"red"'),
        (Level.LOW, b"1"),
        (Word.YES, b'"yes"'),
        (date(2026, 2, 28), b'"2026-02-28"'),
        (datetime(2026, 2, 28, 1, 2, 3, tzinfo=UTC), b'"2026-02-28T01:02:03Z"'),
        (Point(1, Decimal("1.50")), b'{"price":1.50,"x":1}'),
        (Order(id="o", when=date(2026, 1, 1)), b'{"id":"o","total":1.5,"when":"2026-01-01"}'),
        ([Order(id="o", when=date(2026, 1, 1))], b'[{"id":"o","total":1.5,"when":"2026-01-01"}]'),
        ((1, 2), b"[1,2]"),
        (MappingProxyType({"b": 1, "a": 2}), b'{"a":2,"b":1}'),
        ({"b", "c", "a"}, b'["a","b","c"]'),
        (b"ab", b'"YWI="'),
        (nested(DEEPEST), b"[" * DEEPEST + b"]" * DEEPEST),
    ],
    ids=lambda value: None if isinstance(value, bytes | set) else str(value)[:20],
)
def test_what_is_json_or_means_it_is_frozen_exactly(value: object, bytes_: bytes) -> None:
    assert freeze({"x": value}) == b'{"x":' + bytes_ + b"}"


def test_arguments_of_almost_the_largest_size_are_taken() -> None:
    assert len(freeze({"x": "x" * (LARGEST - 8)})) == LARGEST
    with pytest.raises(BadArguments):
        freeze({"x": "x" * (LARGEST - 7)})


def test_a_mapping_whose_own_code_fails_is_refused() -> None:
    with pytest.raises(BadArguments, match="can't be read: RuntimeError"):
        freeze({"x": HostileMap()})


def test_a_list_that_holds_itself_is_refused() -> None:
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(BadArguments, match="levels deep"):
        freeze({"x": circle})


def test_numbers_come_back_for_expressions_without_any_binary_float() -> None:
    values = thaw(freeze({"a": 0.1, "b": 1, "c": Decimal("2.50"), "d": [1e300]}))
    assert values == {"a": Decimal("0.1"), "b": 1, "c": Decimal("2.50"), "d": [Decimal("1e300")]}
    assert [type(values[name]) for name in "abc"] == [Decimal, int, Decimal]


def test_a_recorded_number_comes_back_as_a_float_only_where_that_loses_nothing() -> None:
    found = recorded_output("[0.1, 1.50, 0.123456789012345678901, 1e999, 7, 1e22]")
    assert found == [0.1, 1.5, Decimal("0.123456789012345678901"), Decimal("1e999"), 7, 1e22]
    assert [type(each) for each in found] == [float, float, Decimal, Decimal, int, float]


def test_the_digest_covers_key_tool_binding_and_bytes() -> None:
    first = digest(b"k", "tool", "binding", b"{}")
    others = [(b"K", "tool", "binding", b"{}"), (b"k", "Tool", "binding", b"{}")]
    others += [(b"k", "tool", "Binding", b"{}"), (b"k", "tool", "binding", b'{"a":1}')]
    assert len(first) == 64
    assert first not in {digest(*each) for each in others}
    assert first == digest(b"k", "tool", "binding", b"{}")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"a": 1, "a": 2}', "the key 'a' stands twice"),
        ('{"x": {"b": 1, "c": 1, "b": 1}}', "the key 'b' stands twice"),
        ('{"a": NaN}', "NaN is not a finite number"),
        ('{"a": -Infinity}', "-Infinity is not a finite number"),
        ("[1]", "must be a JSON object"),
        ("7", "must be a JSON object"),
        ("", "not JSON"),
        ("{a: 1}", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"a": ' + "1" * 5_000 + "}", "not JSON"),
    ],
    ids=lambda text: text[:20],
)
def test_text_that_is_no_clear_json_object_is_refused(text: str, why: str) -> None:
    with pytest.raises(BadArguments, match=why):
        parse(text)


def test_text_that_is_one_is_read_exactly() -> None:
    assert parse('{"a": 0.10, "b": {"a": 1}, "c": null}') == {"a": Decimal("0.10"), "b": {"a": 1}, "c": None}
    assert json.loads(freeze(parse('{"z": 1, "a": 2.50}'))) == {"a": 2.5, "z": 1}
