"""Freezing keeps every JSON value exactly, and equal arguments have equal digests."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from handrail.engine.door import digest, freeze, parse, recorded_output, thaw, thaw_any
from handrail.engine.settle import output_text

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
INTS = st.integers(-(2**63), 2**63 - 1)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.none() | st.booleans() | INTS | FLOATS | DECIMALS | TEXT
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=20,
)
ARGUMENTS = st.dictionaries(TEXT, VALUES, max_size=6)
PLAIN = st.recursive(
    st.none() | st.booleans() | INTS | FLOATS | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=20,
)


def exact(value: Any) -> Any:
    """A value as expressions see it: a binary float by its shortest exact spelling."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, dict):
        return {name: exact(item) for name, item in value.items()}
    return [exact(item) for item in value] if isinstance(value, list) else value


def kinds(value: Any) -> Any:
    """The kinds of a value and of all inside it: true is not 1, and a list is not a text."""
    if isinstance(value, dict):
        return {name: kinds(item) for name, item in value.items()}
    if isinstance(value, list):
        return [kinds(item) for item in value]
    return "number" if isinstance(value, int | Decimal) and not isinstance(value, bool) else type(value)


def turned(value: Any) -> Any:
    """An equal value whose objects have their keys in the other order."""
    if isinstance(value, dict):
        return {name: turned(value[name]) for name in reversed(value)}
    return [turned(item) for item in value] if isinstance(value, list) else value


@given(ARGUMENTS)
def test_every_value_comes_back_exactly(arguments: dict[str, Any]) -> None:
    found, wanted = thaw(freeze(arguments)), exact(arguments)
    assert found == wanted
    assert kinds(found) == kinds(wanted)


@given(ARGUMENTS)
def test_what_was_frozen_is_json_and_freezes_to_the_same_bytes_again(arguments: dict[str, Any]) -> None:
    frozen = freeze(arguments)
    assert freeze(thaw(frozen)) == frozen
    assert freeze(parse(frozen.decode())) == frozen
    assert thaw_any(frozen) == thaw(frozen)
    json.loads(frozen)


@given(ARGUMENTS)
def test_equal_arguments_have_equal_digests(arguments: dict[str, Any]) -> None:
    first, second = freeze(arguments), freeze(turned(arguments))
    assert digest(b"key", "tool", "binding", first) == digest(b"key", "tool", "binding", second)


@given(ARGUMENTS, ARGUMENTS)
def test_different_arguments_have_different_digests(one: dict[str, Any], other: dict[str, Any]) -> None:
    same = digest(b"k", "t", "b", freeze(one)) == digest(b"k", "t", "b", freeze(other))
    assert same == (freeze(one) == freeze(other))
    if exact(one) != exact(other):
        assert not same


@given(PLAIN)
def test_what_a_tool_returned_comes_back_as_it_was_from_its_record(output: Any) -> None:
    found = recorded_output(output_text(output))
    assert found == output
    assert json.dumps(found, sort_keys=True) == json.dumps(output, sort_keys=True)
