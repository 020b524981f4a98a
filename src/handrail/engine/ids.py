"""Ids that sort by time and can't be guessed, so that newest first is an index scan; and secrets."""

from __future__ import annotations

import os
import socket
import threading
import time

POOL = 4_096
"""Bytes of randomness that are asked of the operating system at a time: each question costs microseconds."""


class Randomness:
    """Random bytes of the operating system, asked for in bulk; no byte is ever given twice."""

    def __init__(self) -> None:
        """Empty until it is first used."""
        self._lock = threading.Lock()
        self._pool = b""
        self._at = 0

    def hex(self, count: int) -> str:
        """``count`` random bytes as hexadecimal digits."""
        with self._lock:
            if self._at + count > len(self._pool):
                self._pool, self._at = os.urandom(POOL), 0
            start = self._at
            self._at = start + count
            return self._pool[start : self._at].hex()

    def forget(self) -> None:
        """In a forked child: the parent goes on with the same pool, so this one must not."""
        self._lock = threading.Lock()
        self._pool, self._at = b"", 0


class Moments:
    """Numbers that grow: the milliseconds since the epoch, 65,536 for each."""

    def __init__(self) -> None:
        """None was given yet."""
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> int:
        """A number greater than every one before."""
        with self._lock:
            self._last = max(self._last + 1, (time.time_ns() // 1_000_000) << 16)
            return self._last

    def forget(self) -> None:
        """In a forked child: another thread of the parent may have held the lock."""
        self._lock = threading.Lock()


_random = Randomness()
_moments = Moments()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_random.forget)
    os.register_at_fork(after_in_child=_moments.forget)


def new_id() -> str:
    """28 hexadecimal digits: 48 bits of milliseconds, a count of 16 bits within each, then 48 random bits.

    Later ids of one process are always greater, also within a millisecond and when the clock is set back.
    """
    return f"{_moments.next():016x}{_random.hex(6)}"


def first_id(at: int) -> str:
    """What no id of that time (milliseconds since the epoch, UTC) or later sorts before."""
    return f"{max(at, 0) << 16:016x}"


def new_secret() -> str:
    """128 random bits in hexadecimal, for tokens, salts and keys."""
    return _random.hex(16)


def owner() -> str:
    """This process, as actions that it runs name it."""
    return f"{socket.gethostname()}:{os.getpid()}"
