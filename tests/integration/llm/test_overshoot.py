"""No upstream ever bills more than the budget: the benchmark's cases, in small."""

from __future__ import annotations

import pytest

from benchmarks.overshoot import CASES, UNPRICED, tried


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_the_upstream_bills_at_most_the_budget(case: str) -> None:
    found = tried(case, calls=12, budget=3)
    if case == UNPRICED:
        assert (found.dollars, found.answered) == (0, 0)
        return
    assert 0 < found.dollars <= 3
    assert found.answered > 0
