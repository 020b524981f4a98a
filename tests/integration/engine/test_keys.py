"""Repeats: by a key, or an equal call that joins one which is still open."""

from __future__ import annotations

from typing import Any

import pytest

import handrail
from handrail.engine.restrict import halt, lift, set_rung
from handrail.words.entry import Kind
from handrail.words.level import Rung
from handrail.words.lifecycle import State
from tests.support.rail import LEAD, Desk


class Shop:
    """A desk with tools that count."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.effects: list[Any] = []
        self.raises: Exception | None = None

        @desk.rail.tool
        def refund(order: str, amount: float, reason: str = "") -> dict[str, object]:
            self.effects.append(order)
            if self.raises is not None:
                raise self.raises
            return {"order": order, "amount": amount, "count": len(self.effects), "parts": [0.1, 2]}

        @desk.rail.tool
        def wipe(where: str) -> str:
            self.effects.append("wipe")
            return "wiped"

        self.refund = refund
        self.wipe = wipe


@pytest.fixture
def shop(desk: Desk) -> Shop:
    """A shop over each store."""
    return Shop(desk)


def test_the_same_key_and_call_gives_the_recorded_output_and_does_nothing(shop: Shop) -> None:
    rail = shop.desk.rail
    with rail.session("support", "t1"), rail.about(key="r-1"):
        first = shop.refund("o-1", 4.5)
    with rail.session("support", "t2"), rail.about(key="r-1"):
        again = shop.refund("o-1", 4.5)
    assert again == first == {"order": "o-1", "amount": 4.5, "count": 1, "parts": [0.1, 2]}
    assert [type(part) for part in again["parts"]] == [float, int]  # type: ignore[attr-defined]
    assert shop.effects == ["o-1"]
    assert len(shop.desk.actions()) == 1


def test_a_key_used_for_another_call_is_refused_and_the_refusal_is_journalled(shop: Shop) -> None:
    rail = shop.desk.rail
    with rail.session("support"), rail.about(key="r-1"):
        shop.refund("o-1", 4)
        with pytest.raises(handrail.Denied, match="was used for another call") as denied:
            shop.refund("o-2", 4)
    assert shop.desk.action(denied.value.action_id).state is State.DENIED
    assert shop.desk.kinds(denied.value.action_id) == [Kind.PROPOSED, Kind.DECIDED]
    assert shop.effects == ["o-1"]
    with rail.session("support"), rail.about(key="r-2"):
        shop.refund("o-2", 4)


def test_a_key_belongs_to_one_agent_and_tool(shop: Shop) -> None:
    rail = shop.desk.rail
    for agent in ("support", "sales"):
        with rail.session(agent), rail.about(key="r-1"):
            shop.refund("o-1", 4)
    assert shop.effects == ["o-1", "o-1"]


def test_a_key_is_free_again_after_a_refusal(shop: Shop) -> None:
    rail, engine = shop.desk.rail, shop.desk.app.engine
    thrown, _ = halt(engine, "stop", "ops")
    with rail.session("support"), rail.about(key="r-1"):
        with pytest.raises(handrail.Denied, match="is stopped"):
            shop.refund("o-1", 4)
        lift(engine, thrown, "go", "ops")
        shop.refund("o-1", 4)
    assert shop.effects == ["o-1"]


def test_a_key_is_not_free_after_a_persons_no(shop: Shop) -> None:
    from handrail.words.approval import Choice

    rail = shop.desk.rail
    with rail.session("support"), rail.about(key="r-1"):
        with pytest.raises(handrail.Held) as held:
            shop.refund("o-1", 150)
        shop.desk.vote(held.value.action_id, LEAD, Choice.REJECT, "never")
        with pytest.raises(handrail.Denied, match="rejected by a person: never"):
            shop.refund("o-1", 150)
    assert len(shop.desk.actions()) == 1


def test_a_key_of_a_trial_does_not_count_when_the_tool_is_live(shop: Shop) -> None:
    rail = shop.desk.rail
    with rail.session("support"), rail.about(key="w-1"):
        for _ in range(2):
            with pytest.raises(handrail.Shadowed):
                shop.wipe(where="all")
        set_rung(shop.desk.app.engine, "support", "wipe", Rung.BOUNDED, "ready", "ops")
        assert shop.wipe(where="all") == "wiped"
        assert shop.wipe(where="all") == "wiped"
    assert shop.effects == ["wipe"]
    assert [action.state for action in shop.desk.actions()] == [State.SHADOWED, State.DONE]


def test_a_keyed_call_that_failed_is_not_run_again_by_itself(shop: Shop) -> None:
    rail = shop.desk.rail
    shop.raises = ValueError("no funds")
    with rail.session("support"), rail.about(key="r-1"):
        with pytest.raises(ValueError, match="no funds"):
            shop.refund("o-1", 4)
        with pytest.raises(handrail.ToolFailed, match="no funds"):
            shop.refund("o-1", 4)
    assert shop.effects == ["o-1"]


def test_a_keyed_call_that_is_held_joins_its_question(shop: Shop) -> None:
    rail = shop.desk.rail
    with rail.session("support"), rail.about(key="r-1"):
        ids = set()
        for _ in range(2):
            with pytest.raises(handrail.Held) as held:
                shop.refund("o-1", 150)
            ids.add(held.value.action_id)
    assert len(ids) == 1
    assert len(shop.desk.actions()) == 1


def test_an_equal_open_call_joins_only_in_its_own_agent_session_and_task(shop: Shop) -> None:
    rail = shop.desk.rail

    def held() -> str:
        with pytest.raises(handrail.Held) as error:
            shop.refund("o-1", 150)
        return error.value.action_id

    with rail.session("support", "t1") as session:
        first, second = held(), held()
    assert first == second
    others = []
    for agent, task in (("support", "t1"), ("sales", "t1"), ("support", None)):
        with rail.session(agent, task):
            others.append(held())
    assert len({first, *others}) == 4
    from handrail.engine.context import Session, entered

    with entered(Session(session.id, "support", "t2")):
        assert held() not in {first, *others}
    with entered(Session(session.id, "support", "t1")):
        assert held() == first


def test_after_it_ran_an_equal_call_is_a_new_action(shop: Shop) -> None:
    with shop.desk.rail.session("support", "t1"):
        shop.refund("o-1", 4)
        shop.refund("o-1", 4)
    assert shop.effects == ["o-1", "o-1"]
    assert len(shop.desk.actions()) == 2


@pytest.mark.parametrize("bad", ["", "  ", "k" * 501, "\ud800", "nul\0", 7])
def test_a_key_that_no_store_can_keep_is_refused(one_desk: Desk, bad: Any) -> None:
    with pytest.raises(handrail.BadArguments, match="key"), one_desk.rail.about(key=bad):
        pass
    with one_desk.rail.about(key="k" * 500):
        pass
