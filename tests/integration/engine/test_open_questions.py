"""So many questions of one agent wait for people, and no more: a flood hides nothing from them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import handrail
from handrail.engine.core import OPEN_QUESTIONS
from handrail.words.approval import Choice
from handrail.words.lifecycle import State
from tests.support.rail import Desk, opened

FEW = 2


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    url = {"memory": "memory:", "sqlite": f"sqlite:///{tmp_path / 'handrail.db'}"}.get(request.param)
    with opened(tmp_path, url or request.getfixturevalue("postgres_database"), keeper=False) as found:

        def refund(order: str, amount: float = 200, reason: str = "") -> str:
            del amount, reason
            return f"refunded {order}"

        found.rail.tool(refund)
        assert found.app.engine.open_questions == OPEN_QUESTIONS == 500
        found.app.engine.open_questions = FEW
        yield found


def held(desk: Desk, *orders: str, agent: str = "support") -> list[str]:
    """The actions of proposals that a rule asks about."""
    found: list[str] = []
    with desk.rail.session(agent):
        for order in orders:
            with pytest.raises(handrail.Held) as waiting:
                desk.rail._functions["refund"](order)
            found.append(waiting.value.action_id)
    return found


def test_one_question_too_many_is_refused_and_says_why(desk: Desk) -> None:
    held(desk, "o-1", "o-2")
    with (
        desk.rail.session("support"),
        pytest.raises(handrail.Denied, match="2 questions of support wait") as why,
    ):
        desk.rail._functions["refund"]("o-3")
    assert desk.action(why.value.action_id).state is State.DENIED
    assert len(desk.actions(State.HELD)) == FEW


def test_what_asks_nobody_still_runs_and_another_agent_still_asks(desk: Desk) -> None:
    held(desk, "o-1", "o-2")
    with desk.rail.session("support"):
        assert desk.rail._functions["refund"]("o-3", 40) == "refunded o-3"
    assert len(held(desk, "o-4", agent="sales")) == 1


def test_an_answer_makes_room_and_a_repeat_joins_what_waits(desk: Desk) -> None:
    with desk.rail.session("support"):
        actions: list[str] = []
        for order in ("o-1", "o-2", "o-2"):
            with pytest.raises(handrail.Held) as waiting:
                desk.rail._functions["refund"](order)
            actions.append(waiting.value.action_id)
    assert actions[1] == actions[2], "a repeat asks nobody anew"
    desk.vote(actions[0], choice=Choice.REJECT, reason="No.")
    held(desk, "o-3")
    assert len(desk.actions(State.HELD)) == FEW
