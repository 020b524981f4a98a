"""Facts from SQL: one read-only query that gives one row, whose columns are the fact's fields."""

from __future__ import annotations

import re
import sqlite3
import threading
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from handrail.words.exact import exact
from handrail.words.fact import Failed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SQLITE = "sqlite:///"
POSTGRES = ("postgresql://", "postgres://")
PARAMETER = re.compile(r"(?<![:\w]):([A-Za-z_]\w*)")
"""A named parameter; ``::`` is PostgreSQL's cast."""
DIGITS = 18
"""Whole numbers of at most so many digits fit SQLite's integers."""
TWO = 2
"""Rows that are asked for: enough to see that there is more than one."""
PATIENCE = 5
"""Seconds that one question may take, or wait: an agent waits for its answer."""
_NAMED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/|::|:([A-Za-z_]\w*)|%""", re.DOTALL)


class Database(Protocol):
    """A place to ask."""

    def ask(self, sql: str, given: Mapping[str, object]) -> tuple[Sequence[str], list[tuple[Any, ...]]]:
        """Column names, and two rows at most."""

    def close(self) -> None:
        """Let go of it."""


class SqlFact:
    """One query as a ``ports.FactSource``."""

    def __init__(self, database: Database, sql: str) -> None:
        """``sql`` has parameters as ``:name``."""
        self._database = database
        self._sql = sql

    def __call__(self, given: Mapping[str, object]) -> object:
        """The row's columns by name; no row, or more than one, is a failed fact."""
        names, rows = self._database.ask(self._sql, given)
        if len(rows) != 1:
            return Failed("no row was found" if not rows else "more than one row was found")
        if len(set(names)) != len(names):
            twice = next(name for name in names if names.count(name) > 1)
            return Failed(f"two columns are named {twice}; which one is meant?")
        return {name: exact(value) for name, value in zip(names, rows[0], strict=True)}


def database(url: str) -> Database:
    """Open a database of the policy's facts by its URL, read-only.

    Raises:
        ValueError: the URL is of no known kind.
    """
    if url.startswith(SQLITE):
        return SqliteDatabase(url.removeprefix(SQLITE))
    if url.startswith(POSTGRES):
        return PostgresDatabase(url)
    raise ValueError(
        f"{url.partition(':')[0]!r} is no known database; expected sqlite:///PATH or postgresql://…"
    )


class SqliteDatabase:
    """A SQLite file, opened read-only; a connection is used by one thread at a time and then by the next."""

    def __init__(self, path: str) -> None:
        """Nothing is opened before the first question."""
        self._uri = f"file:{quote(path)}?mode=ro"
        self._free: list[sqlite3.Connection] = []

    def ask(self, sql: str, given: Mapping[str, object]) -> tuple[Sequence[str], list[tuple[Any, ...]]]:
        """Run the query."""
        connection = self._taken()
        try:
            cursor = connection.execute(sql, {name: _plain(value) for name, value in given.items()})
            rows = cursor.fetchmany(TWO)
            names = [column[0] for column in cursor.description or ()]
            cursor.close()
        except BaseException:
            connection.close()
            raise
        self._free.append(connection)
        return names, rows

    def close(self) -> None:
        """Close every connection."""
        while self._free:
            self._free.pop().close()

    def _taken(self) -> sqlite3.Connection:
        try:
            return self._free.pop()
        except IndexError:
            connection = sqlite3.connect(
                self._uri, uri=True, isolation_level=None, timeout=PATIENCE, check_same_thread=False
            )
            connection.execute("PRAGMA query_only = ON")
            return connection


class PostgresDatabase:
    """A PostgreSQL database, every question in a read-only transaction."""

    def __init__(self, url: str) -> None:
        """Nothing is opened before the first question."""
        self._url = url
        self._pool: Any = None
        self._lock = threading.Lock()

    def ask(self, sql: str, given: Mapping[str, object]) -> tuple[Sequence[str], list[tuple[Any, ...]]]:
        """Run the query."""
        with self._connections().connection() as connection, connection.transaction():
            cursor = connection.execute(psycopg_style(sql), dict(given))
            return [column.name for column in cursor.description or ()], cursor.fetchmany(TWO)

    def close(self) -> None:
        """Close every connection."""
        if self._pool is not None:
            self._pool.close()

    def _connections(self) -> Any:
        with self._lock:
            if self._pool is None:
                from psycopg_pool import ConnectionPool

                options = f"-c default_transaction_read_only=on -c statement_timeout={1000 * PATIENCE}"
                self._pool = ConnectionPool(
                    self._url,
                    min_size=0,
                    max_size=4,
                    timeout=PATIENCE,
                    kwargs={"autocommit": True, "options": options},
                    open=True,
                )
            return self._pool


def psycopg_style(sql: str) -> str:
    """A query with its parameters as psycopg writes them; casts and quoted text stay as they are."""
    return _NAMED.sub(lambda found: f"%({found[1]})s" if found[1] else found[0].replace("%", "%%"), sql)


def _plain(value: object) -> object:
    """A value as SQLite compares it: as a number where that loses nothing. Text is greater than every number.

    Raises:
        ValueError: a decimal that SQLite's numbers would round, or a value that is no parameter.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if not isinstance(value, Decimal):
        return str(value)
    whole = int(value) if value.adjusted() < DIGITS else 0
    if whole == value:
        return whole
    near = float(value)
    if Decimal(repr(near)) != value:
        raise ValueError(f"a number of {len(value.as_tuple().digits)} digits would be rounded by SQLite")
    return near
