"""The in-memory store, for tests and trials: the SQLite store on a database that no file holds.

It is the same code on purpose: a second implementation would be a second truth.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakSet

from handrail.store.audit import Streams
from handrail.store.batch import GroupCommit
from handrail.store.news import Bells
from handrail.store.sqlite import SqliteStore
from handrail.store.sqlite_connection import MEMORY, stream_of, translated

if TYPE_CHECKING:
    from collections.abc import Callable

    from handrail.ports import AuditStreams, News, Transaction

T = TypeVar("T")


class MemoryStore(SqliteStore):
    """``ports.Store`` that is gone with the process, or with ``close``. A forked child has its own copy."""

    def __init__(self) -> None:
        """A new, empty store of its own."""
        super().__init__(MEMORY, "NORMAL")

    def read(self, work: Callable[[Transaction], T]) -> T:
        """On the only connection there is, between two commits; what it writes by mistake is rolled back."""
        return self._opened().alone(lambda: self._read(work))

    def audit(self) -> AuditStreams:
        """On a copy, so that the journal may go on growing meanwhile."""
        copy = sqlite3.connect(MEMORY, check_same_thread=False)
        self._opened().alone(lambda: self._writer.connection.backup(copy))
        return Streams(stream_of(copy, self.path), copy.close)

    def news(self) -> News:
        """No other process can write it."""
        return self._heard(None)

    def after_fork_in_child(self) -> None:
        """The copy of the process is a copy of the store; only who waits for it is not copied."""
        self._group = GroupCommit(self._writer)
        self._bells = Bells()
        self._news = WeakSet()

    def _read(self, work: Callable[[Transaction], T]) -> T:
        try:
            self._writer.begin()
            return work(self._writer.transaction)
        except sqlite3.Error as error:
            raise translated(error, self.path) from error
        finally:
            self._writer.rollback()
