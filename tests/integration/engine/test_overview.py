"""The overview's numbers over a real rail: rungs, today, what waits, budgets, halts."""

from __future__ import annotations

from contextlib import suppress

from handrail.engine.restrict import halt, lift, set_rung
from handrail.engine.views.counted import Day
from handrail.engine.views.overview import HOURS, Place, overview
from handrail.words.errors import HandrailError
from handrail.words.level import Rung
from handrail.words.overview import Met
from tests.support.rail import LEAD, Desk


def place(desk: Desk, tool: str, agent: str = "support") -> Place:
    [found] = [each for each in overview(desk.app.engine).agents[agent] if each.tool == tool]
    return found


def test_an_empty_store_has_every_tool_on_the_rung_where_it_starts(desk: Desk) -> None:
    """Nothing happened, nothing waits, and the budget is whole."""
    found = overview(desk.app.engine)
    assert found.day == Day()
    assert (found.questions, found.asked, found.running, found.halts) == (0, (), 0, ())
    assert dict(found.steps) == {
        Rung.SHADOW: 1,
        Rung.SUGGEST: 0,
        Rung.PREAPPROVED: 1,
        Rung.BOUNDED: 5,
        Rung.AUTONOMOUS: 0,
    }
    assert [each.tool for each in found.agents["support"]] == ["note", "offer", "refund", "find", "wipe"]
    [budget] = found.budgets
    assert (budget.told, budget.share) == ("0", 0)
    assert len(found.hours) == HOURS
    assert not any(sum(hour.met.values()) for hour in found.hours)


def test_a_tool_that_an_agent_may_not_use_is_not_on_its_ladder(one_desk: Desk) -> None:
    """Also when the server knows the tool, and the agent asked for it: it earns nothing there."""

    @one_desk.rail.tool
    def note(text: str) -> str:
        return text

    with one_desk.rail.session(agent="sales", task="t"), suppress(HandrailError):
        note(text="a")
    found = overview(one_desk.app.engine)
    assert [each.tool for each in found.agents["sales"]] == ["offer", "refund"]
    assert "note" in [each.tool for each in found.agents["support"]]


def test_what_happens_is_counted_where_it_belongs(desk: Desk) -> None:
    """Ran, asked, denied, only recorded, and went wrong."""

    @desk.rail.tool
    def refund(amount: int, reason: str) -> str:
        if reason == "broken":
            raise OSError(reason)
        return f"{amount} {reason}"

    @desk.rail.tool
    def wipe(table: str) -> str:
        return table

    @desk.rail.tool
    def note(text: str) -> str:
        return text

    with desk.rail.session(agent="support", task="t"):
        for amount, reason in ((10, "late"), (11, "broken"), (250, "late"), (5000, "late")):
            with suppress(HandrailError, OSError):
                refund(amount=amount, reason=reason)
        with suppress(HandrailError):
            wipe(table="x")
        note(text="a")
    found = overview(desk.app.engine)
    assert place(desk, "refund").day == Day(ran=2, asked=1, denied=1, wrong=1)
    assert place(desk, "wipe").day == Day(recorded=1)
    assert found.day == Day(ran=3, asked=1, denied=1, recorded=1, wrong=1)
    assert found.day.all == 6
    assert found.hours[-1].met == {Met.RAN: 3, Met.ASKED: 1, Met.DENIED: 1, Met.RECORDED: 1}
    assert (place(desk, "refund").waiting, place(desk, "refund", "sales").waiting) == (1, 0)
    assert found.questions == 1
    assert "250" in found.asked[0].what
    assert (found.budgets[0].told, found.budgets[0].share) == ("1", 34)


def test_a_halt_is_told_at_each_tool_that_it_covers(desk: Desk) -> None:
    """And no longer once it is lifted."""
    known, _ = halt(desk.app.engine, "wrong customers", LEAD, "support", "refund")
    assert place(desk, "refund").halted == "wrong customers"
    assert place(desk, "note").halted is None
    assert place(desk, "refund", "sales").halted is None
    lift(desk.app.engine, known, "mended", LEAD)
    assert place(desk, "refund").halted is None


def test_a_rung_that_was_set_by_hand_is_told_so(desk: Desk) -> None:
    """With the ceiling that the policy sets."""
    set_rung(desk.app.engine, "support", "refund", Rung.SUGGEST, "two wrong ones", LEAD)
    found = place(desk, "refund")
    assert (found.rung, found.ceiling, found.override) == (Rung.SUGGEST, Rung.BOUNDED, True)
    assert not place(desk, "note").override
