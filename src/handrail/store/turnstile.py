"""Turns for the processes that write one SQLite file.

SQLite's own waiting is a series of naps of up to 100 ms, so that a busy writer starves others for seconds.
Here they queue at two file locks: who holds NEXT takes NOW the moment it is free; who has had a turn must go
through NEXT again. Only fairness depends on it, never correctness: who waited too long, or has no such locks,
goes on and meets SQLite's own.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from types import ModuleType

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # no such locks on this system
    fcntl = None

NOWHERE = -1
NEXT, NOW = 0, 1
"""The two bytes of the file that are locked."""
NAP = {NEXT: 0.001, NOW: 0.0001}
"""Seconds between two tries: many may wait to be next, so they try less often than the one who is."""
TURN = 0.002
"""Seconds for which one turn counts: asking for one costs more than a small transaction should."""


class Turnstile:
    """One process's place at the file ``path``. One thread at a time uses it."""

    def __init__(self, path: str, seconds: float) -> None:
        """``seconds`` is how long to wait for a turn. A file that can't be made means: no turns."""
        self._seconds = seconds
        self._file = NOWHERE
        self._held = False
        self._until = 0.0
        if fcntl is not None:
            with suppress(OSError):
                self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def enter(self) -> None:
        """Wait for a turn, for a while."""
        if fcntl is None or self._file == NOWHERE or time.monotonic() < self._until:
            return
        self._held = True
        try:
            self._take(NEXT)
            self._take(NOW)
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, NEXT)
            self._until = time.monotonic() + TURN
        except OSError:  # a file system without such locks
            self.close()

    def leave(self) -> None:
        """Give the turn away. Harmless without one."""
        if fcntl is not None and self._held and self._file != NOWHERE:
            self._held = False
            fcntl.lockf(self._file, fcntl.LOCK_UN, 2, NEXT)

    def close(self) -> None:
        """Let go of the file, and with it of every lock."""
        file, self._file = self._file, NOWHERE
        if file != NOWHERE:
            os.close(file)

    def _take(self, place: int) -> None:
        if fcntl is None:
            return
        end = 0.0
        while True:
            try:
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
            except (BlockingIOError, PermissionError):
                end = end or time.monotonic() + self._seconds
                if time.monotonic() > end:
                    return
                time.sleep(NAP[place])
            else:
                return
