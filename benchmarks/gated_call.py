"""One durable gated call of a tool that does nothing, beside the same two transactions by hand (floor).

CPU time is the caller's own thread, PostgreSQL's server not counted; "with the sealer" is the whole process
from the first call until everything is sealed. Ours and the floor take turns, each on a store of its own.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import mean

import psycopg

from benchmarks import by_hand
from benchmarks.harness import US, Row, Samples, row_of
from benchmarks.rails import AGENT, AMOUNT, ORDER, REASON, TASK, Noop, embedded, on_postgres
from handrail import Rail
from tests.support import postgres

GOAL_US, GOAL_TIMES = 250, 4
WARM = 100
PAUSE = 0.004
"""Seconds; as long as a disk may take for two commits."""


@dataclass(slots=True)
class Both:
    """CPU and wall nanoseconds of each call of one contestant."""

    call: Callable[[], object]
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    def turn(self, times: int) -> None:
        """Call it ``times`` times."""
        call, cpu, wall = self.call, self.cpu, self.wall
        for _ in range(times):
            begun, at = time.perf_counter_ns(), time.thread_time_ns()
            call()
            cpu.append(float(time.thread_time_ns() - at))
            wall.append(float(time.perf_counter_ns() - begun))


def run() -> list[Row]:
    """SQLite at both settings, then PostgreSQL."""
    rows = [*on_sqlite("FULL", 20), *on_sqlite("NORMAL", 60), _after_pauses()]
    with postgres.server_url() as url:
        return [*rows, *_on_postgres(url, 40)]


def on_sqlite(synchronous: str, turns: int) -> list[Row]:
    """The rows for one setting of SQLite."""
    with embedded(synchronous) as (rail, noop, path), embedded(synchronous) as (_, _, other):
        call, close = by_hand.on_sqlite(other, synchronous)
        ours, floor = _by_turns(rail, noop, call, turns)
        close()
        _same_rows(_counted(sqlite3.connect(path)), _counted(sqlite3.connect(other)))
    with embedded(synchronous) as (rail, noop, _):
        whole = _with_sealer(rail, noop, turns * 10)
    return _rows(f"SQLite, {synchronous}", ours, floor, whole, goal=GOAL_US)


def _after_pauses() -> Row:
    """What a wait alone adds, without any disk: a processor that slept has forgotten what it knew."""
    with embedded("NORMAL") as (rail, noop, _), embedded("NORMAL") as (_, _, other):
        call, close = by_hand.on_sqlite(other, "NORMAL")
        ours, floor = _by_turns(rail, noop, call, 200, pause=PAUSE)
        close()
    cpu, by_hand_cpu = Samples(tuple(ours.cpu)).per(US), Samples(tuple(floor.cpu)).per(US)
    name = f"SQLite, NORMAL, {PAUSE * 1000:.0f} ms of sleep before each call: CPU"
    return row_of(name, cpu, "µs", floor=by_hand_cpu.p50)


def _on_postgres(url: str, turns: int) -> list[Row]:
    with postgres.database(url) as one, postgres.database(url) as two:
        with on_postgres(one) as (rail, noop), on_postgres(two):
            call, close = by_hand.on_postgres(two)
            ours, floor = _by_turns(rail, noop, call, turns)
            close()
        path = "-c search_path=handrail"
        _same_rows(_counted(psycopg.connect(one, options=path)), _counted(psycopg.connect(two, options=path)))
    with postgres.database(url) as one, on_postgres(one) as (rail, noop):
        whole = _with_sealer(rail, noop, turns * 10)
    return _rows("PostgreSQL", ours, floor, whole, goal=None)


def _by_turns(
    rail: Rail, noop: Noop, by_hand_call: Callable[[], None], turns: int, pause: float = 0
) -> tuple[Both, Both]:
    ours, floor = Both(lambda: noop(ORDER, AMOUNT, REASON)), Both(by_hand_call)
    with rail.session(agent=AGENT, task=TASK):
        for each in (ours, floor):
            each.turn(WARM)
            each.cpu.clear()
            each.wall.clear()
        for _ in range(turns):
            for each in (ours, floor):
                time.sleep(pause)
                each.turn(1 if pause else 20)
    return ours, floor


def _with_sealer(rail: Rail, noop: Noop, times: int) -> float:
    """Microseconds of CPU of the whole process for each call, until all entries are sealed."""
    with rail.session(agent=AGENT, task=TASK):
        for _ in range(WARM):
            noop(ORDER, AMOUNT, REASON)
        begun = time.process_time_ns()
        for _ in range(times):
            noop(ORDER, AMOUNT, REASON)
    rail.close()
    return (time.process_time_ns() - begun) / times / US


def _counted(connection: object) -> dict[str, int]:
    return by_hand.rows_of(connection.execute)  # type: ignore[attr-defined]


def _same_rows(ours: dict[str, int], floor: dict[str, int]) -> None:
    """Raise when one call of ours and one by hand do not leave the same number of rows in every table."""
    if ours != floor:
        raise AssertionError(f"not the same work: ours left {ours}, by hand {floor}")


def _rows(where: str, ours: Both, floor: Both, whole: float, *, goal: float | None) -> list[Row]:
    cpu, by_hand_cpu = Samples(tuple(ours.cpu)).per(US), Samples(tuple(floor.cpu)).per(US)
    wall, by_hand_wall = Samples(tuple(ours.wall)).per(US), Samples(tuple(floor.wall)).per(US)
    times = cpu.p50 / by_hand_cpu.p50
    return [
        row_of(f"{where}: CPU", cpu, "µs", floor=by_hand_cpu.p50, goal=goal),
        Row(f"{where}: CPU on average", mean(cpu.values), "µs", floor=mean(by_hand_cpu.values)),
        Row(f"{where}: CPU, times the floor", times, "x", goal=GOAL_TIMES if goal else None),
        Row(f"{where}: CPU of the process, with the sealer", whole, "µs", floor=mean(by_hand_cpu.values)),
        row_of(f"{where}: wall time", wall, "µs", floor=by_hand_wall.p50),
    ]
