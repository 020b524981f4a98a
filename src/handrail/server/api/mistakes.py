"""What a body should have said: the decoder names the mistake and its place, this what is possible there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import inspect

if TYPE_CHECKING:
    from collections.abc import Iterator

_STEP = re.compile(r"\.(\w+)|\[")
UNKNOWN_FIELD, UNKNOWN_VALUE = "Object contains unknown field", "Invalid enum value"


def explained(shape: type, said: str) -> tuple[str, str]:
    """Where in a body for this shape the mistake is, and a sentence about it with what was expected."""
    detail, _, place = said.partition(" - at ")
    path = place.strip("`").removeprefix("$")
    pointer = path.replace("[", "/").replace("]", "").replace(".", "/")
    possible = ", ".join(_possible(shape, path, detail))
    return pointer, f"{detail}; expected one of: {possible}" if possible else detail


def _possible(shape: type, path: str, detail: str) -> list[str]:
    """The names or values that are known there; none where something else was wrong."""
    if not detail.startswith((UNKNOWN_FIELD, UNKNOWN_VALUE)):
        return []
    there = [inspect.type_info(shape)]
    for step in _STEP.finditer(path):
        there = [inner for each in there for one in _kinds(each) for inner in _inside(one, step[1])]
    return [word for each in there for one in _kinds(each) for word in _words(one)]


def _kinds(found: inspect.Type) -> Iterator[inspect.Type]:
    """The plain types that this one may be."""
    if isinstance(found, inspect.Metadata):
        yield from _kinds(found.type)
    elif isinstance(found, inspect.UnionType):
        for each in found.types:
            yield from _kinds(each)
    else:
        yield found


def _inside(found: inspect.Type, name: str | None) -> list[inspect.Type]:
    if isinstance(found, inspect.StructType):
        return [each.type for each in found.fields if each.encode_name == name]
    if isinstance(found, inspect.ListType) and name is None:
        return [found.item_type]
    if isinstance(found, inspect.DictType) and name is None:
        return [found.value_type]
    return []


def _words(found: inspect.Type) -> list[str]:
    if isinstance(found, inspect.StructType):
        return [each.encode_name for each in found.fields]
    if isinstance(found, inspect.EnumType):
        return [str(each.value) for each in found.cls]
    return [str(each) for each in found.values] if isinstance(found, inspect.LiteralType) else []
