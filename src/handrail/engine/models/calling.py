"""What one process knows of the calls of models that pass it now: tokens, ends not yet written, refusals."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handrail.words.model_call import ModelCall, ModelEnded

QUIET = 60_000
"""Milliseconds for which equal refusals of one agent are counted instead of told one by one."""
MOST = 1_000
"""Kinds of refusals that are counted at once."""


@dataclass(frozen=True, slots=True)
class Untold:
    """How a call ended, with what is kept of its answer, packed; it could not be written yet."""

    call: ModelCall
    ended: ModelEnded
    response: bytes


@dataclass(slots=True)
class Refusals:
    """Since when a kind of refusal is counted (ms), and how many were not told of."""

    since: int
    untold: int = 0


@dataclass
class Calling:
    """The calls of models of one process."""

    running: dict[str, ModelCall] = field(default_factory=dict)
    """Those that run, by their ids: while they do, their leases are extended."""
    untold: list[Untold] = field(default_factory=list)
    """Ends that could not be written: while there are any, nothing is claimed."""
    _refused: dict[tuple[str, ...], Refusals] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def forget(self) -> None:
        """In a forked child: what the parent is running stayed with the parent."""
        self.running.clear()
        self.untold.clear()
        self._refused.clear()
        self._lock = threading.Lock()

    def refused(self, kind: tuple[str, ...], at: int) -> int | None:
        """Count a refusal; how many equal ones were not told of before, or None when this one is not either.

        An agent that asks a thousand times a minute must not fill the journal with one sentence.
        """
        with self._lock:
            known = self._refused.get(kind)
            if known is not None and at - known.since < QUIET:
                known.untold += 1
                return None
            if known is None and len(self._refused) >= MOST:
                self._refused.pop(next(iter(self._refused)))
            self._refused[kind] = Refusals(at)
            return known.untold if known else 0
