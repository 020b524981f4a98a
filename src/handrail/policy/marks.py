"""Where each character of a YAML scalar's value stands in the file: quotes, escapes and folded lines move it.

Folding changes white space only: the nth visible character of a value is the nth visible one of its source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from handrail.policy.model import Mark, Text
from handrail.policy.yaml import Scalar

_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|\r?\n|.)", re.DOTALL)
_LONGEST = 20_000
_BLANK_ESCAPES = frozenset("tnvf NLP_\n\r\t")


def text_of(scalar: Scalar) -> Text:
    """The scalar's text, with the places of its characters; a very long one has only that of its first."""
    if len(scalar.raw) > _LONGEST:
        return Text(scalar.text, scalar.place)
    spots = _spots(scalar)
    jumps = (at for at, (one, two) in enumerate(pairwise([None, *spots])) if one is None or two != one + 1)
    return Text(scalar.text, scalar.place, tuple(_mark(scalar, at, spots[at]) for at in jumps))


def _mark(scalar: Scalar, offset: int, spot: int) -> Mark:
    before = scalar.raw[:spot]
    down = before.count("\n")
    if down == 0:
        return offset, scalar.place.line, scalar.place.column + spot
    return offset, scalar.place.line + down, spot - before.rfind("\n")


def _spots(scalar: Scalar) -> list[int]:
    """For each offset of the value, and its end, the index in the source."""
    visible = list(_visible(scalar))
    spots: list[int] = []
    found = 0
    for char in scalar.text:
        if char.isspace() or found >= len(visible):
            spots.append(visible[found - 1][1] if found else _first(visible, scalar))
        else:
            spots.append(visible[found][0])
            found += 1
    spots.append(visible[found - 1][1] if found else _first(visible, scalar))
    return spots


def _first(visible: list[tuple[int, int]], scalar: Scalar) -> int:
    return visible[0][0] if visible else min(len(scalar.style), len(scalar.raw))


def _visible(scalar: Scalar) -> Iterator[tuple[int, int]]:
    """Begin and end, in the source, of each character of the value that is no white space."""
    raw = scalar.raw
    at, end = _body(scalar)
    while at < end:
        length = _length(raw, at, scalar.style)
        if not _blank(raw, at, length):
            yield at, at + length
        at += length


def _body(scalar: Scalar) -> tuple[int, int]:
    if scalar.style in {"'", '"'}:
        return 1, len(scalar.raw) - 1
    if scalar.style in {"|", ">"}:
        return scalar.raw.find("\n") + 1 or len(scalar.raw), len(scalar.raw)
    return 0, len(scalar.raw)


def _length(raw: str, at: int, style: str) -> int:
    if style == "'" and raw.startswith("''", at):
        return 2
    escape = _ESCAPE.match(raw, at) if style == '"' else None
    return len(escape.group()) if escape else 1


def _blank(raw: str, at: int, length: int) -> bool:
    if length == 1 or raw[at] != "\\":
        return raw[at].isspace()
    if raw[at + 1] in "xuU":
        code = int(raw[at + 2 : at + length], 16)
        return code <= 0x10FFFF and chr(code).isspace()  # noqa: PLR2004 the last code point there is
    return raw[at + 1] in _BLANK_ESCAPES
