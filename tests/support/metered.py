"""The real clients with a meter in their way, at a local upstream, and what the ledger says of calls."""

from __future__ import annotations

from typing import Any, TypeVar

import anthropic
import openai

from handrail.words.model_call import CallFilter, CallState, ModelCall
from tests.support.rail import Desk
from tests.support.upstream import Upstream

C = TypeVar("C")
DOLLAR = 10**9
POLICY = """
handrail: 1
currency: USD
agents: {support: {may: []}, other: {may: []}}
models:
  "openai:gpt-5*": {}
  "openai:gpt-image-1": {price: {image: 1}}
  "openai:text-embedding-3-small": {}
  "openai:nobody-priced-this": {}
  "anthropic:claude-*": {}
  "local:mock": {price: {input: 0, output: 1000}}
budgets:
  - {id: purse, agents: support, cost: 1000, per: day}
  - {id: small, agents: other, cost: 10, per: day}
"""
given_out: list[Any] = []
"""Every client that was given out: closed with its desk."""
HELLO: Any = [{"role": "user", "content": "Hello"}]


def kept(client: C) -> C:
    """Have a client closed with its desk."""
    given_out.append(client)
    return client


def gpt(desk: Desk, up: Upstream, **more: Any) -> openai.OpenAI:
    """OpenAI's client with a meter, at the local upstream."""
    plain = openai.OpenAI(api_key="sk-x", base_url=f"{up.url}/v1", max_retries=2, timeout=60, **more)
    return kept(desk.rail.meter(plain, upstream="openai"))


def claude(desk: Desk, up: Upstream) -> anthropic.Anthropic:
    """Anthropic's client with a meter."""
    plain = anthropic.Anthropic(api_key="sk-x", base_url=up.url, max_retries=2, timeout=60)
    return kept(desk.rail.meter(plain, upstream="anthropic"))


def calls(desk: Desk) -> list[ModelCall]:
    """Every call, oldest first."""
    return list(reversed(desk.app.store.read(lambda tx: tx.model_calls.listing(CallFilter(limit=999)))))


def spent(desk: Desk, agent: str = "support") -> int:
    """What all calls of an agent cost, as they say; the budget says the same."""
    found = sum(each.cost or 0 for each in calls(desk) if each.agent == agent)
    budget = {"support": "purse", "other": "small"}[agent]
    assert desk.sql(f"select coalesce(sum(used), 0) from budget_windows where budget = '{budget}'") == [
        (found,)
    ]
    return found


def only(desk: Desk) -> ModelCall:
    """The only call, which ended well and was measured."""
    [call] = calls(desk)
    assert (call.state, call.presumed, call.status) == (CallState.DONE, False, 200), call
    assert call.cost is not None
    assert call.usage is not None
    assert 0 < call.cost < call.bound_cost
    assert not desk.app.engine.calling.running
    spent(desk)
    return call
