"""JSON Schema into types. What the checker can't reason about becomes `dyn`, and is tested at run time."""

from __future__ import annotations

from collections.abc import Mapping

from handrail.policy.expressions.types import (
    BOOL,
    DECIMAL,
    DYN,
    INT,
    NULL,
    NUMBER,
    STRING,
    ListOf,
    Object,
    OneOf,
    Type,
    join_all,
    nullable,
)

_DEEPEST = 32
_NAMED: dict[object, Type] = {
    "string": STRING,
    "integer": INT,
    "number": NUMBER,
    "boolean": BOOL,
    "null": NULL,
}

_OF_VALUE: dict[type, Type] = {bool: BOOL, int: INT, float: DECIMAL, type(None): NULL}


def type_of_schema(schema: Mapping[str, object]) -> Type:
    """Return the type of the values that a JSON Schema admits; `dyn` where it says more than types can."""
    return _Reader(schema).read(schema, ())


class _Reader:
    """Reads one schema document, whose root its references point into."""

    def __init__(self, root: Mapping[str, object]) -> None:
        self._root = root

    def read(self, schema: object, seen: tuple[str, ...], depth: int = 0) -> Type:
        """Return the type of one (sub)schema; `seen` are the references being followed."""
        if not isinstance(schema, Mapping) or depth > _DEEPEST:
            return DYN
        found = self._shape(schema, seen, depth + 1)
        return nullable(found) if schema.get("nullable") is True else found

    def _shape(self, schema: Mapping[str, object], seen: tuple[str, ...], depth: int) -> Type:
        if "$ref" in schema:
            return self._reference(schema["$ref"], seen, depth)
        if "const" in schema:
            return _of_values([schema["const"]])
        if "enum" in schema:
            return _of_values(schema["enum"])
        for word in ("anyOf", "oneOf", "allOf"):
            if word in schema:
                return self._choice(word, schema[word], seen, depth)
        return self._typed(schema, seen, depth)

    def _reference(self, target: object, seen: tuple[str, ...], depth: int) -> Type:
        if not isinstance(target, str) or not target.startswith("#") or target in seen:
            return DYN
        found: object = self._root
        for part in target.removeprefix("#").split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            found = found.get(key) if isinstance(found, Mapping) else None
        return self.read(found, (*seen, target), depth)

    def _choice(self, word: str, options: object, seen: tuple[str, ...], depth: int) -> Type:
        if not isinstance(options, list) or (word == "allOf" and len(options) != 1):
            return DYN
        return join_all(self.read(option, seen, depth) for option in options) or DYN

    def _typed(self, schema: Mapping[str, object], seen: tuple[str, ...], depth: int) -> Type:
        name = schema.get("type", "object" if "properties" in schema else None)
        if isinstance(name, list):
            return join_all(self._typed({**schema, "type": each}, seen, depth) for each in name) or DYN
        if name == "object":
            return self._object(schema, seen, depth)
        if name == "array":
            return ListOf(self.read(schema.get("items"), seen, depth))
        return _NAMED.get(name, DYN)

    def _object(self, schema: Mapping[str, object], seen: tuple[str, ...], depth: int) -> Type:
        properties = schema.get("properties", {})
        required = schema.get("required", [])
        if not isinstance(properties, Mapping) or not isinstance(required, list):
            return DYN
        fields = {name: self.read(each, seen, depth) for name, each in properties.items()}
        is_open = schema.get("additionalProperties") is not False or "patternProperties" in schema
        return Object(fields, open=is_open, required=frozenset(map(str, required)))


def _of_values(values: object) -> Type:
    """Return the type of a `const` or an `enum`."""
    if not isinstance(values, list):
        return DYN
    return join_all(_of_value(value) for value in values) or DYN


def _of_value(value: object) -> Type:
    if isinstance(value, str):
        return OneOf(frozenset({value}))
    return _OF_VALUE.get(type(value), DYN)
