"""The gate and people see what the tool gets: what a model fills in, drops, renames or hides is seen too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import msgspec
import pydantic
import pytest

from handrail.words.errors import Denied
from tests.support.rail import Desk, opened

POLICY = """
handrail: 1
agents: {support: {may: [order]}}
tools: {order: {does: pay, starts: bounded, at_most: bounded}}
rules: [{id: big, tools: order, when: "has(args.it.amount) && args.it.amount > 500", deny: "Too much."}]
"""


@dataclass
class Plain:
    """A dataclass whose default is large."""

    amount: int = 9999
    note: str = ""


class Thrifty(msgspec.Struct, omit_defaults=True):
    """A struct that leaves its defaults out when it is written."""

    amount: int = 9999


class Model(pydantic.BaseModel):
    """A model whose default is large."""

    amount: int = 9999


class Renamed(pydantic.BaseModel):
    """A model that takes two names and is known to rules by one."""

    model_config = pydantic.ConfigDict(populate_by_name=True)
    total: int = pydantic.Field(1, alias="amount")


class Line(pydantic.BaseModel):
    """A part of an order."""

    price: int


class Nested(pydantic.BaseModel):
    """A model of models."""

    amount: int
    lines: list[Line]


class Secret(pydantic.BaseModel):
    """A model that does not write down what it holds."""

    password: pydantic.SecretStr


class Loose(TypedDict, total=False):
    """A dictionary that drops what it does not know."""

    amount: int


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk whose rule is guarded by ``has``."""
    with opened(tmp_path, "memory:", POLICY) as found:
        yield found


def ordering(desk: Desk, hint: Any, got: list[Any]) -> Callable[[object], object]:
    """The tool ``order`` whose argument is of the hinted type."""

    def order(it: Any) -> str:
        got.append(it)
        return "ordered"

    order.__annotations__ = {"it": hint}
    gated = desk.rail.tool(order)

    def call(it: object) -> object:
        with desk.rail.session(agent="support", task="T-1"):
            return gated(it)

    return call


def seen(desk: Desk) -> str | None:
    """The arguments that the newest action is recorded with."""
    action = desk.actions()[-1]
    payload = desk.app.store.read(lambda tx: tx.actions.payload(action.id))
    return payload.args if payload else None


@pytest.mark.parametrize("hint", [Plain, Thrifty, Model])
def test_a_default_that_the_tool_would_get_is_denied_as_if_it_were_said(desk: Desk, hint: type) -> None:
    """An agent that leaves the amount out still moves it."""
    got: list[Any] = []
    with pytest.raises(Denied, match="Too much"):
        ordering(desk, hint, got)({})
    assert got == []


@pytest.mark.parametrize("hint", [Plain, Thrifty, Model])
def test_an_amount_that_is_said_and_small_runs_and_is_what_the_tool_gets(desk: Desk, hint: type) -> None:
    """And the whole of it is what people would see."""
    got: list[Any] = []
    assert ordering(desk, hint, got)({"amount": 3}) == "ordered"
    assert got == [hint(amount=3)]
    assert '"amount":3' in (seen(desk) or "")


@pytest.mark.parametrize("it", [{"total": 600}, {"amount": 600}, Renamed(amount=600)], ids=repr)
def test_a_model_is_seen_by_the_name_in_its_schema_however_it_was_filled(desk: Desk, it: object) -> None:
    """Two names for one field are one field to every rule."""
    with pytest.raises(Denied, match="Too much"):
        ordering(desk, Renamed, [])(it)


def test_a_model_filled_by_its_other_name_runs_when_no_rule_minds(desk: Desk) -> None:
    """Its value arrives whole."""
    got: list[Any] = []
    assert ordering(desk, Renamed, got)({"total": 5}) == "ordered"
    assert got[0].total == 5


def test_models_inside_models_can_be_bound_and_are_validated_within(desk: Desk) -> None:
    """Each part is found by its own definition."""
    got: list[Any] = []
    call = ordering(desk, Nested, got)
    assert call({"amount": 3, "lines": [{"price": 2}]}) == "ordered"
    assert got[0].lines[0].price == 2
    with pytest.raises(Denied, match="price"):
        call({"amount": 3, "lines": [{"price": "dear"}]})


def test_a_model_that_does_not_write_down_what_it_holds_is_refused(desk: Desk) -> None:
    """What nobody can see nobody can approve: it would run with asterisks, or with something else."""
    got: list[Any] = []
    with pytest.raises(Denied, match="change when they are written down"):
        ordering(desk, Secret, got)({"password": "hunter2"})
    assert got == []


def test_what_the_tool_drops_is_not_shown_as_if_it_counted(desk: Desk) -> None:
    """An unknown key would mislead whoever approves."""
    got: list[Any] = []
    assert ordering(desk, Loose, got)({"amount": 3, "approved_by": "the boss"}) == "ordered"
    assert got == [{"amount": 3}]
    assert seen(desk) == '{"it":{"amount":3}}'


def test_a_class_in_place_of_its_instance_is_refused(desk: Desk) -> None:
    """Its defaults are not what was meant."""
    with pytest.raises(Denied, match="not JSON"):
        ordering(desk, Plain, [])(Plain)


AMOUNT: dict[str, Any] = {"type": "integer", "default": 9999}
LOOSE = POLICY.replace("args.it.amount", "args.amount")


def bound(desk: Desk, schema: dict[str, Any]) -> Callable[..., object]:
    """A tool with its own schema, which gives back what it was called with."""

    def order(**given: object) -> object:
        return given

    gated = desk.rail.bind("order", order, schema)

    def call(**given: object) -> object:
        with desk.rail.session(agent="support", task="T-1"):
            return gated(**given)

    return call


def test_a_default_of_a_bound_schema_is_seen_by_the_gate(tmp_path: Path) -> None:
    """Else a guard with ``has`` would let by what the tool does without being told."""
    with opened(tmp_path, "memory:", LOOSE) as desk:
        call = bound(desk, {"type": "object", "properties": {"amount": AMOUNT}})
        with pytest.raises(Denied, match="Too much"):
            call()
        assert call(amount=3) == {"amount": 3}


def test_a_default_that_its_own_schema_refuses_is_not_filled_in(tmp_path: Path) -> None:
    """Many servers write null for "none"; such a call must not be refused for it."""
    schema = {"type": "object", "properties": {"amount": {**AMOUNT, "default": None}}}
    with opened(tmp_path, "memory:", LOOSE) as desk:
        assert bound(desk, schema)() == {}


def test_an_argument_that_a_bound_schema_does_not_name_is_refused(tmp_path: Path) -> None:
    """No rule could speak of it, and no reviewer would miss it."""
    with opened(tmp_path, "memory:", LOOSE) as desk:
        call = bound(desk, {"type": "object", "properties": {"amount": {"type": "integer"}}})
        with pytest.raises(Denied, match="there is no argument as_admin"):
            call(amount=3, as_admin=True)
        assert call(amount=3) == {"amount": 3}


@pytest.mark.parametrize("opening", [{"additionalProperties": True}, {"patternProperties": {"^x": {}}}, {}])
def test_a_schema_that_is_open_on_purpose_takes_others(tmp_path: Path, opening: dict[str, Any]) -> None:
    """It says so itself, or names nothing at all."""
    named = {"properties": {"amount": {"type": "integer"}}} if opening else {}
    with opened(tmp_path, "memory:", LOOSE) as desk:
        call = bound(desk, {"type": "object", **named, **opening})
        assert call(amount=3, x_note="hi") == {"amount": 3, "x_note": "hi"}
