"""The clock of the machine is set back and forth under a store: nothing is lost, doubled or let through."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest

import handrail
from handrail.engine import jobs
from handrail.engine.restrict import halt, lift
from handrail.store import sqlite_connection
from handrail.words.lifecycle import State
from tests.support.rail import Desk, opened

DAY = 24 * 3_600_000


class Clock:
    """This machine's clock, and by how much somebody moved it."""

    def __init__(self) -> None:
        self.moved = 0

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 + self.moved


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Every store that is opened from now on goes by it."""
    made = Clock()
    monkeypatch.setattr(sqlite_connection, "now_ms", made)
    return made


def held(desk: Desk, order: str) -> str:
    """A question about a refund."""
    with desk.rail.session("support", "t"), pytest.raises(handrail.Held) as found:
        desk.rail.tools_for("support")[0](order, 500)
    return found.value.action_id


@pytest.mark.parametrize("moved", [-DAY, -DAY * 400, 0])
def test_a_clock_that_is_set_back_stops_nothing_and_repeats_nothing(
    moved: int, tmp_path: Path, clock: Clock
) -> None:
    """What was asked can be answered, what was approved runs once, a halt holds, and the log is sealed."""
    with opened(tmp_path, f"sqlite:///{tmp_path / 'h.db'}", keeper=False) as desk:
        desk.app.engine.clock = clock
        ran: Counter[str] = Counter()

        @desk.rail.tool
        def refund(order: str, amount: float, reason: str = "") -> str:
            ran[order] += 1
            return order

        with desk.rail.session("support", "t"):
            refund("before", 5)
        approved, asked = held(desk, "approved"), held(desk, "asked")
        desk.vote(approved)
        jobs.seal(desk.app.engine)
        clock.moved = moved
        assert desk.rail.resume(approved) == "approved"
        desk.vote(asked)
        assert desk.rail.resume(asked) == "asked"
        assert desk.rail.resume(asked) == "asked"
        stop, _ = halt(desk.app.engine, "odd", "ops")
        with desk.rail.session("support", "t"):
            with pytest.raises(handrail.Denied):
                refund("halted", 5)
            lift(desk.app.engine, stop, "fine", "ops")
            refund("after", 5)
        assert jobs.reap(desk.app.engine) + jobs.expire(desk.app.engine) == 0
        jobs.seal(desk.app.engine)
        assert (desk.verified().ok, desk.verified().unsealed.count) == (True, 0)
        assert ran == {"before": 1, "approved": 1, "asked": 1, "after": 1}


def test_a_clock_that_leaps_ahead_expires_and_lets_nothing_through(tmp_path: Path, clock: Clock) -> None:
    """Whoever was asked has had no time to answer: it ends as the policy says, and does not run."""
    with opened(tmp_path, f"sqlite:///{tmp_path / 'h.db'}", keeper=False) as desk:
        desk.app.engine.clock = clock

        @desk.rail.tool
        def refund(order: str, amount: float, reason: str = "") -> str:
            return order

        approved, asked = held(desk, "approved"), held(desk, "asked")
        desk.vote(approved)
        clock.moved = 400 * DAY
        with pytest.raises(handrail.NotRun):
            desk.rail.resume(approved)
        while jobs.expire(desk.app.engine):
            clock.moved += 10 * DAY
        assert [desk.action(each).state for each in (approved, asked)] == [State.EXPIRED, State.EXPIRED]
        clock.moved = 0
        jobs.seal(desk.app.engine)
        assert desk.verified().ok
