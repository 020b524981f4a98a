"""Prompts as people read them: streams put together, what is large cut, keys never shown."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handrail.engine.record import without as taken_out
from handrail.journal.prompts import found_in, readable, without, words_of


def stream(*events: Any, end: str = "\n\n") -> bytes:
    """Events as an upstream sends them."""
    return "".join(f"data: {json.dumps(event)}{end}" for event in events).encode() + b"data: [DONE]\n\n"


def test_chat_completions_are_put_together_text_and_tools() -> None:
    calls = [{"index": 0, "function": {"name": "refund", "arguments": '{"order"'}}]
    more = [{"index": 0, "function": {"arguments": ": 812}"}}]
    body = stream(
        {"model": "gpt-5", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "One "}}]},
        {"choices": [{"index": 0, "delta": {"content": "moment"}}, {"index": 1, "delta": {"content": "B"}}]},
        {"choices": [{"index": 0, "delta": {"tool_calls": calls}}]},
        {"choices": [{"index": 0, "delta": {"tool_calls": more}}]},
        {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4}},
    )
    assert readable(body) == {
        "events": 5,
        "text": "One moment",
        "text 2": "B",
        "tool": "refund",
        "arguments": '{"order": 812}',
        "model": "gpt-5",
        "usage": {"prompt_tokens": 9, "completion_tokens": 4},
    }


def test_messages_are_put_together_with_their_event_names_and_windows_line_ends() -> None:
    events: list[dict[str, Any]] = [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Good "}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "day"}},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "name": "look"}},
        {"type": "content_block_delta", "index": 1, "delta": {"partial_json": '{"a":1}'}},
    ]
    body = "".join(f"event: {each['type']}\r\ndata: {json.dumps(each)}\r\n\r\n" for each in events).encode()
    found = readable(body)
    assert found == {"events": 5, "text": "Good day", "tool 2": "look", "arguments 2": '{"a":1}'}


def test_responses_give_the_whole_answer_where_it_came_and_the_pieces_where_it_broke_off() -> None:
    whole = {"id": "r", "output": [{"text": "Hello"}]}
    pieces = [
        {"type": "response.created", "response": {"id": "r"}},
        {"type": "response.output_text.delta", "output_index": 0, "delta": "Hel"},
        {"type": "response.output_text.delta", "output_index": 0, "delta": "lo"},
        {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": "{}"},
    ]
    assert readable(stream(*pieces, {"type": "response.completed", "response": whole})) == whole
    assert readable(stream(*pieces)) == {"events": 4, "text": "Hello", "arguments 2": "{}"}


def test_gemini_is_put_together() -> None:
    def chunk(text: str) -> dict[str, Any]:
        return {"candidates": [{"content": {"parts": [{"text": text}, {"functionCall": {"name": "f"}}]}}]}

    assert readable(stream(chunk("a"), {**chunk("b"), "usageMetadata": {"promptTokenCount": 1}})) == {
        "events": 2,
        "text": "ab",
        "call": '{"name":"f"}{"name":"f"}',
        "usageMetadata": {"promptTokenCount": 1},
    }


@pytest.mark.parametrize("body", [b"", b"no json", b'{"half": ', b"\xff\xfe", b"data: broken\n\n"])
def test_what_is_no_json_is_kept_as_text(body: bytes) -> None:
    assert readable(body) == body.decode("utf-8", "replace")


def test_a_stream_that_was_cut_gives_what_was_whole() -> None:
    body = b'data: {"choices": [{"delta": {"content": "kept"}}]}\n\ndata: {"choices": [{"del'
    assert readable(body) == {"events": 1, "text": "kept"}


def test_pictures_and_vectors_are_cut_and_texts_are_not() -> None:
    picture = "data:image/png;base64," + "iVBORw0KGgo" * 100
    found = readable(
        json.dumps(
            {
                "image_url": picture,
                "said": f"look: {picture} there",
                "b64_json": "A" * 2_000,
                "vector": [0.5] * 1_536,
                "few": [1, 2, 3],
                "long": "a word " * 1_000,
            }
        ).encode()
    )
    assert found == {
        "image_url": "[1,122 characters of base64]",
        "said": "look: [1,122 characters of base64] there",
        "b64_json": "[2,000 characters of base64]",
        "vector": "[1,536 numbers]",
        "few": [1, 2, 3],
        "long": "a word " * 1_000,
    }


@pytest.mark.parametrize(
    "key",
    [
        "sk-proj-abcdefghijklmnop1234",
        "sk-ant-api03-abcdefghijklmnopqrst",
        "hr_a_0193a5e2c4d8_" + "0f" * 32,
        "hr_s_0193a5e2c4d8_" + "0f" * 32,
        "xoxb-123456789012-abcdef",
        "ghp_" + "a1" * 18,
        "github_pat_" + "a1" * 20,
        "AKIA" + "A1" * 8,
        "AIza" + "Sy" * 17,
        "gsk_" + "a1" * 20,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-DEF_1",
        "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE and no end",
    ],
)
def test_keys_are_hidden_by_their_shape_wherever_they_stand(key: str) -> None:
    found = without({"a": [f"before {key} after"], "b": "sk-short and ask-me-anything-at-all"}, (), taken_out)
    assert key not in json.dumps(found)
    assert isinstance(found, dict)
    assert str(found["a"]).startswith("['before [redacted]")
    assert found["b"] == "sk-short and ask-me-anything-at-all"


def test_hidden_values_are_taken_out_of_texts_and_numbers_and_nothing_else() -> None:
    value = {"text": "pin 48213377!", "number": 48213377, "other": 4821, "yes": True, "none": None}
    assert without(value, {"48213377"}, taken_out) == {
        "text": "pin [redacted]!",
        "number": "[redacted]",
        "other": 4821,
        "yes": True,
        "none": None,
    }
    assert without(value, (), taken_out) == value


def test_words_are_found_whatever_their_case_and_order() -> None:
    assert found_in("Größe und Farbe", words_of("FARBE GRÖSSE"))
    assert not found_in("Größe", words_of("farbe größe"))
    assert found_in("anything", words_of("  "))


def test_a_key_is_found_at_the_ends_of_a_text_and_never_across_two() -> None:
    key = f"sk-{'a' * 20}"
    assert without({"a": "n", "b": [key, "n"]}, (), taken_out) == {"a": "n", "b": ["[redacted]", "n"]}
    apart = {"a": "sk-", "b": ["a" * 20, "sk-a", "a" * 20]}
    assert without(apart, (), taken_out) == apart


def test_keys_and_hidden_values_are_taken_out_of_names_too() -> None:
    key = f"sk-{'a' * 20}"
    assert without({"args": {key: 1, "[redacted]": 2, f"{key}b": 3, "pin": 4}}, (), taken_out) == {
        "args": {"[redacted] 2": 1, "[redacted]": 2, "[redacted] 3": 3, "pin": 4}
    }
    cards = {"by card": [{"4111111111111111": "stolen", "card 4111111111111111": "lost", "4111": "none"}]}
    assert without(cards, {"4111111111111111"}, taken_out) == {
        "by card": [{"[redacted]": "stolen", "card [redacted]": "lost", "4111": "none"}]
    }
    assert without(cards, (), taken_out) == cards


def test_many_names_that_become_one_take_no_longer_than_as_many_others() -> None:
    value = {f"sk-{number:020}": number for number in range(20_000)}
    found = without(value, (), taken_out)
    assert isinstance(found, dict)
    assert [*found.values()] == [*range(20_000)]
