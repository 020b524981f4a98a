"""What every part needs: run a named query, and read rows."""

from __future__ import annotations

from dataclasses import fields
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from _typeshed import DataclassInstance

    from handrail.store.codec import Row

NOTHING: dict[str, object] = {}
PLAIN = frozenset((str, int, bytes, type(None)))
"""Types of values that columns hold as they are."""


class Runner(Protocol):
    """A dialect's way to run a named query inside the transaction.

    Every method raises ``BadArguments`` for a value that no column can hold.
    """

    def rows(self, name: str, values: Mapping[str, object] = NOTHING) -> list[Row]:
        """Every row."""

    def row(self, name: str, values: Mapping[str, object] = NOTHING) -> Row | None:
        """The first row, or None."""

    def changed(self, name: str, values: Mapping[str, object]) -> bool:
        """Whether a statement changed any row; ``returning`` costs SQLite a temporary table each time."""

    def count(self, name: str, values: Mapping[str, object]) -> int:
        """How many rows a statement changed."""

    def run(self, name: str, values: Mapping[str, object] = NOTHING) -> None:
        """Run a statement that gives no rows."""

    def run_in(self, name: str, values: Mapping[str, object] = NOTHING, **names: str) -> list[Row]:
        """Every row of a query in whose text ``{table}`` and the like stand for names of the schema."""

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Write rows into a table; its name and the columns' are those of the schema."""

    def run_many(self, name: str, values: Iterable[Mapping[str, object]]) -> None:
        """Run a statement once for each set of values."""


def values_of(record: DataclassInstance) -> dict[str, object]:
    """A record's fields as columns hold them: bools as numbers, enums as texts."""
    return {name: _plain(getattr(record, name)) for name in _names(type(record))}


@cache
def _names(kind: type[DataclassInstance]) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind))


def suffix_pattern(suffix: str) -> str:
    """A ``like`` pattern (escape ``!``) for ids that end with ``suffix``."""
    return f"%{contains_escaped(suffix)}"


def contains_escaped(text: str) -> str:
    """``text`` with the signs that ``like`` understands made plain."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _plain(value: object) -> object:
    if type(value) in PLAIN:
        return value
    if isinstance(value, bool):
        return int(value)
    return str(value) if isinstance(value, StrEnum) else value
