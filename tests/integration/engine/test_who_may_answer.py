"""Who may answer, and how many must, is what the running policy says when the answer is written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from handrail.engine.jobs import expire
from handrail.engine.questions import votes
from handrail.engine.questions.approvals import advance
from handrail.engine.questions.votes import vote
from handrail.engine.restrict import halt
from handrail.ports import Commit, Transaction
from handrail.words.approval import ApprovalState, Choice
from handrail.words.errors import Conflict, Denied, Held, Refused
from handrail.words.lifecycle import State
from tests.support.rail import LEAD, POLICY, SECOND, Desk

Open = Callable[..., Desk]
BOTH = POLICY.replace("second@example.com], need: 1", "second@example.com], need: 2")
ONLY_SECOND = POLICY.replace(
    "people: [lead@example.com, second@example.com], need: 1", f"people: [{SECOND}], need: 1"
)


def held(desk: Desk) -> str:
    """A refund that waits for the leads."""

    @desk.rail.tool
    def refund(amount: int, reason: str = "late") -> int:
        return amount

    with desk.rail.session(agent="support", task="T-1"), pytest.raises(Held) as raised:
        refund(200)
    return raised.value.action_id


def test_a_question_needs_as_many_answers_as_the_policy_has_come_to_want(one_desk: Desk) -> None:
    """Raising ``need`` restricts at once, also what is being asked already."""
    action = held(one_desk)
    one_desk.activate(BOTH)
    assert one_desk.vote(action).state is ApprovalState.OPEN
    assert one_desk.action(action).state is State.HELD
    assert one_desk.vote(action, SECOND).state is ApprovalState.APPROVED


def test_a_question_still_needs_as_many_as_were_asked_when_the_policy_wants_fewer(open_desk: Open) -> None:
    """What was asked of two is not answered by one."""
    desk = open_desk("memory:", BOTH)
    action = held(desk)
    desk.activate(POLICY)
    assert desk.vote(action).state is ApprovalState.OPEN
    assert desk.vote(action, SECOND).state is ApprovalState.APPROVED


def test_a_policy_activated_while_an_answer_is_on_its_way_decides_who_may_give_it(
    one_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between looking who may answer and writing the answer, this person was taken off the list."""
    action = held(one_desk)
    engine = one_desk.app.engine
    plain = engine.refresh
    changes = [ONLY_SECOND]

    def refresh_then_changed() -> None:
        plain()
        if changes:
            activated = changes.pop()
            monkeypatch.setattr(engine, "refresh", plain)
            stale = (engine.policy, engine.restrictions)
            one_desk.activate(activated)
            engine.policy, engine.restrictions = stale

    monkeypatch.setattr(engine, "refresh", refresh_then_changed)
    with pytest.raises(Refused, match="not among those who are asked"):
        one_desk.vote(action)
    assert one_desk.action(action).state is State.HELD
    assert one_desk.vote(action, SECOND).state is ApprovalState.APPROVED


def test_an_answer_gives_up_when_the_policy_never_stands_still(
    one_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is answered then, and the person is told so."""
    action = held(one_desk)
    question = one_desk.question(action).id
    monkeypatch.setattr(one_desk.app.engine, "refresh", lambda: None)
    halt(one_desk.app.engine, "always another", "ops@example.com", tool="find")
    with pytest.raises(Conflict, match="try again"):
        vote(one_desk.app.engine, question, LEAD, Choice.APPROVE, verified=False)
    assert votes.TRIES > 1
    assert one_desk.action(action).state is State.HELD


def test_escalation_asks_as_many_as_the_policy_of_now_wants(open_desk: Open, tmp_path: object) -> None:
    """The process that looks for what is due may have been idle since another one activated a policy."""
    url = f"sqlite:///{tmp_path}/handrail.db"
    one, other = open_desk(url), open_desk(url)
    action = held(one)
    heads = "heads: {people: [head@example.com], need: 1"
    other.activate(POLICY.replace(heads, "heads: {people: [head@example.com, lead@example.com], need: 2"))
    one.sql("update seats set expires_at = 1")
    assert expire(one.app.engine) == 1
    assert [seat.need for seat in one.question(action).seats] == [2]


@pytest.mark.parametrize(("agent", "tool"), [("", None), (None, " "), ("", "")])
def test_a_halt_of_an_empty_name_is_refused_because_it_would_stop_nothing(
    one_desk: Desk, agent: str | None, tool: str | None
) -> None:
    """A variable that was empty must not make people believe that something stands still."""
    with pytest.raises(Refused, match="leave it out"):
        halt(one_desk.app.engine, "stop", "ops@example.com", agent, tool)


def test_a_halt_without_names_stops_everything(one_desk: Desk) -> None:
    """And says so."""

    @one_desk.rail.tool
    def note() -> str:
        return "noted"

    halt(one_desk.app.engine, "stop", "ops@example.com")
    with one_desk.rail.session(agent="support"), pytest.raises(Denied, match="everything is stopped: stop"):
        note()


NO_GROUPS = """
handrail: 1
agents: {support: {may: [refund]}}
tools: {refund: {does: pay, starts: suggest, at_most: suggest}}
"""
NO_HEADS = (
    POLICY.replace("if_no_answer: heads", "if_no_answer: reject")
    .replace("ask: heads", "ask: leads")
    .replace(
        "  heads: {people: [head@example.com], need: 1, answer_within: 1 day, if_no_answer: reject}\n", ""
    )
)


@pytest.mark.parametrize("person", ["", "  "])
def test_nobody_can_answer_without_a_name_even_where_anybody_may(open_desk: Open, person: str) -> None:
    """A policy without groups lets any person answer, but it must be one."""
    desk = open_desk("memory:", NO_GROUPS)
    action = held(desk)
    with pytest.raises(Refused, match="needs the name"):
        desk.vote(action, person)
    assert desk.vote(action, "anybody").state is ApprovalState.APPROVED


def test_a_question_escalates_at_the_very_moment_at_which_its_time_is_over(
    one_desk: Desk,
) -> None:
    """Not one millisecond later: what counts as due and what is acted on are one rule."""
    action = held(one_desk)
    until = one_desk.question(action).seats[0].expires_at
    assert until is not None
    store = one_desk.app.store
    found: list[str] = []

    def at(moment: int) -> str:
        def work(tx: Transaction) -> str:
            question = tx.approvals.of(action)
            assert question is not None
            found.extend(tx.approvals.due(moment, 10))
            return advance(one_desk.app.engine, tx, question, moment).seats[0].group

        return store.write(Commit.EXPIRE, work)

    assert at(until - 1) == "leads"
    assert found == []
    assert at(until) == "heads"
    assert found == [one_desk.question(action).id]


def test_a_question_whose_next_group_is_gone_is_closed_and_nothing_runs(one_desk: Desk) -> None:
    """There is nobody left to ask: that is no yes."""
    action = held(one_desk)
    one_desk.activate(NO_HEADS)
    one_desk.sql("update seats set expires_at = 1")
    assert expire(one_desk.app.engine) == 1
    assert one_desk.question(action).state is ApprovalState.EXPIRED
    assert one_desk.action(action).state is State.EXPIRED
    with pytest.raises(Denied, match="not answered in time"):
        one_desk.rail.resume(action)


SUGGESTS = POLICY.replace("note: {does: update, starts: bounded", "note: {does: update, starts: suggest")
DAY = 86_400_000


def noted(desk: Desk) -> str:
    """A note that waits for anyone, because at its level a person decides."""

    @desk.rail.tool
    def note() -> str:
        return "noted"

    with desk.rail.session(agent="support", task="T-1"), pytest.raises(Held) as raised:
        note()
    return raised.value.action_id


def test_a_question_for_a_group_that_is_gone_can_be_answered_by_nobody(one_desk: Desk) -> None:
    """A missing list of approvers means refuse, not anyone."""
    action = held(one_desk)
    one_desk.activate(POLICY.replace("leads", "chiefs"))
    for person in (LEAD, "anybody"):
        with pytest.raises(Refused, match="not among those who are asked"):
            one_desk.vote(action, person)
    one_desk.activate(POLICY)
    assert one_desk.vote(action).state is ApprovalState.APPROVED


def test_a_question_for_anyone_is_for_those_who_approve_anything_at_all(open_desk: Open) -> None:
    """Where the policy names people, "anyone" is one of them."""
    desk = open_desk("memory:", SUGGESTS)
    action = noted(desk)
    with pytest.raises(Refused, match="not among those who are asked"):
        desk.vote(action, "anybody")
    assert desk.vote(action, "head@example.com").state is ApprovalState.APPROVED


def test_a_question_for_anyone_ends_after_a_day(open_desk: Open) -> None:
    """No question waits for ever: silence is no yes."""
    desk = open_desk("memory:", SUGGESTS)
    action = noted(desk)
    question = desk.question(action)
    assert [seat.expires_at for seat in question.seats] == [question.opened_at + DAY]
    desk.sql("update seats set expires_at = 1")
    assert expire(desk.app.engine) == 1
    assert desk.action(action).state is State.EXPIRED
