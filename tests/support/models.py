"""Calls of models for tests: a policy with budgets that they fill, and asking as a gateway would."""

from __future__ import annotations

import json
from typing import Any

from handrail.engine.models.calls import ModelGate
from handrail.ports import Transaction
from handrail.words.model_call import Bound, CallFilter, CallState, ModelAsked, ModelCall, ModelEnded, Usage
from tests.support.rail import Desk

DOLLAR = 10**9
MODELS = """
handrail: 1
currency: USD
agents:
  support: {may: [look]}
  sales: {may: [look]}
tools:
  look: {does: read}
models:
  "openai:gpt-5*": {price: {input: 1, output: 10}}
  "local:*": {agents: [support], price: {input: 0, output: 0}}
budgets:
  - {id: day, cost: 10, per: day}
  - {id: words, agents: sales, tokens: 1000, per: day}
  - {id: ticket, models: "openai:gpt-5-tasks", cost: 4, per: task}
data:
  redact: [args.card, output.secret, prompts.request.metadata]
"""
BOUND = Bound(cost=DOLLAR, tokens=100)
"""One dollar, whatever is written."""
HELLO = json.dumps({"model": "gpt-5-mini", "messages": [{"role": "user", "content": "Hello"}]}).encode()


def asked(**changes: Any) -> ModelAsked:
    """A call of support's for a dollar. The model ``gpt-5-tasks`` counts per task."""
    plain: dict[str, Any] = {
        "agent": "support",
        "session": "s-1",
        "task": None,
        "upstream": "openai",
        "model": "gpt-5-mini",
        "route": "chat/completions",
        "bound": BOUND,
        "request": HELLO,
    }
    return ModelAsked(**{**plain, **changes})


def done(cost: int | None = DOLLAR // 2, **changes: Any) -> ModelEnded:
    """It answered, and half a dollar was measured."""
    told: dict[str, Any] = {
        "usage": Usage(input=20, output=5),
        "status": 200,
        "response": b'{"choices": [{"message": {"content": "Hi, Ann"}}]}',
    }
    return ModelEnded(CallState.DONE, cost=cost, **{**told, **changes})


def gate_of(desk: Desk) -> ModelGate:
    """The gate of a desk's process."""
    return ModelGate(desk.app.engine)


def used(desk: Desk, budget: str = "day") -> int:
    """What all windows of a budget hold."""
    return int(desk.sql(f"select coalesce(sum(used), 0) from budget_windows where budget = '{budget}'")[0][0])


def calls(desk: Desk) -> list[ModelCall]:
    """Every call, oldest first."""

    def work(tx: Transaction) -> list[ModelCall]:
        return list(reversed(tx.model_calls.listing(CallFilter(limit=1_000_000))))

    return desk.app.store.read(work)
