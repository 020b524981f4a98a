"""How many members are answered for: the most that any way of placing people gives, each person once."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from handrail.engine.questions.seats import matched

MEMBERS = st.frozensets(st.sampled_from(["ann", "bob", "cy", "di"]), max_size=3)
PLACES = st.dictionaries(st.sampled_from(["v", "w", "x", "y", "z"]), MEMBERS, max_size=5)


def most(places: Mapping[str, frozenset[str]]) -> int:
    """By trying every way."""
    ways = product(*[[None, *sorted(free)] for free in places.values()])
    taken = ([each for each in way if each is not None] for way in ways)
    return max(len(each) for each in taken if len(each) == len(set(each)))


@given(PLACES)
def test_as_many_count_as_could_at_best(places: Mapping[str, frozenset[str]]) -> None:
    assert matched(places) == most(places)


def test_nobody_counts_for_nobody_and_one_for_one() -> None:
    assert matched({}) == 0
    assert matched({"v": frozenset()}) == 0
    assert matched({"v": frozenset({"ann", "bob"})}) == 1
    assert matched({"v": frozenset({"ann"}), "w": frozenset({"ann"})}) == 1
