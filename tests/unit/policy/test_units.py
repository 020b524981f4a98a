"""Durations, percentages, rates and hours: exact, and nothing near them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.policy import units

MINUTE = 60_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10 min", 10 * MINUTE),
        ("4 h", 240 * MINUTE),
        ("24h", 1440 * MINUTE),
        ("1 day", 1440 * MINUTE),
        ("30 days", 30 * 1440 * MINUTE),
        ("2 weeks", 14 * 1440 * MINUTE),
        ("2 years", 730 * 1440 * MINUTE),
        ("90 s", 90_000),
        ("1.5 h", 90 * MINUTE),
        ("5 minutes", 5 * MINUTE),
    ],
)
def test_durations_are_milliseconds(text: str, expected: int) -> None:
    """Each unit that people write, singular and plural."""
    assert units.duration(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "10", "min", "-1 h", "0 h", "1 month", "1 hs", "1  h", "1h ", "1e3 s", "1,5 h", "101 years", "٣ h"],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    """No unit, an ambiguous one, a sign, nothing, or padding."""
    with pytest.raises(ValueError, match=r"is no duration|too short or too long"):
        units.duration(text)


def test_percentages_are_exact() -> None:
    """90% and 2.5% are 90 and 2.5; without the sign, or above 100, it is none."""
    assert units.percent("90%") == 90
    assert units.percent("2.5 %") == Decimal("2.5")
    for text in ("90", "101%", "-1%", "%", "0x5%"):
        with pytest.raises(ValueError, match="is no percentage"):
            units.percent(text)


def test_rates_and_hours_have_one_spelling() -> None:
    """`20 per week` and `mon-fri 09:00-17:00` are read; what only looks like them is not."""
    assert units.rate("20 per week") == (20, "week")
    assert units.hours("mon-fri 09:00-17:00, sat 10:00-24:00") == "mon-fri 09:00-17:00, sat 10:00-24:00"
    for text in ("20 a week", "-1 per week"):
        with pytest.raises(ValueError, match="is no rate"):
            units.rate(text)
    for text in ("", "mon 9-17", "mon 17:00-09:00", "mon 09:00-25:00", "xyz 09:00-10:00"):
        with pytest.raises(ValueError, match="names no working hours"):
            units.hours(text)


@given(st.text(max_size=20))
def test_no_text_breaks_the_readers(text: str) -> None:
    """Whatever stands there, the answer is a value or a ValueError."""
    for read in (units.duration, units.percent, units.rate, units.hours):
        try:
            read(text)
        except ValueError as error:
            assert str(error)  # noqa: PT017 both ways are right; anything else is not
