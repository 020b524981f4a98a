"""Where the active policy can't be read: nothing is let run, and everything that restricts still works."""

from __future__ import annotations

import pytest

from handrail.engine.cancel import cancel
from handrail.engine.questions.batches import vote_many
from handrail.engine.questions.standings import revoke_standing
from handrail.engine.questions.votes import answer
from handrail.engine.restrict import halt, lift
from handrail.words.approval import ApprovalState, Choice
from handrail.words.errors import Denied, Held, PolicyError, Refused
from handrail.words.lifecycle import State
from handrail.words.person import Role
from tests.integration.engine.asking import account, held, opened, refund
from tests.integration.engine.test_standings import stand
from tests.support.rail import HEAD, LEAD, SECOND, Desk, find_policy, lose_policy


def test_a_question_is_rejected_and_not_approved_until_the_policy_is_back(desk: Desk) -> None:
    first, second = held(desk, order="o-1"), held(desk, order="o-2")
    lose_policy(desk.app.store)
    with pytest.raises(PolicyError):
        desk.vote(first, LEAD)
    assert desk.vote(first, LEAD, Choice.REJECT, "not now").state is ApprovalState.REJECTED
    assert desk.action(first).state is State.REJECTED
    find_policy(desk)
    assert desk.vote(second, LEAD).state is ApprovalState.APPROVED
    assert desk.rail.resume(second) == ["o-2", 150.0, ""]
    assert desk.verified().ok


def test_whoever_may_answer_anything_may_say_no_while_nobody_knows_who_is_asked(desk: Desk) -> None:
    """The policy says who is asked: with it the head is not, and without it a no from the head counts."""
    action = held(desk)
    with pytest.raises(Refused, match="not among those"):
        desk.vote(action, HEAD, Choice.REJECT)
    lose_policy(desk.app.store)
    assert desk.vote(action, HEAD, Choice.REJECT).state is ApprovalState.REJECTED


def test_who_may_answer_nothing_may_not_say_no_either(one_desk: Desk) -> None:
    opened(one_desk, "hers", behalf=SECOND)
    action = held(one_desk, session="hers")
    account(one_desk, "watcher@example.com", Role.VIEWER)
    account(one_desk, "gone@example.com", active=False)
    lose_policy(one_desk.app.store)
    for person, why in [
        ("watcher@example.com", "may only look"),
        ("gone@example.com", "is closed"),
        ("support", "proposed this action"),
        (SECOND, "proposed this action"),
        (" ", "needs the name"),
    ]:
        with pytest.raises(Refused, match=why):
            one_desk.vote(action, person, Choice.REJECT)
    assert one_desk.question(action).state is ApprovalState.OPEN
    assert one_desk.vote(action, LEAD, Choice.REJECT).state is ApprovalState.REJECTED


def test_the_agent_is_answered_instead_and_several_are_rejected_at_once(desk: Desk) -> None:
    actions = [held(desk, order=f"o-{number}") for number in range(3)]
    questions = [desk.question(action) for action in actions]
    lose_policy(desk.app.store)
    engine = desk.app.engine
    told = answer(engine, questions[0].id, LEAD, "Wait for us.", verified=True)
    assert told.state is ApprovalState.ANSWERED
    items = [(each.id, each.digest) for each in questions[1:]]
    for _, failed in vote_many(engine, items, LEAD, Choice.APPROVE, verified=True):
        assert isinstance(failed, PolicyError)
    for _, became in vote_many(engine, items, LEAD, Choice.REJECT, "no", verified=True):
        assert not isinstance(became, Exception)
        assert became.state is ApprovalState.REJECTED


def test_a_question_whose_time_is_over_is_rejected_and_goes_to_nobody_else(desk: Desk) -> None:
    action = held(desk)
    desk.sql("update seats set expires_at = 1")
    lose_policy(desk.app.store)
    assert desk.vote(action, LEAD, Choice.REJECT).state is ApprovalState.REJECTED


def test_a_standing_approval_is_revoked(desk: Desk) -> None:
    standing, other = stand(desk, actions=1), stand(desk)
    assert refund(desk) == ["o-1", 150.0, ""]
    lose_policy(desk.app.store)
    revoke_standing(desk.app.engine, other.id, LEAD)
    with pytest.raises(PolicyError):
        stand(desk)
    find_policy(desk)
    assert standing.id != other.id
    with pytest.raises(Held):
        refund(desk, order="o-2")
    stand(desk)
    assert refund(desk, order="o-3") == ["o-3", 150.0, ""]


def test_halting_lifting_and_taking_back_need_no_policy(desk: Desk) -> None:
    action = held(desk)
    lose_policy(desk.app.store)
    thrown, _ = halt(desk.app.engine, "odd", LEAD)
    assert cancel(desk.app.engine, action, LEAD, "odd").state is State.CANCELLED
    find_policy(desk)
    with pytest.raises(Denied, match="odd"):
        refund(desk, 10)
    lift(desk.app.engine, thrown, "well", LEAD)
    assert refund(desk, 10) == ["o-1", 10.0, ""]
