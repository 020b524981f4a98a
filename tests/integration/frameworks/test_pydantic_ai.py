"""The decorated functions work in pydantic-ai unchanged, with its agent and its function model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

import handrail

Tools = list[Callable[..., Any]]
pytestmark = pytest.mark.parametrize("rail", ["embedded", "remote"], indirect=True)


def scripted(*calls: tuple[str, dict[str, object]]) -> FunctionModel:
    """A model that makes the given tool calls, one a turn."""
    left = list(calls)

    def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        if not left:
            return ModelResponse(parts=[TextPart("That is all.")])
        name, args = left.pop(0)
        return ModelResponse(parts=[ToolCallPart(name, args)])

    return FunctionModel(answer)


async def test_an_agent_runs_what_is_allowed(
    rail: handrail.Rail, tools: Tools, refunds: list[tuple[str, float]]
) -> None:
    """Sync and async tools run under their own names, and their outputs reach the model."""
    model = scripted(
        ("find_order", {"order_id": "o-17"}), ("issue_refund", {"order_id": "o-17", "amount": 40})
    )
    agent = Agent(model, tools=tools)
    with rail.session(agent="support", task="t-1"):
        result = await agent.run("It broke.")
    parts = [part for message in result.all_messages() for part in message.parts]
    outputs = [part.content for part in parts if isinstance(part, ToolReturnPart)]
    assert outputs == [{"order_id": "o-17", "status": "arrived"}, "refunded 40.00 for o-17"]
    assert refunds == [("o-17", 40.0)]


async def test_an_agent_is_told_of_a_refusal(
    rail: handrail.Rail, tools: Tools, refunds: list[tuple[str, float]]
) -> None:
    """A refused call stops the run with Handrail's own error, and nothing was done."""
    agent = Agent(scripted(("issue_refund", {"order_id": "o-17", "amount": 4000})), tools=tools)
    with rail.session(agent="support", task="t-1"), pytest.raises(handrail.Denied, match="Nobody refunds"):
        await agent.run("Refund it all.")
    assert refunds == []
