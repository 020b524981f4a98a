"""Forms from a tool's schema: every argument has a field that fits, and is read back exactly."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from handrail.server.pages.forms import Field, Kind, fields, mistake, parse, typed_of

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "to": {"type": "string", "minLength": 3, "description": "Whom to send it."},
        "amount": {"type": "number", "minimum": 0},
        "count": {"type": "integer"},
        "urgent": {"type": "boolean"},
        "size": {"enum": ["small", "large", 3]},
        "body": {"type": "string", "maxLength": 4000},
        "lines": {"type": "array", "items": {"type": "string"}},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        "shape": {"$ref": "#/$defs/Shape"},
    },
    "required": ["to", "amount"],
    "$defs": {"Shape": {"enum": ["round", "square"]}},
}
GIVEN: dict[str, Any] = {
    "to": "a@b.example",
    "amount": Decimal("12.50"),
    "count": 9_007_199_254_740_993,
    "urgent": True,
    "size": 3,
    "body": "one\r\ntwo \u202e reversed",
    "lines": ["a", "b"],
    "note": None,
    "shape": "square",
}


def by_name(*given: Any) -> dict[str, Field]:
    """The fields of a form by the argument."""
    return {each.name: each for each in fields(SCHEMA, *given)}


def sent(found: dict[str, Field], **typed: str) -> dict[str, str]:
    """What a browser sends: line ends as CRLF, ticks only where they are set."""
    values = {each.input: each.value.replace("\n", "\r\n") for each in found.values()}
    values |= {f"arg.{name}": text for name, text in typed.items()}
    ticks = {each.input for each in found.values() if each.kind is Kind.TICK}
    return {name: text for name, text in values.items() if text or name not in ticks}


def test_each_argument_has_the_field_that_fits_it() -> None:
    kinds = {name: field.kind.value for name, field in by_name().items()}
    assert kinds == {
        "to": "text",
        "amount": "number",
        "count": "whole",
        "urgent": "tick",
        "size": "choice",
        "body": "long",
        "lines": "json",
        "note": "text",
        "shape": "choice",
    }
    found = by_name()
    assert (found["to"].required, found["body"].required) == (True, False)
    assert found["to"].hint == "Whom to send it."
    assert found["amount"].hint == "At least 0."
    assert found["size"].choices == ("small", "large", "3")
    assert found["shape"].choices == ("round", "square")


def test_a_needed_text_is_asked_for_and_one_that_stands_there_may_be_emptied() -> None:
    schema = {"properties": {"a": {"type": "string"}}, "required": ["a"]}
    assert [each.required for each in fields(schema)] == [True]
    assert [each.required for each in fields(schema, {"a": "x"})] == [False]


def test_what_nobody_touched_stays_exactly_as_it_was() -> None:
    found = by_name(GIVEN)
    assert found["body"].value == "one\r\ntwo \\u202e reversed".replace("\r", "\\u000d")
    assert parse(SCHEMA, sent(found), GIVEN) == (GIVEN, {})


def test_what_was_typed_is_read_exactly() -> None:
    typed = sent(by_name(GIVEN), amount="0.10", count="7", body="a\r\nb", lines='["c", 1.10]', size="0")
    del typed["arg.urgent"]
    read, wrong = parse(SCHEMA, typed, GIVEN)
    assert wrong == {}
    assert str(read["amount"]) == "0.10"
    assert read["lines"] == ["c", Decimal("1.10")]
    assert (read["count"], read["urgent"], read["body"], read["size"]) == (7, False, "a\nb", "small")


def test_empty_fields_are_left_out_and_needed_ones_are_asked_for() -> None:
    assert parse(SCHEMA, {"arg.to": "abc", "arg.amount": "5"}) == ({"to": "abc", "amount": 5}, {})
    read, wrong = parse(SCHEMA, {"arg.to": "abc", "arg.amount": " "})
    assert (read, wrong) == ({"to": "abc"}, {"amount": "this is needed"})
    read, _ = parse(SCHEMA, sent(by_name(GIVEN), body=""), GIVEN)
    assert read["body"] == ""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("amount", each) for each in ("1,5", "a lot", "NaN", "Infinity", "1_000", "1e999", "\u0661")),
        *(("count", each) for each in ("1.5", "one", "0x10")),
        *(("size", each) for each in ("7", "-1", "small")),
        *(("lines", each) for each in ('["a"', "NaN", '1, "b": 2', '1, "value": 2', "")),
    ],
)
def test_what_can_not_be_read_is_told_at_its_field(name: str, text: str) -> None:
    schema = {**SCHEMA, "required": [name]}
    read, wrong = parse(schema, {f"arg.{name}": text})
    assert list(wrong) == [name]
    assert name not in read
    [shown] = [each for each in fields(schema, None, {f"arg.{name}": text}, wrong) if each.name == name]
    assert (shown.value, shown.wrong) == (text, wrong[name])


def test_a_value_that_fits_no_simple_field_is_typed_as_json() -> None:
    odd = {"amount": "twelve", "count": True, "urgent": None, "size": "huge", "beyond": {"x": 1}}
    found = by_name(odd)
    assert {found[name].kind for name in odd} == {Kind.JSON}
    assert parse(SCHEMA, sent(found), odd)[0] == {**odd, "to": ""}


def test_the_schema_s_first_complaint_is_told_at_its_argument() -> None:
    assert mistake(SCHEMA, {"to": "abc", "amount": Decimal("0.1")}) is None
    told = mistake(SCHEMA, {"to": "a", "amount": 1})
    assert told is not None
    assert told[0] == "to"
    missing = mistake(SCHEMA, {"to": "abc"})
    assert missing is not None
    assert missing[0] is None
    assert "amount" in missing[1]
    assert mistake({"type": "nonsense"}, {}) is not None


def test_only_arguments_are_taken_from_a_form() -> None:
    assert typed_of({"arg.to": "x", "reason": "y", "arg.file": 7}) == {"arg.to": "x"}
