"""The decorated functions work in the OpenAI Agents SDK unchanged, with its runner and a scripted model."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from agents import Agent, ModelResponse, RunConfig, RunContextWrapper, Runner, Usage, function_tool
from agents.models.interface import Model
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

import handrail

Tools = list[Callable[..., Any]]


class Scripted(Model):
    """A model that makes the given tool calls, one a turn, and remembers what it was shown."""

    def __init__(self, *calls: tuple[str, dict[str, object]]) -> None:
        """Nothing was asked yet."""
        self.calls = list(calls)
        self.shown: list[Any] = []

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """The next tool call, or a last word."""
        self.shown.append(args[1] if len(args) > 1 else kwargs["input"])
        if self.calls:
            name, arguments = self.calls.pop(0)
            call = ResponseFunctionToolCall(
                arguments=json.dumps(arguments),
                call_id=f"c{len(self.calls)}",
                name=name,
                type="function_call",
            )
            return ModelResponse(output=[call], usage=Usage(), response_id=None)
        text = ResponseOutputText(annotations=[], text="That is all.", type="output_text")
        message = ResponseOutputMessage(
            id="m", content=[text], role="assistant", status="completed", type="message"
        )
        return ModelResponse(output=[message], usage=Usage(), response_id=None)

    def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        """Not used here."""
        raise NotImplementedError


def told(context: RunContextWrapper[Any], error: Exception) -> str:
    """What the model is told when a tool raises: Handrail's sentences are written for it."""
    return str(error) if isinstance(error, handrail.NotRun) else "The tool failed."


async def run(rail: handrail.Rail, tools: Tools, model: Scripted) -> list[Any]:
    """Run an agent with the tools; the last input that the model was shown."""
    agent = Agent(
        name="support",
        model=model,
        tools=[function_tool(tool, failure_error_function=told) for tool in tools],
    )
    with rail.session(agent="support", task="t-1"):
        await Runner.run(agent, "It broke.", run_config=RunConfig(tracing_disabled=True))
    return [item["output"] for item in model.shown[-1] if item.get("type") == "function_call_output"]


async def test_an_agent_runs_what_is_allowed(
    rail: handrail.Rail, tools: Tools, refunds: list[tuple[str, float]]
) -> None:
    """Sync and async tools run, and the schema that the SDK makes of them has their parameters."""
    model = Scripted(
        ("find_order", {"order_id": "o-17"}), ("issue_refund", {"order_id": "o-17", "amount": 40})
    )
    outputs = await run(rail, tools, model)
    assert outputs == ["{'order_id': 'o-17', 'status': 'arrived'}", "refunded 40.00 for o-17"]
    assert refunds == [("o-17", 40.0)]
    schema = function_tool(tools[0]).params_json_schema
    assert schema["properties"]["amount"] == {
        "description": "how much, in dollars.",
        "title": "Amount",
        "type": "number",
    }


async def test_an_agent_is_told_of_a_refusal(
    rail: handrail.Rail, tools: Tools, refunds: list[tuple[str, float]]
) -> None:
    """The refusal's sentence goes to the model as the tool's output, and nothing was done."""
    outputs = await run(rail, tools, Scripted(("issue_refund", {"order_id": "o-17", "amount": 4000})))
    assert "Nobody refunds that much." in outputs[0]
    assert refunds == []
