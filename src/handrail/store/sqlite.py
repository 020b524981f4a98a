"""The SQLite store: one writer connection with group commit, as many readers as needed, WAL."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from handrail.store.audit import Streams, lenient
from handrail.store.batch import GroupCommit, Job
from handrail.store.forks import Forkable, inherited
from handrail.store.sqlite_connection import SqliteReader, SqliteWriter, connect, stream_of, translated
from handrail.store.sqlite_setup import set_up
from handrail.words.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from handrail.ports import AuditStreams, Commit, Transaction

T = TypeVar("T")
BUSY_SECONDS = 15.0
SYNCHRONOUS = {"FULL", "NORMAL", "EXTRA"}


class SqliteStore(Forkable):
    """``ports.Store`` in one SQLite file, for one machine and any number of processes."""

    def __init__(
        self, path: Path | str, synchronous: str = "FULL", *, busy_seconds: float = BUSY_SECONDS
    ) -> None:
        """Open or create the file and bring its schema up to date.

        Args:
            path: the file; its folder must exist.
            synchronous: SQLite's setting. FULL survives a power cut, NORMAL a crash of the program.
            busy_seconds: how long to wait for other processes before giving up.

        Raises:
            StoreError: it can't be opened or written, is another program's, or a newer Handrail wrote it.
            ValueError: ``synchronous`` is not FULL, NORMAL or EXTRA.
        """
        if synchronous.upper() not in SYNCHRONOUS:
            raise ValueError(
                f"synchronous is {synchronous!r}: expected one of {', '.join(sorted(SYNCHRONOUS))}"
            )
        self.path = str(path)
        self._synchronous = synchronous.upper()
        self._busy_seconds = busy_seconds
        self._closed = False
        self._fresh()
        self._opened()
        self.watch()

    def write(self, commit: Commit, work: Callable[[Transaction], T]) -> T:
        """Under ``BEGIN IMMEDIATE``, which excludes every other writer of the file."""
        if self._closed:
            raise StoreError(f"{self.path}: this store was closed")
        return cast("T", (self._group or self._opened()).run(Job(commit, work)))

    restrict = write

    def read(self, work: Callable[[Transaction], T]) -> T:
        """On a reader's own snapshot."""
        reader = self._reader()
        try:
            reader.begin()
            return work(reader.transaction)
        except sqlite3.Error as error:
            raise translated(error, self.path) from error
        finally:
            self._give_back(reader)

    def audit(self) -> AuditStreams:
        """A connection of its own, in one snapshot, until it is closed."""
        connection = self._reader().connection
        connection.text_factory = lenient
        connection.execute("BEGIN")
        return Streams(stream_of(connection, self.path), connection.close)

    def close(self) -> None:
        """Close every connection; the last one of all processes merges the WAL into the file."""
        self._closed = True
        if self._group is not None:
            self._group.alone(self._writer.close)
        while self._readers:
            self._readers.pop().close()

    def before_fork(self) -> None:
        """Be in no transaction while the process is copied."""
        if self._group is not None:
            self._group.hold()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        if self._group is not None:
            self._group.let_go()

    def after_fork_in_child(self) -> None:
        """New connections, once they are needed."""
        inherited.append(self._readers)
        if self._group is not None:
            inherited.append(self._writer)
            self._writer.turnstile.close()
        self._fresh()

    def _fresh(self) -> None:
        self._group: GroupCommit | None = None
        self._readers: list[SqliteReader] = []
        self._opening = threading.Lock()

    def _opened(self) -> GroupCommit:
        with self._opening:
            if self._group is None:
                self._writer = SqliteWriter(self._connection(), self.path, self._busy_seconds)
                self._group = GroupCommit(self._writer)
            return self._group

    def _connection(self) -> sqlite3.Connection:
        try:
            connection = connect(self.path, self._synchronous, self._busy_seconds)
        except sqlite3.Error as error:
            raise translated(error, self.path) from error
        try:
            set_up(connection, self._busy_seconds)
        except Exception as error:
            connection.close()
            if isinstance(error, StoreError):
                raise StoreError(f"{self.path}: {error}") from None
            raise translated(error, self.path) from error
        return connection

    def _reader(self) -> SqliteReader:
        if self._closed:
            raise StoreError(f"{self.path}: this store was closed")
        with suppress(IndexError):
            return self._readers.pop()
        try:
            return SqliteReader(connect(self.path, self._synchronous, self._busy_seconds))
        except sqlite3.Error as error:
            raise translated(error, self.path) from error

    def _give_back(self, reader: SqliteReader) -> None:
        try:
            reader.end()
        except sqlite3.Error:
            reader.close()
            return
        if self._closed:
            reader.close()
        else:
            self._readers.append(reader)
