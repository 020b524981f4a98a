"""Durations, percentages and other small spellings of the policy file, read exactly."""

from __future__ import annotations

import re
from decimal import Decimal

_SECOND = 1000
_MILLISECONDS = {
    "s": _SECOND,
    "second": _SECOND,
    "min": 60 * _SECOND,
    "minute": 60 * _SECOND,
    "h": 3600 * _SECOND,
    "hour": 3600 * _SECOND,
    "day": 24 * 3600 * _SECOND,
    "week": 7 * 24 * 3600 * _SECOND,
    "year": 365 * 24 * 3600 * _SECOND,
}
_PLURALS = frozenset({"second", "minute", "hour", "day", "week", "year"})
LONGEST = 100 * _MILLISECONDS["year"]
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?([a-z]+)")
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%")
_RATE = re.compile(r"([0-9]{1,9}) per (hour|day|week|month)")
_HOURS = re.compile(
    r"(mon|tue|wed|thu|fri|sat|sun)(?:-(mon|tue|wed|thu|fri|sat|sun))? "
    r"([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)"
)

DURATION = "a duration such as 10 min, 4 h, 1 day, 30 days or 2 years"
PERCENT = "a percentage such as 90%"
RATE = "a rate such as 20 per week"
HOURS = 'working hours such as "mon-fri 09:00-17:00, sat 10:00-14:00"'


def duration(text: str) -> int:
    """``text`` (``10 min``, ``4 h``, ``2 years``) in milliseconds; a year has 365 days.

    Raises:
        ValueError: it is no duration, not longer than nothing, or longer than a hundred years.
    """
    found = _DURATION.fullmatch(text)
    size = _MILLISECONDS.get(_singular(found.group(2))) if found else None
    if found is None or size is None:
        raise ValueError(f"{text!r} is no duration")
    milliseconds = Decimal(found.group(1)) * size
    if milliseconds != milliseconds.to_integral_value() or not 0 < milliseconds <= LONGEST:
        raise ValueError(f"{text!r} is too short or too long a time")
    return int(milliseconds)


def spelled(milliseconds: int) -> str:
    """A time as a policy spells it: ``90 days``, ``4 h``, ``10 min``, ``1.5 s``."""
    for word in ("day", "h", "min"):
        count, rest = divmod(milliseconds, _MILLISECONDS[word])
        if count and not rest:
            return f"{count} {word}{'s' if word in _PLURALS and count > 1 else ''}"
    return f"{(Decimal(milliseconds) / _SECOND).normalize():f} s"


def _singular(unit: str) -> str:
    return unit[:-1] if unit[:-1] in _PLURALS and unit.endswith("s") else unit


def percent(text: str) -> Decimal:
    """``text`` (``90%``, ``2.5 %``) in percent, 0 to 100.

    Raises:
        ValueError: it is no percentage, or more than 100.
    """
    found = _PERCENT.fullmatch(text)
    if found is None or Decimal(found.group(1)) > 100:  # noqa: PLR2004 the whole is 100 %
        raise ValueError(f"{text!r} is no percentage")
    return Decimal(found.group(1))


def rate(text: str) -> tuple[int, str]:
    """``text`` (``20 per week``) as a number and a window.

    Raises:
        ValueError: it is no rate.
    """
    found = _RATE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no rate")
    return int(found.group(1)), found.group(2)


def hours(text: str) -> str:
    """``text`` (``mon-fri 09:00-17:00``, several with commas), checked.

    Raises:
        ValueError: it names no hours, or hours that end before they begin.
    """
    for part in text.split(", "):
        found = _HOURS.fullmatch(part)
        begin, _, end = part.partition(" ")[2].partition("-")
        if found is None or end <= begin:
            raise ValueError(f"{text!r} names no working hours")
    return text
