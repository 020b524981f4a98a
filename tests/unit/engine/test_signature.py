"""A Python function as a tool: its schema from its hints, its values from frozen bytes."""

from __future__ import annotations

import enum
import functools
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, TypedDict

import msgspec
import pydantic
import pytest

from handrail.engine.core import tool_of
from handrail.engine.door import freeze
from handrail.engine.signature import of_function, of_schema


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Arguments:
    """A type of the user's with the name that ours has."""

    x: int
    tags: list[str] = field(default_factory=list)


class Order(pydantic.BaseModel):
    id: str
    total: Decimal


class Line(TypedDict):
    sku: str
    count: int


def everything(  # noqa: PLR0913, PLR0917 - one of each
    name: str,
    count: int,
    price: float,
    exact: Decimal,
    when: date,
    colour: Colour,
    mode: Literal["fast", "slow"],
    order: Order,
    inner: Arguments,
    lines: list[Line],
    at: datetime | None = None,
    limit: Annotated[int, msgspec.Meta(ge=1)] = 3,
    *,
    sure: bool = False,
) -> None:
    """Takes one of each."""


VALUES: dict[str, Any] = {
    "name": "n",
    "count": 2,
    "price": 0.1,
    "exact": Decimal("1.10"),
    "when": date(2026, 1, 2),
    "colour": Colour.RED,
    "mode": "fast",
    "order": Order(id="o", total=Decimal("2.5")),
    "inner": Arguments(1, ["a"]),
    "lines": [{"sku": "s", "count": 1}],
}


def test_values_of_every_kind_come_back_as_the_hints_say() -> None:
    signature = of_function(everything)
    values = signature.decode(freeze(signature.collect((), VALUES)))
    assert values == {**VALUES, "at": None, "limit": 3, "sure": False}
    assert {name: type(values[name]) for name in VALUES} == {name: type(VALUES[name]) for name in VALUES}


def test_the_schema_names_every_parameter_and_requires_those_without_default() -> None:
    schema = of_function(everything).schema
    assert set(schema["properties"]) == {*VALUES, "at", "limit", "sure"}  # type: ignore[call-overload]
    assert set(schema["required"]) == set(VALUES)  # type: ignore[call-overload]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["exact"] == {"type": "number"}  # type: ignore[index]


def test_a_users_type_may_be_called_like_ours() -> None:
    def tool(x: Arguments) -> None: ...

    signature = of_function(tool)
    assert list(signature.schema["properties"]) == ["x"]  # type: ignore[call-overload]
    assert signature.decode(b'{"x":{"x":1}}') == {"x": Arguments(1)}


@pytest.mark.parametrize(
    ("frozen", "why"),
    [
        (b'{"n":true}', "Expected `int`"),
        (b'{"n":1.0}', "Expected `int`"),
        (b'{"n":"1"}', "Expected `int`"),
        (b"{}", "missing required field"),
        (b'{"n":1,"m":2}', "unknown field"),
    ],
)
def test_bytes_of_another_kind_are_not_taken(frozen: bytes, why: str) -> None:
    def tool(n: int) -> None: ...

    with pytest.raises(msgspec.ValidationError, match=why):
        of_function(tool).decode(frozen)
    assert of_function(tool).decode(b'{"n":1}') == {"n": 1}


def test_a_mutable_default_is_never_shared_with_a_call() -> None:
    def tool(tags: list[str] = []) -> None: ...  # noqa: B006 - the point

    signature = of_function(tool)
    first = signature.decode(freeze(signature.collect((), {})))
    first["tags"].append("x")
    assert signature.decode(freeze(signature.collect((), {}))) == {"tags": []}


def test_a_default_of_none_needs_no_optional_hint() -> None:
    def tool(name: str = None) -> None: ...  # type: ignore[assignment]  # noqa: RUF013 - people write it so

    signature = of_function(tool)
    assert signature.decode(freeze(signature.collect((), {}))) == {"name": None}
    assert signature.decode(freeze(signature.collect(("x",), {}))) == {"name": "x"}


@pytest.mark.parametrize(
    ("args", "kwargs", "why"),
    [
        ((), {}, "missing a, b"),
        ((1,), {}, "missing b"),
        ((1, 2, 3, 4), {}, "too many positional"),
        ((1, 2), {"d": 1}, "unexpected keyword argument 'd'"),
        ((1, 2), {"a": 1}, "two values for a"),
        ((1, 2, 3), {}, "too many positional"),
    ],
)
def test_a_call_that_does_not_fit_says_why(args: Any, kwargs: Any, why: str) -> None:
    def tool(a: int, b: int, *, c: int = 0) -> None: ...

    signature = of_function(tool)
    with pytest.raises(TypeError, match=why):
        signature.collect(args, kwargs)
    assert signature.collect((1,), {"b": 2}) == {"a": 1, "b": 2, "c": 0}


def star(*args: int) -> None: ...
def stars(**kwargs: int) -> None: ...
def positional(a: int, /) -> None: ...
def unknown(a: Missing) -> None: ...  # type: ignore[name-defined]  # noqa: F821 - the point
def foreign(a: type[int]) -> None: ...


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (star, r"takes \*args: 'int'; a tool needs named parameters"),
        (stars, r"takes \*\*kwargs"),
        (positional, "named parameters"),
        (unknown, "'Missing' can't be resolved"),
        (foreign, "use types that JSON can hold"),
    ],
)
def test_a_function_that_rules_could_not_speak_of_is_refused(function: Any, why: str) -> None:
    with pytest.raises(TypeError, match=why):
        of_function(function)


def yields() -> Any:
    yield 1


async def yields_async() -> Any:
    yield 1


async def waits() -> None: ...


def plain() -> None: ...


class Callable:
    async def __call__(self) -> None: ...


@pytest.mark.parametrize("function", [yields, yields_async])
def test_a_generator_is_refused_because_its_body_would_run_outside_the_rail(function: Any) -> None:
    with pytest.raises(TypeError, match="yields"):
        tool_of("t", function, of_function(function))
    tool_of("t", plain, of_function(plain))


def test_what_must_be_awaited_is_known() -> None:
    for function in (waits, functools.partial(waits), Callable()):
        assert tool_of("t", function, of_schema({})).is_async
    assert not tool_of("t", plain, of_schema({})).is_async
    with pytest.raises(TypeError, match="simulate is"):
        tool_of("t", plain, of_schema({}), waits)
    assert tool_of("t", waits, of_schema({}), waits).simulates_async


def test_a_tool_with_a_schema_of_its_own_takes_keywords_only() -> None:
    signature = of_schema({"type": "object"})
    with pytest.raises(TypeError, match="keyword arguments only"):
        signature.collect((1,), {})
    assert signature.collect((), {"a": 1}) == {"a": 1}


def test_bytes_are_refused_because_no_rule_can_look_into_them() -> None:
    """They would reach phrases and rules as base64, in which nothing is ever found."""

    def send(body: bytes) -> None:
        """Send."""

    def send_text(body: str) -> None:
        """Send."""

    with pytest.raises(TypeError, match="takes bytes, in which no rule or check could look"):
        of_function(send)
    assert of_function(send_text).schema["required"] == ["body"]
