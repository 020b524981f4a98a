"""Points in time and durations: their texts, and the calendar's view of a moment in a time zone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from handrail.policy.expressions.errors import EvaluationError
from handrail.policy.expressions.values import within_range

_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_SPAN = re.compile(r"(?P<sign>[+-]?)(?P<parts>(?:[0-9]{1,15}(?:\.[0-9]{1,9})?(?:h|ms|m|s|us|ns))+)")
_PART = re.compile(r"(?P<count>[0-9]+)(?:\.(?P<fraction>[0-9]+))?(?P<unit>h|ms|m|s|us|ns)")
_OFFSET = re.compile(r"(?P<sign>[+-]?)(?P<hours>[0-9]{2}):(?P<minutes>[0-9]{2})")
_NANOSECONDS = {"h": 3_600_000_000_000, "m": 60_000_000_000, "s": 10**9, "ms": 10**6, "us": 1_000, "ns": 1}


def timestamp_of_text(text: str) -> datetime:
    """Return the moment of an RFC 3339 text, in UTC. Raises EvaluationError."""
    if not _MOMENT.fullmatch(text):
        raise EvaluationError("the text is not a time like 2026-01-31T09:00:00Z")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise EvaluationError("the text names a time that does not exist") from None


def duration_of_text(text: str) -> timedelta:
    """Return the duration of a text like 1h30m. Raises EvaluationError."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise EvaluationError("the text is not a duration like 4h, 90m or 1h30m")
    try:
        span = timedelta(microseconds=sum(map(_part, _PART.finditer(match["parts"]))))
    except OverflowError:
        raise EvaluationError("the duration is out of range") from None
    return within_range(-span if match["sign"] == "-" else span)


def _part(match: re.Match[str]) -> int:
    """Return the microseconds of one part. Raises EvaluationError when there is no whole number of them."""
    fraction = match["fraction"] or ""
    nanoseconds = int(match["count"] + fraction) * _NANOSECONDS[match["unit"]]
    microseconds, rest = divmod(nanoseconds, int(1_000 * 10 ** len(fraction)))
    if rest:
        raise EvaluationError("the duration is finer than a microsecond")
    return microseconds


def zone_of_text(text: str) -> tzinfo:
    """Return the time zone of a name like Europe/Warsaw or an offset like +02:00. Raises EvaluationError."""
    match = _OFFSET.fullmatch(text)
    try:
        if match is None:
            return ZoneInfo(text)
        offset = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"]))
        return timezone(-offset if match["sign"] == "-" else offset)
    except (ValueError, LookupError, OSError):
        raise EvaluationError("there is no such time zone") from None


def _calendar(part: Callable[[datetime], int]) -> Callable[[datetime, tzinfo], int]:
    def read(moment: datetime, zone: tzinfo) -> int:
        try:
            return part(moment.astimezone(zone))
        except (ValueError, OverflowError):
            raise EvaluationError("the time is out of range in that time zone") from None

    return read


CALENDAR: dict[str, Callable[[datetime, tzinfo], int]] = {
    "getFullYear": _calendar(lambda moment: moment.year),
    "getMonth": _calendar(lambda moment: moment.month - 1),
    "getDate": _calendar(lambda moment: moment.day),
    "getDayOfMonth": _calendar(lambda moment: moment.day - 1),
    "getDayOfWeek": _calendar(lambda moment: moment.isoweekday() % 7),
    "getDayOfYear": _calendar(lambda moment: moment.timetuple().tm_yday - 1),
    "getHours": _calendar(lambda moment: moment.hour),
    "getMinutes": _calendar(lambda moment: moment.minute),
    "getSeconds": _calendar(lambda moment: moment.second),
}
