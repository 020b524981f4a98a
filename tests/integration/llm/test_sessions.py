"""Budgets per task count what a session proves, and a session that loops is held."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openai
import pytest

from tests.support.gateway import AGENT, Front, front

POLICY = """handrail: 1
currency: USD
agents: {support: {may: []}, other: {may: []}}
models:
  "local:mock": {price: {input: 0, output: 1000}}
budgets:
  - {id: one-ticket, agents: support, cost: 1, per: task}
loops: {calls_per_minute: 6}
"""
CALL: dict[str, Any] = {
    "model": "mock",
    "max_tokens": 500,
    "messages": [{"role": "user", "content": "hi"}],
}


def in_session(gateway: Front, agent: str, task: str) -> openai.OpenAI:
    """A client in a new session for a task."""
    with gateway.served.with_key(agent) as api:
        opened = api.post("/api/v1/sessions", json={"agent": agent, "task": task}).json()
    header = {"X-Handrail-Session": f"{opened['id']}:{opened['token']}"}
    return gateway.openai(agent, name="local", default_headers=header)


def test_a_budget_per_task_counts_under_the_task_that_the_session_proves(tmp_path: Path) -> None:
    with front(tmp_path, POLICY) as gateway:
        gateway.up.behaves(writes=500)
        with pytest.raises(openai.PermissionDeniedError, match="task"):
            gateway.openai(name="local").chat.completions.create(**CALL)
        one = in_session(gateway, AGENT, "ticket-1")
        for _ in range(2):
            one.chat.completions.create(**CALL)
            gateway.settled()
        with pytest.raises(openai.APIStatusError, match="one-ticket") as refused:
            in_session(gateway, AGENT, "ticket-1").chat.completions.create(**CALL)
        assert refused.value.status_code == 402
        assert in_session(gateway, AGENT, "ticket-2").chat.completions.create(**CALL)


def test_a_session_that_asks_without_end_is_held_and_others_go_on(tmp_path: Path) -> None:
    with front(tmp_path, POLICY) as gateway:
        looping = in_session(gateway, "other", "ticket-1")
        for _ in range(6):
            looping.chat.completions.create(**CALL)
        with pytest.raises(openai.PermissionDeniedError, match="held") as refused:
            looping.chat.completions.create(**CALL)
        assert isinstance(refused.value.body, dict)
        assert refused.value.body["code"] == "session"
        assert in_session(gateway, "other", "ticket-2").chat.completions.create(**CALL)


@pytest.mark.parametrize("required", [True, False])
def test_a_call_without_a_session_is_refused_where_the_policy_requires_one(
    tmp_path: Path, *, required: bool
) -> None:
    policy = POLICY.replace("models:\n", f"models:\n  sessions: {'required' if required else 'optional'}\n")
    with front(tmp_path, policy) as gateway:
        alone = gateway.http("other")
        answer = alone.post("/local/v1/chat/completions", json=CALL)
        assert answer.status_code == (403 if required else 200)
        if required:
            assert answer.json()["error"]["code"] == "session"
            assert "X-Handrail-Session" in answer.json()["error"]["message"]
            assert gateway.up.asked == []
        assert in_session(gateway, "other", "ticket-1").chat.completions.create(**CALL)
