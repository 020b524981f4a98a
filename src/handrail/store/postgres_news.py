"""News on PostgreSQL: LISTEN and NOTIFY, each on a connection of its own.

NOTIFY stays out of the transactions that it tells of: PostgreSQL commits those with one in single file.
"""

from __future__ import annotations

import logging
import selectors
import socket
import threading
import time
from typing import TYPE_CHECKING

import psycopg

from handrail.words.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    Connect = Callable[[], psycopg.Connection]

APART = 0.01
"""Seconds between two notices of a process: what is committed meanwhile shares the next one."""
AGAIN = 1.0
"""Seconds between two tries to reach a server that is gone."""
ENDING = 15.0
"""Seconds for which closing waits for a notice that is under way."""
log = logging.getLogger(__name__)


class Crier:
    """Tells others from a thread of its own, which begins with the first notice. Never raises or waits."""

    def __init__(self, connect: Connect) -> None:
        """Silent yet."""
        self._connect = connect
        self._connection: psycopg.Connection | None = None
        self._due = self._closed = False
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def cry(self) -> None:
        """Something was committed: a notice goes out soon, after this call."""
        self._due = True
        self._wake.set()
        if self._thread is None:
            self._begin()

    def end(self) -> None:
        """Send what is due, then let go of thread and connection. A later ``cry`` begins anew."""
        with self._starting:
            thread, self._thread = self._thread, None
            if thread is None:
                return
            self._ended.set()
            self._wake.set()
            thread.join(ENDING)

    def close(self) -> None:
        """Send what is due, and nothing ever after."""
        self._closed = True
        self.end()

    def _begin(self) -> None:
        with self._starting:
            if self._thread is not None or self._closed:
                return
            self._ended.clear()
            thread = threading.Thread(target=self._run, name="handrail-crier", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:  # no more threads, or the interpreter ends: news is a courtesy
                log.debug("no notice can be sent: %s", error)
                return
            self._thread = thread

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            if self._due:
                self._due = False
                self._tell()
            if self._ended.wait(APART) and not self._due:
                break
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _tell(self) -> None:
        """At most twice: a connection that died while nobody used it is replaced."""
        for _ in range(2):
            used = self._connection is not None
            try:
                if self._connection is None:
                    self._connection = self._connect()
                    # nothing is written: there is nothing to wait for on the disk
                    self._connection.execute("SET synchronous_commit = off")
                self._connection.execute("NOTIFY handrail")
            except (psycopg.Error, StoreError) as error:
                log.debug("a notice was not sent: %s", error)
                if self._connection is not None:
                    self._connection.close()
                    self._connection = None
                if used:
                    continue
            return


class PostgresNews:
    """``ports.News`` over LISTEN. A lost connection counts as news: something may have been missed."""

    def __init__(self, connect: Connect) -> None:
        """Listen from now on.

        Raises:
            StoreError: the server can't be reached.
        """
        self._connect = connect
        self._waking, self._woken = socket.socketpair()
        self._using = threading.Lock()
        self._closed = False
        self._again = 0.0
        try:
            self._connection: psycopg.Connection | None = self._listening()
        except BaseException:
            self._let_go()
            raise

    def wait(self, timeout: float) -> bool:
        """Whether there was news since the last call, after ``timeout`` seconds or one try to reconnect."""
        end = time.monotonic() + timeout
        with self._using:
            while not self._closed:
                left = max(end - time.monotonic(), 0)
                if self._connection is None:
                    heard = self._reconnected(left)
                else:
                    heard = self._heard(self._connection, left)
                if heard:
                    return not self._closed
                if time.monotonic() >= end:
                    break
            return False

    def close(self) -> None:
        """Stop listening; a ``wait`` in another thread returns False."""
        if self._closed:
            return
        self._closed = True
        self._waking.send(b"x")
        with self._using:
            self._let_go()
            if self._connection is not None:
                self._connection.close()

    def _listening(self) -> psycopg.Connection:
        connection = self._connect()
        try:
            connection.execute("LISTEN handrail")
        except BaseException:
            connection.close()
            raise
        return connection

    def _heard(self, connection: psycopg.Connection, seconds: float) -> bool:
        """Wait for the server or for ``close``, then take every notice that is there."""
        try:
            self._sleep(seconds, connection.fileno())
            return bool(list(connection.notifies(timeout=0)))
        except psycopg.Error as error:
            log.info("the connection that listens for news was lost: %s", error)
            connection.close()
            self._connection = None
            return True

    def _reconnected(self, seconds: float) -> bool:
        """Try now, if the last try is not too near; whether it is news that we hear again."""
        self._sleep(min(seconds, max(self._again - time.monotonic(), 0)))
        if self._closed or time.monotonic() < self._again:
            return False
        self._again = time.monotonic() + AGAIN
        try:
            self._connection = self._listening()
        except (psycopg.Error, StoreError) as error:
            log.info("nobody listens for news now: %s", error)
            return False
        return True

    def _sleep(self, seconds: float, also: int | None = None) -> None:
        """Until ``close``, or something to read from ``also``."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._woken, selectors.EVENT_READ)
            if also is not None:
                selector.register(also, selectors.EVENT_READ)
            selector.select(seconds)

    def _let_go(self) -> None:
        self._waking.close()
        self._woken.close()
