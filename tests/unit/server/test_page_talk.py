"""A call of a model as people read it: who said what, where the text has a shape that is known."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handrail.server.pages.talk import talk

CALL = {"id": "c-1", "type": "function", "function": {"name": "find_order", "arguments": "{}"}}
USED = {"type": "tool_use", "id": "u-1", "name": "find_order", "input": {}}


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (
            {"messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi\nAnn"}]},
            [("system", "Be kind."), ("user", "Hi\nAnn")],
        ),
        (
            {
                "system": "Be kind.",
                "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
            },
            [("system", "Be kind."), ("user", "Hi")],
        ),
        ({"choices": [{"message": {"role": "assistant", "content": "Hello"}}]}, [("assistant", "Hello")]),
        (
            {"role": "assistant", "content": [{"type": "text", "text": "I look."}, USED]},
            [("assistant", f"I look.\n{json.dumps(USED, indent=2)}")],
        ),
        (
            {"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": [CALL]}}]},
            [("assistant", json.dumps(CALL, indent=2))],
        ),
    ],
    ids=["chat", "messages", "answer of a chat", "answer with a tool", "answer that is only a tool"],
)
def test_who_said_what_is_told_in_order(kept: Any, said: list[tuple[str, str]]) -> None:
    assert talk(json.dumps(kept)) == said


@pytest.mark.parametrize(
    "kept",
    [
        None,
        "",
        "data: {}",
        "3",
        "[]",
        '"Hello"',
        "{}",
        '{"messages": 3}',
        '{"messages": ["Hello"]}',
        '{"messages": [{"content": "Hello"}]}',
        '{"messages": [{"role": "user", "content": 3}]}',
        '{"choices": [{}]}',
        '{"contents": [{"parts": []}]}',
        '{"messages": [{"role": "user", "content": "cut',
    ],
)
def test_a_text_of_any_other_shape_is_left_as_it_is(kept: str | None) -> None:
    assert talk(kept) == []
