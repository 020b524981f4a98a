"""The JSON body of a request: read strictly, and edited in place: all other bytes stay as they came."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]
from json.encoder import encode_basestring_ascii
from typing import Any, NoReturn

from handrail.words.errors import BadArguments

_SPACE = " \t\n\r"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object: its value, and where that stands in the text."""

    value: Any
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Body:
    """An object with the text that it was read from. Positions are in characters of ``text``."""

    text: str
    fields: dict[str, Field]
    open: int
    """Where its first brace stands."""

    def value(self, name: str) -> Any:
        """The value of a field; None where there is none."""
        found = self.fields.get(name)
        return None if found is None else found.value

    def inner(self, name: str) -> Body | None:
        """The object in a field, with its places in the same text; None where there is none."""
        found = self.fields.get(name)
        if found is None or not isinstance(found.value, dict):
            return None
        fields, _ = _object(self.text, found.begin)
        return Body(self.text, fields, found.begin)

    def set(self, name: str, value: object) -> Edit:
        """The edit that gives a field this value, where it stands or as the first one."""
        found = self.fields.get(name)
        written = json.dumps(value, separators=(",", ":"))
        if found is not None:
            return Edit(found.begin, found.end, written)
        place = self.open + 1
        return Edit(place, place, f"{encode_basestring_ascii(name)}:{written}" + ("," if self.fields else ""))


@dataclass(frozen=True, slots=True)
class Edit:
    """A piece of the text that another takes the place of."""

    begin: int
    end: int
    text: str


def read(data: bytes) -> Body:
    """Read a request's body.

    Raises:
        BadArguments: it is no JSON object, or names something twice: then two readers may read two bodies.
    """
    try:
        text = data.decode("utf-8")
        begin = _skip(text, 0)
        if text[begin : begin + 1] != "{":
            raise BadArguments("the body must be a JSON object")
        fields, end = _object(text, begin)
        if _skip(text, end) != len(text):
            raise BadArguments(f"the body goes on after its end, at character {end + 1:,}")
    except UnicodeDecodeError as error:
        raise BadArguments("the body is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise BadArguments(f"the body is not JSON: {error.msg} at character {error.pos + 1:,}") from error
    except RecursionError as error:
        raise BadArguments("the body is nested too deep") from error
    return Body(text, fields, begin)


def edited(body: Body, edits: Sequence[Edit]) -> bytes:
    """The bytes with these edits made, which do not overlap."""
    parts, last = [], 0
    for edit in sorted(edits, key=lambda each: each.begin):
        parts += [body.text[last : edit.begin], edit.text]
        last = edit.end
    return "".join((*parts, body.text[last:])).encode()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise BadArguments(f"the body names {name[:100]!r} twice in one object")
            seen.add(name)
    return found


def _no_number(text: str) -> NoReturn:
    raise BadArguments(f"the body holds {text}, which is no JSON number")


_decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_number)


def _skip(text: str, place: int) -> int:
    while place < len(text) and text[place] in _SPACE:
        place += 1
    return place


def _object(text: str, begin: int) -> tuple[dict[str, Field], int]:
    """The fields of the object that begins here, and where it ends."""
    fields: dict[str, Field] = {}
    place = _skip(text, begin + 1)
    if text[place : place + 1] == "}":
        return fields, place + 1
    while True:
        if text[place : place + 1] != '"':
            raise json.JSONDecodeError("a field's name was expected", text, place)
        name, place = scanstring(text, place + 1, True)  # noqa: FBT003 - the library's signature
        place = _skip(text, place)
        if text[place : place + 1] != ":":
            raise json.JSONDecodeError("a colon was expected", text, place)
        start = _skip(text, place + 1)
        value, place = _decoder.raw_decode(text, start)
        if name in fields:
            raise BadArguments(f"the body names {name[:100]!r} twice")
        fields[name] = Field(value, start, place)
        place = _skip(text, place)
        mark = text[place : place + 1]
        if mark == "}":
            return fields, place + 1
        if mark != ",":
            raise json.JSONDecodeError("a comma or the object's end was expected", text, place)
        place = _skip(text, place + 1)
