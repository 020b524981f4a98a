"""Fifty calls of a model for $1 each at once, on a budget of $10: what the upstream billed, in dollars.

The upstream counts for itself what it would bill, and bills also for what nobody waited for. A case is met
when that is never above the budget; an unpriced model must cost nothing. ``HANDRAIL_BENCH_CALLS`` tries more.
"""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.harness import Row
from tests.support import postgres
from tests.support.processes import until
from tests.support.server import Served, make_key, served
from tests.support.upstream import Upstream, upstream

CALLS = int(os.environ.get("HANDRAIL_BENCH_CALLS", "50"))
BUDGET = 10
TOKENS = 1_000
"""Tokens that one call writes, for a dollar."""
AGENT = "support"
POLICY = """handrail: 1
currency: USD
agents: {{support: {{may: []}}}}
models:
  "local:mock": {{price: {{input: 0, output: 1000}}}}
  "local:painter": {{price: {{image: 1}}}}
  "local:unpriced": {{}}
budgets:
  - {{id: purse, cost: {budget}, per: day}}
"""
CHAT: dict[str, Any] = {
    "model": "mock",
    "max_tokens": TOKENS,
    "messages": [{"role": "user", "content": "hi"}],
}
PATH, PICTURES = "chat/completions", "images/generations"
LIES: tuple[Any, ...] = (
    "none",
    {"prompt_tokens": 3, "completion_tokens": -1_000},
    {"prompt_tokens": 3, "completion_tokens": "few"},
    {"prompt_tokens": 0, "completion_tokens": 0},
    {"prompt_tokens": 3, "completion_tokens": 1},
)
"""Usage blocks that are missing, nonsense, or tell of one token for a text of a thousand."""


@dataclass(frozen=True, slots=True)
class Try:
    """One case: an upstream, servers before it, and a key."""

    up: Upstream
    calls: int
    budget: int
    folder: Path
    stack: ExitStack = field(repr=False)
    database: str | None = None

    def server(self) -> Served:
        """One more server on the same store."""
        settings = {**self.up.environment(), "HANDRAIL_RATE": "1000000"}
        policy = POLICY.format(budget=self.budget)
        return self.stack.enter_context(served(self.folder, policy, database=self.database, env=settings))

    def key(self, server: Served) -> str:
        """A key of the agent."""
        with server.engine() as engine:
            return make_key(engine, AGENT)


@dataclass(frozen=True, slots=True)
class Billed:
    """What came of a case."""

    dollars: float
    answered: int
    """Calls that the gateway let through."""


def run() -> list[Row]:
    """Every case, each on a fresh store."""
    return [_row(name) for name in CASES]


def tried(name: str, calls: int = CALLS, budget: int = BUDGET) -> Billed:
    """One case."""
    with ExitStack() as stack:
        up = stack.enter_context(upstream())
        up.behaves(writes=TOKENS)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="handrail-bench-")))
        database = stack.enter_context(_postgres()) if name == TWO else None
        answered = CASES[name](Try(up, calls, budget, folder, stack, database))
        return Billed(up.billed / TOKENS + up.pictures, answered)


def one_process(case: Try) -> int:
    """All at once to one server."""
    return _all(case, [case.server()], PATH, CHAT)


def two_servers(case: Try) -> int:
    """Half to each of two servers on one PostgreSQL."""
    return _all(case, [case.server(), case.server()], PATH, CHAT)


def killed(case: Try) -> int:
    """A server is killed while it waits for answers, and another one goes on with its store."""
    goes_on = threading.Event()
    case.up.behaves(writes=TOKENS, waits=goes_on)
    first = case.server()
    key = case.key(first)
    asking = threading.Thread(target=lambda: asyncio.run(_asked([first], key, case.calls, PATH, CHAT)))
    asking.start()
    until(lambda: case.up.calls >= case.budget)
    first.stop(signal.SIGKILL)
    asking.join()
    goes_on.set()
    return case.budget + asyncio.run(_asked([case.server()], key, case.calls, PATH, CHAT))


def streaming(case: Try) -> int:
    """Streams, every second of which is hung up on after its first event."""
    return _all(case, [case.server()], PATH, {**CHAT, "stream": True}, hang_up=True)


def no_max_tokens(case: Try) -> int:
    """Nobody says how much may be written, and the model writes five dollars' worth when it may."""
    case.up.behaves(writes=5 * TOKENS)
    return _all(case, [case.server()], PATH, {name: CHAT[name] for name in ("model", "messages")})


def per_image(case: Try) -> int:
    """A price for each picture, and none for tokens."""
    return _all(case, [case.server()], PICTURES, {"model": "painter", "prompt": "a cat"})


def unpriced(case: Try) -> int:
    """A model that nobody priced."""
    return _all(case, [case.server()], PATH, {**CHAT, "model": "unpriced"})


def wrong_usage(case: Try) -> int:
    """The upstream's usage is missing, nonsense or far too small."""
    server, answered = case.server(), 0
    key = case.key(server)
    for usage in LIES:
        billed = case.up.billed
        case.up.behaviour.usage = usage
        answered += asyncio.run(_asked([server], key, -(-case.calls // len(LIES)), PATH, CHAT))
        assert case.up.billed >= billed
    return answered


def _all(case: Try, servers: list[Served], path: str, body: dict[str, Any], *, hang_up: bool = False) -> int:
    key = case.key(servers[0])
    return asyncio.run(_asked(servers, key, case.calls, path, body, hang_up=hang_up))


async def _asked(
    servers: list[Served], key: str, calls: int, path: str, body: dict[str, Any], *, hang_up: bool = False
) -> int:
    """Ask so often at once, by turns of each server; how many were let through."""
    headers = {"authorization": f"Bearer {key}"}
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(headers=headers, timeout=120, limits=limits) as client:

        async def one(place: int) -> bool:
            url = f"{servers[place % len(servers)].here}/llm/local/v1/{path}"
            try:
                async with client.stream("POST", url, json=body) as answer:
                    if hang_up and place % 2:
                        await anext(answer.aiter_bytes())
                    else:
                        await answer.aread()
                    return answer.status_code == httpx.codes.OK
            except httpx.TransportError:
                return False  # its server was killed

        return sum(await asyncio.gather(*map(one, range(calls))))


@contextmanager
def _postgres() -> Iterator[str]:
    with postgres.server_url() as url, postgres.database(url) as database:
        yield database


TWO = "two servers, PostgreSQL"
UNPRICED = "a model without a price"
CASES: dict[str, Callable[[Try], int]] = {
    "one process": one_process,
    TWO: two_servers,
    "kill -9 in the middle, then as many again": killed,
    "streams, half of them hung up on": streaming,
    "no max_tokens, five dollars wanted": no_max_tokens,
    "a price per picture": per_image,
    UNPRICED: unpriced,
    "usage missing, nonsense or too small": wrong_usage,
}


def _row(name: str) -> Row:
    goal = 0 if name == UNPRICED else BUDGET
    found = tried(name)
    return Row(f"{CALLS} calls, {name}: billed ({found.answered} let through)", found.dollars, "$", goal=goal)
