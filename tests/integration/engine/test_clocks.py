"""A session's clock stands still while people think; after its end nothing is proposed or started."""

from __future__ import annotations

import pytest

from handrail.engine.cancel import cancel
from handrail.engine.jobs import expire
from handrail.engine.questions.votes import answer
from handrail.ports import Commit
from handrail.words.approval import Choice
from handrail.words.errors import Denied, Refused
from handrail.words.lifecycle import State
from tests.integration.engine.asking import ALWAYS, held, opened, record_of, refund
from tests.integration.engine.test_edits import BIG, edited
from tests.support.rail import HEAD, LEAD, Desk

LONG_AGO = 1_000_000


@pytest.mark.parametrize("end", ["approve", "reject", "answer", "cancel", "expire", "edit"])
def test_the_clock_stands_still_while_a_question_is_open_and_goes_on_however_it_ends(
    desk: Desk, end: str
) -> None:
    opened(desk, "s", expires_at=ALWAYS)
    action = held(desk)
    paused = record_of(desk, "s")
    assert (paused.questions, paused.paused_at is None) == (1, False)
    desk.sql("update sessions set paused_at = paused_at - 5000")
    engine, question = desk.app.engine, desk.question(action).id
    if end in {"approve", "reject"}:
        desk.vote(action, LEAD, Choice(end))
    elif end == "answer":
        answer(engine, question, LEAD, "Wait", verified=False)
    elif end == "cancel":
        cancel(engine, action, LEAD, "no")
    elif end == "edit":
        assert edited(desk, action, BIG).state is State.APPROVED
    else:
        for _ in range(2):
            desk.sql("update seats set expires_at = 1")
            expire(engine)
    after = record_of(desk, "s")
    assert (after.questions, after.paused_at) == (0, None)
    assert after.expires_at is not None
    assert 5_000 <= after.expires_at - ALWAYS <= 60_000


def test_the_clock_goes_on_after_the_last_of_several_questions(desk: Desk) -> None:
    opened(desk, "s", expires_at=ALWAYS)
    one, two = held(desk), held(desk, order="o-2")
    desk.vote(one)
    assert record_of(desk, "s").questions == 1
    assert record_of(desk, "s").paused_at is not None
    desk.vote(two)
    assert record_of(desk, "s").paused_at is None


def test_a_session_whose_time_is_over_proposes_nothing_and_one_whose_time_stands_still_does(
    desk: Desk,
) -> None:
    opened(desk, "s", expires_at=ALWAYS)
    action = held(desk)
    desk.sql(f"update sessions set expires_at = {LONG_AGO}, paused_at = {LONG_AGO - 1}")
    assert refund(desk, 10) == ["o-1", 10.0, ""]
    desk.vote(action, LEAD, Choice.REJECT)
    desk.sql(f"update sessions set expires_at = {LONG_AGO}")
    with pytest.raises(Denied, match="the session s is over"):
        refund(desk, 10, order="o-9")
    assert [each.state for each in desk.actions()][-1] is State.DENIED
    assert refund(desk, 10, session="another") == ["o-1", 10.0, ""]


def test_nothing_of_a_session_that_was_ended_starts_and_what_is_told_of_it_is_recorded(desk: Desk) -> None:
    action, other = held(desk), held(desk, session="other")
    desk.vote(action)
    desk.vote(other)
    desk.app.store.write(Commit.SESSION, lambda tx: tx.sessions.end("s", tx.now()))
    with pytest.raises(Denied, match="the session s is over"):
        desk.rail.resume(action)
    assert desk.action(action).state is State.DENIED
    assert desk.rail.resume(other) == ["o-1", 150.0, ""]


def test_a_question_of_a_session_that_was_ended_can_not_be_edited_and_can_be_rejected(desk: Desk) -> None:
    action = held(desk, reason="legal")
    desk.app.store.write(Commit.SESSION, lambda tx: tx.sessions.end("s", tx.now()))
    with pytest.raises(Refused, match="the session s is over"):
        edited(desk, action, BIG, HEAD)
    assert desk.action(action).state is State.HELD
    desk.vote(action, HEAD, Choice.REJECT)
    assert desk.action(action).state is State.REJECTED
