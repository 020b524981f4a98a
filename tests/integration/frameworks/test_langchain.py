"""The decorated functions work in langchain unchanged, with its own agent and a scripted model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

import handrail

Tools = list[Callable[..., Any]]


class Scripted(GenericFakeChatModel):
    """A model that says what the test wants, whatever tools it is given."""

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        """Take the tools for granted."""
        return self


def says(*calls: tuple[str, dict[str, object]]) -> Iterator[AIMessage]:
    """A tool call for each, then a last word."""
    for number, (name, args) in enumerate(calls):
        yield AIMessage("", tool_calls=[{"name": name, "args": args, "id": f"call-{number}"}])
    yield AIMessage("That is all.")


async def test_an_agent_runs_what_is_allowed(
    rail: handrail.Rail, tools: Tools, refunds: list[tuple[str, float]]
) -> None:
    """Sync and async tools run under their own names, and their outputs reach the model."""
    model = Scripted(
        messages=says(
            ("find_order", {"order_id": "o-17"}), ("issue_refund", {"order_id": "o-17", "amount": 40})
        )
    )
    with rail.session(agent="support", task="t-1"):
        result = await create_agent(model, tools=tools).ainvoke({"messages": [HumanMessage("It broke.")]})
    outputs = [message.content for message in result["messages"] if isinstance(message, ToolMessage)]
    assert outputs == ['{"order_id": "o-17", "status": "arrived"}', "refunded 40.00 for o-17"]
    assert refunds == [("o-17", 40.0)]


async def test_an_agent_is_told_of_a_refusal(
    rail: handrail.Rail, tools: Tools, refunds: list[tuple[str, float]]
) -> None:
    """A refused call stops the agent's run with Handrail's own error, and nothing was done."""
    model = Scripted(messages=says(("issue_refund", {"order_id": "o-17", "amount": 4000})))
    agent = create_agent(model, tools=tools)
    with rail.session(agent="support", task="t-1"), pytest.raises(handrail.Denied, match="Nobody refunds"):
        await agent.ainvoke({"messages": [HumanMessage("Refund it all.")]})
    assert refunds == []
