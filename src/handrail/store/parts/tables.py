"""Tables as a whole in SQL, for backups and restores.

PostgreSQL seals entries in the order of transaction numbers, and those begin anew in another cluster. So what
a restore writes belongs to transaction 1, before every real one, and is sealed to its end: a new stretch of
the log begins after it, whatever the numbers are that the old one had.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from handrail.journal.entry import leaf_of
from handrail.journal.merkle import Frontier
from handrail.store.codec import entry_of
from handrail.store.parts.base import Runner
from handrail.store.parts.journal import SqlJournal
from handrail.words.errors import BadArguments, StoreError
from handrail.words.seal import Head, Leaf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from handrail.words.entry import StoredEntry

TABLES = (
    "meta",
    "policies",
    "activations",
    "halts",
    "grants",
    "sessions",
    "actions",
    "payloads",
    "approvals",
    "seats",
    "votes",
    "budget_windows",
    "budget_chunks",
    "holds",
    "budget_raises",
    "budget_freezes",
    "budget_alerts",
    "entries",
    "leaves",
    "heads",
    "people",
    "keys",
    "standings",
    "deliveries",
    "tool_schemas",
    "model_calls",
    "prompts",
)
"""What a backup keeps, each after what it refers to."""
LEFT_OUT = ("restrictions", "links", "sign_ins", "tries", "lookers")
"""What ends with its store: a counter of this database, and where people are signed in."""
STRETCH = 1
STAMPS = {"entries": "xid", "heads": "through_xid"}
"""Columns that mean something in one database only; a restore fills them."""
MADE_HERE = {"schema", "readable_from"}
"""Rows of ``meta`` that describe the database itself."""
FIRST_HOLDS = {"action", "attempt", "budget", "scope", "starts_at", "quantity", "state"}
"""Columns of ``holds`` in a backup of version 1, the only table that a migration did not just add to."""
HOLDS = (
    "holder",
    "attempt",
    "budget",
    "scope",
    "starts_at",
    "quantity",
    "state",
    "unit",
    "at",
    "spent",
)
BATCH = 1_000
NOT_SENT = "the store was restored from a copy; nothing that was due before is sent"


@dataclass(frozen=True, slots=True)
class SqlTables:
    """``ports.Tables`` over named queries."""

    sql: Runner
    now: Callable[[], int]

    def empty(self) -> bool:
        """No row anywhere but those that a new store has."""
        others = (table for table in (*TABLES, *LEFT_OUT) if table not in {"meta", "restrictions"})
        return self.sql.row("any_meta") is None and not any(
            self.sql.run_in("any_row", table=table) for table in others
        )

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
        """In batches; holds of version 1 become what the migration makes of them."""
        if table == "holds" and set(columns) == FIRST_HOLDS:
            count = self.load(table, HOLDS, _holds(columns, rows))
            self.sql.run("date_holds")
            return count
        there = [row[0] for row in self.sql.rows("columns", {"table": table})] if table in TABLES else []
        strange = [each for each in columns if each not in there]
        if not there or strange:
            raise BadArguments(f"there is no table {table} with {', '.join(strange) or 'columns'} here")
        names, stamp = list(columns), STAMPS.get(table)
        stamped = stamp is not None and stamp in there and stamp not in names
        if stamp is not None and stamped:
            names.append(stamp)
        count = 0
        for batch in _batches(_kept(table, columns, rows)):
            self.sql.insert(table, names, [(*row, str(STRETCH)) for row in batch] if stamped else batch)
            count += len(batch)
        return count

    def adopt(self) -> None:
        """Only PostgreSQL has something to change."""
        self.sql.run("adopt_entries")

    def begin_stretch(self) -> int:
        """In the order of their numbers, which is as good as any that was not sealed yet."""
        self.sql.run("go_on_numbering")
        [(last,)] = self.sql.rows("last_number")
        sealed, after = 0, -1
        while rows := self.sql.rows("leafless", {"after": after, "limit": BATCH}):
            after = rows[-1][0]
            sealed += len(rows)
            self._seal([entry_of(row) for row in rows], last)
        self.sql.run("seal_through", {"seq": last})
        return sealed

    def end_open_things(self) -> None:
        """Each by one statement."""
        at = self.now()
        self.sql.run("end_all_sign_ins")
        self.sql.run("end_all_links", {"at": at})
        self.sql.run("drop_deliveries", {"error": NOT_SENT})
        self.sql.run("drop_tokens")
        self.sql.run("drop_model_tokens")
        self.sql.run("begin_generation", {"at": at})

    def _seal(self, entries: Sequence[StoredEntry], through: int) -> None:
        journal = SqlJournal(self.sql)
        head = journal.last_head()
        try:
            before = Frontier.from_bytes(head.frontier) if head else Frontier()
            numbered = enumerate(entries, before.size)
            leaves = [Leaf(index, each.seq, leaf_of(each)) for index, each in numbered]
            frontier = before.extend(leaf.hash for leaf in leaves)
        except (TypeError, ValueError) as error:
            raise StoreError(f"the seal of this journal is damaged: {error}") from error
        made = Head(frontier.size, frontier.root(), frontier.to_bytes(), STRETCH, through, self.now())
        journal.seal(made, leaves)


def _kept(table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterable[Sequence[object]]:
    """Without what describes another database."""
    if table != "meta":
        return rows
    name = columns.index("name")
    return (row for row in rows if row[name] not in MADE_HERE)


def _holds(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[Sequence[object]]:
    """Holds of version 1 as migration 0002 makes them; ``date_holds`` sets the time of those that started."""
    for row in rows:
        old = dict(zip(columns, row, strict=True))
        spent = {"settled": old["quantity"], "released": 0}.get(str(old["state"]))
        kept = (old[name] for name in HOLDS[1:7])
        yield (old["action"], *kept, "actions", old["starts_at"], spent)


def _batches(rows: Iterable[Sequence[object]]) -> Iterator[list[Sequence[object]]]:
    """So many at a time."""
    left = iter(rows)
    while batch := list(islice(left, BATCH)):
        yield batch
