"""Two model providers, asked through the gateway: one conversation with tools each, and nothing else.

OpenAI's chat completions (``OPENAI_API_KEY``, ``OPENAI_BASE_URL`` with its ``/v1``) and Anthropic's messages
(``ANTHROPIC_API_KEY``, ``ANTHROPIC_BASE_URL`` without it). ``HANDRAIL_DEMO_MODEL`` names another model.
The key and the address are for the demo's server only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from handrail.demo.hands import Ask
from handrail.demo.line import ModelFailed

ANSWER_TOKENS = 1_024


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as a model is told of it; ``schema`` is the JSON Schema of its arguments."""

    name: str
    description: str
    schema: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call that the model wants to make."""

    id: str
    tool: str
    args: Mapping[str, object]


class Conversation(Protocol):
    """One conversation with a model."""

    def next(self) -> Sequence[ToolCall]:
        """Let the model go on: the calls that it wants, none when it has finished."""

    def answer(self, results: Sequence[tuple[ToolCall, str]]) -> None:
        """Tell the model what came of each call."""


class Provider(Protocol):
    """Where conversations come from."""

    @property
    def name(self) -> str:
        """The provider and its model, for people."""

    def begin(self, system: str, text: str, tools: Sequence[Tool], ask: Ask) -> Conversation:
        """A new conversation that starts with ``text``."""


@dataclass(frozen=True, slots=True)
class OpenAI:
    """Chat completions."""

    model: str

    @property
    def name(self) -> str:
        """The provider and its model, for people."""
        return f"OpenAI's {self.model}"

    def begin(self, system: str, text: str, tools: Sequence[Tool], ask: Ask) -> Conversation:
        """A new conversation that starts with ``text``."""
        messages = [{"role": "system", "content": system}, {"role": "user", "content": text}]
        return _OpenAIConversation(self.model, messages, [_openai_tool(tool) for tool in tools], ask)


@dataclass(slots=True)
class _OpenAIConversation:
    model: str
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]]
    ask: Ask

    def next(self) -> Sequence[ToolCall]:
        body = {"model": self.model, "messages": self.messages, "tools": self.tools}
        answer = self.ask("openai/v1/chat/completions", body)
        try:
            message = answer["choices"][0]["message"]
            calls = [
                ToolCall(call["id"], call["function"]["name"], _args(call["function"]["arguments"]))
                for call in message.get("tool_calls") or ()
            ]
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise ModelFailed(f"the answer is not a chat completion: {error!r}") from error
        self.messages.append(message)
        return calls

    def answer(self, results: Sequence[tuple[ToolCall, str]]) -> None:
        self.messages.extend(
            {"role": "tool", "tool_call_id": call.id, "content": said} for call, said in results
        )


def _openai_tool(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.schema}
    return {"type": "function", "function": function}


@dataclass(frozen=True, slots=True)
class Anthropic:
    """Messages."""

    model: str

    @property
    def name(self) -> str:
        """The provider and its model, for people."""
        return f"Anthropic's {self.model}"

    def begin(self, system: str, text: str, tools: Sequence[Tool], ask: Ask) -> Conversation:
        """A new conversation that starts with ``text``."""
        told = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.schema}
            for tool in tools
        ]
        return _AnthropicConversation(self.model, system, [{"role": "user", "content": text}], told, ask)


@dataclass(slots=True)
class _AnthropicConversation:
    model: str
    system: str
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]]
    ask: Ask

    def next(self) -> Sequence[ToolCall]:
        body = {
            "model": self.model,
            "max_tokens": ANSWER_TOKENS,
            "system": self.system,
            "messages": self.messages,
            "tools": self.tools,
        }
        answer = self.ask("anthropic/v1/messages", body, anthropic_version="2023-06-01")
        try:
            content = answer["content"]
            calls = [
                ToolCall(block["id"], block["name"], _object(block["input"]))
                for block in content
                if block["type"] == "tool_use"
            ]
        except (KeyError, TypeError) as error:
            raise ModelFailed(f"the answer is not a message: {error!r}") from error
        self.messages.append({"role": "assistant", "content": content})
        return calls

    def answer(self, results: Sequence[tuple[ToolCall, str]]) -> None:
        content = [{"type": "tool_result", "tool_use_id": call.id, "content": said} for call, said in results]
        self.messages.append({"role": "user", "content": content})


def chosen(env: Mapping[str, str]) -> Provider | None:
    """The provider whose key is set in ``env``, OpenAI first; None without any."""
    model = env.get("HANDRAIL_DEMO_MODEL")
    if env.get("OPENAI_API_KEY"):
        return OpenAI(model or "gpt-5-mini")
    if env.get("ANTHROPIC_API_KEY"):
        return Anthropic(model or "claude-haiku-4-5")
    return None


def upstreams(env: Mapping[str, str]) -> dict[str, str]:
    """What the demo's server is told of the providers in ``env``, as its settings."""
    told = {}
    for name in ("OPENAI", "ANTHROPIC"):
        for theirs, ours in (("API_KEY", "KEY"), ("BASE_URL", "URL")):
            if env.get(f"{name}_API_KEY") and (value := env.get(f"{name}_{theirs}")):
                told[f"HANDRAIL_UPSTREAM_{name}_{ours}"] = value
    return told


def _args(text: str) -> dict[str, object]:
    try:
        return _object(json.loads(text or "{}"))
    except ValueError as error:
        raise ModelFailed(f"the model's arguments are not JSON: {text[:80]!r}") from error


def _object(found: object) -> dict[str, object]:
    if not isinstance(found, dict):
        raise ModelFailed(f"the model's arguments are no JSON object: {str(found)[:80]}")
    return found
