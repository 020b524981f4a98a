"""JSON Schema into types: what is known is known, and what is not is dyn, never wrong."""

from __future__ import annotations

from typing import Any

import pytest

from handrail.policy.expressions import (
    BOOL,
    DYN,
    INT,
    NULL,
    NUMBER,
    STRING,
    ListOf,
    Nullable,
    Object,
    OneOf,
    Type,
    type_of_schema,
)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, STRING),
        ({"type": "string", "format": "date-time"}, STRING),
        ({"type": "integer"}, INT),
        ({"type": "number"}, NUMBER),
        ({"type": "boolean"}, BOOL),
        ({"type": "null"}, NULL),
        ({"type": ["string", "null"]}, Nullable(STRING)),
        ({"type": ["integer", "number"]}, NUMBER),
        ({"type": ["string", "integer"]}, DYN),
        ({"type": "string", "nullable": True}, Nullable(STRING)),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, Nullable(INT)),
        ({"oneOf": [{"const": "a"}, {"const": "b"}, {"type": "null"}]}, Nullable(OneOf(frozenset("ab")))),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, DYN),
        ({"anyOf": [{"type": "integer"}, {}]}, DYN),
        ({"allOf": [{"type": "integer"}]}, INT),
        ({"allOf": [{"type": "integer"}, {"minimum": 1}]}, DYN),
        ({"enum": ["a", "b"]}, OneOf(frozenset("ab"))),
        ({"enum": ["a", None]}, Nullable(OneOf(frozenset("a")))),
        ({"enum": [1, 2]}, INT),
        ({"enum": [1, 2.5]}, NUMBER),
        ({"enum": [1, "a"]}, DYN),
        ({"enum": []}, DYN),
        ({"const": True}, BOOL),
        ({"const": None}, NULL),
        ({"const": {"a": 1}}, DYN),
        ({"type": "array", "items": {"type": "string"}}, ListOf(STRING)),
        ({"type": "array"}, ListOf(DYN)),
        ({"type": "object"}, Object({}, open=True)),
        ({"type": "object", "additionalProperties": False}, Object({})),
        ({"properties": {"a": {"type": "integer"}}}, Object({"a": INT}, open=True)),
        (
            {"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": False},
            Object({"a": DYN}, required=frozenset("a")),
        ),
        (
            {"type": "object", "patternProperties": {"x": {}}, "additionalProperties": False},
            Object({}, open=True),
        ),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "integer"}}}, INT),
        ({"$ref": "#/$defs/a~1b~0", "$defs": {"a/b~": {"type": "integer"}}}, INT),
        ({"$ref": "#/$defs/none", "$defs": {}}, DYN),
        ({"$ref": "https://example.com/schema"}, DYN),
        ({"$ref": 3}, DYN),
        ({"not": {"type": "string"}}, DYN),
        ({"if": {}, "then": {}}, DYN),
        ({"type": "weird"}, DYN),
        ({"anyOf": "weird"}, DYN),
        ({"enum": "weird"}, DYN),
        ({"type": "object", "properties": "weird"}, DYN),
        ({"type": "array", "items": True}, ListOf(DYN)),
        ({}, DYN),
    ],
)
def test_a_schema_has_the_type_of_the_values_it_admits(schema: dict[str, Any], expected: Type) -> None:
    """Each construct on its own; what says more than a type can is dyn."""
    assert type_of_schema(schema) == expected


def test_a_schema_that_contains_itself_ends() -> None:
    """A tree of nodes is known one level deep, and dyn below."""
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}, "x": {"type": "integer"}}}
    found = type_of_schema({"$ref": "#/$defs/node", "$defs": {"node": node}})
    assert found == Object({"next": DYN, "x": INT}, open=True)
    assert type_of_schema({"$ref": "#"}) == DYN


def test_a_schema_of_any_depth_ends() -> None:
    """Ten thousand arrays in each other are read without running out of stack."""
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(10_000):
        schema = {"type": "array", "items": schema}
    assert isinstance(type_of_schema(schema), ListOf)
