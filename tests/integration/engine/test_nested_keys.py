"""A key belongs to the action it was said of: what that action's tool calls in turn is no repeat."""

from __future__ import annotations

import asyncio

import pytest

from handrail.store.parts.actions import SqlActions
from handrail.words.action import Action
from handrail.words.lifecycle import State
from handrail.words.payload import Payload
from tests.support.rail import Desk


def test_a_tool_called_with_a_key_may_call_another_tool_as_often_as_it_needs(one_desk: Desk) -> None:
    """Else the second of two equal notes would be lost, and told as done."""
    rail, noted = one_desk.rail, []

    @rail.tool
    def note(text: str) -> str:
        noted.append(text)
        return text

    @rail.tool
    def refund(amount: int, reason: str = "late") -> list[str]:
        return [note("refunded"), note("refunded"), note("done")]

    with rail.session(agent="support"), rail.about(key="k-1", confidence=0.9):
        for _ in range(2):
            assert refund(5) == ["refunded", "refunded", "done"]
    assert noted == ["refunded", "refunded", "done"]
    assert [action.key for action in one_desk.actions()] == ["k-1", None, None, None]
    assert {str(action.confidence) for action in one_desk.actions()} == {"0.9"}


def test_the_key_is_said_again_of_what_comes_after_even_when_the_tool_failed(one_desk: Desk) -> None:
    """It is set aside while the tool runs, not forgotten; also where tools are awaited."""
    rail, ran = one_desk.rail, []

    @rail.tool
    async def note(text: str) -> str:
        ran.append(text)
        if text == "bad":
            raise ValueError(text)
        return text

    async def work() -> None:
        with rail.session(agent="support"):
            with rail.about(key="k-1"), pytest.raises(ValueError, match="bad"):
                await note("bad")
            with rail.about(key="k-2"):
                assert [await note("good"), await note("good")] == ["good", "good"]

    asyncio.run(work())
    assert ran == ["bad", "good"]
    assert [(action.key, action.state) for action in one_desk.actions()] == [
        ("k-1", State.FAILED),
        ("k-2", State.DONE),
    ]


def test_a_key_whose_action_ends_at_this_very_moment_is_used_anew(
    one_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under read committed the row that was in the way may be cancelled before it is looked for."""

    @one_desk.rail.tool
    def note(text: str) -> str:
        return text

    add, tried = SqlActions.add, []

    def in_the_way(actions: SqlActions, action: Action, payload: Payload) -> bool:
        tried.append(action.id)
        return len(tried) > 1 and add(actions, action, payload)

    monkeypatch.setattr(SqlActions, "add", in_the_way)
    with one_desk.rail.session(agent="support"), one_desk.rail.about(key="k-1"):
        assert [note("x"), note("x")] == ["x", "x"]
    assert [action.key for action in one_desk.actions()] == ["k-1"]
    assert len(tried) == 2
