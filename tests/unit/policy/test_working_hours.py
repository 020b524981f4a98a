"""Working hours: a time to answer runs only while people work, to the millisecond, as clocks change too."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handrail.policy.working_hours import deadline, is_open, per_week

HOUR = 3_600_000
MINUTE = 60_000
OFFICE = "mon-fri 09:00-17:00"
ROUND_THE_WEEKEND = "fri-mon 10:00-12:00, wed 13:30-24:00"
AT_NIGHT = "sun 00:00-02:30, sat-sun 01:30-03:15"
HOURS = (OFFICE, ROUND_THE_WEEKEND, AT_NIGHT, "mon-sun 00:00-24:00", "mon 23:59-24:00", "tue-mon 00:10-23:50")
ZONES = (
    *("UTC", "Europe/Warsaw", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Asia/Beirut"),
    *("America/St_Johns", "Africa/Casablanca", "Pacific/Apia"),
)
CHANGES = (
    *("2026-03-29T01:00:00+00:00", "2026-10-25T01:00:00+00:00", "2026-03-08T07:00:00+00:00"),
    *("2026-11-01T06:00:00+00:00", "2026-04-04T15:00:00+00:00", "2026-10-03T15:30:00+00:00"),
    *("2026-03-28T22:00:00+00:00", "2026-10-24T21:00:00+00:00", "2026-02-15T02:00:00+00:00"),
    *("2006-10-29T02:31:00+00:00", "2011-12-30T10:00:00+00:00", "2026-07-01T12:00:00+00:00"),
)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("asked", "within", "hours", "until"),
    [
        # within a day, up to its end, over a night and over a weekend
        ("2026-11-20T10:00+01:00", 4 * HOUR, OFFICE, "2026-11-20T14:00+01:00"),
        ("2026-11-20T13:00+01:00", 4 * HOUR, OFFICE, "2026-11-20T17:00+01:00"),
        ("2026-11-19T15:00+01:00", 4 * HOUR, OFFICE, "2026-11-20T11:00+01:00"),
        ("2026-11-20T15:00+01:00", 4 * HOUR, OFFICE, "2026-11-23T11:00+01:00"),
        # asked while nobody works
        ("2026-11-21T15:00+01:00", 1, OFFICE, "2026-11-23T09:00:00.001+01:00"),
        ("2026-11-20T17:00+01:00", 8 * HOUR, OFFICE, "2026-11-23T17:00+01:00"),
        # several times, one of which goes round the end of the week, and one up to midnight
        ("2026-11-20T11:00+01:00", 4 * HOUR, ROUND_THE_WEEKEND, "2026-11-22T11:00+01:00"),
        ("2026-11-25T20:00+01:00", 4 * HOUR, ROUND_THE_WEEKEND, "2026-11-26T00:00+01:00"),
        # the clocks go forward (02:00 to 03:00) and back (03:00 to 02:00) on a Sunday
        ("2026-03-28T23:00+01:00", 2 * HOUR, "mon-sun 00:00-24:00", "2026-03-29T01:00+01:00"),
        ("2026-03-29T01:00+01:00", 2 * HOUR, "mon-sun 00:00-24:00", "2026-03-29T04:00+02:00"),
        (
            "2026-03-29T00:00+01:00",
            1 * HOUR + MINUTE,
            "sun 01:00-02:30, mon 09:00-17:00",
            "2026-03-30T09:01+02:00",
        ),
        ("2026-10-25T02:00+02:00", 45 * MINUTE, "sun 02:15-02:45", "2026-10-25T02:30+01:00"),
        ("2026-03-27T16:00+01:00", 2 * HOUR, OFFICE, "2026-03-30T10:00+02:00"),
        ("2026-10-23T16:00+02:00", 2 * HOUR, OFFICE, "2026-10-26T10:00+01:00"),
        # no hours: the clock always runs
        ("2026-11-20T15:00+01:00", 4 * HOUR, None, "2026-11-20T19:00+01:00"),
        ("2026-11-21T15:00+01:00", 0, OFFICE, "2026-11-21T15:00+01:00"),
    ],
)
def test_the_time_to_answer_runs_only_while_people_work(
    asked: str, within: int, hours: str | None, until: str
) -> None:
    assert deadline(at(asked), within, hours, "Europe/Warsaw") == at(until)


@pytest.mark.parametrize(
    ("moment", "hours", "open_"),
    [
        ("2026-11-20T09:00+01:00", OFFICE, True),
        ("2026-11-20T08:59:59.999+01:00", OFFICE, False),
        ("2026-11-20T16:59:59.999+01:00", OFFICE, True),
        ("2026-11-20T17:00+01:00", OFFICE, False),
        ("2026-11-21T12:00+01:00", OFFICE, False),
        ("2026-11-21T12:00+01:00", None, True),
        ("2026-11-23T11:00+01:00", ROUND_THE_WEEKEND, True),
        ("2026-11-24T11:00+01:00", ROUND_THE_WEEKEND, False),
        ("2026-10-25T02:20+02:00", "sun 02:15-02:45", True),
        ("2026-10-25T02:50+02:00", "sun 02:15-02:45", False),
        ("2026-10-25T02:20+01:00", "sun 02:15-02:45", True),
    ],
)
def test_people_are_at_work_by_the_local_clock(moment: str, hours: str | None, open_: bool) -> None:  # noqa: FBT001
    assert is_open(at(moment), hours, "Europe/Warsaw") is open_


def test_times_that_overlap_are_counted_once() -> None:
    assert per_week("mon-tue 09:00-12:00, tue 11:00-13:00, mon 12:00-12:30") == 7 * HOUR + HOUR // 2
    assert per_week(OFFICE) == 40 * HOUR


def works(minute: int, hours: str, zone: ZoneInfo) -> bool:
    """The slow way: whether people work in this minute, by the words of the policy and the local clock."""
    local = datetime.fromtimestamp(minute * 60, zone)
    names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    for part in hours.split(", "):
        days, clock = part.split(" ")
        first, last = (names.index(name) for name in (days.split("-") * 2)[:2])
        inside = first <= local.weekday() <= last if first <= last else not last < local.weekday() < first
        begin, end = clock.split("-")
        if inside and begin <= f"{local:%H:%M}" < end:
            return True
    return False


moments = st.one_of(
    st.integers(at("2026-01-01T00:00+00:00"), at("2027-12-31T00:00+00:00")),
    st.builds(
        lambda change, off: at(change) + off, st.sampled_from(CHANGES), st.integers(-5 * HOUR, 5 * HOUR)
    ),
)
places = st.tuples(st.sampled_from(HOURS), st.sampled_from(ZONES))


@settings(deadline=None, max_examples=150)
@given(moments, st.integers(1, 9 * HOUR), places)
def test_exactly_the_time_to_answer_is_worked_between_question_and_deadline(
    asked: int, within: int, place: tuple[str, str]
) -> None:
    """An independent count, minute by minute, finds the duration to the millisecond, and no earlier end."""
    hours, zone = place
    until = deadline(asked, within, hours, zone)
    if until - asked > 15 * 24 * HOUR:
        asked_again = deadline(asked, within - MINUTE, hours, zone)
        assert asked_again < until
        return
    worked = 0
    for minute in range(asked // MINUTE, until // MINUTE + 1):
        if works(minute, hours, ZoneInfo(zone)):
            worked += max(min(until, (minute + 1) * MINUTE) - max(asked, minute * MINUTE), 0)
    assert worked == within
    assert is_open(until - 1, hours, zone)


@given(moments, st.integers(0, 9 * HOUR), st.integers(0, 400 * HOUR), st.integers(0, 400 * HOUR), places)
def test_later_questions_and_longer_times_never_end_earlier(
    asked: int, later: int, within: int, more: int, place: tuple[str, str]
) -> None:
    hours, zone = place
    until = deadline(asked, within, hours, zone)
    assert asked + within <= until
    assert until <= deadline(asked + later, within, hours, zone)
    assert until <= deadline(asked, within + more, hours, zone)


@given(moments, st.integers(0, 400 * HOUR), st.integers(0, 400 * HOUR), places)
def test_two_times_one_after_the_other_end_when_their_sum_does(
    asked: int, first: int, second: int, place: tuple[str, str]
) -> None:
    hours, zone = place
    between = deadline(asked, first, hours, zone)
    assert deadline(between, second, hours, zone) == deadline(asked, first + second, hours, zone)


@given(moments, places)
def test_open_is_what_the_slow_count_calls_open(asked: int, place: tuple[str, str]) -> None:
    hours, zone = place
    assert is_open(asked, hours, zone) is works(asked // MINUTE, hours, ZoneInfo(zone))


def test_a_hundred_years_of_minutes_a_week_are_found_at_once() -> None:
    """However long it takes, the answer does not: beyond 2199 no clock is foreseen to change."""
    began = time.perf_counter()
    until = deadline(at("2026-11-20T15:00+01:00"), 100 * 365 * 24 * HOUR, "mon 23:59-24:00", "Europe/Warsaw")
    assert until > at("9999-01-01T00:00+00:00")
    assert not is_open(until, "mon 23:59-24:00", "Europe/Warsaw")
    assert is_open(until - 1, "mon 23:59-24:00", "Europe/Warsaw")
    assert time.perf_counter() - began < 30


def test_the_slow_count_agrees_with_the_calendar() -> None:
    """The twin of the counter: it knows a Friday at noon, and a Saturday."""
    friday, saturday = (at(f"2026-11-{day}T12:00+00:00") // MINUTE for day in (20, 21))
    assert works(friday, OFFICE, ZoneInfo("UTC"))
    assert not works(saturday, OFFICE, ZoneInfo("UTC"))
    assert datetime.fromtimestamp(friday * 60, UTC).weekday() == 4
