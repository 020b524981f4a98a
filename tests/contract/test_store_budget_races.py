"""Eight processes of fifty threads at a few overlapping budgets: no limit is exceeded, every sum is exact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from handrail.app import open_store
from handrail.store.postgres import PostgresStore
from handrail.store.sqlite import SqliteStore
from tests.contract.budget_racers import LIMITS, race
from tests.support.nursery import Nursery, nursery

PROCESSES, THREADS = 8, 50
JOB = f"{race.__module__}:{race.__name__}"
SUMS = """
    select w.budget, w.scope, w.used, coalesce(sum(coalesce(h.spent, h.quantity)), 0)
    from budget_windows w left join holds h
        on h.budget = w.budget and h.scope = w.scope and h.starts_at = w.starts_at
    where w.starts_at >= 0 group by w.budget, w.scope, w.starts_at, w.used
"""


@pytest.fixture(scope="module")
def processes() -> Iterator[Nursery]:
    with nursery(race.__module__) as found:
        yield found


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store that processes share."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'handrail.db'}"
    return str(request.getfixturevalue("postgres_database"))


def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    store = open_store(url)
    try:
        if isinstance(store, PostgresStore):
            with store._settings.connect() as connection:
                return connection.execute(statement.encode()).fetchall()
        assert isinstance(store, SqliteStore)
        with closing(store._reader()) as reader:
            return reader.connection.execute(statement).fetchall()
    finally:
        store.close()


def test_no_limit_is_exceeded_and_windows_are_the_sum_of_what_is_in_them(
    url: str, processes: Nursery
) -> None:
    """To the nano-unit, with settlements, releases and losses in between; most budgets do fill up."""
    open_store(url).close()
    given = [{"url": url, "number": number, "threads": THREADS} for number in range(PROCESSES)]
    told = sum((Counter(each) for each in processes.each([(JOB, one) for one in given])), Counter())
    assert told["reserved"] > 100
    assert told["overspent"] > 100
    found = rows(url, SUMS)
    assert {budget for budget, *_ in found} == set(LIMITS)
    for budget, scope, used, held in found:
        assert used == held, (budget, scope)
        assert used <= LIMITS[budget], (budget, scope)
    assert len(rows(url, "select distinct holder from holds")) == told["reserved"]
