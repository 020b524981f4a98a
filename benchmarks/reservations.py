"""Durable reservations per second on one hot budget, of 1 and of 4 scopes, beside the statement by hand.

Everybody charges the same windows, so on PostgreSQL each commit waits for the one before it. By hand is what
a careful programmer would write: begin, one conditional upsert and one hold for each scope, commit. On SQLite
the threads of a process share its one connection. None of these rows uses chunks.

On PostgreSQL three more rows tell what chunks change, each with all that keeps a process in chunks. A claim
reserves by one statement of its transaction: that statement, committed alone; the same in a transaction of
its own, with the lock that a claim takes; and whole gated calls, claim and settlement, beside the same
without chunks.
"""

from __future__ import annotations

import multiprocessing
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path

import psycopg

from benchmarks.harness import Row, Samples, row_of
from benchmarks.rails import AGENT, AMOUNT, ORDER, POLICY, REASON, TASK, noop_of
from handrail import Rail
from handrail.app import open_app, open_store, operator
from handrail.engine.budgets.holds import reserve_holds
from handrail.engine.budgets.leases import tend
from handrail.engine.core import Engine
from handrail.engine.ids import new_id
from handrail.ports import Commit, Store
from handrail.store.parts.budget_chunks import SqlBudgetChunks
from handrail.store.queries import MARKS, queries
from handrail.store.runner import QueryRunner
from handrail.words.verdict import Charge
from tests.support import postgres

SECONDS, TURNS = 3.0, 3
"""Long enough that a budget becomes hot, and stays it for most of a turn."""
THREADS = (1, 32)
PROCESSES, EACH = 4, 4
"""Processes, and threads in each: with more of them two processors only switch."""
PATIENCE = 60
GOAL = 5_000.0
"""Durable reservations a second on one budget, from several processes on PostgreSQL."""
ROOM = 2**62
HOT = Charge("hot", "[]", 1_700_000_000_000, 1_250_000, ROOM, "cost")
SCOPES = {1: [HOT], 4: [replace(HOT, budget=f"hot-{number}") for number in range(4)]}
CHARGE = """insert into budget_windows (budget, scope, starts_at, unit, used, ceiling)
    values (?, ?, ?, 'cost', ?, ?)
    on conflict (budget, scope, starts_at) do update set used = budget_windows.used + excluded.used
    where budget_windows.used + excluded.used <= excluded.ceiling"""
HOLD = """insert into holds (holder, attempt, budget, scope, starts_at, quantity, state, unit, at)
    values (?, 1, ?, ?, ?, ?, 'held', 'cost', ?)"""

Once = Callable[[], None]
"""One durable reservation."""
Maker = Callable[[str, int], tuple[Callable[[], Once], Callable[[], None]]]
"""Of a store's URL and the number of scopes: what gives each thread its call, and what closes all."""


def run() -> list[Row]:
    """SQLite at FULL, then PostgreSQL."""
    with tempfile.TemporaryDirectory() as folder:
        rows = _rows("SQLite, FULL", lambda place: f"sqlite:///{folder}/{place}.db")
    with postgres.server_url() as url, ExitStack() as stack:
        made: dict[str, str] = {}

        def database(place: str) -> str:
            if place not in made:
                made[place] = stack.enter_context(postgres.database(url))
            return made[place]

        return [*rows, *_rows("PostgreSQL", database), *_hot(database)]


def _rows(where: str, url_of: Callable[[str], str]) -> list[Row]:
    found = []
    for scopes in SCOPES:
        places = url_of(f"ours-{scopes}"), url_of(f"hand-{scopes}")
        for place in places:
            open_store(place).close()
        for threads in THREADS:
            name = (
                f"{where}, {scopes} scope{'s' if scopes > 1 else ''}: {threads} thread{'s' * (threads > 1)}"
            )
            found.append(_turns(name, _threads(places, scopes, threads)))
        with _workers(ours, places[0], scopes) as mine, _workers(by_hand, places[1], scopes) as floor:
            name = (
                f"{where}, {scopes} scope{'s' if scopes > 1 else ''}: {PROCESSES} processes of {EACH} threads"
            )
            found.append(_turns(name, (lambda: _turn(mine), lambda: _turn(floor))))
    return found


def _hot(url_of: Callable[[str], str]) -> list[Row]:
    """What chunks change: from processes of several threads, on PostgreSQL."""
    rows = []
    for what, mine, other in (
        ("one statement", statement, by_hand),
        ("one transaction", transaction, by_hand),
        ("whole gated calls", partial(gated, chunks=True), partial(gated, chunks=False)),
    ):
        places = url_of(f"chunks of {what}"), url_of(f"no chunks of {what}")
        for place in places:
            open_store(place).close()
        with _workers(mine, places[0], 1) as ours_, _workers(other, places[1], 1) as floor:
            name = f"PostgreSQL, from chunks, {what}: {PROCESSES} processes of {EACH} threads"
            both = (lambda: _turn(ours_)), (lambda: _turn(floor))
            rows.append(_turns(name, both))
    return [replace(rows[0], goal=GOAL, higher_is_better=True), *rows[1:]]


def _turns(name: str, both: tuple[Callable[[], float], Callable[[], float]]) -> Row:
    mine, floor = zip(*[(both[0](), both[1]()) for _ in range(TURNS)], strict=True)
    return row_of(name, Samples(mine), "reservations/s", floor=Samples(floor).p50)


def _threads(
    places: tuple[str, str], scopes: int, threads: int
) -> tuple[Callable[[], float], Callable[[], float]]:
    def measured(make: Maker, place: str) -> Callable[[], float]:
        def measure() -> float:
            each, close = make(place, scopes)
            try:
                return at_once([each() for _ in range(threads)])
            finally:
                close()

        return measure

    return measured(ours, places[0]), measured(by_hand, places[1])


def ours(url: str, scopes: int) -> tuple[Callable[[], Once], Callable[[], None]]:
    """Through the store, as a claim reserves."""
    store: Store = open_store(url)
    charges = SCOPES[scopes]

    def once() -> None:
        store.write(Commit.PROPOSE, lambda tx: tx.budgets.reserve(new_id(), 1, charges))

    return lambda: once, store.close


def statement(url: str, scopes: int) -> tuple[Callable[[], Once], Callable[[], None]]:
    """What a claim does to reserve from a chunk, without the rest of its transaction."""
    engine = operator(open_store(url))
    charges, generation = SCOPES[scopes], _generation(engine)
    connections: list[psycopg.Connection] = []

    def connected() -> Once:
        connection = psycopg.connect(url, autocommit=True, options="-c search_path=handrail")
        connections.append(connection)
        runner = QueryRunner(connection.cursor(), queries("postgres"), MARKS["postgres"])
        part = SqlBudgetChunks(runner, lambda: time.time_ns() // 1_000_000)

        def once() -> None:
            assert engine.chunks is not None
            if engine.chunks.wanted:
                tend(engine)
            holder = new_id()
            drawn, direct = engine.chunks.draw((holder, 1), charges, generation)
            missed = part.draw(holder, 1, drawn) if drawn else ()
            engine.chunks.missed(each.chunk for each in missed)
            rest = [*direct, *(each.charge for each in missed)]
            if rest:
                engine.store.write(Commit.PROPOSE, lambda tx: tx.budgets.reserve(holder, 1, rest))

        return once

    def close() -> None:
        for connection in connections:
            connection.close()
        engine.store.close()

    return connected, close


def transaction(url: str, scopes: int) -> tuple[Callable[[], Once], Callable[[], None]]:
    """The same through the store, as ``ours``."""
    engine = operator(open_store(url))
    charges, generation = SCOPES[scopes], _generation(engine)

    def once() -> None:
        if engine.chunks is not None and engine.chunks.wanted:
            tend(engine)
        spender = Spender(new_id())
        engine.store.write(
            Commit.PROPOSE,
            lambda tx: reserve_holds(engine, tx, spender, charges, tx.now(), generation=generation),
        )

    return lambda: once, engine.store.close


def gated(url: str, _: int, *, chunks: bool) -> tuple[Callable[[], Once], Callable[[], None]]:
    """Whole calls of a tool behind the rail that a budget covers: judged, claimed, run and settled."""
    folder = tempfile.TemporaryDirectory(prefix="handrail-bench-")
    file = Path(folder.name) / "handrail.yaml"
    file.write_text(f"{POLICY}budgets: [{{id: hot, amount: 1000000000, per: total}}]\n", "utf-8")
    app = open_app(file, database=url)
    if not chunks:
        app.engine.chunks = None
    rail = Rail(app.engine, app.close)
    noop = noop_of(rail)

    def once() -> None:
        with rail.session(agent=AGENT, task=TASK):
            noop(ORDER, AMOUNT, REASON)

    def close() -> None:
        app.close()
        app.store.close()
        folder.cleanup()

    return lambda: once, close


@dataclass(frozen=True, slots=True)
class Spender:
    """Who reserves."""

    id: str
    attempt: int = 1
    agent: str = AGENT
    session: str = ""
    task: str | None = None


def _generation(engine: Engine) -> int:
    return engine.store.read(lambda tx: tx.restrictions.generation())


def by_hand(url: str, scopes: int) -> tuple[Callable[[], Once], Callable[[], None]]:
    """The statements alone."""
    if url.startswith("sqlite"):
        return _sqlite_by_hand(url.removeprefix("sqlite:///"), SCOPES[scopes])
    connections: list[psycopg.Connection] = []

    def connected() -> Once:
        connection = psycopg.connect(url, autocommit=True, options="-c search_path=handrail")
        connections.append(connection)
        return _postgres_by_hand(connection, SCOPES[scopes])

    def close() -> None:
        for connection in connections:
            connection.close()

    return connected, close


def _sqlite_by_hand(path: str, charges: list[Charge]) -> tuple[Callable[[], Once], Callable[[], None]]:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    connection.execute("pragma synchronous = full")
    lock = threading.Lock()
    execute = connection.execute

    def once() -> None:
        holder, at = new_id(), time.time_ns() // 1_000_000
        with lock:
            execute("begin immediate")
            for each in charges:
                place = each.budget, each.scope, each.window, each.quantity
                assert execute(CHARGE, (*place, each.limit)).rowcount == 1
                execute(HOLD, (holder, *place, at))
            execute("commit")

    return lambda: once, connection.close


def _postgres_by_hand(connection: psycopg.Connection, charges: list[Charge]) -> Once:
    cursor = connection.cursor()
    charge, hold = (text.replace("?", "%s").encode() for text in (CHARGE, HOLD))

    def once() -> None:
        holder, at = new_id(), time.time_ns() // 1_000_000
        cursor.execute(b"begin")
        for each in charges:
            place = each.budget, each.scope, each.window, each.quantity
            assert cursor.execute(charge, (*place, each.limit)).rowcount == 1
            cursor.execute(hold, (holder, *place, at))
        cursor.execute(b"commit")

    return once


def at_once(calls: list[Once]) -> float:
    """Calls per second of all threads, from the first start to the last end."""
    stop, counts = threading.Event(), [0] * len(calls)

    def body(place: int) -> None:
        numbers = count(1)
        while not stop.is_set():
            calls[place]()
            counts[place] = next(numbers)

    threads = [threading.Thread(target=body, args=(place,)) for place in range(len(calls))]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    stop.wait(SECONDS)
    stop.set()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - begun)


@contextmanager
def _workers(make: Maker, url: str, scopes: int) -> Iterator[list[Connection]]:
    """Processes that are ready, by their pipes."""
    context = multiprocessing.get_context("spawn")
    ends, workers = [], []
    for _ in range(PROCESSES):
        end, other = context.Pipe()
        ends.append(end)
        workers.append(context.Process(target=_work, args=(make, url, scopes, other), daemon=True))
        workers[-1].start()
        other.close()
    for end in ends:
        _heard(end)
    yield ends
    for end in ends:
        end.send("")
    for each in workers:
        each.join(PATIENCE)


def _work(make: Maker, url: str, scopes: int, end: Connection) -> None:
    each, close = make(url, scopes)
    calls = [each() for _ in range(EACH)]
    end.send(0)
    while end.recv():
        end.send(at_once(calls))
    close()


def _turn(ends: list[Connection]) -> float:
    for end in ends:
        end.send("go")
    return sum(_heard(end) for end in ends)


def _heard(end: Connection) -> float:
    if not end.poll(PATIENCE):
        raise TimeoutError("a process of the benchmark said nothing")
    return float(end.recv())
