"""What every part needs: run a named query, and read rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from handrail.store.codec import Row

NOTHING: dict[str, object] = {}


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

    def run(self, name: str, values: Mapping[str, object] = NOTHING) -> None:
        """Run a statement that gives no rows."""

    def run_many(self, name: str, values: Iterable[Mapping[str, object]]) -> None:
        """Run a statement once for each set of values."""


def suffix_pattern(suffix: str) -> str:
    """A ``like`` pattern (escape ``!``) for ids that end with ``suffix``."""
    return f"%{contains_escaped(suffix)}"


def contains_escaped(text: str) -> str:
    """``text`` with the signs that ``like`` understands made plain."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
