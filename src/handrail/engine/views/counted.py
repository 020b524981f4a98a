"""Today's numbers, kept from one look to the next: only what something became of since is counted anew.

A day may hold a hundred thousand actions, and its numbers are looked at whenever one of them changes. The
journal tells of every change, in the transaction that makes it, so it also tells what to count again. Actions
are kept in bundles by what their ids begin with, which is a time: small ones of a few seconds for what is
new, because that changes often, and large ones of a quarter of an hour for the rest, because they are few.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from handrail.engine.ids import first_id
from handrail.words.overview import Met

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from handrail.ports import Transaction
    from handrail.words.overview import Tally

HOUR = 3_600_000
STRETCH = HOUR // 4
"""What is told apart at most. Every zone's midnight is the beginning of a quarter of an hour."""
SMALL, LARGE = 9, 7
"""Digits of an id that name a bundle: 4 seconds, and 17 minutes."""
END = "g"
"""Behind an id's digits: what no id that begins with them sorts after."""
AHEAD = HOUR
"""How far an id's clock may be behind the database's, in milliseconds."""
MANY = 16
"""So many bundles that are to be counted anew are counted together, with all after them."""
ORDER = (Met.RAN, Met.ASKED, Met.DENIED, Met.RECORDED)
"""As a day has them; what went wrong is its last number."""
OLD = 10 * 60_000
"""Milliseconds unread after which all is counted anew: the journal would tell of too much."""


@dataclass(frozen=True, slots=True)
class Day:
    """What one agent's tool, or all of them, did today."""

    ran: int = 0
    asked: int = 0
    denied: int = 0
    recorded: int = 0
    wrong: int = 0

    @property
    def all(self) -> int:
        """Every action."""
        return self.ran + self.asked + self.denied + self.recorded


@dataclass(frozen=True, slots=True)
class Counts:
    """The numbers of one moment: of today in all and by agent and tool, and of each hour."""

    day: Day
    places: Mapping[tuple[str, str], Day]
    """From one look to the next the same object where nothing became different."""
    hours: Mapping[int, Mapping[Met, int]]
    """By when they began; without those in which nothing happened."""


class Counted:
    """What was counted so far, one for a process. ``turn`` is held from before a snapshot to its end."""

    def __init__(self) -> None:
        """Nothing was counted yet."""
        self.turn = threading.Lock()
        self._forget()

    def read(self, tx: Transaction, midnight: int, since: int) -> Counts:
        """Today's numbers, and those of each hour from ``since`` on; exactly as this snapshot has them."""
        try:
            return self._read(tx, midnight, since)
        except BaseException:
            # half of a change is no number
            self._forget()
            raise

    def _forget(self) -> None:
        self._mark: int | None = None
        self._at = self._begin = self._midnight = 0
        self._new = ""
        """Bundles from here on are small ones."""
        self._bundles: dict[str, list[Tally]] = {}
        self._numbers: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * len(fields(Day)))
        self._days: dict[tuple[str, str], Day] = {}
        self._changed: set[tuple[str, str]] = set()
        """Places of which ``_days`` is older than their numbers."""
        self._hours: defaultdict[int, Counter[Met]] = defaultdict(Counter)

    def _read(self, tx: Transaction, midnight: int, since: int) -> Counts:
        at, mark, begin = tx.now(), tx.overview.mark(), min(midnight, since)
        known, new = self._mark, first_id(at)[:LARGE]
        if known is not None and self._leads_to(at, begin, midnight):
            again = self._aged(new) | {_bundle(each, new) for each in tx.overview.told_of(known, SMALL)}
        else:
            self._forget()
            known, again = None, set()
        self._mark, self._at, self._midnight, self._new = mark, at, midnight, new
        self._drop_before(begin)
        first = first_id(begin - AHEAD)[:LARGE]
        if known is None:
            self._count_again(tx, first, END)
        else:
            self._count_bundles(tx, {each for each in again if each >= first})
        hours = {hour: +met for hour, met in self._hours.items() if hour >= since}
        self._tell_days()
        return Counts(_sum(self._days.values()), dict(self._days), hours)

    def _leads_to(self, at: int, begin: int, midnight: int) -> bool:
        """Whether what was counted lies on the way to this moment."""
        lately = self._at <= at < self._at + OLD
        return lately and self._begin <= begin and self._midnight == midnight

    def _aged(self, new: str) -> set[str]:
        """The large bundles in the place of small ones that are new no more."""
        if new == self._new:
            return set()
        return {each[:LARGE] for each in self._bundles if len(each) == SMALL and each < new}

    def _drop_before(self, begin: int) -> None:
        if begin == self._begin:
            return
        self._begin = begin
        for name, tallies in list(self._bundles.items()):
            self._add([each for each in tallies if each.at < begin], -1)
            self._bundles[name] = [each for each in tallies if each.at >= begin]
            if not self._bundles[name]:
                del self._bundles[name]
        for hour in [each for each in self._hours if each + HOUR <= begin]:
            del self._hours[hour]

    def _count_bundles(self, tx: Transaction, bundles: set[str]) -> None:
        if len(bundles) > MANY:
            self._count_again(tx, min(bundles), END)
            return
        for each in bundles:
            self._count_again(tx, each, each + END)

    def _count_again(self, tx: Transaction, first: str, end: str) -> None:
        """All bundles that begin from ``first`` on, and before ``end``."""
        for name in [each for each in self._bundles if first <= each < end]:
            self._add(self._bundles.pop(name), -1)
        middle = min(max(first, self._new), end)
        for begin, until, digits in ((first, middle, LARGE), (middle, end, SMALL)):
            fresh = tx.overview.tallies(begin, until, digits, self._begin, STRETCH) if begin < until else ()
            for each in fresh:
                self._bundles.setdefault(each.begin, []).append(each)
            self._add(fresh, 1)

    def _add(self, tallies: Iterable[Tally], times: int) -> None:
        for each in tallies:
            hour = each.at // HOUR * HOUR
            self._hours[hour][each.met] += times * each.count
            if each.at >= self._midnight:
                place = each.agent, each.tool
                numbers = self._numbers[place]
                numbers[ORDER.index(each.met)] += times * each.count
                numbers[-1] += times * each.wrong
                self._changed.add(place)

    def _tell_days(self) -> None:
        for place in self._changed:
            now = Day(*self._numbers[place])
            if now == Day():
                self._days.pop(place, None)
            elif self._days.get(place) != now:
                self._days[place] = now
        self._changed.clear()


def _bundle(begin: str, new: str) -> str:
    """The bundle of an id that begins so."""
    return begin if begin >= new else begin[:LARGE]


def _sum(days: Iterable[Day]) -> Day:
    ran = asked = denied = recorded = wrong = 0
    for each in days:
        ran, asked, denied = ran + each.ran, asked + each.asked, denied + each.denied
        recorded, wrong = recorded + each.recorded, wrong + each.wrong
    return Day(ran, asked, denied, recorded, wrong)
