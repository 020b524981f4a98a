"""Two texts line by line, for whoever decides whether the newer one is to count."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import unified_diff
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KINDS = {"+": "added", "-": "removed", "@": "place", " ": "same"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line: ``added``, ``removed``, ``same``, or the ``place`` where lines were left out."""

    kind: str
    text: str


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, list[Line]]:
    """For each file that differs, its lines around what differs."""
    found = {name: list(_lines(before.get(name, ""), after.get(name, ""))) for name in {**before, **after}}
    return {name: lines for name, lines in found.items() if lines}


def _lines(before: str, after: str) -> Iterator[Line]:
    told = unified_diff(before.splitlines(), after.splitlines(), lineterm="")
    for place, line in enumerate(told):
        if place > 1:
            yield Line(KINDS[line[0]], line if line[0] == "@" else line[1:])
