"""Times as people write and read them."""

from __future__ import annotations

import pytest

from handrail.cli.times import clock, later, moment, span
from handrail.words.errors import BadArguments

NOW = 1_772_357_405_120


def test_a_time_is_shown_in_utc() -> None:
    assert clock(NOW) == "2026-03-01 09:30:05"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01", 1_772_323_200_000),
        ("2026-03-01T09:30:05.120Z", NOW),
        ("2026-03-01T10:30:05.120+01:00", NOW),
        ("2026-03-01 09:30:05.120", NOW),
        ("2h", NOW - 7_200_000),
        ("30m ago", NOW - 1_800_000),
        ("7 d", NOW - 604_800_000),
        ("1w", NOW - 604_800_000),
        ("0s", NOW),
    ],
)
def test_a_moment_is_a_date_a_time_or_so_long_ago(text: str, expected: int) -> None:
    assert moment(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "2 fortnights", "-2h", "99999999999999999999h"])
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(BadArguments, match="2026-03-01"):
        moment(text, NOW)


def test_no_time_is_no_moment() -> None:
    assert moment(None, NOW) is None


@pytest.mark.parametrize(
    ("ms", "shown"),
    [
        *((0, "0 s"), (-59_000, "59 s"), (119_999, "119 s"), (120_000, "2 min"), (7_199_999, "119 min")),
        *((7_200_000, "2 h"), (172_799_999, "47 h"), (172_800_000, "2 days"), (-864_000_000, "10 days")),
    ],
)
def test_a_span_is_shown_in_its_largest_fitting_unit(ms: int, shown: str) -> None:
    assert span(ms) == shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(("3 days", NOW + 259_200_000), ("12 h", NOW + 43_200_000), ("30 min", NOW + 1_800_000)),
        *(("sun", 1_772_406_000_000), ("Friday", 1_772_838_000_000), ("2026-03-02", 1_772_492_400_000)),
        ("2026-03-02T12:00Z", 1_772_452_800_000),
    ],
)
def test_a_time_to_come_is_a_day_to_its_end_in_the_policys_zone_a_time_or_a_while(
    text: str, expected: int
) -> None:
    """NOW is a Sunday, 10:30 in Warsaw."""
    assert later(text, NOW, "Europe/Warsaw") == expected


@pytest.mark.parametrize("text", ["", "soon", "frid", "2026-02-28", "2026-03-01T09:00Z", "0 days"])
def test_what_is_no_time_to_come_is_refused(text: str) -> None:
    with pytest.raises(BadArguments):
        later(text, NOW, "Europe/Warsaw")
