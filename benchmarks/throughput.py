"""Durable gated calls per second: from 1, 8 and 32 threads of one process, and from 4 processes.

The floor is the two transactions by hand: on SQLite one connection that the threads share, each committing
alone; on PostgreSQL a connection for each thread. Ours and the floor take turns.
"""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks import by_hand
from benchmarks.harness import Row, Samples, row_of
from benchmarks.rails import AGENT, AMOUNT, FILE, ORDER, REASON, TASK, Noop, embedded, on_postgres
from handrail import Rail
from tests.support import postgres

THREADS = (1, 8, 32)
PROCESSES = 4
SECONDS = 1.0
TURNS = 3
PATIENCE = 60
"""Seconds that a process may say nothing."""
Many = Callable[[int], float]
"""Calls per second with so many threads."""
Place = tuple[str, str]
"""Where a store is: its file's folder and ``synchronous``, or a database's URL and nothing."""

Worker = Callable[[Place, Connection], None]
"""The main function of a process, with its end of a pipe."""


def run() -> list[Row]:
    """SQLite at both settings, then PostgreSQL."""
    rows = [row for synchronous in ("FULL", "NORMAL") for row in _on_sqlite(synchronous)]
    with postgres.server_url() as url:
        return [*rows, *_on_postgres(url)]


def _on_sqlite(synchronous: str) -> list[Row]:
    where = f"SQLite, {synchronous}"
    with embedded(synchronous) as (rail, noop, path), embedded(synchronous) as (_, _, other):
        call, close = by_hand.on_sqlite(other, synchronous)
        rows = _by_threads(where, _ours(rail, noop), lambda threads: _together([call] * threads))
        close()
        places = (str(path.parent), synchronous), (str(other.parent), synchronous)
        return [*rows, _by_processes(where, *places)]


def _on_postgres(url: str) -> list[Row]:
    with postgres.database(url) as one, postgres.database(url) as two:
        with on_postgres(one) as (rail, noop), on_postgres(two):
            rows = _by_threads("PostgreSQL", _ours(rail, noop), lambda threads: _each_connects(two, threads))
        return [*rows, _by_processes("PostgreSQL", (one, ""), (two, ""))]


def _ours(rail: Rail, noop: Noop) -> Many:
    def loop(stop: threading.Event) -> int:
        with rail.session(agent=AGENT, task=TASK):
            return _loop(lambda: noop(ORDER, AMOUNT, REASON), stop)

    return lambda threads: _at_once([loop] * threads)


def _each_connects(url: str, threads: int) -> float:
    with ExitStack() as stack:
        calls = []
        for _ in range(threads):
            call, close = by_hand.on_postgres(url)
            stack.callback(close)
            calls.append(call)
        return _together(calls)


def _together(calls: list[Callable[[], None]]) -> float:
    return _at_once([lambda stop, call=call: _loop(call, stop) for call in calls])  # type: ignore[misc]


def _loop(call: Callable[[], object], stop: threading.Event) -> int:
    done = 0
    while not stop.is_set():
        call()
        done += 1
    return done


def _at_once(loops: list[Callable[[threading.Event], int]]) -> float:
    """Calls per second of all loops, each in its thread, from the first start to the last end."""
    stop, counts = threading.Event(), [0] * len(loops)

    def body(place: int) -> None:
        counts[place] = loops[place](stop)

    threads = [threading.Thread(target=body, args=(place,)) for place in range(len(loops))]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    stop.wait(SECONDS)
    stop.set()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - begun)


def _by_threads(where: str, ours: Many, floor: Many) -> list[Row]:
    rows = []
    for threads in THREADS:
        found: tuple[list[float], list[float]] = ([], [])
        for _ in range(TURNS):
            for each, many in zip(found, (ours, floor), strict=True):
                each.append(many(threads))
        name = f"{where}: {threads} thread{'s' if threads > 1 else ''}"
        rows.append(_row(name, *found))
    return rows


def _row(name: str, ours: list[float], floor: list[float]) -> Row:
    return row_of(name, Samples(tuple(ours)), "calls/s", floor=Samples(tuple(floor)).p50)


def _by_processes(where: str, ours: Place, floor: Place) -> Row:
    found: tuple[list[float], list[float]] = ([], [])
    with _workers(_our_worker, ours) as our_ends, _workers(_floor_worker, floor) as floor_ends:
        for _ in range(TURNS):
            for each, ends in zip(found, (our_ends, floor_ends), strict=True):
                each.append(_turn(ends))
    return _row(f"{where}: {PROCESSES} processes", *found)


@contextmanager
def _workers(worker: Worker, place: Place) -> Iterator[list[Connection]]:
    """Processes that are ready, by their pipes."""
    context = multiprocessing.get_context("spawn")
    ends, workers = [], []
    for _ in range(PROCESSES):
        end, other = context.Pipe()
        ends.append(end)
        workers.append(context.Process(target=worker, args=(place, other), daemon=True))
        workers[-1].start()
        other.close()
    for end in ends:
        _heard(end)
    yield ends
    for end in ends:
        end.send("")
    for each in workers:
        each.join(PATIENCE)


def _turn(ends: list[Connection]) -> float:
    """Calls per second of all processes together, which begin at once."""
    for end in ends:
        end.send("go")
    return sum(_heard(end) for end in ends)


def _heard(end: Connection) -> float:
    if not end.poll(PATIENCE):
        raise TimeoutError("a process of the benchmark said nothing")
    return float(end.recv())


def _obey(end: Connection, measure: Callable[[], float]) -> None:
    """Say that all is ready, then measure as often as one is told to."""
    end.send(0)
    while end.recv():
        end.send(measure())


def _our_worker(place: Place, end: Connection) -> None:
    target, synchronous = place
    with ExitStack() as stack:
        if synchronous:
            rail, noop, _ = stack.enter_context(embedded(synchronous, Path(target)))
        else:
            rail, noop = stack.enter_context(on_postgres(target))
        many = _ours(rail, noop)
        _obey(end, lambda: many(1))


def _floor_worker(place: Place, end: Connection) -> None:
    target, synchronous = place
    if synchronous:
        call, close = by_hand.on_sqlite(Path(target) / FILE, synchronous)
    else:
        call, close = by_hand.on_postgres(target)
    _obey(end, lambda: _together([call]))
    close()
