"""Arguments and facts for people: a line for each value, since few who are asked read JSON."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG = 80
WORDS = {"true": "yes", "false": "no", "null": "nothing"}
_DOUBTFUL = re.compile(r"[-+\d.,\s]*(?:[eE][-+]?\d+)?|yes|no|nothing|[\"{\[].*|\s.*|.*\s", re.DOTALL)
"""Texts that could be taken for a number, a yes or a no, or that hide where they begin and end."""
_JSON = re.compile(r"\s*[\"{\[].*", re.DOTALL)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_text = msgspec.json.Decoder(str)


class Line(NamedTuple):
    """One value: where it stands (``customer.tier``), and how it reads."""

    name: str
    text: str
    block: bool
    """Whether it needs room of its own: a long text as its lines, a list as JSON."""


def listed(value: Any) -> list[Line]:
    """Every value in an object, given as JSON text or as such, with every digit kept.

    Texts stand bare, and in quotes where they could be taken for something else.
    """
    return list(_lines("", laid_out(value)))


def laid_out(value: Any) -> str:
    """JSON, or JSON text, laid out for reading, with every digit kept."""
    text = value if isinstance(value, str) else msgspec.json.Encoder(decimal_format="number").encode(value)
    found = msgspec.json.format(text, indent=2)
    return found if isinstance(found, str) else found.decode()


def _lines(name: str, raw: str) -> Iterator[Line]:
    if raw.startswith("{") and (inside := _object.decode(raw)):
        for each, found in inside.items():
            yield from _lines(f"{name}.{_name(each)}" if name else _name(each), bytes(found).decode())
    elif name:
        yield _line(name, raw)


def _line(name: str, raw: str) -> Line:
    if not raw.startswith('"'):
        return Line(name, WORDS.get(raw) or laid_out(raw), block=raw[0] in "[{" and len(raw) > LONG)
    text = _text.decode(raw)
    block = len(text) > LONG or "\n" in text.strip()
    if (_JSON if block else _DOUBTFUL).fullmatch(text):
        return Line(name, raw, block=False)
    return Line(name, text, block=block)


def _name(name: str) -> str:
    """In quotes where it could be taken for a name inside another."""
    return json.dumps(name, ensure_ascii=False) if not name or "." in name or name[0] == '"' else name
