"""What a call takes with a million journalled actions in the store, beside a thousand (floor).

The large store is a small one whose rows were cloned in SQL: actions with ids of earlier times, their
payloads, sessions of ten actions, the entries of each, and a leaf for every entry. Calls on both take turns.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.gated_call import Both
from benchmarks.harness import US, Row, Samples, row_of
from benchmarks.rails import AGENT, AMOUNT, FILE, ORDER, REASON, TASK, Noop, embedded, on_postgres
from handrail import Rail
from handrail.journal.merkle import HASH_SIZE, Frontier
from tests.support import postgres

SMALL, LARGE = 1_000, 1_000_000
GAP = 500
"""Milliseconds between two actions."""
GOAL_TIMES = 1.2
TURNS, CALLS, WARM = 60, 20, 200
Execute = Callable[..., Any]
"""A connection's ``execute``."""

QUICK = ("journal_mode = off", "synchronous = off", "cache_size = -400000", "temp_store = memory")
SQLITE = {
    "numbers": "(with recursive r(n) as (select 1 union all select n + 1 from r where n < {count}) "
    "select n from r)",
    "id": "printf('%012x%016x', {begin} + {n} * {gap}, {n})",
    "hash": "randomblob(32)",
    "columns": "select name from pragma_table_info('{table}') order by cid",
    "xid": "through_xid",
    "mark": "?",
}
POSTGRES = {
    "numbers": "(select n from generate_series(1, {count}) n)",
    "id": "lpad(to_hex({begin} + {n} * cast({gap} as bigint)), 12, '0') "
    "|| substr(md5(cast({n} as text)), 1, 16)",
    "hash": "decode(md5(cast(seq as text)) || md5(cast(-seq as text)), 'hex')",
    "columns": "select column_name from information_schema.columns "
    "where table_schema = 'handrail' and table_name = '{table}' order by ordinal_position",
    "xid": "(select xid from entries order by seq desc limit 1)",
    "mark": "%s",
}
"""What the two dialects say in different words."""


def run() -> list[Row]:
    """SQLite, then PostgreSQL."""
    rows = _on_sqlite()
    with postgres.server_url({"max_wal_size": "8GB"}) as url:
        return [*rows, *_on_postgres(url)]


def _on_sqlite() -> list[Row]:
    with ExitStack() as stack:
        small, large = (
            Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="handrail-bench-"))) for _ in range(2)
        )
        for each in (small, large):
            with embedded("NORMAL", each) as (rail, noop, _):
                _call(rail, noop, SMALL)
        connection = sqlite3.connect(large / FILE, isolation_level=None)
        for setting in QUICK:
            connection.execute(f"pragma {setting}")
        clone(connection.execute, SQLITE, LARGE - SMALL)
        connection.close()
        one, two = (stack.enter_context(embedded("NORMAL", each)) for each in (small, large))
        return _beside("SQLite, NORMAL", one[:2], two[:2])


def _on_postgres(url: str) -> list[Row]:
    with ExitStack() as stack:
        small, large = (stack.enter_context(postgres.database(url)) for _ in range(2))
        for each in (small, large):
            with on_postgres(each) as (rail, noop):
                _call(rail, noop, SMALL)
        with psycopg.connect(large, autocommit=True, options="-c search_path=handrail") as connection:
            connection.execute("set synchronous_commit = off")
            with suppress(psycopg.errors.InsufficientPrivilege):
                # a million foreign keys that are known to be there need no look
                connection.execute("set session_replication_role = replica")
            clone(connection.execute, POSTGRES, LARGE - SMALL)
            connection.execute("analyze")
            connection.execute("checkpoint")
        one, two = (stack.enter_context(on_postgres(each)) for each in (small, large))
        return _beside("PostgreSQL", one, two)


def clone(
    execute: Execute,
    dialect: dict[str, str],
    count: int,
    gap: int = GAP,
    other: Callable[[str], Mapping[str, str]] = lambda _: {},
) -> None:
    """Add ``count`` actions like the first one, with all that belongs to them, sealed; in one transaction.

    They are ``gap`` milliseconds apart. ``other`` tells which columns differ from the first one's, given when
    an action was proposed; ``n`` counts them.
    """
    execute("begin")
    first, begin = execute("select id, proposed_at from actions order by id limit 1").fetchone()
    begin = f"cast({begin - gap * (count + 1)} as bigint)"
    numbers = dialect["numbers"].format(count=count)
    each = dialect["id"].format(begin=begin, n="n", gap=gap)
    session = dialect["id"].format(begin=begin, n="(n - n % 10)", gap=gap)
    at = f"{begin} + n * cast({gap} as bigint)"
    changed = {"id": each, "action": each, "session": session, **other(at)}
    for table, key in (("actions", "id"), ("payloads", "action"), ("entries", "action")):
        columns = _columns(execute, dialect, table)
        values = [changed.get(name, f"t.{name}") for name in columns]
        order = "n" if table != "entries" else "n, t.seq"
        execute(
            f"insert into {table} ({', '.join(columns)}) select {', '.join(values)} "
            f"from {numbers} r cross join {table} t where t.{key} = '{first}' order by {order}"
        )
    execute(
        f"insert into sessions (id, agent, task, opened_at) select {session}, t.agent, t.task, t.opened_at "
        f"from {numbers} r cross join (select * from sessions limit 1) t where n % 10 = 0"
    )
    _seal(execute, dialect)
    execute("commit")


def _columns(execute: Execute, dialect: dict[str, str], table: str) -> Sequence[str]:
    """All columns but those that the store fills in by itself."""
    rows = execute(dialect["columns"].format(table=table)).fetchall()
    return [row[0] for row in rows if row[0] not in ("seq", "xid")]


def _seal(execute: Execute, dialect: dict[str, str]) -> None:
    """A leaf for each new entry and one head. The hashes are random: nobody verifies this log."""
    execute(
        f"insert into leaves (idx, seq, hash) select h.size - 1 + row_number() over (order by seq), seq, "
        f"{dialect['hash']} from entries, (select max(size) as size, max(through_seq) as seq_ from heads) h "
        "where seq > h.seq_ order by seq"
    )
    size = execute("select count(*) from leaves").fetchone()[0]
    frontier = Frontier(size, tuple(bytes(HASH_SIZE) for _ in range(size.bit_count())))
    mark = dialect["mark"]
    execute(
        "insert into heads (size, root, frontier, through_xid, through_seq, sealed_at) "
        f"select {mark}, {mark}, {mark}, {dialect['xid']}, (select max(seq) from entries), sealed_at "
        "from heads order by size desc limit 1",
        (size, frontier.root(), frontier.to_bytes()),
    )


def _call(rail: Rail, noop: Noop, times: int) -> None:
    with rail.session(agent=AGENT, task=TASK):
        for _ in range(times):
            noop(ORDER, AMOUNT, REASON)


def _beside(where: str, small: tuple[Rail, Noop], large: tuple[Rail, Noop]) -> list[Row]:
    """The rows that compare calls on two stores, by turns."""
    both = [Both(lambda noop=noop: noop(ORDER, AMOUNT, REASON)) for _, noop in (small, large)]  # type: ignore[misc]
    for rail, noop in (small, large):
        _call(rail, noop, WARM)
    for _ in range(TURNS):
        for (rail, _), each in zip((small, large), both, strict=True):
            with rail.session(agent=AGENT, task=TASK):
                each.turn(CALLS)
    rows = []
    for clock, floor, ours in (("CPU", both[0].cpu, both[1].cpu), ("wall time", both[0].wall, both[1].wall)):
        before, after = Samples(tuple(floor)).per(US), Samples(tuple(ours)).per(US)
        rows += [
            row_of(
                f"{where}: {clock} of a call, {LARGE:,} actions; floor: {SMALL:,}",
                after,
                "µs",
                floor=before.p50,
            ),
            Row(f"{where}: {clock}, times that with {SMALL:,}", after.p50 / before.p50, "x", goal=GOAL_TIMES),
        ]
    return rows
