"""A server over HTTP: actions per second, what a proposal adds to a bare echo (floor), and live streams.

One server process on PostgreSQL, and lean clients in another. Each client of a row has one connection and one
action at a time, from its proposal to its report; the echo answers bodies of that size.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.harness import MS, Row, Samples, quantile, row_of
from benchmarks.rails import AGENT, POLICY, TASK
from benchmarks.wire import Agent, Connection, together
from handrail.engine.signature import of_function
from handrail.words.person import Role
from tests.support import postgres
from tests.support.server import Served, make_key, served, sign_in

UNLIMITED = {"HANDRAIL_RATE": "1000000", "HANDRAIL_STREAMS": "1000000", "HANDRAIL_OPEN_QUESTIONS": "1000000"}
CLIENTS = (1, 8, 32)
SECONDS, TURNS = 2.0, 3
STREAMS, EVENTS, GAP = 200, 60, 0.1
"""How many look on, how many actions they see, and seconds between two of those."""
MEGABYTE = 1e6


def run() -> list[Row]:
    """Throughput and latency, then streams."""
    with postgres.server_url() as url, postgres.database(url) as database, server_on(database) as server:
        rows = asyncio.run(_throughput(server))
        return [*rows, *asyncio.run(_streams(server))]


@contextmanager
def server_on(database: str) -> Iterator[Served]:
    """A server process with the benchmark's policy, that refuses nobody for asking often."""
    with (
        tempfile.TemporaryDirectory(prefix="handrail-bench-") as folder,
        served(Path(folder), POLICY, database=database, env=UNLIMITED) as server,
    ):
        yield server


def introduced(server: Served) -> tuple[str, dict[str, Any]]:
    """A key for the agent, and what each of its proposals says of session and tool, which are there then."""

    def noop(order_id: str, amount: float, reason: str) -> str:
        return f"{order_id}{amount}{reason}"

    with server.engine() as engine:
        key = make_key(engine, AGENT)
    with server.client(headers={"authorization": f"Bearer {key}"}) as client:
        schema = of_function(noop).schema
        tool = client.post("/api/v1/tools", json={"name": "noop", "schema": schema}).json()
        session = client.post("/api/v1/sessions", json={"agent": AGENT, "task": TASK}).json()
    said = {"session": session["id"], "session_token": session["token"], "tool": "noop"}
    return key, {**said, "binding": tool["binding"]}


async def agents(server: Served, count: int, key: str, fixed: dict[str, Any]) -> list[Agent]:
    """So many clients, each with a connection."""
    made = [Connection.to(server.url, authorization=f"Bearer {key}") for _ in range(count)]
    return [Agent(connection, fixed) for connection in await asyncio.gather(*made)]


async def _throughput(server: Served) -> list[Row]:
    key, fixed = introduced(server)
    rows: list[Row] = []
    with _echo() as echo:
        for count in CLIENTS:
            ours = await agents(server, count, key, fixed)
            bare = [await Connection.to(echo) for _ in range(count)]
            rows += await _rows(count, ours, bare)
            for each in (*(agent.connection for agent in ours), *bare):
                each.close()
    return rows


async def _rows(count: int, ours: list[Agent], bare: list[Connection]) -> list[Row]:
    body = json.dumps({**ours[0].fixed, "args": "x" * 60}).encode()
    echoed: list[float] = []

    async def echo(connection: Connection) -> None:
        begun = time.perf_counter_ns()
        await connection.post("/", body)
        echoed.append(float(time.perf_counter_ns() - begun))

    await together([agent.turn for agent in ours], SECONDS / 4)
    for agent in ours:
        agent.took.clear()
    rates, floors = [], []
    for _ in range(TURNS):
        rates.append(await together([agent.turn for agent in ours], SECONDS))
        floors.append(await together([lambda each=each: echo(each) for each in bare], SECONDS / 4))  # type: ignore[misc]
    took = Samples(tuple(each for agent in ours for each in agent.took)).per(MS)
    floor = Samples(tuple(echoed)).per(MS)
    who = f"{count} client{'s' if count > 1 else ''}"
    added = took.p50 - floor.p50
    return [
        row_of(f"{who}: actions, each proposed and reported", Samples(tuple(rates)), "actions/s"),
        row_of(f"{who}: one proposal", took, "ms", floor=floor.p50),
        Row(
            f"{who}: one proposal, p99", quantile(took.values, 0.99), "ms", floor=quantile(floor.values, 0.99)
        ),
        Row(f"{who}: a proposal takes longer than an echo by", added, "ms"),
    ]


@contextmanager
def _echo() -> Iterator[str]:
    """The address of a bare echo in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.echo", str(port)], cwd=Path.cwd())
    try:
        for _ in range(200):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


async def _streams(server: Served) -> list[Row]:
    """Many people look on while an agent works."""
    key, fixed = introduced(server)
    with server.engine() as engine:
        cookie = sign_in(engine, "viewer@example.com", Role.VIEWER)
    before = resident(server.process.pid)
    looking = [await Connection.to(server.url, cookie=f"handrail={cookie}") for _ in range(STREAMS)]
    for each in looking:
        await each.stream("/api/v1/stream")
    delays: list[float] = []
    reading = [asyncio.create_task(_read(each, delays)) for each in looking]
    [agent] = await agents(server, 1, key, fixed)
    for _ in range(EVENTS):
        await agent.turn()
        await asyncio.sleep(GAP)
    await asyncio.sleep(2 * GAP)
    after = resident(server.process.pid)
    for task in reading:
        task.cancel()
    await asyncio.gather(*reading, return_exceptions=True)
    for each in (*looking, agent.connection):
        each.close()
    entries = 4 * EVENTS * STREAMS
    if len(delays) < entries:
        raise AssertionError(f"{len(delays)} events came, of {entries}")
    late = Samples(tuple(delays))
    return [
        row_of(f"{STREAMS} streams: from an entry's time to its event", late, "ms"),
        Row(f"{STREAMS} streams: from an entry's time to its event, p95", quantile(delays, 0.95), "ms"),
        Row(f"memory of the server with {STREAMS} streams; floor: before", after, "MB", floor=before),
    ]


async def _read(connection: Connection, delays: list[float]) -> None:
    """How late each event is, in milliseconds; an entry's time is taken inside its transaction."""
    while True:
        line = await connection.reader.readline()
        if not line:
            return
        if b"data: {" in line:
            at = datetime.fromisoformat(json.loads(line.partition(b"data: ")[2])["at"])
            delays.append(time.time() * 1000 - at.timestamp() * 1000)


def resident(process: int) -> float:
    """Megabytes of memory that a process really uses."""
    statm = Path(f"/proc/{process}/statm")
    if not statm.exists():
        return 0.0
    return int(statm.read_text("utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE") / MEGABYTE
