"""Searching the log from its newest entry back, slice by slice and not for long: no page waits for it all."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from handrail.words.query import EntryFilter

if TYPE_CHECKING:
    from handrail.ports import Transaction
    from handrail.words.entry import StoredEntry

PATIENCE = 0.07
"""Seconds after which no further slice is begun."""
SLICE = 2_000
"""Entries in a slice: few enough that the last one does not take long, either."""
MARGIN = 60_000
"""How far entries may stand out of the order of their times (ms): whoever wrote first may commit last."""
NEARBY = 1_000
"""Entries that are looked at beyond the one where a time begins, for the same reason."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a search found. ``before`` is where it goes on, None once the beginning was reached."""

    entries: tuple[StoredEntry, ...]
    before: int | None
    reached: int | None
    """The time of the oldest entry that was looked at; None when there is none."""
    full: bool
    """Whether it ended because the page is full, not because its time was over."""


def look_back(tx: Transaction, wanted: EntryFilter, patience: float = PATIENCE) -> Look:
    """Entries that fit, newest first; as far back as the page, the patience or the wanted time goes."""
    end = time.monotonic() + patience
    top, reached = _top(tx, wanted), None
    found: list[StoredEntry] = []
    while top > 1:
        floor = max(0, top - 1 - SLICE)
        left = wanted.limit - len(found)
        found += tx.journal.newest(replace(wanted, before=top, after=floor, limit=left))
        if len(found) >= wanted.limit:
            return Look(tuple(found), found[-1].seq, found[-1].entry.at, full=True)
        oldest = next(iter(tx.journal.after(floor, 1)), None)
        reached = oldest.entry.at if oldest else reached
        top = floor + 1
        if wanted.since is not None and reached is not None and reached < wanted.since - MARGIN:
            break
        if time.monotonic() >= end:
            return Look(tuple(found), top if top > 1 else None, reached, full=False)
    return Look(tuple(found), None, reached, full=False)


def _top(tx: Transaction, wanted: EntryFilter) -> int:
    """The number before which the search begins."""
    newest = next(iter(tx.journal.newest(EntryFilter(limit=1))), None)
    top = 1 if newest is None else newest.seq + 1
    if wanted.before is not None:
        top = min(top, wanted.before)
    if wanted.until is not None:
        top = min(top, _beginning(tx, wanted.until + MARGIN, top) + NEARBY)
    return top


def _beginning(tx: Transaction, at: int, top: int) -> int:
    """About the number of the first entry at or after a time, found by halving."""
    low, high = 0, top
    while low < high:
        middle = (low + high) // 2
        found = next(iter(tx.journal.after(middle, 1)), None)
        if found is None or found.entry.at >= at:
            high = middle
        else:
            low = max(found.seq, middle + 1)
    return high + 1
