"""The chunks of hot budgets that this process holds, in memory: what is left in each, and which are wanted.

Nothing here talks to the store. What is noted may be less than what a chunk really has left, never more: what
is drawn and then not written stays out until the chunk is closed, which finds out exactly.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from handrail.words.budget import Chunk, Drawn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from handrail.words.verdict import Charge

OFTEN = 8
"""So many charges of one window within ``LATELY`` make it hot for this process."""
LATELY = 0.5
"""Seconds."""
REMEMBERED = 64
"""Charges of a window from which its pace is told."""
BRIEFEST = 0.1
"""Seconds that a pace is measured over, at least: a few charges at one moment are no pace."""
SPAN = 1.5
"""Seconds that a chunk should last."""
SEVERAL = 8
"""Charges that a chunk should hold at least: less is not worth two transactions."""
LOW = 4
"""A chunk of which only this part is left is followed by a new one."""
LIFE = 2_000
"""Milliseconds for which a chunk may be drawn from, by the database's clock."""
USABLE = 1.5
"""Seconds for which its owner does so: a little less, so that nobody meets a chunk that has just ended."""
PATIENCE = 10.0
"""Seconds for which a chunk waits for what was drawn from it to end; then its holds go over to the window."""
AGAIN = 0.25
"""Seconds until a window is asked for a chunk again that gave none."""
WINDOWS = 1_000
"""Windows whose pace is kept; of more, those that nobody charged lately are forgotten."""

Place = tuple[str, str, int]
Terms = tuple[int, int, str, tuple[int, ...]]
"""What a chunk is good for: one generation of restrictions, one limit, one unit, percentages to be told."""
Holder = tuple[str, int]


class Wish(NamedTuple):
    """A chunk that is wanted: of which window, under which generation, how much, and how much at least."""

    charge: Charge
    generation: int
    most: int
    least: int


@dataclass(slots=True, eq=False)
class Own:
    """A chunk of this process: what is left, who drew how much and has not ended, until when it is used."""

    id: str
    quantity: int
    left: int
    terms: Terms
    ends: float
    out: dict[Holder, int] = field(default_factory=dict)


@dataclass(slots=True)
class Spot:
    """One window as this process charges it."""

    lately: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    own: Own | None = None
    asked: float = float("-inf")
    """When it last gave no chunk, or is about to be asked for one."""

    def hot(self, now: float) -> bool:
        """Whether this process has charged it often lately."""
        return len(self.lately) >= OFTEN and self.lately[-OFTEN][0] > now - LATELY

    def usable(self, terms: Terms, now: float) -> Own | None:
        """Its chunk; one that is good for other terms is never used again."""
        own = self.own
        if own is None or own.ends <= now:
            return None
        if own.terms != terms:
            own.ends = now
            return None
        return own

    def wish(self, charge: Charge, generation: int, now: float) -> Wish:
        """As much as goes at the present pace, and enough for several charges."""
        taken = sum(quantity for _, quantity in self.lately)
        pace = taken / max(now - self.lately[0][0], BRIEFEST)
        least = SEVERAL * max(charge.quantity, -(-taken // len(self.lately)))
        return Wish(charge, generation, max(least, int(pace * SPAN)), least)


class Chunks:
    """The chunks of one process. Any thread may call anything at any moment."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """None yet. ``clock`` gives seconds."""
        self.clock = clock
        self.forget()

    def forget(self) -> None:
        """Begin anew: in a forked child the chunks are the parent's."""
        self._lock = threading.Lock()
        self._spots: dict[Place, Spot] = {}
        self._own: dict[str, Own] = {}
        self._out: dict[Holder, list[Own]] = {}
        self._wishes: dict[Place, Wish] = {}

    @property
    def wanted(self) -> bool:
        """Whether a chunk is wanted."""
        return bool(self._wishes)

    @property
    def any(self) -> bool:
        """Whether there are chunks."""
        return bool(self._own)

    def draw(
        self, holder: Holder, charges: Sequence[Charge], generation: int
    ) -> tuple[list[Drawn], list[Charge]]:
        """What is taken from chunks, and what must be charged to its window.

        ``generation`` is that of the restrictions which the transaction has just found in force.
        """
        drawn: list[Drawn] = []
        direct: list[Charge] = []
        with self._lock:
            for charge in charges:
                own = self._own_for(charge, generation) if _leasable(charge) else None
                if own is None:
                    direct.append(charge)
                else:
                    own.left -= charge.quantity
                    own.out[holder] = own.out.get(holder, 0) + charge.quantity
                    self._out.setdefault(holder, []).append(own)
                    drawn.append(Drawn(charge, own.id))
        return drawn, direct

    def give_back(self, holder: Holder) -> None:
        """What was drawn for it was surely not written."""
        with self._lock:
            for own in self._out.pop(holder, ()):
                own.left += own.out.pop(holder, 0)

    def ended(self, holder: Holder) -> None:
        """What was drawn for it is settled, or will be soon."""
        with self._lock:
            for own in self._out.pop(holder, ()):
                own.out.pop(holder, None)

    def wishes(self) -> list[Wish]:
        """What is wanted, each once."""
        with self._lock:
            found = list(self._wishes.values())
            self._wishes.clear()
        return found

    def put(self, wish: Wish, chunk: Chunk | None, asked: float) -> None:
        """The wish was granted, or not; ``asked`` is the moment before the store was asked."""
        with self._lock:
            spot = self._spots.setdefault(_place(wish.charge), Spot())
            if chunk is None:
                spot.asked = self.clock()
                return
            if spot.own is not None:
                spot.own.ends = min(spot.own.ends, asked)
            spot.asked = float("-inf")
            terms = _terms(wish.charge, wish.generation)
            own = Own(chunk.id, chunk.quantity, chunk.quantity, terms, asked + USABLE)
            spot.own = self._own[own.id] = own

    def missed(self, chunks: Iterable[str]) -> None:
        """Nothing can be drawn from these any more; perhaps somebody closed them."""
        with self._lock:
            for own in filter(None, map(self._own.get, chunks)):
                own.ends = float("-inf")

    def closed(self, chunks: Iterable[str]) -> None:
        """These are no more."""
        with self._lock:
            for chunk in chunks:
                own = self._own.pop(chunk, None)
                if own is not None:
                    own.ends = float("-inf")
                    for holder in own.out:
                        self._out.pop(holder, None)

    def due(self) -> list[str]:
        """What can be closed: nobody draws from it any more, and what was drawn has ended or takes long."""
        now = self.clock()
        with self._lock:
            return [
                own.id
                for own in self._own.values()
                if own.ends <= now and (not own.out or own.ends + PATIENCE <= now)
            ]

    def all(self) -> list[str]:
        """Every chunk, from which nothing is drawn from now on."""
        with self._lock:
            for own in self._own.values():
                own.ends = float("-inf")
            self._wishes.clear()
            return list(self._own)

    def _own_for(self, charge: Charge, generation: int) -> Own | None:
        """The chunk that a charge can be taken from, if there is one; perhaps a new one is wanted."""
        now, place = self.clock(), _place(charge)
        spot = self._spots.get(place)
        if spot is None:
            self._make_room(now)
            spot = self._spots[place] = Spot()
        spot.lately.append((now, charge.quantity))
        own = spot.usable(_terms(charge, generation), now)
        if (own is None or own.left * LOW <= own.quantity) and spot.hot(now) and now - spot.asked > AGAIN:
            spot.asked = now
            self._wishes[place] = spot.wish(charge, generation, now)
        return own if own is not None and own.left >= charge.quantity else None

    def _make_room(self, now: float) -> None:
        if len(self._spots) >= WINDOWS:
            self._spots = {
                place: spot for place, spot in self._spots.items() if spot.lately[-1][0] > now - LATELY
            }


def _leasable(charge: Charge) -> bool:
    """A window that rolls is many rows, and what people let exceed a limit tests none."""
    return charge.quantity > 0 and not charge.rolling and not charge.soft


def _place(charge: Charge) -> Place:
    return charge.budget, charge.scope, charge.window


def _terms(charge: Charge, generation: int) -> Terms:
    return generation, charge.limit, charge.unit, charge.alert_at
