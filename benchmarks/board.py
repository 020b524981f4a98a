"""The board: what each page takes and weighs with a million actions, and how soon a row is on the screen.

The store has a million actions of thirty days, 500 places where a tool of an agent stands, and 10,000 open
questions. It is late in the policy's zone, so that 22 hours count as today. Times are those of one person who
asks a server in another process for one page after the other.
"""

from __future__ import annotations

import itertools
import os
import re
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx
import psycopg
import uvloop

from benchmarks.growth import LARGE, POSTGRES, QUICK, SQLITE, Execute, clone
from benchmarks.harness import MS, Row, Samples, quantile, row_of
from benchmarks.viewers import looking
from handrail.words.errors import Held
from handrail.words.person import Role
from tests.support import postgres
from tests.support.rail import LEAD, Desk, opened
from tests.support.server import Served, served, sign_in

UNLIMITED = {"HANDRAIL_RATE": "1000000", "HANDRAIL_STREAMS": "1000000", "HANDRAIL_OPEN_QUESTIONS": "1000000"}
AGENTS, TOOLS, QUESTIONS = 20, 25, 10_000
MONTH = 30 * 86_400_000
ROUNDS, WARM = 60, 3
VIEWERS, CHANGES, APART = 50, 30, 1.0
"""How many look on, what they see change, and seconds between two changes."""
PAGE_GOAL, FIRST_GOAL, AFTER_GOAL, SEEN_GOAL = 150.0, 150.0, 30.0, 200.0
KILOBYTE = 1_000
PATHS = {
    "overview": "/",
    "overview, its part": "/overview",
    "questions": "/questions",
    "one question": "/questions/{question}",
    "log": "/log",
    "sessions": "/sessions",
    "halts": "/halts",
}
CHANGING = frozenset({"/", "/overview"})
NL = "\n"
_names = ", ".join(f"tool{each}" for each in range(TOOLS))


def _late_zone() -> str:
    """A zone in which it is between 22:00 and 23:00; its name tells how far it is behind the world's time."""
    behind = (datetime.now(UTC).hour - 22) % 24
    return f"Etc/GMT{behind if behind <= 12 else behind - 24:+d}"


POLICY = f"""
handrail: 1
timezone: {_late_zone()}
agents:
{"".join(f"  agent{each}: {{may: [{_names}]}}{NL}" for each in range(AGENTS))}
tools:
{"".join(f"  tool{each}: {{does: update, starts: bounded, at_most: bounded}}{NL}" for each in range(TOOLS))}
rules:
  - {{id: big, tools: "*", when: "args.amount > 100", ask: leads}}
approvers:
  leads: {{people: [{LEAD}], need: 1, answer_within: 7 days, if_no_answer: reject}}
"""


def run() -> list[Row]:
    """SQLite, then PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="handrail-bench-") as folder:
        database = f"sqlite:///{folder}/handrail.db"
        rows = _on("SQLite", Path(folder), database, partial(_sqlite, Path(folder) / "handrail.db"), SQLITE)
    with (
        tempfile.TemporaryDirectory(prefix="handrail-bench-") as folder,
        postgres.server_url({"max_wal_size": "8GB"}) as url,
        postgres.database(url) as database,
    ):
        rows += _on("PostgreSQL", Path(folder), database, partial(_postgres, database), POSTGRES)
    return rows


def _on(
    where: str, folder: Path, database: str, by_hand: Callable[[], Iterator[Execute]], dialect: dict[str, str]
) -> list[Row]:
    with opened(folder, database, POLICY) as desk:
        call = _tool(desk)
        _propose(desk, call, 1)
        _propose(desk, call, 101)
    with contextmanager(by_hand)() as execute:
        clone(execute, dialect, LARGE, MONTH // LARGE, _other)
        _ask_often(execute, dialect)
    with (
        served(folder, POLICY, database=database, env=UNLIMITED) as server,
        opened(folder, database, POLICY, keeper=False) as desk,
    ):
        desk.app.engine.open_questions = 2 * QUESTIONS
        run_one = partial(_propose, desk, _tool(desk), 1)
        return [*_pages(where, server, run_one), *_weights(where, server), *_seen(where, server, run_one)]


def _sqlite(path: Path) -> Iterator[Execute]:
    connection = sqlite3.connect(path, isolation_level=None)
    for setting in QUICK:
        connection.execute(f"pragma {setting}")
    yield connection.execute
    connection.execute("analyze")
    connection.close()


def _postgres(url: str) -> Iterator[Execute]:
    with psycopg.connect(url, autocommit=True, options="-c search_path=handrail") as connection:
        connection.execute("set synchronous_commit = off")
        with suppress(psycopg.errors.InsufficientPrivilege):
            connection.execute("set session_replication_role = replica")
        yield connection.execute
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")


def _other(at: str) -> Mapping[str, str]:
    """Every agent and tool has its part of the actions."""
    agent, tool = f"'agent' || (n % {AGENTS})", f"'tool' || ((n / {AGENTS}) % {TOOLS})"
    return {"agent": agent, "tool": tool, "proposed_at": at, "updated_at": at}


def _tool(desk: Desk) -> Callable[[int], object]:
    @desk.rail.tool
    def tool0(amount: int) -> int:
        return amount

    return lambda amount: tool0(amount=amount)


def _propose(desk: Desk, call: Callable[[int], object], amount: int) -> None:
    with desk.rail.session(agent="agent0", task="ticket"), suppress(Held):
        call(amount)


def _ask_often(execute: Execute, dialect: dict[str, str]) -> None:
    """Ten thousand questions like the one that there is."""
    action, question, begin = execute(
        "select q.action, q.id, q.opened_at from approvals q where q.state = 'open'"
    ).fetchone()
    numbers = dialect["numbers"].format(count=QUESTIONS - 1)
    each = dialect["id"].format(begin=f"cast({begin - QUESTIONS * 10} as bigint)", n="n", gap=10)
    tables = {"actions": "id", "payloads": "action", "approvals": "id", "seats": "approval"}
    for table, key in tables.items():
        columns = [row[0] for row in execute(dialect["columns"].format(table=table)).fetchall()]
        changed = {"id": each, "action": each, "approval": each, "digest": "'d' || n"}
        first = question if table in {"approvals", "seats"} else action
        values = [changed.get(name, f"t.{name}") for name in columns]
        execute(
            f"insert into {table} ({', '.join(columns)}) select {', '.join(values)} "
            f"from {numbers} r cross join {table} t where t.{key} = '{first}'"
        )


def _signed_in(server: Served) -> dict[str, str]:
    with server.engine() as engine:
        return {"handrail": sign_in(engine, LEAD, Role.REVIEWER)}


def _pages(where: str, server: Served, run_one: Callable[[], None]) -> list[Row]:
    """Each page, again and again; the overview after a change each time, else it is not drawn anew."""
    cookies, rows = _signed_in(server), []
    with httpx.Client(base_url=server.url, cookies=cookies, timeout=60) as client:
        found = re.search(r"/questions/([0-9a-f]{28})", client.get("/questions").text)
        assert found is not None
        for name, path in PATHS.items():
            here = path.format(question=found[1])
            change = run_one if path in CHANGING else _nothing
            for _ in range(WARM):
                _timed(client, here, change)
            before = _cpu(server)
            taken = [_timed(client, here, change) for _ in range(ROUNDS)]
            cpu = (_cpu(server) - before) * 1_000 / ROUNDS
            samples = Samples(tuple(taken)).per(MS)
            rows += [
                row_of(f"{where}: {name}, p50", samples, "ms"),
                Row(f"{where}: {name}, p95", quantile(samples.values, 0.95), "ms", goal=PAGE_GOAL),
                Row(f"{where}: {name}, CPU of the server for each", cpu, "ms"),
            ]
    return rows


def _nothing() -> None:
    pass


def _timed(client: httpx.Client, path: str, change: Callable[[], None]) -> int:
    change()
    began = time.perf_counter_ns()
    client.get(path).raise_for_status()
    return time.perf_counter_ns() - began


def _weights(where: str, server: Served) -> list[Row]:
    """The overview with all that it needs, and what is fetched when something changes; as sent."""
    with httpx.Client(base_url=server.url, cookies=_signed_in(server), timeout=60) as client:
        text = client.get("/").text
        needed = re.findall(r'<(?:script src|link rel="stylesheet" href)="([^"]+)"', text)
        first = sum(_sent(client, path) for path in ("/", *needed)) / KILOBYTE
        after = _sent(client, "/overview") / KILOBYTE
    return [
        Row(f"{where}: overview with 500 places: first load, packed", first, "kB", goal=FIRST_GOAL),
        Row(f"{where}: overview with 500 places: each fetch after, packed", after, "kB", goal=AFTER_GOAL),
    ]


def _sent(client: httpx.Client, path: str) -> int:
    with client.stream("GET", path, headers={"accept-encoding": "gzip"}) as response:
        for _ in response.iter_raw():
            pass
        return response.num_bytes_downloaded


def _seen(where: str, server: Served, run_one: Callable[[], None]) -> list[Row]:
    """From before an action is proposed to the part that shows it, in the hands of all who look on.

    The last viewer of each change is the slowest of them.
    """
    with server.engine() as engine:
        cookies = [sign_in(engine, f"viewer{each}@example.com", Role.REVIEWER) for each in range(VIEWERS)]
    shown = partial(_shown, server, cookies[0])

    def change(_: int) -> int:
        run_one()
        return next(numbers)

    numbers = itertools.count(shown() + 1)
    look = partial(looking, server.port, cookies, change=change, apart=APART, cpu=partial(_cpu, server))
    uvloop.run(look(changes=WARM))
    looked = uvloop.run(look(changes=CHANGES))
    samples = Samples(tuple(looked.took)).per(1 / 1_000)
    each = 1_000 / CHANGES
    name = f"{where}: from a call to its part of the page, {VIEWERS} viewers"
    return [
        row_of(f"{name}, p50", samples, "ms"),
        Row(f"{name}, p95", quantile(samples.values, 0.95), "ms", goal=SEEN_GOAL),
        Row(f"{where}: CPU of the server for each change, {VIEWERS} viewers", looked.used * each, "ms"),
        Row(f"{where}: CPU of the viewers and the call for each change", looked.own * each, "ms"),
        Row(
            f"{where}: parts fetched for each change by {VIEWERS} viewers", looked.fetched / CHANGES, "parts"
        ),
    ]


def _shown(server: Served, cookie: str) -> int:
    """How many actions ran today, as the page tells."""
    answer = httpx.get(f"{server.url}/overview", cookies={"handrail": cookie}, timeout=60)
    found = re.search(r"<b>(\d+)</b> ran", answer.text)
    assert found is not None
    return int(found[1])


def _cpu(server: Served) -> float:
    """Seconds of CPU that the server has used, in user and kernel."""
    told = Path(f"/proc/{server.process.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")
