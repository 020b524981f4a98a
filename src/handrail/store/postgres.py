"""The PostgreSQL store: for agents on many machines. Claims and restrictions meet on an advisory lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet

import psycopg

from handrail.ports import Commit
from handrail.store.audit import Streams
from handrail.store.forks import Forkable, inherited
from handrail.store.migrate import Older, bring_up, must_change, refuse_newer
from handrail.store.postgres_connection import (
    UNKNOWN,
    PostgresSession,
    Sessions,
    Settings,
    stream_of,
    translated,
)
from handrail.store.postgres_news import Crier, PostgresNews
from handrail.words.errors import HandrailError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from handrail.ports import AuditStreams, News, Transaction

T = TypeVar("T")
SET_UP_LOCK = "SELECT pg_advisory_xact_lock(1213088844, 2)"
"""1213088844 is the first half of our advisory locks; second half: 1 restrictions, 2 set-up, 3 sealer."""
SHARED = (
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; "
    "SELECT now_ms() FROM pg_advisory_xact_lock_shared(1213088844, 1)"
)
"""Each statement after it sees what was committed before it began, whatever the database's default is."""
EXCLUSIVE = SHARED.replace("_shared", "")
SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT now_ms()"
QUIET = {Commit.BEAT, Commit.SEAL}
"""Commits that come again and again and tell nobody anything: they are no news."""
CONNECTIONS = 8
PATIENCE_SECONDS = 30.0


class PostgresStore(Forkable):
    """``ports.Store`` in one PostgreSQL database, in its own schema ``handrail``."""

    leases = True
    """Who charges one row waits for the commit of who charged it before."""

    def __init__(
        self,
        url: str,
        *,
        connections: int = CONNECTIONS,
        synchronous: str = "on",
        patience_seconds: float = PATIENCE_SECONDS,
        older: Older = Older.REFUSE,
    ) -> None:
        """Connect, and make the schema where there is none.

        Args:
            url: as libpq reads it, ``postgresql://…``.
            connections: at most this many at a time; a waiting thread gets the next free one.
            synchronous: PostgreSQL's ``synchronous_commit``.
            patience_seconds: how long to wait for a lock or a free connection, and how long the server lets a
                client that went silent in a transaction keep others waiting.
            older: what to do with a store of an older version.

        Raises:
            StoreError: the database can't be reached, or the store is of a version that we can't use.
        """
        self._settings = Settings(url, synchronous, patience_seconds)
        self._limit = connections
        self._patience = patience_seconds
        self._fresh()
        self._set_up(older)
        self.watch()

    @property
    def parameters(self) -> Mapping[str, Any]:
        """How it connects, for work beside it in the same database."""
        return self._settings.parameters

    def write(self, commit: Commit, work: Callable[[Transaction], T]) -> T:
        """Under the shared lock, taken as a statement of its own: what follows sees a fresh snapshot."""
        return self._run(SHARED, work, commit)

    def restrict(self, commit: Commit, work: Callable[[Transaction], T]) -> T:
        """Waits for every claim in flight, and holds new ones back until its own commit."""
        return self._run(EXCLUSIVE, work, commit)

    def read(self, work: Callable[[Transaction], T]) -> T:
        """On one snapshot."""
        return self._run(SNAPSHOT, work, None)

    def audit(self) -> AuditStreams:
        """Server-side cursors in one snapshot on a connection of their own, until it is closed."""
        connection = self._settings.connect()
        # a reader may think between two rows for as long as it likes
        connection.execute("SET idle_in_transaction_session_timeout = 0")
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return Streams(stream_of(connection, self._settings.shown), connection.close)

    def news(self) -> News:
        """LISTEN on a connection of its own."""
        news = PostgresNews(self._settings.connect)
        self._news.add(news)
        return news

    def close(self) -> None:
        """Close every connection."""
        for news in list(self._news):
            news.close()
        self._crier.close()
        self._sessions.close()

    def before_fork(self) -> None:
        """No thread of ours is in the midst of anything while the process is copied."""
        self._crier.end()

    def after_fork_in_child(self) -> None:
        """New connections, once they are needed."""
        inherited.extend((self._sessions, list(self._news)))
        self._fresh()

    def _fresh(self) -> None:
        self._sessions = Sessions(self._settings.connect, self._limit, self._patience)
        self._crier = Crier(self._settings.connect)
        self._news: WeakSet[PostgresNews] = WeakSet()

    def _run(self, begin: str, work: Callable[[Transaction], T], commit: Commit | None) -> T:
        session = self._begun(begin)
        try:
            result = work(session.transaction)
            if commit is not None:
                self._commit(session, commit)
                if commit not in QUIET:
                    self._crier.cry()
        except psycopg.Error as error:
            raise translated(error, self._settings.shown) from error
        else:
            return result
        finally:
            self._sessions.give_back(session)

    def _begun(self, begin: str) -> PostgresSession:
        """A session in a transaction. Connections that died while nobody used them are replaced."""
        while True:
            session, used = self._sessions.take()
            try:
                session.begin(begin)
            except BaseException as error:
                died = used and session.broken
                self._sessions.give_back(session)
                if died and isinstance(error, psycopg.OperationalError):
                    continue
                if isinstance(error, psycopg.Error):
                    raise translated(error, self._settings.shown) from error
                raise
            return session

    def _commit(self, session: PostgresSession, commit: Commit) -> None:
        try:
            session.commit()
        except psycopg.OperationalError as error:
            if not session.broken:
                raise
            raise StoreError(f"{self._settings.shown}: {commit}: {UNKNOWN}") from error

    def _set_up(self, older: Older) -> None:
        connection = self._settings.connect()
        try:
            if must_change(_version(connection), older):
                with connection.transaction():
                    connection.execute(SET_UP_LOCK)
                    _bring_up(connection, older)
        except psycopg.Error as error:
            raise translated(error, self._settings.shown) from error
        except HandrailError as error:
            raise StoreError(f"{self._settings.shown}: {error}") from None
        finally:
            connection.close()


def _version(connection: psycopg.Connection) -> int | None:
    """The schema version, or None where there is no store yet."""
    # not to_regclass: it may answer from a cache that is older than the lock
    there = connection.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'handrail' AND tablename = 'meta'")
    if there.fetchone() is None:
        return None
    noted = "SELECT name, value FROM meta WHERE name = 'schema' OR name = 'readable_from'"
    found = {name: int(value) for name, value in connection.execute(noted)}
    version = found.get("schema")
    refuse_newer(version, found.get("readable_from"))
    return version


def _bring_up(connection: psycopg.Connection, older: Older) -> None:
    def note(version: int, readable: int) -> None:
        connection.execute(
            "INSERT INTO meta (name, value) VALUES ('schema', %s), ('readable_from', %s) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (str(version), str(readable)),
        )

    current = _version(connection)
    if not must_change(current, older):
        return
    if current is None:
        connection.execute("CREATE SCHEMA IF NOT EXISTS handrail")
    bring_up("postgres", current, lambda text: _script(connection, text), note)


def _script(connection: psycopg.Connection, text: str) -> None:
    connection.execute(text.encode())
