"""Times on the command line: milliseconds since the epoch to text and back, always in UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from handrail.policy.units import duration
from handrail.words.errors import BadArguments

UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
FULL_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_AGO = re.compile(r"(\d{1,9})\s*([smhdw])(?:\s+ago)?")


def clock(at: int) -> str:
    """``2026-03-01 09:30:05``, for tables, whose heading says UTC."""
    return datetime.fromtimestamp(at // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def span(ms: int) -> str:
    """A length of time in its largest fitting unit: ``45 s``, ``12 min``, ``3 h``, ``2 days``."""
    length = abs(ms)
    for unit, word in (("d", "days"), ("h", "h"), ("m", "min")):
        if length >= 2 * UNITS[unit]:
            return f"{length // UNITS[unit]} {word}"
    return f"{length // UNITS['s']} s"


def later(text: str, now: int, zone: str) -> int:
    """A time to come that a person wrote: ``fri``, a date (both: the end of that day), a time, or ``3 days``.

    Raises:
        BadArguments: it is none of these, or it is over.
    """
    given = text.strip()
    found = _in_a_while(given, now)
    if found is None:
        found = _end_of_day(given, now, ZoneInfo(zone))
    if found is None:
        try:
            found = moment(given, now)
        except BadArguments as error:
            raise BadArguments(
                f"{text!r} is no time to come; expected fri, 2026-11-27, 2026-11-27T12:00Z, or 3 days"
            ) from error
    if found is None or found <= now:
        raise BadArguments(f"{text!r} is over already; expected a time to come")
    return found


def _in_a_while(text: str, now: int) -> int | None:
    try:
        return now + duration(text)
    except ValueError:
        return None


def _end_of_day(text: str, now: int, zone: ZoneInfo) -> int | None:
    """The end of a day of the week, or of a date, in the policy's time zone; None for anything else."""
    today = datetime.fromtimestamp(now / 1000, zone).date()
    named = [number for number, name in enumerate(FULL_DAYS) if text.lower() in (name, name[:3])]
    try:
        day = today + timedelta((named[0] - today.weekday()) % 7) if named else date.fromisoformat(text)
    except ValueError:
        return None
    after = day + timedelta(days=1)
    return int(datetime(after.year, after.month, after.day, tzinfo=zone).timestamp()) * 1000


def moment(text: str | None, now: int) -> int | None:
    """The time that a person wrote, in milliseconds: a date, an RFC 3339 time (UTC by default), or ``2h``.

    Raises:
        BadArguments: it is none of these.
    """
    if text is None:
        return None
    ago = _AGO.fullmatch(text.strip())
    if ago is not None:
        return now - int(ago[1]) * UNITS[ago[2]]
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise BadArguments(
            f"{text!r} is no time; expected 2026-03-01, 2026-03-01T09:30Z, or 2h, 30m, 7d ago"
        ) from error
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
