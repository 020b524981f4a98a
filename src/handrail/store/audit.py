"""The journal and its seal as streams over one snapshot, so that millions of entries need no memory."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

from handrail.store.codec import entry_of
from handrail.store.parts.tables import STAMPS
from handrail.words.entry import Entry, StoredEntry
from handrail.words.seal import Head, Leaf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from handrail.store.codec import Row
    from handrail.words.query import EntryFilter

    Stream = Callable[[str, Mapping[str, object], Mapping[str, str]], Iterator[Row]]

lenient = partial(str, encoding="utf-8", errors="surrogateescape")
"""Text as it stands in a file, even where somebody wrote bytes that are no text."""


class Streams:
    """``ports.AuditStreams`` over one connection in one snapshot."""

    def __init__(self, stream: Stream, close: Callable[[], None]) -> None:
        """``stream`` runs a named query and gives its rows bit by bit; several may be read at once."""
        self._run = stream
        self._close = close

    def heads(self) -> Iterator[Head]:
        """By size."""
        for row in self._stream("heads", {}):
            yield Head(row[0], bytes(row[1]), bytes(row[2]), *row[3:])

    def leaves(self) -> Iterator[Leaf]:
        """By index."""
        for index, seq, digest in self._stream("leaves", {}):
            yield Leaf(index, seq, bytes(digest))

    def entries(self) -> Iterator[tuple[StoredEntry, bool]]:
        """By number, with whether the place is inside the sealed part."""
        head = next(self._stream("last_head", {}), None)
        through = {"through_xid": head[3] if head else 0, "through_seq": head[4] if head else 0}
        for entry in self._stream("verify_entries", through):
            yield as_it_stands(entry), bool(entry[9])

    def by_action(self, wanted: EntryFilter, first: str, last: str) -> Iterator[StoredEntry]:
        """Action by action, those of one action in order."""
        for entry in self._stream("entries_by_action", {**asdict(wanted), "first": first, "last": last}):
            yield entry_of(entry)

    def schema(self) -> int:
        """As its last migration noted it."""
        return int(next(self._stream("schema_version", {}))[0])

    def columns(self, table: str) -> Sequence[str]:
        """In the table's order, without what means something in this database only."""
        found = self._stream("columns", {"table": table})
        return [name for (name,) in found if name != STAMPS.get(table)]

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[Sequence[object]]:
        """In no order."""
        return self._run("all_rows", {}, {"table": table, "columns": ", ".join(columns)})

    def close(self) -> None:
        """End the snapshot."""
        self._close()

    def _stream(self, name: str, values: Mapping[str, object]) -> Iterator[Row]:
        return self._run(name, values, {})


def as_it_stands(row: Row) -> StoredEntry:
    """An entry, even one that was altered into what no entry can be: verification names it, and goes on."""
    try:
        return entry_of(row)
    except ValueError:
        seq, kind, at, action, agent, tool, session, task, body = row[:9]
        raw = body.encode("utf-8", "surrogateescape")
        return StoredEntry(seq, Entry(kind, at, raw, action, agent, tool, session, task))
