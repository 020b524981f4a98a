"""The model gateway: what it adds to a direct call of the upstream (floor), CPU, throughput and memory.

One client alone waits for 20 ms between two calls, as an agent that reads; several ask without end.
The upstream is a bare server in a process of its own that answers at once; the gateway sets aside and
settles each call in four budgets, durably, and keeps what was asked and answered. CPU is that of its whole
process, less what that takes when nobody asks; memory is that of the whole server, started as the image does.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.harness import MS, Row, Samples, quantile, row_of
from benchmarks.wire import Connection, together
from tests.support.server import Served, make_key, served

AGENT = "support"
POLICY = """handrail: 1
currency: USD
agents: {support: {may: []}}
models:
  "openai:*": {}
budgets:
  - {id: all, cost: 1000000, per: day}
  - {id: of-agent, agents: support, cost: 1000000, per: hour}
  - {id: tokens, tokens: 100000000000, per: month}
  - {id: per-agent, each: agent, cost: 1000000, per: week}
"""
BODY = json.dumps(
    {
        "model": "gpt-5-mini",
        "max_tokens": 100,
        "messages": [
            {"role": "system", "content": "You answer customers. " * 40},
            {"role": "user", "content": "Where is my parcel? " * 20},
        ],
    }
).encode()
CLIENTS = (1, 8, 32)
SECONDS, TURNS = 2.0, 3
PAUSE = 0.02
"""Seconds that one client alone waits between two calls."""
MEGABYTE = 1e6
ADDED_MS, CPU_MS, MEMORY_MB = 5.0, 4.0, 120.0
PATH = "/v1/chat/completions"


def run() -> list[Row]:
    """Latency, throughput, CPU and memory."""
    with ExitStack() as stack:
        up = stack.enter_context(_upstream())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="handrail-bench-")))
        settings = {
            "MALLOC_ARENA_MAX": "2",
            "HANDRAIL_UPSTREAM_OPENAI_URL": f"{up}/v1",
            "HANDRAIL_UPSTREAM_OPENAI_KEY": "sk-none",
        }
        server = stack.enter_context(served(folder, POLICY, env={**settings, "HANDRAIL_RATE": "1000000"}))
        return asyncio.run(_measured(server, up))


async def _measured(server: Served, up: str) -> list[Row]:
    with server.engine() as engine:
        key = make_key(engine, AGENT)
    rows: list[Row] = []
    idle = await _idle(server)
    for count in CLIENTS:
        ours = [await Connection.to(server.here, authorization=f"Bearer {key}") for _ in range(count)]
        bare = [await Connection.to(up) for _ in range(count)]
        rows += await _rows(server, idle, ours, bare)
        for each in (*ours, *bare):
            each.close()
    memory = _memory(server.process.pid) / MEGABYTE
    return [*rows, Row("memory of the whole server after that", memory, "MB", goal=MEMORY_MB)]


async def _rows(server: Served, idle: float, ours: list[Connection], bare: list[Connection]) -> list[Row]:
    count = len(ours)
    pause = PAUSE if count == 1 else 0
    await together([_turn(each, f"/llm/openai{PATH}", []) for each in ours], SECONDS / 2)
    took: list[float] = []
    floor: list[float] = []
    rates, direct = [], []
    spent, calls = 0.0, 0
    for _ in range(TURNS):
        before, done, begun = _cpu(server.process.pid), len(took), time.monotonic()
        rates.append(
            await together([_turn(each, f"/llm/openai{PATH}", took, pause) for each in ours], SECONDS)
        )
        spent += _cpu(server.process.pid) - before - idle * (time.monotonic() - begun)
        calls += len(took) - done
        direct.append(await together([_turn(each, PATH, floor) for each in bare], SECONDS / 4))
    who = f"{count} client{'s' if count > 1 else ''}"
    mine, theirs = Samples(tuple(took)).per(MS), Samples(tuple(floor)).per(MS)
    many = Samples(tuple(rates)).p50
    goal = ADDED_MS if count == 1 else None
    p99 = quantile(mine.values, 0.99), quantile(theirs.values, 0.99)
    return [
        row_of(f"{who}: one call", mine, "ms", floor=theirs.p50),
        Row(f"{who}: added by the gateway", mine.p50 - theirs.p50, "ms", goal=goal),
        Row(f"{who}: added by the gateway, p99", p99[0] - p99[1], "ms"),
        *([] if pause else [Row(f"{who}: calls", many, "calls/s", floor=Samples(tuple(direct)).p50)]),
        Row(f"{who}: CPU of the gateway for one call", 1_000 * spent / calls, "ms", goal=CPU_MS),
    ]


async def _idle(server: Served) -> float:
    """Seconds of processor time that the server takes in a second when nobody asks."""
    before, begun = _cpu(server.process.pid), time.monotonic()
    await asyncio.sleep(2 * SECONDS)
    return (_cpu(server.process.pid) - before) / (time.monotonic() - begun)


def _turn(connection: Connection, path: str, took: list[float], pause: float = 0) -> Any:
    async def turn() -> None:
        if pause:
            await asyncio.sleep(pause)
        begun = time.perf_counter_ns()
        status, text = await connection.post(path, BODY)
        took.append(float(time.perf_counter_ns() - begun))
        if status != 200:
            raise AssertionError(text.decode())

    return turn


def _cpu(process: int) -> float:
    """Seconds of processor time that a process has taken, with all its threads."""
    fields = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(process: int) -> float:
    """Bytes that a process has in memory."""
    pages = int(Path(f"/proc/{process}/statm").read_text("utf-8").split()[1])
    return float(pages * os.sysconf("SC_PAGE_SIZE"))


@contextmanager
def _upstream() -> Iterator[str]:
    """The address of a bare upstream in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.bare_upstream"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
