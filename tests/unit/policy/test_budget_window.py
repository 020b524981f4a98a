"""Windows: calendar hours, days, weeks and months in a time zone, also when the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.policy.budget_window import beginning, renews
from handrail.policy.model import Window

WARSAW = ZoneInfo("Europe/Warsaw")
ZONES = ("UTC", "Europe/Warsaw", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Asia/Beirut")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1000


@pytest.mark.parametrize(
    ("window", "now", "start"),
    [
        (Window.HOUR, "2026-11-22T18:25:31+01:00", "2026-11-22T18:00:00+01:00"),
        (Window.DAY, "2026-11-22T00:00:00+01:00", "2026-11-22T00:00:00+01:00"),
        (Window.DAY, "2026-11-21T23:59:59+01:00", "2026-11-21T00:00:00+01:00"),
        (Window.DAY, "2026-07-01T12:00:00+02:00", "2026-07-01T00:00:00+02:00"),
        (Window.WEEK, "2026-11-22T18:25:31+01:00", "2026-11-16T00:00:00+01:00"),
        (Window.MONTH, "2026-11-22T18:25:31+01:00", "2026-11-01T00:00:00+01:00"),
        # the day on which the clocks go forward has 23 hours, the one on which they go back 25
        (Window.DAY, "2026-03-29T23:30:00+02:00", "2026-03-29T00:00:00+01:00"),
        (Window.DAY, "2026-10-25T23:30:00+01:00", "2026-10-25T00:00:00+02:00"),
        (Window.HOUR, "2026-03-29T03:30:00+02:00", "2026-03-29T03:00:00+02:00"),
        (Window.HOUR, "2026-10-25T02:30:00+02:00", "2026-10-25T02:00:00+02:00"),
        (Window.HOUR, "2026-10-25T02:30:00+01:00", "2026-10-25T02:00:00+01:00"),
        (Window.WEEK, "2026-10-25T12:00:00+01:00", "2026-10-19T00:00:00+02:00"),
    ],
)
def test_a_window_begins_by_the_local_calendar(window: Window, now: str, start: str) -> None:
    assert beginning(window, WARSAW)(at(now)) == at(start)


@pytest.mark.parametrize("window", [Window.TASK, Window.SESSION, Window.TOTAL])
def test_a_window_without_end_begins_at_nothing(window: Window) -> None:
    assert beginning(window, WARSAW)(at("2026-11-22T18:25:31+01:00")) == 0
    assert renews(window, WARSAW, 0) == "it does not renew by itself"


@pytest.mark.parametrize(
    ("window", "now", "says"),
    [
        (Window.HOUR, "2026-11-22T18:25:31+01:00", "2026-11-22 19:00"),
        (Window.HOUR, "2026-10-25T02:30:00+02:00", "2026-10-25 02:00"),
        (Window.DAY, "2026-03-29T01:00:00+01:00", "2026-03-30 00:00"),
        (Window.DAY, "2026-10-25T23:30:00+01:00", "2026-10-26 00:00"),
        (Window.WEEK, "2026-10-25T12:00:00+01:00", "2026-10-26 00:00"),
        (Window.MONTH, "2026-12-31T12:00:00+01:00", "2027-01-01 00:00"),
        (Window.MONTH, "2026-02-28T12:00:00+01:00", "2026-03-01 00:00"),
    ],
)
def test_a_window_says_when_it_renews(window: Window, now: str, says: str) -> None:
    assert renews(window, WARSAW, at(now)) == f"it renews at {says} (Europe/Warsaw)"


@given(
    st.sampled_from([Window.HOUR, Window.DAY, Window.WEEK, Window.MONTH]),
    st.sampled_from(ZONES),
    st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 hypothesis adds it
)
def test_the_start_is_never_later_and_starts_its_own_window(
    window: Window, zone: str, moment: datetime
) -> None:
    begins = beginning(window, ZoneInfo(zone))
    now = int(moment.timestamp() * 1000)
    start = begins(now)
    assert start <= now
    assert begins(start) == start
    assert begins(now) == beginning(window, ZoneInfo(zone))(now)


@pytest.mark.parametrize("now", [10**18, -(10**18)])
def test_a_time_that_is_no_date_is_an_error(now: int) -> None:
    with pytest.raises(ValueError, match="no date"):
        beginning(Window.DAY, WARSAW)(now)
