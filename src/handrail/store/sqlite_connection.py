"""SQLite connections: opening one the way the store needs it, what runs on it, its errors in our words."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

from handrail.store.queries import MARKS, queries
from handrail.store.runner import TAKEN, QueryRunner
from handrail.store.transaction import SqlTransaction
from handrail.store.turnstile import Turnstile
from handrail.words.errors import Conflict, HandrailError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from handrail.ports import Transaction
    from handrail.store.batch import Job
    from handrail.store.codec import Row

MEMORY = ":memory:"
OLDEST = (3, 37, 0)
"""The first SQLite with every feature that the schema uses (strict tables)."""
_creating = threading.Lock()
DUPLICATES = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_ROWID,
}
HINTS = {
    sqlite3.SQLITE_BUSY: "another process kept it locked too long; try again, or look for a stuck process",
    sqlite3.SQLITE_FULL: "the disk is full; free space and try again",
    sqlite3.SQLITE_READONLY: "the file or its folder can't be written; check owner, mode and mount",
    sqlite3.SQLITE_CANTOPEN: "the file can't be opened; check that its folder exists and who may write there",
    sqlite3.SQLITE_IOERR: "the disk failed to read or write; check it and its free space",
    sqlite3.SQLITE_NOTADB: "this is no SQLite file; check the path",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; restore it from a backup",
}
"""What to do, by SQLite's primary result code."""


def now_ms() -> int:
    """The clock of this machine, which is the database's clock here, in milliseconds."""
    return time.time_ns() // 1_000_000


def translated(error: Exception, path: str) -> Exception:
    """A driver's error as ``StoreError`` or ``Conflict`` that says what to do; other errors unchanged."""
    if isinstance(error, HandrailError) or not isinstance(error, sqlite3.Error):
        return error
    code = getattr(error, "sqlite_errorcode", 0)
    if code in DUPLICATES:
        wrapped: HandrailError = Conflict(TAKEN)
    else:
        wrapped = StoreError(f"{path}: {error}: {HINTS.get(code & 0xFF, 'nothing was written')}")
    wrapped.__cause__ = error
    return wrapped


def connect(path: str, synchronous: str, busy_seconds: float) -> sqlite3.Connection:
    """A connection with our settings. A file that does not exist is made readable for its owner only.

    Raises:
        StoreError: this SQLite is too old, or the file can only be read.
        sqlite3.Error: the file can't be opened.
    """
    if sqlite3.sqlite_version_info < OLDEST:
        raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old: Handrail needs 3.37 or newer")
    if path != MEMORY:
        _create(path)
        if Path(path).exists() and not os.access(path, os.W_OK):
            raise StoreError(f"{path}: {HINTS[sqlite3.SQLITE_READONLY]}")
    connection = sqlite3.connect(
        path, timeout=busy_seconds, isolation_level=None, check_same_thread=False, cached_statements=512
    )
    try:
        connection.create_function("now_ms", 0, now_ms)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA fullfsync = ON")
        connection.execute("PRAGMA secure_delete = ON")  # what was erased is gone from the file
    except BaseException:
        connection.close()
        raise
    return connection


def _create(path: str) -> None:
    """Make the file if there is none; closing one that exists would drop SQLite's locks on it."""
    with _creating, suppress(OSError):  # whatever is wrong with it, SQLite says it better
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def transaction_of(cursor: sqlite3.Cursor) -> Transaction:
    """The parts over one cursor."""
    runner = QueryRunner(cursor, queries("sqlite"), MARKS["sqlite"], unfit=(sqlite3.DataError,))
    return cast("Transaction", SqlTransaction(runner, now_ms))


def stream_of(
    connection: sqlite3.Connection, path: str
) -> Callable[[str, Mapping[str, object], Mapping[str, str]], Iterator[Row]]:
    """Named queries row by row, each on a cursor of its own."""

    def stream(name: str, values: Mapping[str, object], names: Mapping[str, str]) -> Iterator[Row]:
        query = queries("sqlite")[name]
        try:
            # no "yield from": left half read, it would close a cursor whose connection may be closed by then
            for row in connection.execute(query.of(names), query.pick(values)):  # noqa: UP028 - see above
                yield row
        except sqlite3.Error as error:
            raise translated(error, path) from error

    return stream


class SqliteWriter:
    """The one connection of this process that writes, as ``batch.Writer``."""

    def __init__(self, connection: sqlite3.Connection, path: str, busy_seconds: float) -> None:
        """Prepare the parts once; they are used for every transaction."""
        self.connection = connection
        self.path = path
        self.turnstile = Turnstile("" if path == MEMORY else f"{path}-turn", busy_seconds)
        cursor = connection.cursor()
        self._execute = cursor.execute
        self.transaction = transaction_of(cursor)

    def begin(self) -> None:
        """Take SQLite's write lock at once: what is read in the transaction is what it acts on."""
        self.turnstile.enter()
        self._execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Durable when it returns (with ``synchronous`` FULL)."""
        self._execute("COMMIT")
        self.turnstile.leave()

    def rollback(self) -> None:
        """Back to before ``begin``; harmless when there is no transaction."""
        with suppress(sqlite3.Error):  # the connection is closed, or SQLite has rolled back by itself
            if self.connection.in_transaction:
                self._execute("ROLLBACK")
        self.turnstile.leave()

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()
        self.turnstile.close()

    def open(self) -> bool:
        """Whether a transaction is open."""
        return self.connection.in_transaction

    def savepoint(self) -> None:
        """Start one job of a batch."""
        self._execute("SAVEPOINT job")

    def release(self) -> None:
        """End one job of a batch."""
        self._execute("RELEASE job")

    def undo(self) -> None:
        """Take one job of a batch back."""
        self._execute("ROLLBACK TO job")

    def work(self, job: Job) -> object:
        """Run the job."""
        return job.work(self.transaction)

    def translated(self, error: Exception) -> Exception:
        """In our words."""
        return translated(error, self.path)


class SqliteReader:
    """One connection that reads, one snapshot at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Prepare the parts once; they are used for every snapshot."""
        connection.execute("PRAGMA query_only = ON")
        self.connection = connection
        cursor = connection.cursor()
        self._execute = cursor.execute
        self.transaction = transaction_of(cursor)

    def begin(self) -> None:
        """The first row that is read fixes the snapshot."""
        self._execute("BEGIN")

    def end(self) -> None:
        """Let the snapshot go."""
        if self.connection.in_transaction:
            self._execute("ROLLBACK")

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()
