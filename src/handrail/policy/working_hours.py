"""Working hours: whether people are at work at a time, and when a time to answer is over that runs only then.

It is the local wall clock of the policy's time zone that opens and closes. When clocks go back, an hour that
comes twice counts twice if people work in it; when they go forward, an hour that never comes does not count.
Times are milliseconds since the epoch, UTC.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple
from zoneinfo import ZoneInfo

_MINUTE = 60_000
_DAY = 24 * 60 * _MINUTE
WEEK = 7 * _DAY
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_THURSDAY = 3 * _DAY
"""The epoch was a Thursday; weeks begin on Monday."""
_FORESEEN = 84_000 * _DAY
"""In December 2199: which clocks will change later nobody knows, so from then on none does."""


def deadline(at: int, duration: int, hours: str | None, timezone: str) -> int:
    """The first moment at which ``duration`` of working time has gone by since ``at``; always, without hours.

    ``hours`` is what a policy says (``mon-fri 09:00-17:00``, several with commas).
    """
    if hours is None or duration <= 0:
        return at + max(duration, 0)
    week, left = _week(hours), duration
    for stretch in _stretches(at, ZoneInfo(timezone)):
        begin = stretch.begin + stretch.offset
        if stretch.end is not None:
            worked = week.worked(begin, stretch.end + stretch.offset)
            if worked < left:
                left -= worked
                continue
        return week.after(begin, left) - stretch.offset
    raise AssertionError("the last stretch has no end")


def is_open(at: int, hours: str | None, timezone: str) -> bool:
    """Whether people are at work at this time; always, without hours."""
    if hours is None:
        return True
    local = at + _offset(min(at, _FORESEEN), ZoneInfo(timezone))
    return _week(hours).worked(local, local + 1) > 0


def per_week(hours: str) -> int:
    """How much of a week people are at work."""
    return _week(hours).total


class _Stretch(NamedTuple):
    """A time in which the clocks do not change: the local time is ``offset`` ahead of UTC."""

    begin: int
    end: int | None
    offset: int


class _Week(NamedTuple):
    """The working times of a local week, from Monday 00:00, and how much of them is over before each."""

    begins: tuple[int, ...]
    ends: tuple[int, ...]
    before: tuple[int, ...]

    def worked(self, begin: int, end: int) -> int:
        """The working time between two local times."""
        return self._until(end) - self._until(begin)

    def after(self, begin: int, duration: int) -> int:
        """The first local time by which this much working time has gone by."""
        weeks, rest = divmod(self._until(begin) + duration, self.total)
        if rest == 0:  # the end of the last working time of the week before, not the begin of the next one
            weeks, rest = weeks - 1, self.total
        index = bisect_right(self.before, rest - 1) - 1
        return weeks * WEEK + self.begins[index] + rest - self.before[index] - _THURSDAY

    def _until(self, local: int) -> int:
        weeks, time = divmod(local + _THURSDAY, WEEK)
        index = bisect_right(self.begins, time) - 1
        if index < 0:
            return weeks * self.total
        return weeks * self.total + self.before[index] + min(time, self.ends[index]) - self.begins[index]

    @property
    def total(self) -> int:
        """The working time of a whole week."""
        return self.before[-1]


@lru_cache(maxsize=256)
def _week(hours: str) -> _Week:
    """What is open in a week; times that overlap or touch are one."""
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(time for part in hours.split(",") for time in _times(part.strip())):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    before = accumulate((end - begin for begin, end in merged), initial=0)
    return _Week(tuple(begin for begin, _ in merged), tuple(end for _, end in merged), tuple(before))


def _times(part: str) -> Iterator[tuple[int, int]]:
    """The times of ``fri-mon 09:00-17:00``, which goes round the end of the week."""
    days, _, clock = part.partition(" ")
    first, _, last = days.partition("-")
    begin, _, end = clock.partition("-")
    start = _DAYS.index(first)
    for day in range(start, start + (_DAYS.index(last or first) - start) % len(_DAYS) + 1):
        midnight = day % len(_DAYS) * _DAY
        yield midnight + _of_day(begin), midnight + _of_day(end)


def _of_day(clock: str) -> int:
    hour, _, minute = clock.partition(":")
    return (int(hour) * 60 + int(minute)) * _MINUTE


def _stretches(at: int, zone: tzinfo) -> Iterator[_Stretch]:
    """The time from ``at`` on, cut at least once a day and wherever the clocks change."""
    while at < _FORESEEN:
        end = (at // _DAY + 1) * _DAY
        offset = _offset(at, zone)
        if _offset(end, zone) != offset:
            end = _change(at, end, offset, zone)
        yield _Stretch(at, end, offset)
        at = end
    yield _Stretch(at, None, _offset(_FORESEEN, zone))


def _change(at: int, end: int, offset: int, zone: tzinfo) -> int:
    """The first moment after ``at`` at which the clocks are not ``offset`` ahead any more."""
    while end - at > 1:
        middle = (at + end) // 2
        at, end = (middle, end) if _offset(middle, zone) == offset else (at, middle)
    return end


def _offset(at: int, zone: tzinfo) -> int:
    ahead = (_EPOCH + timedelta(milliseconds=at)).astimezone(zone).utcoffset()
    return ahead // timedelta(milliseconds=1) if ahead is not None else 0
