"""What people answer: who may, how often, how many, until when, and who is asked next."""

from __future__ import annotations

from typing import Any

import pytest

import handrail
from handrail.engine.jobs import expire
from handrail.engine.questions.votes import vote
from handrail.words.approval import ApprovalState, Choice
from handrail.words.entry import Kind
from handrail.words.lifecycle import State
from tests.integration.engine.conftest import Open
from tests.support.rail import HEAD, LEAD, SECOND, Desk

Hold = Any


@pytest.fixture
def hold(desk: Desk) -> Hold:
    """Makes a held action; the reason chooses who is asked."""

    @desk.rail.tool
    def refund(order: str, amount: float, reason: str = "") -> str:
        return "ok"

    def make(reason: str = "") -> str:
        with desk.rail.session("support"), pytest.raises(handrail.Held) as held:
            refund("o-1", 150, reason)
        return held.value.action_id

    return make


def past(desk: Desk) -> None:
    """The time of every seat is over."""
    desk.sql("update seats set expires_at = 1")


def test_a_stranger_may_not_answer_and_a_member_may(desk: Desk, hold: Hold) -> None:
    action = hold()
    for person in ("stranger@example.com", "", " ", HEAD, "lead@example.com.evil"):
        with pytest.raises(handrail.Refused):
            desk.vote(action, person)
    assert Kind.VOTED not in desk.kinds(action)
    assert desk.vote(action, LEAD).state is ApprovalState.APPROVED


def test_a_member_is_the_same_person_in_capitals_and_with_space_around(desk: Desk, hold: Hold) -> None:
    assert desk.vote(hold(), " Lead@Example.com ").state is ApprovalState.APPROVED


@pytest.mark.parametrize("name", ["support", "Support", " support "])
def test_the_agent_that_proposed_it_may_not_answer_even_where_anyone_may(
    store_url: str, open_desk: Open, name: str
) -> None:
    desk = open_desk(
        store_url, "handrail: 1\nagents: {support: {may: [go]}}\ntools: {go: {starts: suggest}}\n"
    )

    @desk.rail.tool
    def go() -> str:
        return "gone"

    with desk.rail.session("support"), pytest.raises(handrail.Held) as held:
        go()
    with pytest.raises(handrail.Refused, match="proposed this action"):
        desk.vote(held.value.action_id, name)
    desk.vote(held.value.action_id, "anybody@example.com")
    assert desk.rail.resume(held.value.action_id) == "gone"


def test_one_person_answers_once_and_two_are_needed_where_the_policy_says_so(desk: Desk, hold: Hold) -> None:
    action = hold("pairs")
    assert desk.vote(action, SECOND).state is ApprovalState.OPEN
    desk_question = desk.question(action)
    assert {seat.audience: seat.need for seat in desk_question.seats} == {"leads": 1, "pair": 2}
    with pytest.raises(handrail.Conflict, match="answered this question already"):
        desk.vote(action, SECOND)
    assert desk.action(action).state is State.HELD
    assert desk.vote(action, LEAD).state is ApprovalState.APPROVED
    assert desk.kinds(action).count(Kind.VOTED) == 2


def test_one_no_ends_it_whatever_others_said(desk: Desk, hold: Hold) -> None:
    action = hold("pairs")
    desk.vote(action, LEAD)
    assert desk.vote(action, SECOND, Choice.REJECT, "no").state is ApprovalState.REJECTED
    assert desk.action(action).state is State.REJECTED


def test_an_answer_after_the_end_is_told_who_answered(desk: Desk, hold: Hold) -> None:
    action = hold()
    desk.vote(action, LEAD)
    with pytest.raises(handrail.Conflict, match=rf"approved already: {LEAD} \(approve\)"):
        desk.vote(action, SECOND, Choice.REJECT)
    assert desk.action(action).state is State.APPROVED


def test_a_question_that_does_not_exist_is_not_found(desk: Desk) -> None:
    with pytest.raises(handrail.NotFound):
        vote(desk.app.engine, "nothing", LEAD, Choice.APPROVE, verified=False)


def test_a_question_that_nobody_answered_goes_to_the_next_group_and_then_expires(
    desk: Desk, hold: Hold
) -> None:
    action = hold()
    past(desk)
    assert expire(desk.app.engine) == 1
    [seat] = desk.question(action).seats
    assert (seat.audience, seat.group) == ("leads", "heads")
    with pytest.raises(handrail.Refused, match="not among those who are asked: heads"):
        desk.vote(action, LEAD)
    past(desk)
    assert expire(desk.app.engine) == 1
    assert desk.question(action).state is ApprovalState.EXPIRED
    assert desk.action(action).state is State.EXPIRED
    assert desk.kinds(action)[2:] == [Kind.ASKED, Kind.ESCALATED, Kind.EXPIRED]
    with pytest.raises(handrail.Denied, match="not answered in time"):
        desk.rail.resume(action)
    assert expire(desk.app.engine) == 0


def test_the_next_group_may_answer(desk: Desk, hold: Hold) -> None:
    action = hold()
    past(desk)
    expire(desk.app.engine)
    desk.vote(action, HEAD)
    assert desk.rail.resume(action) == "ok"


def test_a_vote_itself_sees_that_the_time_is_over_without_any_job(desk: Desk, hold: Hold) -> None:
    action = hold("pairs")
    past(desk)
    with pytest.raises(handrail.Conflict, match="expired already"):
        desk.vote(action, LEAD)
    with pytest.raises(handrail.Denied):
        desk.rail.resume(action)


def test_a_reason_that_no_store_can_keep_is_refused_and_nothing_is_counted(desk: Desk, hold: Hold) -> None:
    action = hold()
    for reason in ("half \ud800", "nul \0", "x" * 100_000):
        with pytest.raises(handrail.BadArguments):
            desk.vote(action, LEAD, Choice.REJECT, reason)
    assert Kind.VOTED not in desk.kinds(action)
    desk.vote(action, LEAD, Choice.REJECT, "straße 🙂")
    assert desk.action(action).error == "straße 🙂"


def test_people_who_left_the_group_by_a_new_policy_no_longer_count(desk: Desk, hold: Hold) -> None:
    action = hold("pairs")
    desk.vote(action, SECOND)
    text = (desk.app.engine.policy.policy.files)["handrail.yaml"]
    desk.activate(
        text.replace(
            "leads: {people: [lead@example.com, second@example.com]", "leads: {people: [head@example.com]"
        )
    )
    assert desk.vote(action, LEAD).state is ApprovalState.OPEN
    assert desk.vote(action, HEAD).state is ApprovalState.APPROVED
