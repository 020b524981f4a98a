"""What answers tell of what they used: every API's words, streams, and blocks that can't be believed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handrail.meters.usage import NOTHING, Api, Tally, told, told_raw
from handrail.words.model_call import Usage

CHAT = {
    "prompt_tokens": 100,
    "completion_tokens": 40,
    "prompt_tokens_details": {"cached_tokens": 30, "audio_tokens": 5},
    "completion_tokens_details": {"reasoning_tokens": 12, "audio_tokens": 7},
}
RESPONSES = {
    "input_tokens": 100,
    "output_tokens": 40,
    "input_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 20},
    "output_tokens_details": {"reasoning_tokens": 12},
}
MESSAGES = {
    "input_tokens": 100,
    "output_tokens": 40,
    "cache_creation_input_tokens": 50,
    "cache_read_input_tokens": 30,
    "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30},
    "server_tool_use": {"web_search_requests": 2},
}
GEMINI = {
    "promptTokenCount": 100,
    "candidatesTokenCount": 40,
    "thoughtsTokenCount": 10,
    "cachedContentTokenCount": 30,
    "toolUsePromptTokenCount": 5,
    "candidatesTokensDetails": [
        {"modality": "IMAGE", "tokenCount": 25},
        {"modality": "TEXT", "tokenCount": 15},
    ],
}
IMAGES = {"input_tokens": 10, "output_tokens": 300, "input_tokens_details": {"image_tokens": 4}}
SPOKEN: list[tuple[Api, dict[str, Any], Usage]] = [
    (
        Api.CHAT,
        {"usage": CHAT},
        Usage(input=100, output=40, cached=30, reasoning=12, audio_input=5, audio_output=7),
    ),
    (
        Api.RESPONSES,
        {"usage": RESPONSES},
        Usage(input=100, output=40, cached=30, cache_write=20, reasoning=12),
    ),
    (
        Api.MESSAGES,
        {"usage": MESSAGES},
        Usage(input=180, output=40, cached=30, cache_write=20, cache_write_long=30, searches=2),
    ),
    (
        Api.GEMINI,
        {"usageMetadata": GEMINI},
        Usage(input=105, output=50, cached=30, reasoning=10, image_output=25),
    ),
    (Api.EMBEDDINGS, {"usage": {"prompt_tokens": 8, "total_tokens": 8}}, Usage(input=8)),
    (
        Api.IMAGES,
        {"data": [{}, {}], "usage": IMAGES},
        Usage(input=10, output=300, image_input=4, images=2),
    ),
    (Api.IMAGES, {"data": [{}, {}, {}]}, Usage(images=3)),
]


@pytest.mark.parametrize(("api", "body", "expected"), SPOKEN)
def test_each_api_is_read_in_its_own_words(api: Api, body: dict[str, Any], expected: Usage) -> None:
    assert told(api, body).usage == expected
    assert told_raw(api, json.dumps(body).encode()).usage == expected


@pytest.mark.parametrize(
    "block",
    [
        None,
        [],
        {},
        {"prompt_tokens": 5},
        {"prompt_tokens": -5, "completion_tokens": 3},
        {"prompt_tokens": "5", "completion_tokens": 3},
        {"prompt_tokens": 5.5, "completion_tokens": 3},
        {"prompt_tokens": True, "completion_tokens": 3},
        {"prompt_tokens": 5, "completion_tokens": 10**15},
        {"prompt_tokens": 0, "completion_tokens": 0},
        {"prompt_tokens": 5, "completion_tokens": 0},
        {"prompt_tokens": 5, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": "x"}},
    ],
)
def test_a_usage_block_that_can_not_be_true_counts_as_none(block: object) -> None:
    assert told(Api.CHAT, {"usage": block}) == NOTHING
    assert told(Api.CHAT, {"usage": {"prompt_tokens": 5, "completion_tokens": 3}}).usage == Usage(5, 3)


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"\xff", b"[" * 100_000])
def test_an_answer_that_is_no_json_tells_nothing(body: bytes) -> None:
    assert told_raw(Api.CHAT, body) == NOTHING


def test_the_service_tier_that_it_was_served_in_is_told() -> None:
    assert told(Api.CHAT, {"service_tier": "priority", "usage": CHAT}).tier == "priority"
    assert told(Api.MESSAGES, {"usage": {**MESSAGES, "service_tier": "standard"}}).tier == "standard"


def fed(api: Api, *events: object) -> Tally:
    tally = Tally(api)
    for event in events:
        tally.feed(event if isinstance(event, bytes) else json.dumps(event).encode())
    return tally


def test_a_chat_stream_tells_its_usage_when_it_is_done_and_not_before() -> None:
    growing = {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 1}}
    last = {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4}}
    assert fed(Api.CHAT, growing, last).told == NOTHING
    assert fed(Api.CHAT, growing, last, b"[DONE]").told.usage == Usage(9, 4)
    assert fed(Api.CHAT, {"choices": []}, b"[DONE]").told == NOTHING


def test_a_messages_stream_adds_its_beginning_and_its_end() -> None:
    start = {"type": "message_start", "message": {"usage": {**MESSAGES, "output_tokens": 1}}}
    delta = {"type": "message_delta", "usage": {"output_tokens": 40}}
    assert fed(Api.MESSAGES, start).told == NOTHING
    assert fed(Api.MESSAGES, start, delta).told.usage == SPOKEN[2][2]


def test_a_responses_stream_tells_at_its_completion() -> None:
    created = {"type": "response.created", "response": {"usage": None}}
    done = {"type": "response.completed", "response": {"usage": RESPONSES, "service_tier": "default"}}
    assert fed(Api.RESPONSES, created).told == NOTHING
    assert fed(Api.RESPONSES, created, done).told.usage == SPOKEN[1][2]
    assert fed(Api.RESPONSES, created, done).told.tier == "default"


def test_a_gemini_stream_tells_with_its_last_candidate() -> None:
    part = {"candidates": [{"content": {}}], "usageMetadata": {**GEMINI, "candidatesTokenCount": 1}}
    last = {"candidates": [{"finishReason": "STOP"}], "usageMetadata": GEMINI}
    assert fed(Api.GEMINI, part).told == NOTHING
    assert fed(Api.GEMINI, part, last).told.usage == SPOKEN[3][2]


def test_what_is_no_json_in_a_stream_is_passed_over() -> None:
    last = {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4}}
    assert fed(Api.CHAT, b'{"usage": broken', b'"usage"', last, b"[DONE]").told.usage == Usage(9, 4)


LONG = "word " * 1_000
FEW, ENOUGH = {"prompt_tokens": 5, "completion_tokens": 1}, {"prompt_tokens": 5, "completion_tokens": 1_000}


def test_a_usage_of_fewer_tokens_than_could_carry_the_text_is_not_believed() -> None:
    answer = {"choices": [{"message": {"content": LONG}}]}
    assert told(Api.CHAT, {**answer, "usage": FEW}) == NOTHING
    assert told(Api.CHAT, {**answer, "usage": ENOUGH}).usage == Usage(5, 1_000)
    called = {"choices": [{"message": {"tool_calls": [{"function": {"arguments": LONG}}]}}]}
    assert told(Api.CHAT, {**called, "usage": FEW}) == NOTHING
    output = [{"type": "message", "content": [{"type": "output_text", "text": LONG}]}]
    few = {"usage": {"input_tokens": 5, "output_tokens": 1}}
    assert told(Api.RESPONSES, {"output": output, **few}) == NOTHING
    assert told(Api.RESPONSES, {"output": [], "tools": [{"text": LONG}], "instructions": LONG, **few}).usage
    assert told(Api.MESSAGES, {"content": [{"type": "text", "text": LONG}], **few}) == NOTHING
    parts = [{"content": {"parts": [{"text": LONG}]}}]
    block = {"promptTokenCount": 5, "candidatesTokenCount": 1}
    assert told(Api.GEMINI, {"candidates": parts, "usageMetadata": block}) == NOTHING


@pytest.mark.parametrize(("usage", "believed"), [(FEW, False), (ENOUGH, True)])
def test_nor_is_that_of_a_stream(usage: dict[str, int], *, believed: bool) -> None:
    chunk = {"choices": [{"delta": {"content": LONG}}]}
    found = fed(Api.CHAT, chunk, {"choices": [], "usage": usage}, b"[DONE]").told
    assert (found.usage is not None) is believed


def test_the_whole_text_at_the_end_of_a_stream_does_not_count_twice() -> None:
    text = "x" * 200
    delta = {"type": "response.output_text.delta", "delta": text}
    done = {"type": "response.output_text.done", "text": text}
    output = [{"content": [{"type": "output_text", "text": text}]}]
    usage = {"input_tokens": 5, "output_tokens": 1}
    last = {"type": "response.completed", "response": {"output": output, "usage": usage}}
    assert fed(Api.RESPONSES, delta, done, last).told.usage == Usage(5, 1)
    assert fed(Api.RESPONSES, delta, delta, done, last).told == NOTHING


def test_searches_of_responses_are_counted_as_no_usage_tells_of_them() -> None:
    searches = [{"type": "web_search_call", "id": "ws_1"}, {"type": "web_search_call", "id": "ws_2"}]
    body = {"usage": RESPONSES, "output": [*searches, {"type": "message", "content": []}]}
    found = told(Api.RESPONSES, body).usage
    assert found is not None
    assert found.searches == 2
    plain = told(Api.RESPONSES, {**body, "output": []}).usage
    assert plain is not None
    assert plain.searches == 0


def test_searches_of_a_responses_stream_are_counted_once() -> None:
    done = {"type": "response.output_item.done", "item": {"type": "web_search_call", "id": "ws_1"}}
    whole = {"usage": RESPONSES, "output": [{"type": "web_search_call", "id": "ws_1"}]}
    for last in (whole, {"usage": RESPONSES}):
        found = fed(Api.RESPONSES, done, {"type": "response.completed", "response": last}).told.usage
        assert found is not None
        assert found.searches == 1


def test_a_gemini_stream_of_several_answers_ends_with_the_last_of_them() -> None:
    tally = Tally(Api.GEMINI, 2)
    usage = {"promptTokenCount": 5, "candidatesTokenCount": 7}
    for index in range(2):
        assert not tally.final
        ended = {"candidates": [{"index": index, "finishReason": "STOP"}], "usageMetadata": usage}
        tally.feed(json.dumps(ended).encode())
    assert tally.final
