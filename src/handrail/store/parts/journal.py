"""The journal in SQL: append, read, seal."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from handrail.store.codec import entry_of, entry_row
from handrail.store.parts.base import Runner, contains_escaped
from handrail.words.errors import BadArguments
from handrail.words.seal import Head, Leaf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.store.codec import Row
    from handrail.words.entry import Entry, StoredEntry
    from handrail.words.query import EntryFilter

CURSOR = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class SqlJournal:
    """``ports.Journal`` over named queries."""

    sql: Runner

    def append(self, entries: Sequence[Entry]) -> None:
        """In the transaction of what they tell."""
        self.sql.run_many("add_entry", map(entry_row, entries))

    def of(self, action: str) -> Sequence[StoredEntry]:
        """In order."""
        return [entry_of(row) for row in self.sql.rows("entries_of", {"action": action})]

    def newest(self, wanted: EntryFilter) -> Sequence[StoredEntry]:
        """Newest first."""
        values = asdict(wanted)
        values["kind"] = None if wanted.kind is None else str(wanted.kind)
        if wanted.text is not None:
            values["text"] = f"%{contains_escaped(wanted.text)}%"
        return [entry_of(row) for row in self.sql.rows("newest_entries", values)]

    def after(self, seq: int, limit: int) -> Sequence[StoredEntry]:
        """In order of their numbers."""
        return [entry_of(row) for row in self.sql.rows("entries_by_seq", {"after": seq, "limit": limit})]

    def settled(self, after: str | None, limit: int) -> Sequence[tuple[str, StoredEntry]]:
        """In sealing order: by transaction, then by number."""
        place = _place(after)
        rows = self._after(place, limit)
        if not rows and (restart := self._restart(place)) is not None:
            rows = self._after(restart, limit)
        return [(f"{row[9]}.{row[0]}", entry_of(row)) for row in rows]

    def newest_cursor(self) -> str | None:
        """None while there is no entry."""
        row = self.sql.row("newest_settled")
        return None if row is None else f"{row[0]}.{row[1]}"

    def lock_sealer(self) -> bool:
        """SQLite's one writer is its one sealer; PostgreSQL has a lock for it."""
        return self.sql.row("lock_sealer") is not None

    def last_head(self) -> Head | None:
        """The newest seal."""
        row = self.sql.row("last_head")
        return None if row is None else Head(row[0], bytes(row[1]), bytes(row[2]), *row[3:])

    def unsealed(self, head: Head | None, limit: int) -> Sequence[tuple[StoredEntry, int]]:
        """Only entries before which no transaction can still commit one."""
        values = {
            "through_xid": 0 if head is None else head.through_xid,
            "through_seq": 0 if head is None else head.through_seq,
            "limit": limit,
        }
        return [(entry_of(row), row[9]) for row in self.sql.rows("unsealed", values)]

    def seal(self, head: Head, leaves: Sequence[Leaf]) -> None:
        """The unique index of a leaf lets only one sealer through."""
        self.sql.run_many("add_leaf", ({"idx": x.index, "seq": x.seq, "hash": x.hash} for x in leaves))
        self.sql.run("add_head", {**asdict(head), "at": head.sealed_at})

    def _after(self, place: tuple[int, int], limit: int) -> list[Row]:
        values = {"through_xid": place[0], "through_seq": place[1], "limit": limit}
        return self.sql.rows("unsealed", values)

    def _restart(self, place: tuple[int, int]) -> tuple[int, int] | None:
        """Where to go on after a place that this log never had: it is one of the store that was copied.

        What came there after the copy is not here; what is new here begins with the entry of the restore.
        """
        newest = self.sql.row("newest_settled")
        if newest is None or place <= (newest[0], newest[1]):
            return None
        restored = self.sql.row("restored_at")
        return None if restored is None else (restored[0], restored[1] - 1)


def _place(cursor: str | None) -> tuple[int, int]:
    """A transaction's number and an entry's; before everything for no cursor."""
    if cursor is None:
        return 0, 0
    found = CURSOR.fullmatch(cursor)
    if found is None:
        raise BadArguments(
            f"{cursor!r} is no cursor of the journal: expected one that it gave, as it gave it"
        )
    return int(found[1]), int(found[2])
