"""The loop breaker and nested sessions: what repeats is held, and a child spends what its parent has."""

from __future__ import annotations

from contextlib import ExitStack, suppress

import pytest

import handrail
from handrail.engine.loops import hold, release
from handrail.words.entry import Kind
from handrail.words.errors import BadArguments, Conflict, Denied, Held, NotFound
from handrail.words.lifecycle import State
from tests.integration.engine.conftest import Open
from tests.support.rail import LEAD, POLICY, Desk

LIMITS = "loops: {same_call: 3, same_error: 2, calls_per_minute: 6, depth: 2, within: 10 min}\n"
BUDGETS = POLICY.replace(
    "  - {id: few, tools: note, actions: 3, per: day}\n",
    "  - {id: run, tools: note, actions: 3, per: session}\n",
)


@pytest.fixture
def looping(store_url: str, open_desk: Open) -> Desk:
    """A desk with small limits, over each store."""
    desk = open_desk(store_url, POLICY.replace("actions: 3", "actions: 100") + LIMITS)
    with_tools(desk)
    return desk


def with_tools(desk: Desk) -> None:
    @desk.rail.tool
    def note(text: str) -> str:
        if text.startswith("broken"):
            raise ValueError("the desk is closed")
        return text

    @desk.rail.tool
    def refund(order: str, amount: float, reason: str = "") -> str:
        return order


def note(desk: Desk, text: str) -> object:
    found = {tool.__name__: tool for tool in desk.rail.tools_for("support")}
    return found["note"](text)


def refund(desk: Desk, order: str, amount: float) -> object:
    found = {tool.__name__: tool for tool in desk.rail.tools_for("support")}
    return found["refund"](order, amount)


def test_the_same_call_again_and_again_holds_the_session_and_says_what_repeated(looping: Desk) -> None:
    with looping.rail.session("support", "t-1") as session:
        for _ in range(3):
            note(looping, "again")
        with pytest.raises(Denied, match="note was called with the same arguments 4 times in 10 minutes"):
            note(looping, "again")
        with pytest.raises(Denied, match="is held"):
            note(looping, "something else")
    told = [entry for entry in looping.entries() if entry.kind is Kind.SESSION_HELD]
    assert [(each.session, b"the loop breaker" in each.body) for each in told] == [(session.id, True)]
    assert [each.state for each in looping.actions()] == [State.DONE] * 3 + [State.DENIED] * 2
    with looping.rail.session("support", "t-1"):
        assert note(looping, "again") == "again", "another session goes on"


def test_a_person_releases_it_and_the_count_begins_anew(looping: Desk) -> None:
    with looping.rail.session("support") as session:
        with suppress(Denied):
            for _ in range(4):
                note(looping, "again")
        found = release(looping.app.engine, session.id, "the page is mended", LEAD)
        assert (found.held_at, found.held_reason) == (None, None)
        for _ in range(3):
            assert note(looping, "again") == "again"
    assert looping.kinds().count(Kind.SESSION_RELEASED) == 1
    with pytest.raises(Conflict, match="not held"):
        release(looping.app.engine, session.id, "once more", LEAD)


def test_what_led_to_the_hold_counts_no_more_even_in_the_millisecond_of_the_release(looping: Desk) -> None:
    with looping.rail.session("support"):
        for _ in range(3):
            note(looping, "again")
        newest = max(action.id for action in looping.actions())
        looping.sql(f"update sessions set released_at = {int(newest[:12], 16)}")
        with suppress(Denied):
            note(looping, "again")
        found = looping.actions()
        assert [each.state for each in found].count(State.DENIED) == 0


def test_the_same_error_again_and_again_holds_the_session(looping: Desk) -> None:
    with looping.rail.session("support"):
        for each in ("broken 1", "broken 2"):
            with pytest.raises(ValueError, match="closed"):
                note(looping, each)
        with pytest.raises(Denied, match="the same error came 2 times in 10 minutes: note: ValueError"):
            note(looping, "whole")


def test_errors_of_long_ago_or_of_other_kinds_hold_nothing(looping: Desk) -> None:
    with looping.rail.session("support"):
        with pytest.raises(ValueError, match="closed"):
            note(looping, "broken 1")
        looping.sql("update sessions set errors_since = errors_since - 700000")
        with pytest.raises(ValueError, match="closed"):
            note(looping, "broken 2")
        assert note(looping, "whole") == "whole"
        looping.sql("update sessions set errors = 7, errors_since = errors_since - 700000")
        assert note(looping, "whole") == "whole"


def test_too_many_calls_in_a_minute_hold_the_session(looping: Desk) -> None:
    with looping.rail.session("support"):
        for each in range(6):
            note(looping, f"{each}")
        with pytest.raises(Denied, match="more than 6 calls in a minute"):
            note(looping, "one more")


def test_limits_that_are_off_hold_nothing(store_url: str, open_desk: Open) -> None:
    off = "loops: {same_call: off, same_error: off, calls_per_minute: off, depth: off}\n"
    desk = open_desk(store_url, POLICY.replace("actions: 3", "actions: 100") + off)
    with_tools(desk)
    with ExitStack() as stack:
        for _ in range(12):
            stack.enter_context(desk.rail.session("support"))
        for _ in range(12):
            assert note(desk, "again") == "again"
            with pytest.raises(ValueError, match="closed"):
                note(desk, "broken")


def test_sessions_nested_too_deeply_hold_the_outermost(looping: Desk) -> None:
    with looping.rail.session("support", "t-1") as first:
        note(looping, "one")
        with looping.rail.session("support") as second, looping.rail.session("support"):
            assert note(looping, "three") == "three", "two inside one are allowed"
            with (
                looping.rail.session("support"),
                pytest.raises(Denied, match="nested 3 deep; the policy's limit is 2"),
            ):
                note(looping, "four")
        with pytest.raises(Denied, match=f"session {first.id} is held"):
            note(looping, "one again")
    release(looping.app.engine, first.id, "it was a test", LEAD)
    with looping.rail.session("support", inside=second):
        assert note(looping, "three") == "three"


def test_a_child_spends_from_the_budget_of_its_parent(store_url: str, open_desk: Open) -> None:
    desk = open_desk(store_url, BUDGETS)
    with_tools(desk)
    with desk.rail.session("support", "t-1") as parent:
        note(desk, "one")
        with desk.rail.session("support") as child:
            assert (child.task, child.lineage) == ("t-1", (parent.id,))
            note(desk, "two")
            with desk.rail.session("support"):
                note(desk, "three")
                with pytest.raises(Denied, match="run"):
                    note(desk, "four")
        with pytest.raises(Denied, match="run"):
            note(desk, "five")
    with desk.rail.session("support", "t-1"):
        assert note(desk, "a run of its own") == "a run of its own"


def test_a_child_serves_the_task_of_its_parent_and_no_other(one_desk: Desk) -> None:
    with one_desk.rail.session("support", "t-1"):
        with pytest.raises(BadArguments, match="serves the same task, 't-1'; this one says 't-2'"):
            one_desk.rail.session("sales", "t-2")
        with one_desk.rail.session("sales", "t-1") as same:
            assert same.task == "t-1"


def test_a_child_goes_no_further_than_its_parent(looping: Desk) -> None:
    with looping.rail.session("support") as parent:
        note(looping, "one")
        hold(looping.app.engine, parent.id, "let me look", LEAD)
        with looping.rail.session("support"):
            with pytest.raises(Denied, match=f"session {parent.id} is held: let me look"):
                note(looping, "two")
            release(looping.app.engine, parent.id, "go on", LEAD)
            assert note(looping, "two") == "two"


def test_a_held_session_starts_nothing_that_was_approved_until_it_is_released(looping: Desk) -> None:
    with looping.rail.session("support") as session:
        with pytest.raises(Held) as held:
            refund(looping, "o-1", 200)
        looping.vote(held.value.action_id)
        hold(looping.app.engine, session.id, "let me look", LEAD)
        with pytest.raises(Denied, match="held: let me look"):
            looping.rail.resume(held.value.action_id)
        assert looping.action(held.value.action_id).state is State.APPROVED
        release(looping.app.engine, session.id, "go on", LEAD)
        assert looping.rail.resume(held.value.action_id) == "o-1"


def test_holding_and_releasing_say_what_is_wrong(looping: Desk) -> None:
    with pytest.raises(NotFound, match="no session"):
        hold(looping.app.engine, "nothing", "why not", LEAD)
    with pytest.raises(NotFound, match="no session"):
        release(looping.app.engine, "nothing", "why not", LEAD)
    with looping.rail.session("support") as session:
        note(looping, "one")
    with pytest.raises(BadArguments, match="reason"):
        hold(looping.app.engine, session.id, " ", LEAD)
    assert hold(looping.app.engine, session.id, "let me look", LEAD).held_reason == "let me look"
    with pytest.raises(Conflict, match="held already"):
        hold(looping.app.engine, session.id, "let me look", LEAD)


def test_a_trial_that_loops_is_held_too(store_url: str, open_desk: Open) -> None:
    desk = open_desk(store_url, POLICY + LIMITS)

    @desk.rail.tool
    def wipe(what: str) -> None: ...

    with desk.rail.session("support"):
        for _ in range(3):
            with pytest.raises(handrail.Shadowed):
                wipe("all")
        with pytest.raises(Denied, match="same arguments"):
            wipe("all")
