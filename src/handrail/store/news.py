"""News: hearing that something was committed, in this process and in others."""

from __future__ import annotations

import sqlite3
import threading
import time

POLL = 0.02
"""Seconds between two looks at what other processes committed to a file, while somebody waits."""


class Bells:
    """Who in this process waits for news of one store. Ringing costs next to nothing when nobody does."""

    def __init__(self) -> None:
        """Nobody yet."""
        self._rung: tuple[threading.Event, ...] = ()
        self._lock = threading.Lock()

    def add(self, bell: threading.Event) -> None:
        """Ring this one too."""
        with self._lock:
            self._rung = (*self._rung, bell)

    def remove(self, bell: threading.Event) -> None:
        """Not any more."""
        with self._lock:
            self._rung = tuple(each for each in self._rung if each is not bell)

    def ring(self) -> None:
        """Something was committed."""
        for bell in self._rung:
            bell.set()


class LocalNews:
    """``ports.News`` of a SQLite store: this process rings, the file's version tells of the others."""

    def __init__(self, bells: Bells, connection: sqlite3.Connection | None) -> None:
        """Hear from now on. ``connection`` reads the file's version; None where nobody else can write."""
        self._bells = bells
        self._bell = threading.Event()
        self._connection = connection
        self._using = threading.Lock()
        self._closed = False
        self._version = self._read()
        bells.add(self._bell)

    def wait(self, timeout: float) -> bool:
        """Whether there was news since the last call, after at most ``timeout`` seconds."""
        end = time.monotonic() + timeout
        while not self._closed:
            left = max(end - time.monotonic(), 0)
            rung = self._bell.wait(left if self._connection is None else min(left, POLL))
            if self._heard(rung=rung):
                return not self._closed
            if time.monotonic() >= end:
                break
        return False

    def close(self) -> None:
        """Stop listening; a ``wait`` in another thread returns False."""
        self._bells.remove(self._bell)
        self._closed = True
        self._bell.set()
        with self._using:
            if self._connection is not None:
                self._connection.close()

    def _heard(self, *, rung: bool) -> bool:
        """The bell is cleared before the version is read: a commit in between rings again."""
        self._bell.clear()
        before, self._version = self._version, self._read()
        return rung or before != self._version

    def _read(self) -> object:
        """What changes with each commit of another connection. A file that can't be read is news, too."""
        with self._using:
            if self._connection is None or self._closed:
                return None
            try:
                return self._connection.execute("PRAGMA data_version").fetchone()
            except sqlite3.Error as error:
                return error
