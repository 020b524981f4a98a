"""Two model providers, spoken to over plain HTTP: one conversation with tools each, and nothing else.

OpenAI's chat completions (``OPENAI_API_KEY``, ``OPENAI_BASE_URL`` with its ``/v1``) and Anthropic's messages
(``ANTHROPIC_API_KEY``, ``ANTHROPIC_BASE_URL`` without it). ``HANDRAIL_DEMO_MODEL`` names another model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any, Protocol
from urllib.error import HTTPError
from urllib.request import Request, urlopen

ANSWER_TOKENS = 1_024
LARGEST_ANSWER = 4_000_000


class ModelFailed(Exception):
    """The provider did not answer as it should; the text says what came instead."""


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

    def begin(self, system: str, text: str, tools: Sequence[Tool]) -> Conversation:
        """A new conversation that starts with ``text``."""


@dataclass(frozen=True, slots=True)
class OpenAI:
    """Chat completions."""

    key: str = field(repr=False)
    model: str
    base: str = "https://api.openai.com/v1"
    timeout: float = 12.0

    @property
    def name(self) -> str:
        """The provider and its model, for people."""
        return f"OpenAI's {self.model}"

    def begin(self, system: str, text: str, tools: Sequence[Tool]) -> Conversation:
        """A new conversation that starts with ``text``."""
        messages = [{"role": "system", "content": system}, {"role": "user", "content": text}]
        return _OpenAIConversation(self, messages, [_openai_tool(tool) for tool in tools])


@dataclass(slots=True)
class _OpenAIConversation:
    provider: OpenAI
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]]

    def next(self) -> Sequence[ToolCall]:
        headers = {"authorization": f"Bearer {self.provider.key}"}
        body = {"model": self.provider.model, "messages": self.messages, "tools": self.tools}
        answer = _post(f"{self.provider.base}/chat/completions", headers, body, self.provider.timeout)
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

    key: str = field(repr=False)
    model: str
    base: str = "https://api.anthropic.com"
    timeout: float = 12.0

    @property
    def name(self) -> str:
        """The provider and its model, for people."""
        return f"Anthropic's {self.model}"

    def begin(self, system: str, text: str, tools: Sequence[Tool]) -> Conversation:
        """A new conversation that starts with ``text``."""
        told = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.schema}
            for tool in tools
        ]
        return _AnthropicConversation(self, system, [{"role": "user", "content": text}], told)


@dataclass(slots=True)
class _AnthropicConversation:
    provider: Anthropic
    system: str
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]]

    def next(self) -> Sequence[ToolCall]:
        headers = {"x-api-key": self.provider.key, "anthropic-version": "2023-06-01"}
        body = {
            "model": self.provider.model,
            "max_tokens": ANSWER_TOKENS,
            "system": self.system,
            "messages": self.messages,
            "tools": self.tools,
        }
        answer = _post(f"{self.provider.base}/v1/messages", headers, body, self.provider.timeout)
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
    if key := env.get("OPENAI_API_KEY"):
        base = env.get("OPENAI_BASE_URL") or "https://api.openai.com/v1"
        return OpenAI(key, env.get("HANDRAIL_DEMO_MODEL") or "gpt-5-mini", base.rstrip("/"))
    if key := env.get("ANTHROPIC_API_KEY"):
        base = env.get("ANTHROPIC_BASE_URL") or "https://api.anthropic.com"
        return Anthropic(key, env.get("HANDRAIL_DEMO_MODEL") or "claude-haiku-4-5", base.rstrip("/"))
    return None


def _args(text: str) -> dict[str, object]:
    try:
        return _object(json.loads(text or "{}"))
    except ValueError as error:
        raise ModelFailed(f"the model's arguments are not JSON: {text[:80]!r}") from error


def _object(found: object) -> dict[str, object]:
    if not isinstance(found, dict):
        raise ModelFailed(f"the model's arguments are no JSON object: {str(found)[:80]}")
    return found


def _post(url: str, headers: Mapping[str, str], body: Mapping[str, object], timeout: float) -> Any:
    if not url.startswith(("https://", "http://")):
        raise ModelFailed(f"{url} is no web address; expected https://…")
    data = json.dumps(body).encode()
    request = Request(url, data, {"content-type": "application/json", **headers})  # noqa: S310 -- checked above
    try:
        with urlopen(request, timeout=timeout) as answer:  # noqa: S310 -- checked above
            return json.loads(answer.read(LARGEST_ANSWER))
    except HTTPError as error:
        with error:
            said = error.read(2_000).decode(errors="replace")
        raise ModelFailed(f"{url} answered {error.code} {error.reason}: {said[:200]}") from error
    except (OSError, HTTPException, ValueError) as error:
        raise ModelFailed(f"{url} could not be used: {error}") from error
