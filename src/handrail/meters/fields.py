"""Which fields of a request are forwarded, and how each is bounded. What is not named here is refused.

The reference page is made from these tables: ``python -m handrail.meters.page``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from handrail.meters import content
from handrail.meters.draft import CHOICES, SEARCHES, Draft, FieldRefused, objects, one_of, text, whole_number
from handrail.meters.usage import Api

Take = Callable[[str, Any, Draft], None]


@dataclass(frozen=True, slots=True)
class Allowed:
    """One field: how it is bounded, in words, and what reads it."""

    bound: str
    take: Take


def _nothing(_name: str, _value: Any, _draft: Draft) -> None:
    """It costs nothing but its bytes."""


def _free(*names: str) -> dict[str, Allowed]:
    return dict.fromkeys(names, FREE)


def _only(value: str) -> Allowed:
    return Allowed(f"only `{value}`", lambda name, given, _draft: one_of(name, given, value))


def _not_later(name: str, value: Any, _draft: Draft) -> None:
    if value is not False:
        raise FieldRefused(name, "an answer that is made later can't be metered here")


def _limit(name: str, value: Any, draft: Draft) -> None:
    draft.tokens_at_most(name, value)


def _choices(name: str, value: Any, draft: Draft) -> None:
    draft.choices = max(draft.choices, whole_number(name, value, 1, CHOICES))


def _whole(_name: str, _value: Any, draft: Draft) -> None:
    draft.whole = True


def _tier(name: str, value: Any, draft: Draft) -> None:
    draft.tier = text(name, value)


def _instructed(_name: str, _value: Any, draft: Draft) -> None:
    draft.instructed = True


def _caching(_name: str, _value: Any, draft: Draft) -> None:
    draft.inputs |= {"cache_write", "cache_write_long"}


def _modalities(name: str, value: Any, draft: Draft) -> None:
    kinds = {"text": None, "audio": "audio_output", "image": "image_output"}
    for each in value if isinstance(value, list) else [value]:
        kind = each.lower() if isinstance(each, str) else ""
        if kind not in kinds:
            raise FieldRefused(name, "only text, audio and image are metered")
        if (part := kinds[kind]) is not None:
            draft.outputs.add(part)


def _tools(name: str, value: Any, draft: Draft, client: frozenset[str]) -> None:
    """Tools that the client runs cost their bytes; those that the provider runs are refused."""
    draft.instructed = True
    for place, tool in objects(name, value):
        kind = tool.get("type", "function")
        if kind not in client:
            raise FieldRefused(
                f"{place}.type", f"the provider runs {str(kind)[:60]!r} and bills for it; that is not metered"
            )


def _response_tools(name: str, value: Any, draft: Draft) -> None:
    searches = [place for place, tool in objects(name, value) if tool.get("type") in SEARCH_TOOLS]
    draft.searching = bool(searches)
    _tools(name, value, draft, RESPONSE_TOOLS | SEARCH_TOOLS)


def _max_tool_calls(name: str, value: Any, draft: Draft) -> None:
    draft.searches = whole_number(name, value, 1, SEARCHES)


def _message_tools(name: str, value: Any, draft: Draft) -> None:
    draft.instructed = True
    for place, tool in objects(name, value):
        if tool.get("cache_control") is not None:
            _caching(place, None, draft)
        kind = tool.get("type", "custom")
        if not isinstance(kind, str):
            raise FieldRefused(f"{place}.type", "expected a text")
        if kind.startswith("web_search_"):
            draft.searches += whole_number(f"{place}.max_uses", tool.get("max_uses"), 1, SEARCHES)
        elif not kind.startswith(MESSAGE_TOOLS):
            raise FieldRefused(
                f"{place}.type", f"the provider runs {kind[:60]!r} and bills for it; that is not metered"
            )


def _gemini_tools(name: str, value: Any, draft: Draft) -> None:
    draft.instructed = True
    for place, tool in objects(name, value):
        for each in content.spelled(place, tool).keys() - {"functionDeclarations"}:
            raise FieldRefused(
                f"{place}.{each}", "the provider runs this tool and bills for it; that is not metered"
            )


def _edits(name: str, value: Any, _draft: Draft) -> None:
    edits = value.get("edits", []) if isinstance(value, Mapping) else None
    for place, edit in objects(f"{name}.edits", edits):
        if not str(edit.get("type", "")).startswith("clear_"):
            raise FieldRefused(f"{place}.type", "only edits that clear are metered")


def _system(name: str, value: Any, draft: Draft) -> None:
    content.parts(name, value, {"text": _block}, draft)


def _block(name: str, part: Mapping[str, Any], draft: Draft) -> None:
    if part.get("cache_control") is not None:
        _caching(name, None, draft)


def _size(name: str, value: Any, draft: Draft) -> None:
    draft.made_tokens = max(draft.made_tokens, picture_tokens(name, text(name, value)))


def _partial(name: str, value: Any, draft: Draft) -> None:
    draft.made_tokens = max(draft.made_tokens, PICTURE) + 100 * whole_number(name, value, 0, 3)


def _config(name: str, value: Any, draft: Draft) -> None:
    """Gemini's settings, which have fields of their own."""
    if not isinstance(value, Mapping):
        raise FieldRefused(name, "expected an object")
    take(GENERATION, content.spelled(name, value), draft, name)


PICTURE = 16_384
"""Tokens of a picture whose size and quality the model chooses, at most."""
LARGEST_SIDE = 8_192
PIXELS = 200
"""A token of a picture shows at least so many pixels: at the highest quality measured, 252."""


def picture_tokens(name: str, size: str) -> int:
    """Tokens of a picture of this size at most.

    Raises:
        FieldRefused: it is no size.
    """
    if size == "auto":
        return PICTURE
    width, _, height = size.partition("x")
    if not (width.isascii() and height.isascii() and width.isdigit() and height.isdigit()):
        raise FieldRefused(name, "expected a size such as 1024x1024, or auto")
    sides = int(width[:5]), int(height[:5])
    if not all(1 <= side <= LARGEST_SIDE for side in sides):
        raise FieldRefused(name, f"expected sides of 1 to {LARGEST_SIDE:,}")
    return max(PICTURE, -(-sides[0] * sides[1] // PIXELS))


def take(table: Mapping[str, Allowed], given: Mapping[str, Any], draft: Draft, inside: str = "") -> None:
    """Read every field that is there.

    Raises:
        FieldRefused: one is not in the table, or is not what its name means.
    """
    for name, value in given.items():
        path = f"{inside}.{name}" if inside else name
        allowed = table.get(name)
        if allowed is None:
            raise FieldRefused(path[:200], "this field is not metered, so it is not forwarded")
        if value is not None:
            allowed.take(path, value, draft)


FREE = Allowed("its bytes", _nothing)
LIMIT = Allowed("at most so many tokens are written; lowered to what the budgets can pay", _limit)
CHOICE = Allowed(f"so many answers, each as long as it may be; at most {CHOICES}", _choices)
UPSTREAM = Allowed("the largest input that the model reads: what is kept upstream is not seen here", _whole)
TIER = Allowed(
    "the tier's own price, where the price list knows it; for `auto` or none its dearest",
    _tier,
)
SHAPE = Allowed("its bytes, and instructions that the provider adds", _instructed)
CACHING = Allowed("the dearest price of a cache write", _caching)
MODALITIES = Allowed("the price of sound or pictures, where they may be written", _modalities)
TEXT = Allowed("its bytes", lambda name, value, _draft: (text(name, value), None)[1])
RESPONSE_TOOLS = frozenset(
    ["function", "custom", "local_shell", "apply_patch", "computer", "computer_use_preview"]
)
SEARCH_TOOLS = frozenset(["web_search", "web_search_preview"])
MESSAGE_TOOLS = ("custom", "bash_", "text_editor_", "computer_", "memory_")
"""How the types of tools begin that the client runs."""

CHAT: Mapping[str, Allowed] = {
    "model": TEXT,
    "messages": Allowed(
        "bytes of text; a bound for each picture; the largest input for a file", content.chat
    ),
    "max_tokens": LIMIT,
    "max_completion_tokens": LIMIT,
    "n": CHOICE,
    "best_of": CHOICE,
    "service_tier": TIER,
    "modalities": MODALITIES,
    "tools": Allowed(
        "its bytes; only tools that the client runs",
        partial(_tools, client=frozenset(["function", "custom"])),
    ),
    "functions": SHAPE,
    "response_format": SHAPE,
    **_free("stream", "stream_options", "temperature", "top_p", "top_k", "min_p", "stop", "seed"),
    **_free("frequency_penalty", "presence_penalty", "repetition_penalty", "logit_bias"),
    **_free("logprobs", "top_logprobs", "tool_choice", "function_call", "parallel_tool_calls"),
    **_free("reasoning_effort", "reasoning", "verbosity", "user", "metadata", "store"),
    **_free("safety_identifier", "prompt_cache_key", "prompt_cache_retention", "audio"),
    **_free("chat_template_kwargs", "stop_token_ids", "min_tokens", "keep_alive", "think"),
}
RESPONSES: Mapping[str, Allowed] = {
    "model": TEXT,
    "input": Allowed(
        "bytes of text; a bound for each picture; the largest input for a file", content.responses
    ),
    "max_output_tokens": LIMIT,
    "previous_response_id": UPSTREAM,
    "conversation": UPSTREAM,
    "service_tier": TIER,
    "background": Allowed("only `false`", _not_later),
    "tools": Allowed("its bytes; tools that the client runs, and web search", _response_tools),
    "max_tool_calls": Allowed(
        f"so many searches, each with the largest input; at most {SEARCHES}", _max_tool_calls
    ),
    "text": SHAPE,
    **_free("instructions", "stream", "stream_options", "temperature", "top_p", "top_logprobs"),
    **_free("tool_choice", "parallel_tool_calls", "reasoning", "store", "include", "truncation"),
    **_free("metadata", "user", "safety_identifier", "prompt_cache_key", "prompt_cache_retention"),
}
EMBEDDINGS: Mapping[str, Allowed] = {
    "model": TEXT,
    **_free("input", "dimensions", "encoding_format", "user", "keep_alive", "truncate"),
}
IMAGES: Mapping[str, Allowed] = {
    "model": TEXT,
    "prompt": TEXT,
    "n": Allowed("so many pictures, each at its price or its tokens; at most 10", lambda *_: None),
    "size": Allowed("tokens by its pixels", _size),
    "partial_images": Allowed("100 tokens for each", _partial),
    **_free("quality", "style", "background", "moderation", "output_format", "output_compression"),
    **_free("response_format", "user", "stream"),
}
MESSAGES: Mapping[str, Allowed] = {
    "model": TEXT,
    "messages": Allowed(
        "bytes of text; a bound for each picture; the largest input for a document", content.messages
    ),
    "system": Allowed("its bytes", _system),
    "max_tokens": LIMIT,
    "service_tier": TIER,
    "tools": Allowed(
        f"its bytes; tools that the client runs, and web search with `max_uses` of at most {SEARCHES}",
        _message_tools,
    ),
    "cache_control": CACHING,
    "context_management": Allowed("only edits that clear", _edits),
    "speed": _only("standard"),
    "inference_geo": _only("global"),
    "output_config": SHAPE,
    "output_format": SHAPE,
    **_free("metadata", "stop_sequences", "stream", "temperature", "top_p", "top_k"),
    **_free("tool_choice", "thinking"),
}
GENERATION: Mapping[str, Allowed] = {
    "maxOutputTokens": LIMIT,
    "candidateCount": CHOICE,
    "responseModalities": MODALITIES,
    "responseSchema": SHAPE,
    "responseJsonSchema": SHAPE,
    **_free("temperature", "topP", "topK", "seed", "stopSequences", "responseMimeType"),
    **_free("presencePenalty", "frequencyPenalty", "responseLogprobs", "logprobs"),
    **_free("thinkingConfig", "speechConfig", "imageConfig", "mediaResolution"),
}
GEMINI: Mapping[str, Allowed] = {
    "contents": Allowed(
        "bytes of text; a bound for each picture; the largest input for a file", content.gemini
    ),
    "systemInstruction": Allowed("its bytes", content.gemini),
    "generationConfig": Allowed("its own fields, below", _config),
    "tools": Allowed("its bytes; only functions that the client runs", _gemini_tools),
    "cachedContent": UPSTREAM,
    **_free("toolConfig", "safetySettings"),
}
TABLES: Mapping[Api, Mapping[str, Allowed]] = {
    Api.CHAT: CHAT,
    Api.RESPONSES: RESPONSES,
    Api.EMBEDDINGS: EMBEDDINGS,
    Api.IMAGES: IMAGES,
    Api.MESSAGES: MESSAGES,
    Api.GEMINI: GEMINI,
}
