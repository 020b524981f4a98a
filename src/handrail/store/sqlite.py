"""The SQLite store: one writer connection with group commit, as many readers as needed, WAL."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast
from weakref import WeakSet

from handrail.store.audit import Streams, lenient
from handrail.store.batch import GroupCommit, Job
from handrail.store.forks import Forkable, inherited
from handrail.store.migrate import Older
from handrail.store.news import Bells, LocalNews
from handrail.store.sqlite_connection import SqliteReader, SqliteWriter, connect, stream_of, translated
from handrail.store.sqlite_setup import set_up
from handrail.words.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from handrail.ports import AuditStreams, Commit, News, Transaction

T = TypeVar("T")
BUSY_SECONDS = 15.0
SYNCHRONOUS = {"FULL", "NORMAL", "EXTRA"}


class SqliteStore(Forkable):
    """``ports.Store`` in one SQLite file, for one machine and any number of processes."""

    leases = False
    """Callers share their commits already, so one row is no bottleneck."""

    def __init__(
        self,
        path: Path | str,
        synchronous: str = "FULL",
        *,
        busy_seconds: float = BUSY_SECONDS,
        older: Older = Older.REFUSE,
    ) -> None:
        """Open the file, or create it with the schema.

        Args:
            path: the file; its folder must exist.
            synchronous: SQLite's setting. FULL survives a power cut, NORMAL a crash of the program.
            busy_seconds: how long to wait for other processes before giving up.
            older: what to do with a store of an older version.

        Raises:
            StoreError: it can't be opened or written, is another program's, or of another version.
            ValueError: ``synchronous`` is not FULL, NORMAL or EXTRA.
        """
        if synchronous.upper() not in SYNCHRONOUS:
            raise ValueError(
                f"synchronous is {synchronous!r}: expected one of {', '.join(sorted(SYNCHRONOUS))}"
            )
        self.path = str(path)
        self._synchronous = synchronous.upper()
        self._busy_seconds = busy_seconds
        self._older = older
        self._closed = False
        self._fresh()
        self._opened()
        self.watch()

    def write(self, commit: Commit, work: Callable[[Transaction], T]) -> T:
        """Under ``BEGIN IMMEDIATE``, which excludes every other writer of the file."""
        if self._closed:
            raise StoreError(f"{self.path}: this store was closed")
        result = (self._group or self._opened()).run(Job(commit, work))
        self._bells.ring()
        return cast("T", result)

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

    def news(self) -> News:
        """This process rings, the file's version tells of other processes."""
        return self._heard(self._reader().connection)

    def close(self) -> None:
        """Close every connection; the last one of all processes merges the WAL into the file."""
        self._closed = True
        for news in list(self._news):
            news.close()
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
        inherited.extend((self._readers, list(self._news)))
        if self._group is not None:
            inherited.append(self._writer)
            self._writer.turnstile.close()
        self._fresh()

    def _fresh(self) -> None:
        self._group: GroupCommit | None = None
        self._readers: list[SqliteReader] = []
        self._bells = Bells()
        self._news: WeakSet[LocalNews] = WeakSet()
        self._opening = threading.Lock()

    def _heard(self, connection: sqlite3.Connection | None) -> LocalNews:
        news = LocalNews(self._bells, connection)
        self._news.add(news)
        return news

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
            set_up(connection, self._busy_seconds, self._older)
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
