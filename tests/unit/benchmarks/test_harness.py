"""The pure part of the benchmarks: medians, turns, rows, and what of them is shown and written."""

from __future__ import annotations

import json
from io import StringIO
from itertools import count

import pytest
from rich.console import Console

from benchmarks.harness import Row, Samples, batch_of, each, interleaved, quantile, row_of, shown, table_of


def test_the_median_and_the_spread_are_measured_values_in_the_middle() -> None:
    samples = Samples(tuple(float(value) for value in range(101)))
    assert (samples.p50, samples.spread) == (50, (10, 90))


def test_one_slow_call_in_a_hundred_moves_neither_median_nor_spread() -> None:
    calm = Samples((1.0,) * 99)
    disturbed = Samples((*calm.values, 1e9))
    assert (disturbed.p50, disturbed.spread) == (calm.p50, calm.spread)


def test_another_unit_changes_every_value_alike() -> None:
    assert Samples((1_000.0, 3_000.0)).per(1_000).values == (1.0, 3.0)


def test_there_is_no_quantile_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing"):
        quantile((), 0.5)


def test_a_ratio_is_by_the_peer_where_there_is_one_and_says_so() -> None:
    row = Row("decide", 2, "µs", peer=8, floor=1)
    assert (row.ratio, row.against) == (0.25, "peer")


def test_a_ratio_is_by_the_floor_where_there_is_no_peer_and_says_so() -> None:
    row = Row("call", 3, "µs", floor=1.5)
    assert (row.ratio, row.against) == (2, "floor")


def test_a_figure_that_stands_alone_has_no_ratio() -> None:
    row = Row("memory", 40, "MB")
    assert (row.ratio, row.against) == (None, None)


@pytest.mark.parametrize(
    ("ours", "higher", "met"), [(9, False, True), (11, False, False), (11, True, True), (9, True, False)]
)
def test_a_goal_is_the_most_or_the_least_that_ours_may_be(ours: float, *, higher: bool, met: bool) -> None:
    assert Row("x", ours, "µs", goal=10, higher_is_better=higher).met is met


def test_a_row_without_a_goal_neither_meets_nor_misses_it() -> None:
    assert Row("x", 1, "µs").met is None


def test_a_row_is_written_as_json_beginning_with_the_six_names_that_were_promised() -> None:
    row = row_of("decide, 10 rules", Samples((1.0, 2.0, 3.0)), "µs", peer=4, floor=0.5, goal=10)
    written = json.loads(json.dumps(row.as_json()))
    assert list(written)[:6] == ["name", "ours", "peer", "floor", "unit", "ratio"]
    assert written == {
        "name": "decide, 10 rules",
        "ours": 2,
        "peer": 4,
        "floor": 0.5,
        "unit": "µs",
        "ratio": 0.5,
        "against": "peer",
        "spread": [1, 3],
        "goal": 10,
        "met": True,
    }


def test_contestants_take_turns_and_each_gets_its_own_time_per_call() -> None:
    """Expects A B A B, and the time of one call, by a clock that only the calls move."""
    now, order = [0], []

    def call(name: str, took: int) -> None:
        order.append(name)
        now[0] += took

    found = interleaved(
        {"slow": lambda: call("slow", 2_000_000), "fast": lambda: call("fast", 500_000)},
        rounds=3,
        clock=lambda: now[0],
    )
    assert {name: samples.values for name, samples in found.items()} == {
        "slow": (2_000_000.0,) * 3,
        "fast": (500_000.0,) * 3,
    }
    assert order[-6:] == ["slow", "fast"] * 3


def test_a_batch_is_long_enough_that_reading_the_clock_does_not_count() -> None:
    now = [0]

    def call() -> None:
        now[0] += 1_000

    assert 500 <= batch_of(call, lambda: now[0]) <= 1_024


def test_each_single_call_is_measured_by_the_clock_that_was_given() -> None:
    ticks = count(step=7)
    assert each(lambda: None, 3, lambda: next(ticks)).values == (7, 7, 7)


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (0.0123, "0.01"), (9.876, "9.88"), (98.76, "98.8"), (9876.5, "9,876")]
)
def test_a_number_is_shown_with_the_digits_that_count(value: float | None, text: str) -> None:
    assert shown(value) == text


def test_the_table_shows_every_figure_and_whether_the_goal_was_met() -> None:
    rows = [
        Row("ten rules", 9.5, "µs", peer=19, floor=0.5, spread=(9, 10), goal=10),
        Row("a call", 300, "µs", floor=100, goal=250),
    ]
    written = StringIO()
    Console(width=160, file=written).print(table_of("decide", rows))
    text = written.getvalue()
    for shown_text in ("ten rules", "9.50", "9.00 to 10.0", "0.50 p", "≤ 10.0 met", "3.00 f", "≤ 250 MISSED"):
        assert shown_text in text, shown_text
