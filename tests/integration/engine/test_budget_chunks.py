"""Processes spend one hot budget on PostgreSQL from chunks: to the last unit, and never past it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import handrail
from handrail.engine import jobs
from handrail.engine.budgets.changes import raise_until
from handrail.engine.budgets.leases import close
from handrail.words.entry import Kind
from handrail.words.lifecycle import State
from handrail.words.money import NANO
from tests.integration.engine import chunk_racers
from tests.integration.engine.conftest import Open
from tests.support.nursery import Ended, Nursery, nursery
from tests.support.rail import Desk

LIMIT = 700
PROCESSES = 4
POLICY = """
handrail: 1
agents: {support: {may: [pay]}}
tools: {pay: {does: pay, amount: args.amount, starts: bounded, at_most: bounded}}
budgets:
  - {id: hot, tools: pay, amount: 700, per: total, alert_at: [50%, 90%, 100%]}
  - {id: count, tools: pay, actions: 100000, per: day}
loops: {same_call: off, same_error: off, calls_per_minute: off}
"""
SUMS = """
    select w.budget, w.used, sum(coalesce(h.spent, h.quantity))
    from budget_windows w join holds h
        on h.budget = w.budget and h.scope = w.scope and h.starts_at = w.starts_at
    group by w.budget, w.scope, w.starts_at, w.used
"""


@pytest.fixture(scope="module")
def processes() -> Iterator[Nursery]:
    with nursery(chunk_racers.__name__) as found:
        yield found


@dataclass
class Race:
    """A store that processes share, with a desk on it."""

    desk: Desk
    policy: str
    processes: Nursery
    pay: Callable[..., str]

    def run(self, *jobs: tuple[str, dict[str, Any]]) -> list[Ended]:
        """All at once; how they ended."""
        shared = {"policy": self.policy, "url": self.desk.url}
        return self.processes.run(
            [(f"{chunk_racers.__name__}:{name}", {**shared, **given}) for name, given in jobs]
        )

    def pay_the_rest(self) -> int:
        """What one can still pay, one by one, until it is refused."""
        for paid in range(LIMIT + 1):
            with self.desk.rail.session("support", "t"):
                try:
                    self.pay(1, fails=False)
                except handrail.Denied as denied:
                    return paid if "are used" in str(denied) else -1
        raise AssertionError("it was never refused")

    def is_sum(self) -> None:
        """No chunk is open, and every window is what its holds came to."""
        assert self.desk.sql("select id from budget_chunks") == []
        found = self.desk.sql(SUMS)
        assert {budget for budget, *_ in found} == {"hot", "count"}
        assert [used for _, used, _ in found] == [held for *_, held in found]

    def drawn(self) -> int:
        """How many charges of the hot budget came from a chunk, and stayed there."""
        return int(self.desk.sql("select count(*) from holds where chunk is not null")[0][0])


@pytest.fixture
def race(empty_database: str, open_desk: Open, processes: Nursery, tmp_path: Path) -> Race:
    """PostgreSQL, which is where chunks pay."""
    desk = open_desk(empty_database, POLICY)

    @desk.rail.tool
    def pay(amount: int, *, fails: bool) -> str:
        return "paid"

    return Race(desk, str(tmp_path / "handrail.yaml"), processes, pay)


def ended_well(ended: list[Ended]) -> list[Any]:
    assert [each.code for each in ended] == [0] * len(ended), "\n".join(each.stderr for each in ended)
    return [each.result for each in ended]


@pytest.mark.parametrize("undone", [0.0, 0.3])
def test_a_limit_is_met_exactly_and_nobody_is_refused_while_there_is_room(race: Race, undone: float) -> None:
    """With others' chunks open; alerts come once, and never before it was used."""
    jobs_ = [("drain", {"seed": seed, "undone": undone}) for seed in range(PROCESSES)]
    told = ended_well(race.run(*jobs_))
    paid, refused = sum(each["paid"] for each in told), [why for each in told for why in each["refused"]]
    assert len(refused) >= PROCESSES * chunk_racers.THREADS
    assert [why for why in refused if "are used" not in why] == []
    # what was undone after everybody had been refused is all that may be left
    assert paid == LIMIT or undone
    assert paid + race.pay_the_rest() == LIMIT
    race.desk.app.close()
    assert race.drawn() > 20
    race.is_sum()
    assert race.desk.sql("select used from budget_windows where budget = 'hot'") == [(LIMIT * NANO,)]
    alerts_are_true(race.desk)


def alerts_are_true(desk: Desk) -> None:
    """Each once; what it says was used had begun before it was told."""
    amounts = {action.id: action.amount or 0 for action in desk.actions()}
    alerts, begun = [], 0
    for entry in desk.entries():
        if entry.kind is Kind.INTENDED:
            begun += amounts[entry.action or ""]
        if entry.kind is Kind.BUDGET_ALERT:
            alerts.append((entry, begun + amounts.get(entry.action or "", 0)))
    found = desk.app.store.read(lambda tx: tx.budgets.alerts("hot", 0, 99))
    assert [each.percent for each in reversed(found)] == [50, 90, 100]
    assert len(alerts) == len(found)
    for alert, (_, real) in zip(reversed(found), alerts, strict=True):
        assert alert.percent * alert.limit <= alert.used * 100 <= 100 * real


@pytest.mark.parametrize("how", ["freeze", "stop", "limit", "raise"])
def test_nothing_starts_after_a_restriction_has_returned(race: Race, how: str) -> None:
    """Chunks or not: what had begun when it returned is all that ever began."""
    desk, given = race.desk, ""
    if how == "limit":
        given = POLICY.replace("amount: 700", "amount: 5")
    if how == "raise":
        desk.activate(POLICY.replace("amount: 700", "amount: 5"))
        far = desk.app.engine.clock() + 3_600_000
        given = raise_until(desk.app.engine, "hot", LIMIT * NANO, far, "ann@example.com", "more").id
    restricting = ("restrict", {"how": how, "after": 60, "given": given})
    *told, begun = ended_well(
        race.run(*[("drain", {"seed": seed}) for seed in range(PROCESSES - 1)], restricting)
    )
    assert begun >= 60
    assert len([entry for entry in desk.entries() if entry.kind is Kind.INTENDED]) == begun
    assert sum(each["paid"] for each in told) < LIMIT
    race.is_sum()


def test_processes_that_are_killed_with_open_chunks_take_nothing_with_them(race: Race) -> None:
    """What they had taken and not used can be spent at once, and what they were doing counts in full."""
    killed = [("drain", {"seed": seed, "die_after": 40 + 7 * seed}) for seed in range(2)]
    ended = race.run(*killed, ("drain", {"seed": 8}), ("drain", {"seed": 9}))
    assert [each.code for each in ended] == [-signal.SIGKILL, -signal.SIGKILL, 0, 0]
    race.pay_the_rest()
    assert race.desk.app.store.read(lambda tx: tx.budgets.room("hot", "[]", 0)).used == LIMIT * NANO
    while race.desk.actions(State.RUNNING):
        jobs.reap(race.desk.app.engine)
    lost = race.desk.actions(State.UNKNOWN)
    assert 2 <= len(lost) <= 2 * chunk_racers.THREADS
    assert race.pay_the_rest() == 0
    race.desk.app.close()
    close(race.desk.app.engine, [row[0] for row in race.desk.sql("select id from budget_chunks")])
    race.is_sum()
    assert race.desk.sql("select used from budget_windows where budget = 'hot'") == [(LIMIT * NANO,)]
