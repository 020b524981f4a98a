"""Running named queries on a DB-API cursor; both drivers give the same shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from handrail.store.parts.base import NOTHING
from handrail.words.errors import BadArguments

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from handrail.store.codec import Row
    from handrail.store.queries import Query

TAKEN = "somebody was faster, what this would write is there already; look again; nothing was written"
"""Said of a row that is unique. A client may read it, so where and what the row is stays with the cause."""


class Cursor(Protocol):
    """The part of a DB-API cursor that is used here. It is used for one statement after the other."""

    @property
    def rowcount(self) -> int:
        """How many rows the last statement changed."""

    @property
    def execute(self) -> Any:
        """Run a statement."""

    @property
    def executemany(self) -> Any:
        """Run a statement for each of many values."""

    def fetchone(self) -> Any:
        """The next row."""

    def fetchall(self) -> list[Any]:
        """The rows that are left."""


class QueryRunner:
    """``parts.base.Runner`` over a cursor.

    ``unfit`` are the driver's errors for values that no column can hold, on top of Python's own: the caller's
    mistake, not the store's.
    """

    __slots__ = ("_cursor", "_mark", "_queries", "_run", "_unfit")

    def __init__(
        self,
        cursor: Cursor,
        queries: Mapping[str, Query],
        mark: str,
        unfit: tuple[type[Exception], ...] = (),
    ) -> None:
        """Bind the cursor, the dialect's queries and its mark for a value."""
        self._cursor = cursor
        self._mark = mark
        self._queries = queries
        self._run = cursor.execute
        self._unfit: tuple[type[Exception], ...] = (UnicodeEncodeError, OverflowError, *unfit)

    def rows(self, name: str, values: Mapping[str, object] = NOTHING) -> list[Row]:
        """Every row."""
        self.run(name, values)
        return self._cursor.fetchall()

    def row(self, name: str, values: Mapping[str, object] = NOTHING) -> Row | None:
        """The first row, or None."""
        self.run(name, values)
        found: Row | None = self._cursor.fetchone()
        return found

    def changed(self, name: str, values: Mapping[str, object]) -> bool:
        """Whether the statement changed any row."""
        self.run(name, values)
        return self._cursor.rowcount > 0

    def count(self, name: str, values: Mapping[str, object]) -> int:
        """How many rows the statement changed."""
        self.run(name, values)
        return self._cursor.rowcount

    def run(self, name: str, values: Mapping[str, object] = NOTHING) -> None:
        """A statement that gives no rows."""
        query = self._queries[name]
        try:
            self._run(query.text, query.pick(values))
        except self._unfit as error:
            raise _unfit(error) from error

    def run_in(self, name: str, values: Mapping[str, object] = NOTHING, **names: str) -> list[Row]:
        """Every row of a query with names of the schema put into its text."""
        query = self._queries[name]
        self._run(query.of(names), query.pick(values))
        return self._cursor.fetchall()

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Write rows into a table."""
        marks = ", ".join([self._mark] * len(columns))
        text = self._queries["insert_row"].text
        try:
            self._cursor.executemany(text.format(table=table, columns=", ".join(columns), values=marks), rows)
        except self._unfit as error:
            raise _unfit(error) from error

    def run_many(self, name: str, values: Iterable[Mapping[str, object]]) -> None:
        """A statement once for each set of values."""
        query = self._queries[name]
        many = [query.pick(each) for each in values]
        try:
            if len(many) == 1:  # a driver prepares more for many than for one
                self._run(query.text, many[0])
            else:
                self._cursor.executemany(query.text, many)
        except self._unfit as error:
            raise _unfit(error) from error


def _unfit(error: Exception) -> BadArguments:
    return BadArguments(f"a value can't be stored: {error}")
