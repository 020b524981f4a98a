"""Processes that others started, and waiting until they are gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

SECONDS = 90.0
NEVER = threading.Event()


def children(process: int) -> set[int]:
    """The processes that another one started."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = path.read_text("utf-8").rpartition(")")[2].split()[1]
        except OSError:  # it ended meanwhile
            continue
        if int(parent) == process:
            found.add(int(path.parent.name))
    return found


def gone(processes: Iterable[int]) -> None:
    """Wait until none of them is there any more."""
    until(lambda: not any(Path(f"/proc/{each}").exists() for each in processes))


def until(happened: Callable[[], bool]) -> None:
    """Wait until this is so; for what nothing tells of."""
    ends = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < ends, "it did not happen"
        NEVER.wait(0.05)
