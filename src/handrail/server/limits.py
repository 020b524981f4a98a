"""Limits of this process: how often one address or key may ask. Buckets that fill up again with time."""

from __future__ import annotations

import time
from asyncio import Semaphore
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

from anyio import CapacityLimiter

REMEMBERED = 10_000
"""Subjects that are remembered: the one that was quiet longest is forgotten first."""
GUESSES = 10
"""Keys that do not work which one address may try in a row; then one each second."""
PROPOSALS = 16
"""Proposals that are judged at one moment."""
STREAMS = 20
"""Streams that one caller may have open at one moment."""
OTHERS = 8
"""Other requests of programs and strangers that are worked on at one moment."""


class Buckets:
    """A bucket for each subject: ``burst`` at once, ``rate`` a second in the long run."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Every bucket is full at first."""
        self._rate, self._burst, self._clock = rate, burst, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def take(self, subject: str) -> bool:
        """Take one; False when there is none."""
        with self._lock:
            now, left = self._now(subject)
            fits = left >= 1
            self._left[subject] = (now, left - 1 if fits else left)
            self._left.move_to_end(subject)
            if len(self._left) > REMEMBERED:
                self._left.popitem(last=False)
            return fits

    def _now(self, subject: str) -> tuple[float, float]:
        now = self._clock()
        then, left = self._left.get(subject, (now, self._burst))
        return now, min(self._burst, left + (now - then) * self._rate)


class Known:
    """Cookies of people that worked when they were last looked at: a flood of others must not stop a halt."""

    def __init__(self) -> None:
        """Nobody is known."""
        self._known: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()

    def __contains__(self, cookie: object) -> bool:
        """Whether this digest of a cookie is one of them."""
        return cookie in self._known

    def note(self, cookie: str, *, works: bool) -> None:
        """Remember, or forget, the digest of a cookie."""
        with self._lock:
            self._known.pop(cookie, None)
            if works:
                self._known[cookie] = None
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)


class Streams:
    """How many streams each caller has open: each costs memory, and a look every second."""

    def __init__(self, most: int) -> None:
        """At most ``most`` of one caller, in this process."""
        self.most = most
        self._open: Counter[str] = Counter()

    @contextmanager
    def held(self, caller: str) -> Iterator[bool]:
        """While this lasts, one more is open; False for one too many. For the event loop's thread only."""
        fits = self._open[caller] < self.most
        self._open[caller] += fits
        try:
            yield fits
        finally:
            self._open[caller] -= fits
            if not self._open[caller]:
                del self._open[caller]


@dataclass(frozen=True, slots=True)
class Limits:
    """The buckets of one process."""

    addresses: Buckets
    keys: Buckets
    guessing: Buckets
    proposals: CapacityLimiter
    """Threads that judge proposals: more gain nothing, and people's halts would wait behind them."""
    others: Semaphore
    known: Known
    streams: Streams


def limits_of(rate: int, streams: int = STREAMS) -> Limits:
    """Limits for ``rate`` requests a second, and so many open ``streams`` of one caller."""
    return Limits(
        addresses=Buckets(rate, 2 * rate),
        keys=Buckets(rate, 2 * rate),
        guessing=Buckets(1, GUESSES),
        proposals=CapacityLimiter(PROPOSALS),
        others=Semaphore(OTHERS),
        known=Known(),
        streams=Streams(streams),
    )
