"""What a request gives a model to read, part by part: text by its bytes, the rest by bounds of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from handrail.meters.draft import Draft, FieldRefused, objects

Handler = Callable[[str, Mapping[str, Any], Draft], None]
NOT_KNOWN = "this kind of content is not metered"


def _free(_name: str, _part: Mapping[str, Any], _draft: Draft) -> None:
    """All of it is in the body, and counts by its bytes."""


def _image(_name: str, _part: Mapping[str, Any], draft: Draft) -> None:
    draft.images += 1
    draft.inputs.add("image_input")


def _sound(_name: str, _part: Mapping[str, Any], draft: Draft) -> None:
    draft.inputs.add("audio_input")


def _whole(_name: str, _part: Mapping[str, Any], draft: Draft) -> None:
    """A file or something kept upstream: as long as the model can read."""
    draft.whole = True
    draft.inputs.add("image_input")


def parts(name: str, content: Any, kinds: Mapping[str, Handler], draft: Draft) -> None:
    """Go through a text, or a list of parts with types.

    Raises:
        FieldRefused: a part is of a type that is not metered.
    """
    if content is None or isinstance(content, str):
        return
    for place, part in objects(name, content):
        kind = part.get("type")
        handler = kinds.get(kind) if isinstance(kind, str) else None
        if handler is None:
            raise FieldRefused(f"{place}.type", f"{NOT_KNOWN}: {str(kind)[:60]!r}")
        handler(place, part, draft)


CHAT_PARTS: Mapping[str, Handler] = {
    "text": _free,
    "refusal": _free,
    "thinking": _free,
    "image_url": _image,
    "input_audio": _sound,
    "file": _whole,
}
CHAT_MESSAGE = frozenset(
    {
        "role",
        "content",
        "name",
        "tool_calls",
        "tool_call_id",
        "function_call",
        "refusal",
        "audio",
        "annotations",
        "cache_control",
        "reasoning",
        "reasoning_content",
        "reasoning_details",
        "thinking",
        "prefix",
        "phase",
    }
)


def chat(name: str, value: Any, draft: Draft) -> None:
    """The messages of chat/completions."""
    for place, message in objects(name, value):
        for each in message.keys() - CHAT_MESSAGE:
            raise FieldRefused(f"{place}.{each}", "this field of a message is not metered")
        if message.get("audio") is not None:
            draft.whole = True  # an earlier answer's sound, kept upstream
            draft.inputs.add("audio_input")
        if message.get("cache_control") is not None:
            draft.inputs |= {"cache_write", "cache_write_long"}
        parts(f"{place}.content", message.get("content"), CHAT_PARTS, draft)


def _result(name: str, part: Mapping[str, Any], draft: Draft) -> None:
    parts(f"{name}.output", part.get("output"), RESPONSE_PARTS, draft)


def _message(name: str, part: Mapping[str, Any], draft: Draft) -> None:
    parts(f"{name}.content", part.get("content"), RESPONSE_PARTS, draft)


RESPONSE_PARTS: Mapping[str, Handler] = {
    "input_text": _free,
    "output_text": _free,
    "refusal": _free,
    "text": _free,
    "summary_text": _free,
    "reasoning_text": _free,
    "input_image": _image,
    "input_file": _whole,
    "input_audio": _sound,
}
RESPONSE_ITEMS: Mapping[str, Handler] = {
    "message": _message,
    "function_call": _free,
    "function_call_output": _result,
    "custom_tool_call": _free,
    "custom_tool_call_output": _result,
    "reasoning": _free,
    "web_search_call": _free,
    "computer_call": _free,
    "computer_call_output": _image,
    "local_shell_call": _free,
    "local_shell_call_output": _free,
    "apply_patch_call": _free,
    "apply_patch_call_output": _free,
    "item_reference": _whole,
    "compaction": _whole,
}


def responses(name: str, value: Any, draft: Draft) -> None:
    """The input of responses: a text, or a list of items."""
    if isinstance(value, str):
        return
    for place, item in objects(name, value):
        kind = item.get("type", "message" if "role" in item else None)
        handler = RESPONSE_ITEMS.get(kind) if isinstance(kind, str) else None
        if handler is None:
            raise FieldRefused(f"{place}.type", f"{NOT_KNOWN}: {str(kind)[:60]!r}")
        handler(place, item, draft)


def _block(name: str, part: Mapping[str, Any], draft: Draft) -> None:
    parts(f"{name}.content", part.get("content"), MESSAGE_PARTS, draft)


def _document(name: str, part: Mapping[str, Any], draft: Draft) -> None:
    source = part.get("source")
    kind = source.get("type") if isinstance(source, Mapping) else None
    if kind == "text":
        return
    if kind == "content" and isinstance(source, Mapping):
        parts(f"{name}.source.content", source.get("content"), MESSAGE_PARTS, draft)
        return
    draft.whole = True


MESSAGE_PARTS: Mapping[str, Handler] = {
    "text": _free,
    "image": _image,
    "document": _document,
    "search_result": _free,
    "tool_use": _free,
    "tool_result": _block,
    "thinking": _free,
    "redacted_thinking": _free,
    "server_tool_use": _free,
    "web_search_tool_result": _free,
    "tool_reference": _free,
}


def messages(name: str, value: Any, draft: Draft) -> None:
    """The messages of Anthropic's API."""
    for place, message in objects(name, value):
        for each in message.keys() - {"role", "content"}:
            raise FieldRefused(f"{place}.{each}", "this field of a message is not metered")
        parts(f"{place}.content", message.get("content"), MESSAGE_PARTS, draft)


GEMINI_PARTS = frozenset(
    {
        "text",
        "functionCall",
        "functionResponse",
        "thought",
        "thoughtSignature",
        "executableCode",
        "codeExecutionResult",
        "inlineData",
        "fileData",
        "mediaResolution",
    }
)


def gemini(name: str, value: Any, draft: Draft) -> None:
    """The contents of Gemini's API, or one of them."""
    for place, content in objects(name, value if isinstance(value, list) else [value]):
        for each in content.keys() - {"role", "parts"}:
            raise FieldRefused(f"{place}.{each}", "this field of a content is not metered")
        given = content.get("parts", [])
        for spot, part in objects(f"{place}.parts", given if isinstance(given, list) else [given]):
            _gemini_part(spot, part, draft)


def _gemini_part(name: str, part: Mapping[str, Any], draft: Draft) -> None:
    named = spelled(name, part)
    for each in named.keys() - GEMINI_PARTS:
        raise FieldRefused(f"{name}.{each}", NOT_KNOWN)
    if named.get("fileData") is not None:
        draft.whole = True
        draft.inputs |= {"image_input"}
    if isinstance(answer := named.get("functionResponse"), Mapping):
        # a tool's answer may hold pictures and files, as any part does
        more = spelled(f"{name}.functionResponse", answer).get("parts")
        for spot, piece in objects(f"{name}.functionResponse.parts", [] if more is None else more):
            _gemini_part(spot, piece, draft)
    inline = named.get("inlineData")
    if inline is None:
        return
    if not isinstance(inline, Mapping):
        raise FieldRefused(f"{name}.inlineData", "expected an object")
    kind = str(spelled(name, inline).get("mimeType", "")).lower()
    if kind.startswith("image/"):
        _image(name, inline, draft)
    elif kind.startswith("audio/"):
        _sound(name, inline, draft)
    elif not kind.startswith("text/"):
        _whole(name, inline, draft)


def spelled(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Fields in the spelling of Gemini's documents, whose API takes both ``inlineData`` and ``inline_data``.

    Raises:
        FieldRefused: one is given in both.
    """
    found: dict[str, Any] = {}
    for each, value in given.items():
        camel = camel_case(each)
        if camel in found:
            raise FieldRefused(f"{name}.{each}" if name else each, "given twice, in two spellings")
        found[camel] = value
    return found


def camel_case(name: str) -> str:
    """``max_output_tokens`` as ``maxOutputTokens``."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)
