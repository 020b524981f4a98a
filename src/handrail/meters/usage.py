"""What an answer says that was used, in each API's own words. What can't be believed counts as not said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeGuard

import msgspec

from handrail.meters.written import carries, written
from handrail.words.model_call import Usage

LARGEST = 10**12
"""More tokens than anything uses: such a number is a mistake."""
Block = Mapping[str, Any]


class Api(StrEnum):
    """The APIs whose calls are metered."""

    CHAT = "chat"
    RESPONSES = "responses"
    EMBEDDINGS = "embeddings"
    IMAGES = "images"
    MESSAGES = "messages"
    GEMINI = "gemini"


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer tells of itself. ``usage`` is None where it tells nothing that can be believed."""

    usage: Usage | None
    tier: str = ""
    """The service tier that it was served in, as far as it says so."""


NOTHING = Told(None)


class _Wrong(Exception):
    """A number that is none."""


def told(api: Api, body: Any) -> Told:
    """What a whole answer, decoded, tells of what it used."""
    if not isinstance(body, Mapping):
        return NOTHING
    try:
        usage = READERS[api](body)
    except _Wrong:
        return NOTHING
    if usage is None or not _likely(api, usage, written(body)):
        return NOTHING
    return Told(usage, _tier(body))


def told_raw(api: Api, body: bytes) -> Told:
    """As ``told``, of the bytes of an answer."""
    try:
        return told(api, msgspec.json.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return NOTHING


class Tally:
    """Reads the usage out of a stream, event by event. Before the end nothing is told: it may yet grow."""

    def __init__(self, api: Api, choices: int = 1) -> None:
        """Nothing was told yet; ``choices`` answers come in one stream."""
        self._api, self._choices = api, choices
        self._block: dict[str, Any] = {}
        self._searched: dict[object, Block] = {}
        self._finished: set[object] = set()
        self._tier = ""
        self._written = 0
        self.final = False
        """Whether the stream said that what it used is whole."""

    def feed(self, data: bytes) -> None:
        """Take the data of one event. What is no JSON, and what tells nothing, is passed over."""
        if data == b"[DONE]":
            self.final = True
            return
        try:
            event = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        if not isinstance(event, Mapping):
            return
        if str(event.get("type", "")).endswith("delta") or "type" not in event:
            self._written += written(event)
        if any(mark in data for mark in MARKS):
            self._take(event)

    @property
    def told(self) -> Told:
        """What the stream told, once it told that it is over."""
        if not self.final:
            return NOTHING
        found = told(self._api, {USAGE[self._api]: self._block, "output": [*self._searched.values()]})
        if found.usage is None or not carries(found.usage.output, self._written):
            return NOTHING
        return replace(found, tier=self._tier)

    def _take(self, event: Block) -> None:
        self._finished |= _finished(event)
        if event.get("type") in OVER or len(self._finished) >= self._choices:
            self.final = True
        self._searched |= {each.get("id"): each for each in _searched([event.get("item")])}
        for holder in (event, event.get("response"), event.get("message")):
            if not isinstance(holder, Mapping):
                continue
            self._searched |= {each.get("id"): each for each in _searched(holder.get("output"))}
            block = holder.get(USAGE[self._api])
            if isinstance(block, Mapping):
                self._block.update({name: value for name, value in block.items() if value is not None})
            self._tier = _tier(holder) or self._tier


MARKS = (b'"usage', b'"message_stop"', b'"response.')
"""What an event that tells something holds."""
OVER = frozenset(
    {"response.completed", "response.incomplete", "response.failed", "message_delta", "message_stop"}
)
"""Events after which nothing more is used."""


def _finished(event: Block) -> set[object]:
    """Which of Gemini's answers end with this event: its streams have no other end."""
    candidates = event.get("candidates")
    if not isinstance(candidates, list):
        return set()
    ended = [each for each in candidates if isinstance(each, Mapping) and each.get("finishReason")]
    return {str(each.get("index", 0)) for each in ended}


def _searched(items: Any) -> list[Block]:
    """The provider's searches among an answer's items: each is billed, and no usage tells of it."""
    found = items if isinstance(items, list) else []
    return [each for each in found if isinstance(each, Mapping) and each.get("type") == "web_search_call"]


USAGE = {api: "usageMetadata" if api is Api.GEMINI else "usage" for api in Api}
"""Where each API keeps what was used."""


def _number(block: Block, *names: str) -> int:
    """A count, or 0 where none is named.

    Raises:
        _Wrong: it is no whole number that can be one.
    """
    value: Any = block
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
        if value is None:
            return 0
    if type(value) is not int or not 0 <= value <= LARGEST:
        raise _Wrong
    return value


def _has(block: Any, *names: str) -> TypeGuard[Block]:
    return isinstance(block, Mapping) and all(name in block for name in names)


def _chat(body: Block) -> Usage | None:
    block = body.get("usage")
    if not _has(block, "prompt_tokens", "completion_tokens"):
        return None
    return Usage(
        input=_number(block, "prompt_tokens"),
        output=_number(block, "completion_tokens"),
        cached=_number(block, "prompt_tokens_details", "cached_tokens"),
        cache_write=_number(block, "prompt_tokens_details", "cache_write_tokens"),
        reasoning=_number(block, "completion_tokens_details", "reasoning_tokens"),
        audio_input=_number(block, "prompt_tokens_details", "audio_tokens"),
        audio_output=_number(block, "completion_tokens_details", "audio_tokens"),
        image_output=_number(block, "completion_tokens_details", "image_tokens"),
    )


def _responses(body: Block) -> Usage | None:
    block = body.get("usage")
    if not _has(block, "input_tokens", "output_tokens"):
        return None
    return Usage(
        input=_number(block, "input_tokens"),
        output=_number(block, "output_tokens"),
        cached=_number(block, "input_tokens_details", "cached_tokens"),
        cache_write=_number(block, "input_tokens_details", "cache_write_tokens"),
        reasoning=_number(block, "output_tokens_details", "reasoning_tokens"),
        searches=len(_searched(body.get("output"))),
    )


def _embeddings(body: Block) -> Usage | None:
    block = body.get("usage")
    return Usage(input=_number(block, "prompt_tokens")) if _has(block, "prompt_tokens") else None


def _images(body: Block) -> Usage | None:
    data = body.get("data")
    made = len(data) if isinstance(data, list) else 0
    block = body.get("usage")
    if not _has(block, "input_tokens", "output_tokens"):
        return Usage(images=made) if made else None
    return Usage(
        input=_number(block, "input_tokens"),
        output=_number(block, "output_tokens"),
        image_input=_number(block, "input_tokens_details", "image_tokens"),
        image_output=_number(block, "output_tokens_details", "image_tokens"),
        images=made,
    )


def _messages(body: Block) -> Usage | None:
    block = body.get("usage")
    if not _has(block, "input_tokens", "output_tokens"):
        return None
    written = _number(block, "cache_creation_input_tokens")
    long = min(written, _number(block, "cache_creation", "ephemeral_1h_input_tokens"))
    cached = _number(block, "cache_read_input_tokens")
    return Usage(
        input=_number(block, "input_tokens") + written + cached,
        output=_number(block, "output_tokens"),
        cached=cached,
        cache_write=written - long,
        cache_write_long=long,
        reasoning=_number(block, "output_tokens_details", "thinking_tokens"),
        searches=_number(block, "server_tool_use", "web_search_requests"),
    )


def _gemini(body: Block) -> Usage | None:
    block = body.get("usageMetadata")
    if not _has(block, "promptTokenCount"):
        return None
    thoughts = _number(block, "thoughtsTokenCount")
    return Usage(
        input=_number(block, "promptTokenCount") + _number(block, "toolUsePromptTokenCount"),
        output=_number(block, "candidatesTokenCount") + thoughts,
        cached=_number(block, "cachedContentTokenCount"),
        reasoning=thoughts,
        audio_input=_of_kind(block, "promptTokensDetails", ("AUDIO",)),
        image_input=_of_kind(block, "promptTokensDetails", ("IMAGE", "DOCUMENT")),
        audio_output=_of_kind(block, "candidatesTokensDetails", ("AUDIO",)),
        image_output=_of_kind(block, "candidatesTokensDetails", ("IMAGE",)),
    )


def _of_kind(block: Block, name: str, kinds: Iterable[str]) -> int:
    """Tokens of these modalities in a list of details."""
    details = block.get(name)
    if not isinstance(details, list):
        return 0
    wanted = [each for each in details if isinstance(each, Mapping) and str(each.get("modality")) in kinds]
    return sum(_number(each, "tokenCount") for each in wanted)


def _likely(api: Api, usage: Usage, text: int) -> bool:
    """Whether it can be true: something was read, and enough was used for what was written."""
    if api is Api.IMAGES:
        return usage.images > 0 or usage.output > 0
    if api is Api.EMBEDDINGS:
        return usage.input > 0
    return usage.input > 0 and usage.output > 0 and carries(usage.output, text)


def _tier(body: Block) -> str:
    for holder in (body, body.get("usage")):
        found = holder.get("service_tier") if isinstance(holder, Mapping) else None
        if isinstance(found, str):
            return found
    return ""


READERS: Mapping[Api, Callable[[Block], Usage | None]] = {
    Api.CHAT: _chat,
    Api.RESPONSES: _responses,
    Api.EMBEDDINGS: _embeddings,
    Api.IMAGES: _images,
    Api.MESSAGES: _messages,
    Api.GEMINI: _gemini,
}
