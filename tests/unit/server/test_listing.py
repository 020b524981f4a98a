"""Arguments as people read them: a line for each value, and no value that reads like another."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.server.pages.listing import LONG, Line, listed

SHORT = st.text(max_size=LONG).filter(lambda text: "\n" not in text.strip())
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | SHORT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def test_each_value_is_a_line_with_every_digit_and_inner_names_say_where_it_stands() -> None:
    given_ = '{"amount":10.50,"customer":{"name":"Ada","tier":{"gold":true}},"note":null,"codes":[1,"a"]}'
    assert listed(given_) == [
        Line("amount", "10.50", block=False),
        Line("customer.name", "Ada", block=False),
        Line("customer.tier.gold", "yes", block=False),
        Line("note", "nothing", block=False),
        Line("codes", '[\n  1,\n  "a"\n]', block=False),
    ]


def test_facts_that_are_no_json_yet_are_listed_as_well() -> None:
    assert listed({"known": Decimal("1.10")}) == [Line("known", "1.10", block=False)]


def test_no_values_are_no_lines() -> None:
    assert listed("{}") == []
    assert listed('{"filter":{}}') == [Line("filter", "{}", block=False)]


@pytest.mark.parametrize(
    "text", ["12.50", "+353 1 2", "yes", "no", "nothing", "", " Ada", "Ada\n", '"a"', "[1]"]
)
def test_a_text_that_could_be_taken_for_something_else_stands_in_quotes(text: str) -> None:
    raw = msgspec.json.encode(text).decode()
    assert listed(f'{{"a":{raw}}}') == [Line("a", raw, block=False)]
    assert listed('{"a":"Ada"}') == [Line("a", "Ada", block=False)]


def test_a_long_text_or_one_of_several_lines_has_room_of_its_own() -> None:
    for text, block in (("a" * LONG, False), ("a" * (LONG + 1), True), ("Dear Ada,\nhello\n", True)):
        assert listed({"body": text}) == [Line("body", text, block=block)]


def test_a_long_text_that_looks_like_a_list_stands_in_quotes() -> None:
    assert listed({"body": "[1,\n2]"}) == [Line("body", '"[1,\\n2]"', block=False)]


def test_a_name_with_a_dot_stands_in_quotes() -> None:
    assert [each.name for each in listed({"a.b": 1, "a": {"b": 1}, "": 1})] == ['"a.b"', "a.b", '""']


@given(VALUES, VALUES)
def test_two_values_that_differ_never_read_alike(one: object, other: object) -> None:
    same = msgspec.json.encode(one) == msgspec.json.encode(other)
    assert same == (listed({"a": one}) == listed({"a": other}))
