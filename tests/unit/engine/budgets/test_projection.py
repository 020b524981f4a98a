"""When a budget ends at this pace: told only where enough has happened, and never too early."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.engine.budgets.projection import ends_at

HOUR = 3_600_000
DAY = 24 * HOUR
BEGIN = 1_800_000_000_000


def test_at_an_even_pace_a_budget_ends_when_its_last_part_is_used() -> None:
    """Half is used after six hours: the other half lasts six more."""
    assert ends_at(BEGIN, BEGIN + DAY, BEGIN + 6 * HOUR, 50, 100) == BEGIN + 12 * HOUR


@pytest.mark.parametrize(
    ("now", "used"),
    [
        (6 * HOUR, 25),  # it lasts until the end
        (6 * HOUR, 100),  # it is used up already
        (6 * HOUR, 1),  # too little was used to speak of a pace
        (20 * 60_000, 90),  # too short a time
        (0, 50),
        (DAY, 50),  # the window is over
    ],
)
def test_nothing_is_told_where_there_is_nothing_to_tell(now: int, used: int) -> None:
    assert ends_at(BEGIN, BEGIN + DAY, BEGIN + now, used, 100) is None


def test_a_short_window_needs_less_time() -> None:
    """A twentieth of an hour is three minutes."""
    assert ends_at(BEGIN, BEGIN + HOUR, BEGIN + 2 * 60_000, 50, 100) is None
    assert ends_at(BEGIN, BEGIN + HOUR, BEGIN + 4 * 60_000, 50, 100) == BEGIN + 8 * 60_000


@given(st.integers(1, DAY - 1), st.integers(0, 10**18), st.integers(1, 10**18))
def test_what_is_told_is_still_to_come_and_inside_the_window(now: int, used: int, limit: int) -> None:
    """And nothing at this pace is used up before it."""
    found = ends_at(BEGIN, BEGIN + DAY, BEGIN + now, used, limit)
    if found is not None:
        assert BEGIN + now < found < BEGIN + DAY
        assert used * (found - BEGIN) >= limit * now > used * (found - 1 - BEGIN)
