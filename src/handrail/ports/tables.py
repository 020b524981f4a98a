"""Whole tables: what a backup reads, and what a restore writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Tables(Protocol):
    """The tables of a store that is being restored. Changes go through ``Store.restrict``."""

    def empty(self) -> bool:
        """Whether nothing was ever written to this store."""

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
        """Write rows as they are; how many. What a column of this version lacks gets its default.

        Raises:
            BadArguments: there is no such table or column, or a value fits in none.
        """

    def adopt(self) -> None:
        """Take every entry for one that was written before this database began."""

    def begin_stretch(self) -> int:
        """Seal what is not sealed, and let everything that is written from now on follow; how many entries.

        Call it after ``load`` or ``adopt``.

        Raises:
            StoreError: the seal is damaged.
        """

    def end_open_things(self) -> None:
        """End sign-ins, links, deliveries and what processes hold; make every cached copy stale."""
