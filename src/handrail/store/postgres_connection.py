"""PostgreSQL connections: opening and keeping them, what runs on one, the driver's errors in our words."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any, cast

import psycopg
from psycopg.conninfo import conninfo_to_dict

from handrail.store.parts.budgets import PostgresBudgets
from handrail.store.queries import MARKS, queries
from handrail.store.runner import TAKEN, QueryRunner
from handrail.store.transaction import SqlTransaction
from handrail.words.errors import Conflict, HandrailError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from handrail.ports import Transaction
    from handrail.store.codec import Row

CONNECT_SECONDS = 10
STREAMED = 5_000
"""Rows that a stream fetches at a time."""
UNKNOWN = "the connection broke during the commit; it is not known whether it was written"


def translated(error: Exception, shown: str) -> Exception:
    """A driver's error as ``StoreError`` or ``Conflict``; other errors unchanged."""
    if isinstance(error, HandrailError) or not isinstance(error, psycopg.Error):
        return error
    if isinstance(error, psycopg.errors.UniqueViolation):
        wrapped: HandrailError = Conflict(TAKEN)
    else:
        told = " ".join(str(error).split())
        wrapped = StoreError(f"{shown}: {told}; nothing was written")
    wrapped.__cause__ = error
    return wrapped


class Settings:
    """How to connect: the URL with our settings beside what it says itself."""

    def __init__(self, url: str, synchronous: str, patience_seconds: float) -> None:
        """Raises ``StoreError`` when the URL can't be read."""
        try:
            given = conninfo_to_dict(url)
        except psycopg.Error as error:
            raise StoreError(f"this database URL can't be read: {str(error).strip()}") from error
        patience = int(patience_seconds * 1000)
        ours = (
            f"-c search_path=handrail -c synchronous_commit={synchronous} "
            f"-c lock_timeout={patience} -c idle_in_transaction_session_timeout={patience}"
        )
        defaults = {
            "application_name": "handrail",
            "connect_timeout": CONNECT_SECONDS,
            "tcp_user_timeout": patience,
        }
        self.shown = f"PostgreSQL {given.get('dbname', '')} at {given.get('host') or 'localhost'}"
        self.parameters: dict[str, Any] = {**defaults, **given}
        self.parameters["options"] = f"{given.get('options') or ''} {ours}".strip()

    def connect(self) -> psycopg.Connection:
        """A new connection.

        Raises:
            StoreError: there is none to be had.
        """
        try:
            return psycopg.connect(autocommit=True, **self.parameters)
        except psycopg.Error as error:
            told = " ".join(str(error).split())
            hint = "check HANDRAIL_DATABASE_URL and that the server runs; nothing was written"
            raise StoreError(f"{self.shown}: {told}; {hint}") from error


class PostgresSession:
    """One connection with the parts on it, made once and used for every transaction."""

    def __init__(self, connection: psycopg.Connection) -> None:
        """Nothing has begun."""
        self.connection = connection
        self._cursor = connection.cursor()
        self._started_at = 0
        self._started = 0.0
        runner = QueryRunner(self._cursor, queries("postgres"), MARKS["postgres"], unfit=(psycopg.DataError,))
        self.transaction = cast("Transaction", SqlTransaction(runner, self._now, PostgresBudgets))

    @property
    def broken(self) -> bool:
        """Whether the connection is of no more use."""
        return self.connection.closed

    def begin(self, script: str) -> None:
        """Run a ``BEGIN`` and the select after it, which gives the database's clock, in one round trip."""
        self._cursor.execute(script.encode())
        self._cursor.nextset()
        row = self._cursor.fetchone()
        if row is None:
            raise AssertionError("the select of a begin gives one row")
        self._started_at, self._started = int(row[0]), time.monotonic()

    def commit(self) -> None:
        """Durable when it returns (with ``synchronous_commit`` on)."""
        self._cursor.execute(b"COMMIT")

    def rollback(self) -> None:
        """Back to before ``begin``; harmless when there is no transaction or no connection any more."""
        with suppress(psycopg.Error):
            if self.connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                self.connection.rollback()

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def _now(self) -> int:
        """The database's clock, without asking it again: what it said at the beginning and the time since."""
        return self._started_at + int((time.monotonic() - self._started) * 1000)


class Sessions:
    """At most ``limit`` sessions for any number of threads; opened when needed, kept when free."""

    def __init__(self, connect: Callable[[], psycopg.Connection], limit: int, seconds: float) -> None:
        """Nothing is connected yet. A thread waits at most ``seconds`` for a free session."""
        self._connect = connect
        self._limit = limit
        self._seconds = seconds
        self._free: list[PostgresSession] = []
        self._places = threading.Semaphore(limit)
        self._closed = False

    def take(self) -> tuple[PostgresSession, bool]:
        """A session, and whether it was used before (then it may have died meanwhile).

        Raises:
            StoreError: none is free, none can be opened, or the store was closed.
        """
        if self._closed:
            raise StoreError("this store was closed")
        if not self._places.acquire(timeout=self._seconds):
            raise StoreError(
                f"all {self._limit} database connections were busy for {self._seconds:g} seconds"
            )
        with suppress(IndexError):
            return self._free.pop(), True
        try:
            return PostgresSession(self._connect()), False
        except BaseException:
            self._places.release()
            raise

    def give_back(self, session: PostgresSession) -> None:
        """The caller is done with it. What it left open is rolled back."""
        session.rollback()
        if self._closed or session.broken:
            session.close()
        else:
            self._free.append(session)
        self._places.release()

    def close(self) -> None:
        """Close what is free now, and the others when they come back."""
        self._closed = True
        while self._free:
            self._free.pop().close()


def stream_of(
    connection: psycopg.Connection, shown: str
) -> Callable[[str, Mapping[str, object], Mapping[str, str]], Iterator[Row]]:
    """Named queries through server-side cursors, so that no result is ever in memory as a whole."""
    numbers = count()

    def stream(name: str, values: Mapping[str, object], names: Mapping[str, str]) -> Iterator[Row]:
        query = queries("postgres")[name]
        try:
            with connection.cursor(f"handrail_{next(numbers)}") as cursor:
                cursor.itersize = STREAMED
                cursor.execute(query.of(names).encode(), query.pick(values))
                yield from cursor
        except psycopg.Error as error:
            raise translated(error, shown) from error

    return stream
