"""The kill switch under load: four servers on one PostgreSQL, agents at each, a halt now and then at one.

A halt's promise is that nothing starts once it has been answered. So the starts that agents made after each
answer are counted, by the times that the store gave them. HANDRAIL_BENCH_SECONDS=60 tries longer.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

import psycopg

from benchmarks.harness import MS, Row, Samples, quantile, row_of
from benchmarks.http import agents, introduced, server_on
from benchmarks.rails import AGENT
from benchmarks.wire import Agent, Connection
from handrail.words.person import Role
from tests.support import postgres
from tests.support.server import Served, sign_in

SERVERS, CLIENTS = 4, 2
SECONDS = float(os.environ.get("HANDRAIL_BENCH_SECONDS", "20"))
RUNNING, HALTED = 0.05, 0.05
"""Seconds between two halts, and for which each holds."""
GOAL_MS = 100


@dataclass(slots=True)
class Trial:
    """What was seen."""

    took: list[float] = field(default_factory=list)
    """Milliseconds of each call that halts."""
    spans: list[tuple[int, int]] = field(default_factory=list)
    """From when to when nothing may have started, in milliseconds since the epoch."""
    stop: bool = False


def run() -> list[Row]:
    """Halt again and again."""
    with postgres.server_url() as url, postgres.database(url) as database, ExitStack() as stack:
        servers = [stack.enter_context(server_on(database)) for _ in range(SERVERS)]
        trial, done = asyncio.run(_tried(servers))
        late = _late(database, trial)
    took = Samples(tuple(trial.took))
    where = f"{SERVERS} servers, {SERVERS * CLIENTS} agents at work"
    return [
        row_of(f"{where}: the call that halts", took, "ms"),
        Row(f"{where}: the call that halts, p99", quantile(took.values, 0.99), "ms", goal=GOAL_MS),
        Row(f"{where}: starts after one of {len(took.values)} halts was answered", late, "starts", goal=0),
        Row(f"{where}: actions meanwhile", done / SECONDS, "actions/s"),
    ]


async def _tried(servers: list[Served]) -> tuple[Trial, int]:
    with servers[0].engine() as engine:
        cookie = sign_in(engine, "admin@example.com", Role.ADMIN)
    key, fixed = introduced(servers[0])
    working = [agent for server in servers for agent in await agents(server, CLIENTS, key, fixed)]
    hands = [
        await Connection.to(server.url, cookie=f"handrail={cookie}", origin=server.url) for server in servers
    ]
    trial = Trial()
    loops = [asyncio.create_task(_work(agent, trial)) for agent in working]
    await asyncio.sleep(1)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for hand in hands:
            await _halted(hand, trial)
    trial.stop = True
    await asyncio.gather(*loops)
    for each in (*hands, *(agent.connection for agent in working)):
        each.close()
    return trial, sum(agent.count - agent.denied for agent in working)


async def _work(agent: Agent, trial: Trial) -> None:
    while not trial.stop:
        await agent.turn()


async def _halted(hand: Connection, trial: Trial) -> None:
    """Halt, hold, lift, go on."""
    said = json.dumps({"agent": AGENT, "reason": "a benchmark"}).encode()
    begun = time.perf_counter_ns()
    status, text = await hand.post("/api/v1/halts", said)
    trial.took.append((time.perf_counter_ns() - begun) / MS)
    answered = time.time_ns() // 1_000_000
    if status != 201:
        raise AssertionError(text.decode())
    await asyncio.sleep(HALTED)
    trial.spans.append((answered, time.time_ns() // 1_000_000))
    halt = json.loads(text)["halt"]["id"]
    status, text = await hand.post(f"/api/v1/halts/{halt}/lift", b'{"reason": "a benchmark"}')
    if status != 200:
        raise AssertionError(text.decode())
    await asyncio.sleep(RUNNING)


def _late(database: str, trial: Trial) -> int:
    """How many actions started while nothing might; the store and we read the same clock."""
    with psycopg.connect(database, options="-c search_path=handrail") as connection:
        query = "select count(*) from actions where started_at > %s and started_at < %s"
        return sum(
            int(row[0])
            for span in trial.spans
            if (row := connection.execute(query, span).fetchone()) is not None
        )
