"""Windows: calendar hours, days, weeks and months in a time zone, also when the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.policy.budgets.window import beginning, of, renews
from handrail.policy.model import Window
from handrail.words.budget import bucket_width, oldest_bucket

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
        # weeks and months in which the clocks change begin and end at local midnight all the same
        (Window.WEEK, "2026-03-29T23:30:00+02:00", "2026-03-23T00:00:00+01:00"),
        (Window.WEEK, "2026-03-30T00:00:00+02:00", "2026-03-30T00:00:00+02:00"),
        (Window.WEEK, "2026-10-26T00:00:00+01:00", "2026-10-26T00:00:00+01:00"),
        (Window.MONTH, "2026-03-31T23:59:59+02:00", "2026-03-01T00:00:00+01:00"),
        (Window.MONTH, "2026-10-31T12:00:00+01:00", "2026-10-01T00:00:00+02:00"),
        (Window.MONTH, "2028-02-29T12:00:00+01:00", "2028-02-01T00:00:00+01:00"),
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
        (Window.WEEK, "2026-03-28T12:00:00+01:00", "2026-03-30 00:00"),
        (Window.MONTH, "2026-03-01T00:00:00+01:00", "2026-04-01 00:00"),
        (Window.MONTH, "2026-10-15T12:00:00+02:00", "2026-11-01 00:00"),
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


@given(
    st.sampled_from([Window.HOUR, Window.DAY, Window.WEEK, Window.MONTH]),
    st.sampled_from(ZONES),
    st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 hypothesis adds it
)
def test_a_window_ends_where_the_next_one_begins(window: Window, zone: str, moment: datetime) -> None:
    turn = of(window, 0, ZoneInfo(zone))
    now = int(moment.timestamp() * 1000)
    end = turn.ends(now)
    assert end is not None
    assert now < end
    assert turn.begins(end) == end
    assert turn.begins(end - 1) == turn.begins(now)


@given(st.integers(1, 40 * 86_400_000), st.integers(0, 2**42))
def test_a_rolling_window_is_counted_in_buckets_and_free_again_after_its_length(
    rolling: int, now: int
) -> None:
    turn = of(Window.ROLLING, rolling, WARSAW)
    newest, end = turn.begins(now), turn.ends(now)
    assert newest <= now < newest + bucket_width(rolling)
    assert turn.begins(newest) == newest
    assert end is not None
    # what is charged now is in no bucket that counts then, and was in one for all of its length
    assert newest <= oldest_bucket(turn.begins(end), rolling)
    assert newest > oldest_bucket(turn.begins(now + rolling), rolling)


def test_a_rolling_window_says_how_long_what_is_used_counts() -> None:
    assert of(Window.ROLLING, 86_400_000, WARSAW).renews(0) == "what is used counts for 1 day"
    assert of(Window.ROLLING, 5_400_000, WARSAW).renews(0) == "what is used counts for 90 min"


@pytest.mark.parametrize("window", [Window.TASK, Window.SESSION, Window.TOTAL])
def test_a_window_without_end_never_ends(window: Window) -> None:
    assert of(window, 0, WARSAW).ends(at("2026-11-22T18:25:31+01:00")) is None
