"""A server with the model gateway in front of a local upstream, and what it wrote down of each call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anthropic
import httpx
import openai

from handrail.engine.core import Engine
from handrail.words.model_call import CallFilter, CallState, ModelCall
from tests.support.processes import until
from tests.support.server import Served, make_key, served
from tests.support.upstream import Upstream, upstream

SECONDS = 60.0
AGENT = "support"
POLICY = """handrail: 1
currency: USD
agents: {support: {may: []}, other: {may: []}}
models:
  "openai:gpt-5*": {}
  "openai:gpt-image-1": {price: {image: 1}}
  "openai:text-embedding-3-small": {}
  "openai:nobody-priced-this": {}
  "anthropic:claude-*": {agents: [support]}
  "gemini:gemini-*": {}
  "local:mock": {price: {input: 0, output: 1000}}
  "gone:*": {price: {input: 0, output: 1000}}
budgets:
  - {id: purse, agents: support, cost: 1000, per: day}
  - {id: small, agents: other, cost: 10, per: day}
"""
"""``local:mock`` costs a dollar for a thousand tokens that it writes."""


@dataclass(frozen=True, slots=True)
class Front:
    """A gateway, the upstream behind it, and clients in front of it."""

    served: Served
    up: Upstream
    engine: Engine
    keys: dict[str, str]
    stack: ExitStack = field(repr=False)

    def openai(self, agent: str = AGENT, name: str = "openai", **more: Any) -> openai.OpenAI:
        """OpenAI's own client, as an agent has it."""
        url = f"{self.served.here}/llm/{name}/v1"
        made = openai.OpenAI(api_key=self.keys[agent], base_url=url, max_retries=0, timeout=SECONDS, **more)
        return self.stack.enter_context(made)

    def anthropic(self, agent: str = AGENT, **more: Any) -> anthropic.Anthropic:
        """Anthropic's own client."""
        url = f"{self.served.here}/llm/anthropic"
        made = anthropic.Anthropic(
            api_key=self.keys[agent], base_url=url, max_retries=0, timeout=SECONDS, **more
        )
        return self.stack.enter_context(made)

    def http(self, agent: str | None = AGENT, **headers: str) -> httpx.Client:
        """A plain client below ``/llm``."""
        known = {} if agent is None else {"authorization": f"Bearer {self.keys[agent]}"}
        made = httpx.Client(base_url=f"{self.served.here}/llm", headers={**known, **headers}, timeout=SECONDS)
        return self.stack.enter_context(made)

    def calls(self) -> list[ModelCall]:
        """Every call so far, newest first."""
        return list(self.engine.store.read(lambda tx: tx.model_calls.listing(CallFilter(limit=1_000))))

    def settled(self) -> ModelCall:
        """The newest call, once it has ended."""
        found: list[ModelCall] = []

        def ended() -> bool:
            found[:] = self.calls()[:1]
            return bool(found) and found[0].state is not CallState.RUNNING

        until(ended)
        return found[0]

    def log(self) -> str:
        """All that the server logged."""
        return "".join(path.read_text("utf-8") for path in self.served.folder.glob("server-*.log"))


@contextmanager
def front(folder: Path, policy: str = POLICY, database: str | None = None, **env: str) -> Iterator[Front]:
    """A gateway on a fresh store."""
    with ExitStack() as stack:
        up = stack.enter_context(upstream())
        settings = {**up.environment(), "HANDRAIL_RATE": "100000", **env}
        running = stack.enter_context(served(folder, policy, database=database, env=settings))
        engine = stack.enter_context(running.engine())
        keys = {agent: make_key(engine, agent) for agent in (AGENT, "other")}
        yield Front(running, up, engine, keys, stack.enter_context(ExitStack()))
