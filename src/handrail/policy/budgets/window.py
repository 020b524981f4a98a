"""When a budget's window began and when the next one begins: calendar windows in the policy's time zone.

An hour begins at the local hour, a day at local midnight, a week on Monday, a month on its first, so a day on
which the clocks change has 23 or 25 hours. A rolling window is counted in small buckets, the newest of which
is its name. Times are milliseconds since the epoch, UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache, partial

from handrail.policy.model import Window
from handrail.policy.units import spelled
from handrail.words.budget import bucket_width

CALENDAR = frozenset({Window.HOUR, Window.DAY, Window.WEEK, Window.MONTH})
"""Windows that begin anew; all others are one window without end, whose start is 0."""

_MINUTE = 60_000
_MONDAY_TO_MONDAY = 7
_LONGEST_MONTH = 31


def beginning(window: Window, zone: tzinfo) -> Callable[[int], int]:
    """A function that gives the start of the window that a time is in; 0 for a window without end.

    It raises ValueError for a time before the year 1 or after the year 9999.
    """
    if window not in CALENDAR:
        return _never
    # clocks change on whole minutes, so one answer holds for a minute, and most calls get that one
    of_minute = lru_cache(maxsize=8)(partial(_begins, window, zone))

    def begins(now: int) -> int:
        return of_minute(now // _MINUTE)

    return begins


@dataclass(frozen=True, slots=True)
class Turn:
    """One budget's windows: when the one that a time is in began, and when its limit is there anew."""

    begins: Callable[[int], int]
    ends: Callable[[int], int | None]
    renews: Callable[[int], str]


def of(window: Window, rolling: int, zone: tzinfo) -> Turn:
    """The windows of a kind; ``rolling`` is the length of a rolling one, in milliseconds."""
    if window is Window.ROLLING:
        width = bucket_width(rolling)
        return Turn(
            partial(_bucket, width),
            lambda now: _bucket(width, now) + rolling + 2 * width,
            lambda _now: f"what is used counts for {spelled(rolling)}",
        )
    return Turn(beginning(window, zone), partial(ending, window, zone), partial(renews, window, zone))


def ending(window: Window, zone: tzinfo, now: int) -> int | None:
    """When the window that ``now`` is in is over; None for one without end.

    Raises:
        ValueError: it is a time before the year 1 or after the year 9999.
    """
    return _ends(window, zone, _begins(window, zone, now // _MINUTE)) if window in CALENDAR else None


def _bucket(width: int, now: int) -> int:
    return now // width * width


def _never(_now: int) -> int:
    return 0


def renews(window: Window, zone: tzinfo, now: int) -> str:
    """When the next window begins, for people: ``it renews at 2026-11-23 00:00 (Europe/Warsaw)``."""
    if window not in CALENDAR:
        return "it does not renew by itself"
    local = datetime.fromtimestamp(_ends(window, zone, _begins(window, zone, now // _MINUTE)) / 1000, zone)
    return f"it renews at {local:%Y-%m-%d %H:%M} ({zone})"


def _begins(window: Window, zone: tzinfo, minute: int) -> int:
    try:
        local = datetime.fromtimestamp(minute * 60, zone)
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f"{minute} minutes since the epoch is no date") from error
    if window is Window.HOUR:
        return (minute - local.minute) * _MINUTE
    return _midnight(_first_day(window, local), zone)


def _first_day(window: Window, local: datetime) -> datetime:
    if window is Window.WEEK:
        return local - timedelta(days=local.weekday())
    return local.replace(day=1) if window is Window.MONTH else local


def _midnight(day: datetime, zone: tzinfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * 1000


def _ends(window: Window, zone: tzinfo, start: int) -> int:
    if window is Window.HOUR:
        return start + 60 * _MINUTE
    # noon, so that an hour more or less does not change the date
    noon = datetime.fromtimestamp(start / 1000, zone).replace(hour=12)
    days = {Window.DAY: 1, Window.WEEK: _MONDAY_TO_MONDAY, Window.MONTH: _LONGEST_MONTH + 1 - noon.day}[
        window
    ]
    after = noon + timedelta(days=days)
    return _midnight(after.replace(day=1) if window is Window.MONTH else after, zone)
