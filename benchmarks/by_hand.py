"""The floor of a gated call: the same two transactions by hand, same tables, same rows, nothing decided.

Texts are made once; only the ids differ. It is what a careful programmer would write who wants the same
record and the same guarantees: compare halts, look for a twin, insert; then settle by token. ``rows_of``
shows that we write as many rows into the same tables.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.rails import AGENT, AMOUNT, ORDER, REASON, TASK

TABLES = ("actions", "payloads", "entries", "sessions", "holds", "budget_windows")
"""Where a call could leave rows."""
SESSION = "0" * 28
SALT, TOKEN, DIGEST = "5a" * 16, "70" * 16, "d1" * 32
OWNER = "host:4711"
STEPS = [[measure, "pass", "", "", "", ""] for measure in ("halt", "permission", "arguments", "deny", "ask")]
VERDICT = json.dumps({"decision": "allow", "enforced": "allow", "rung": 2, "steps": STEPS, "policy": DIGEST})
ARGS = json.dumps({"amount": AMOUNT, "order_id": ORDER, "reason": REASON})
FIELDS = {"amount": "x" * 32, "order_id": "x" * 32, "reason": "x" * 32}
PROPOSED = json.dumps({"binding": DIGEST, "digest": DIGEST, "digests": FIELDS, "input": json.loads(ARGS)})
DECIDED = json.dumps({"decision": "allow", "enforced": "allow", "policy": DIGEST, "steps": STEPS})
INTENDED = json.dumps({"attempt": 1, "owner": OWNER})
DONE = json.dumps({"attempt": 1, "digests": {"": "x" * 32}, "execution_time_ms": 0.01, "output": "done"})

GENERATION = "select generation from restrictions"
TWIN = """select id from actions where session = ? and digest = ? and agent = ? and task = ?
    and repeat_key is null
    and (state = 'held' or state = 'allowed' or state = 'approved' or state = 'waiting')
    order by id limit 1"""
OPEN = "insert into sessions (id, agent, task, opened_at) values (?, ?, ?, ?) on conflict (id) do nothing"
ADD = """insert into actions (
        id, agent, tool, session, task, state, digest, binding, policy, rung, verdict, proposed_at,
        updated_at, shadow, attempt, token, owner, lease_until, started_at, amount)
    values (?, ?, 'noop', ?, ?, 'running', ?, ?, ?, 'bounded', ?, ?, ?, 0, 1, ?, ?, ?, ?, ?)"""
KEEP = "insert into payloads (action, args, salt) values (?, ?, ?)"
TELL = """insert into entries (kind, at, action, agent, tool, session, task, body)
    values (?, ?, ?, ?, 'noop', ?, ?, ?)"""
FINISH = """update actions set state = 'done', finished_at = ?, updated_at = ?, lease_until = null
    where id = ? and token = ? and (state = 'running' or state = 'unknown')"""
SETTLE = """update holds set state = 'settled', spent = quantity
    where holder = ? and attempt = 1 and (state = 'held' or state = 'presumed')"""
OUTPUT = "update payloads set output = ? where action = ?"

Execute = Callable[[str, Sequence[object]], Any]
"""Runs a statement and gives its cursor."""
_numbers = count(1)
_numbers_lock = threading.Lock()


def new_id() -> str:
    """An id that sorts by time, as ours do; unique in this process, which marks it by its own number."""
    with _numbers_lock:
        number = next(_numbers)
    return f"{_now():012x}{os.getpid():08x}{number:08x}"


def propose(execute: Execute, action: str) -> None:
    """The first transaction's statements: nothing restricts, nothing equal is open, so it starts."""
    now = _now()
    execute(GENERATION, ())
    execute(TWIN, (SESSION, DIGEST, AGENT, TASK))
    if execute(OPEN, (SESSION, AGENT, TASK, now)).rowcount == 1:
        execute(TELL, ("session_opened", now, None, AGENT, SESSION, TASK, "{}"))
    texts = (action, AGENT, SESSION, TASK, DIGEST, DIGEST, DIGEST, VERDICT)
    execute(ADD, (*texts, now, now, TOKEN, OWNER, now + 60_000, now, 40_250_000_000))
    execute(KEEP, (action, ARGS, SALT))
    for kind, body in (("proposed", PROPOSED), ("decided", DECIDED), ("intended", INTENDED)):
        execute(TELL, (kind, now, action, AGENT, SESSION, TASK, body))


def settle(execute: Execute, action: str) -> None:
    """The second transaction's statements: the token's holder reports."""
    now = _now()
    execute(FINISH, (now, now, action, TOKEN))
    execute(SETTLE, (action,))
    execute(OUTPUT, ('"done"', action))
    execute(TELL, ("done", now, action, AGENT, SESSION, TASK, DONE))


def on_sqlite(path: Path, synchronous: str) -> tuple[Callable[[], None], Callable[[], None]]:
    """The two transactions on one connection that threads share by a lock; and its close."""
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, timeout=60, cached_statements=512
    )
    connection.execute("pragma foreign_keys = on")
    connection.execute(f"pragma synchronous = {synchronous}")
    execute, lock = connection.execute, threading.Lock()

    def call() -> None:
        action = new_id()
        for statements in (propose, settle):
            with lock:
                execute("begin immediate")
                statements(execute, action)
                execute("commit")

    return call, connection.close


def on_postgres(url: str) -> tuple[Callable[[], None], Callable[[], None]]:
    """The two transactions on one connection, under the lock that halts wait for; and its close."""
    connection = psycopg.connect(url, autocommit=True, options="-c search_path=handrail", prepare_threshold=0)

    def execute(statement: str, values: Sequence[object]) -> psycopg.Cursor[Any]:
        return connection.execute(statement.replace("?", "%s").encode(), values)

    def call() -> None:
        action = new_id()
        for statements in (propose, settle):
            with connection.transaction():
                execute("select pg_advisory_xact_lock_shared(1213088844, 1)", ())
                statements(execute, action)

    return call, connection.close


def rows_of(execute: Callable[[str], Any]) -> dict[str, int]:
    """How many rows each table has that a call writes to; ``execute`` gives a cursor."""
    return {table: int(execute(f"select count(*) from {table}").fetchone()[0]) for table in TABLES}


def _now() -> int:
    return time.time_ns() // 1_000_000
