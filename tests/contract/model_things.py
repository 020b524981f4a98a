"""Calls of models for the store's tests: plausible, and different each time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from handrail.words.model_call import CallState, ModelCall
from tests.contract.things import AT, SOON, new_id


def model_call(**changes: Any) -> ModelCall:
    """A running call of support's."""
    plain = ModelCall(
        id=new_id(),
        agent="support",
        session="session-1",
        task="ticket-812",
        upstream="openai",
        model="gpt-5-mini",
        route="chat/completions",
        stream=True,
        state=CallState.RUNNING,
        policy="p" * 64,
        asked_at=AT,
        bound_cost=40_000_000,
        bound_tokens=9_000,
        output=4_096,
        via="k1",
        owner="host:1",
        token="token",
        lease_until=SOON,
    )
    return replace(plain, **changes)
