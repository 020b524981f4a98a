"""How each provider's API answers, to the byte where its clients care: bodies, streams, errors, usage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

WORD = "word "


@dataclass(frozen=True, slots=True)
class Generated:
    """One answer of a model: what was read and written, and what the caller wanted of it."""

    model: str
    read: int
    written: int
    choices: int = 1
    usage: Any = "right"
    """``right``, ``none``, or whatever stands in place of the usage block."""
    asked_usage: bool = True

    @property
    def text(self) -> str:
        """What the model says."""
        return WORD * self.written

    @property
    def all_written(self) -> int:
        """Tokens of all choices."""
        return self.written * self.choices


def _with_usage(body: dict[str, Any], name: str, right: Any, usage: Any) -> dict[str, Any]:
    if usage == "none":
        return body
    return {**body, name: right if usage == "right" else usage}


def chat_usage(made: Generated) -> dict[str, Any]:
    """The usage block of chat/completions."""
    return {
        "prompt_tokens": made.read,
        "completion_tokens": made.all_written,
        "total_tokens": made.read + made.all_written,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def chat(made: Generated) -> dict[str, Any]:
    """An answer of chat/completions."""
    message = {"role": "assistant", "content": made.text, "refusal": None}
    choices = [
        {"index": place, "message": message, "logprobs": None, "finish_reason": "stop"}
        for place in range(made.choices)
    ]
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": made.model,
        "choices": choices,
        "service_tier": "default",
    }
    return _with_usage(body, "usage", chat_usage(made), made.usage)


def chat_stream(made: Generated) -> Iterator[bytes]:
    """The events of a streamed chat."""
    base = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_790_000_000,
        "model": made.model,
        "service_tier": "default",
    }
    more = {"usage": None} if made.asked_usage else {}

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _data({**base, "choices": [choice], **more})

    yield chunk({"role": "assistant", "content": ""})
    for _ in range(made.written):
        yield chunk({"content": WORD})
    yield chunk({}, "stop")
    if made.asked_usage and made.usage != "none":
        usage = chat_usage(made) if made.usage == "right" else made.usage
        yield _data({**base, "choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


def responses_usage(made: Generated) -> dict[str, Any]:
    """The usage block of responses."""
    return {
        "input_tokens": made.read,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": made.written,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": made.read + made.written,
    }


def responses(made: Generated, *, done: bool = True) -> dict[str, Any]:
    """An answer of responses."""
    part = {"type": "output_text", "text": made.text, "annotations": []}
    item = {
        "id": "msg_1",
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [part],
    }
    body = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": "completed" if done else "in_progress",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": made.model,
        "output": [item] if done else [],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "service_tier": "default",
    }
    if not done:
        return {**body, "usage": None}
    return _with_usage(body, "usage", responses_usage(made), made.usage)


def responses_stream(made: Generated) -> Iterator[bytes]:
    """The events of a streamed response."""
    number = iter(range(10_000))

    def event(kind: str, **more: Any) -> bytes:
        return _event(kind, {"type": kind, "sequence_number": next(number), **more})

    item = responses(made)["output"][0]
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    yield event("response.created", response=responses(made, done=False))
    begun = {**item, "status": "in_progress", "content": []}
    yield event("response.output_item.added", output_index=0, item=begun)
    empty = {"type": "output_text", "text": "", "annotations": []}
    yield event("response.content_part.added", part=empty, **place)
    for _ in range(made.written):
        yield event("response.output_text.delta", delta=WORD, logprobs=[], **place)
    yield event("response.output_text.done", text=made.text, logprobs=[], **place)
    yield event("response.content_part.done", part=item["content"][0], **place)
    yield event("response.output_item.done", output_index=0, item=item)
    yield event("response.completed", response=responses(made))


def messages_usage(made: Generated) -> dict[str, Any]:
    """The usage block of Anthropic's messages."""
    return {
        "input_tokens": made.read,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": made.written,
        "service_tier": "standard",
    }


def messages(made: Generated) -> dict[str, Any]:
    """An answer of Anthropic's messages."""
    body = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": made.model,
        "content": [{"type": "text", "text": made.text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
    }
    return _with_usage(body, "usage", messages_usage(made), made.usage)


def messages_stream(made: Generated) -> Iterator[bytes]:
    """The events of a streamed message."""
    start = messages(replace(made, written=0))
    begun = {**messages_usage(made), "output_tokens": 1}
    first = {**start, "content": [], "stop_reason": None, "usage": begun}
    yield _event("message_start", {"type": "message_start", "message": first})
    block = {"type": "text", "text": ""}
    yield _event("content_block_start", {"type": "content_block_start", "index": 0, "content_block": block})
    yield _event("ping", {"type": "ping"})
    for _ in range(made.written):
        delta = {"type": "text_delta", "text": WORD}
        yield _event("content_block_delta", {"type": "content_block_delta", "index": 0, "delta": delta})
    yield _event("content_block_stop", {"type": "content_block_stop", "index": 0})
    usage = made.usage if made.usage not in ("right", "none") else {"output_tokens": made.written}
    last = {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}}
    yield _event("message_delta", last if made.usage == "none" else {**last, "usage": usage})
    yield _event("message_stop", {"type": "message_stop"})


def gemini(made: Generated, text: str | None = None, finish: str | None = "STOP") -> dict[str, Any]:
    """An answer of Gemini's generateContent, or one event of its stream."""
    said = made.text if text is None else text
    candidate: dict[str, Any] = {"content": {"parts": [{"text": said}], "role": "model"}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    usage = {
        "promptTokenCount": made.read,
        "candidatesTokenCount": made.written,
        "totalTokenCount": made.read + made.written,
    }
    body = {"candidates": [candidate], "modelVersion": made.model, "responseId": "r1"}
    return _with_usage(body, "usageMetadata", usage, made.usage)


def gemini_stream(made: Generated) -> Iterator[bytes]:
    """The events of Gemini's stream, which has no last one of its own."""
    for place in range(made.written):
        yield _data(gemini(made, WORD, "STOP" if place == made.written - 1 else None), b"\r\n\r\n")


def embeddings(made: Generated) -> dict[str, Any]:
    """An answer of embeddings."""
    data = [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}]
    usage = {"prompt_tokens": made.read, "total_tokens": made.read}
    return _with_usage({"object": "list", "data": data, "model": made.model}, "usage", usage, made.usage)


def images(made: Generated) -> dict[str, Any]:
    """An answer of images/generations, of a model that is paid by the picture."""
    return {"created": 1_790_000_000, "data": [{"b64_json": "aGk="}] * made.choices}


def error(api: str, status: int) -> dict[str, Any]:
    """An upstream's own error."""
    if api == "anthropic":
        kind = "overloaded_error" if status == 529 else "invalid_request_error"
        return {"type": "error", "error": {"type": kind, "message": "upstream says no"}}
    if api == "gemini":
        return {"error": {"code": status, "message": "upstream says no", "status": "INVALID_ARGUMENT"}}
    return {"error": {"message": "upstream says no", "type": "x", "param": None, "code": "its_own"}}


def _data(body: dict[str, Any], end: bytes = b"\n\n") -> bytes:
    return b"data: " + json.dumps(body, separators=(",", ":")).encode() + end


def _event(kind: str, body: dict[str, Any]) -> bytes:
    return b"event: " + kind.encode() + b"\n" + _data(body)
