"""Times on the command line: milliseconds since the epoch to text and back, always in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from handrail.words.errors import BadArguments

UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
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
