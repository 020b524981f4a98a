"""Other answers than yes and no: a text, taking back, several at once; and what an agent is told then."""

from __future__ import annotations

import pytest

import handrail
from handrail.engine.cancel import cancel
from handrail.engine.jobs import expire
from handrail.engine.questions.batches import vote_many
from handrail.engine.questions.votes import answer, vote
from handrail.words.approval import Approval, ApprovalState, Choice
from handrail.words.entry import Kind
from handrail.words.errors import BadArguments, Conflict, Denied, Held, NotFound, Refused
from handrail.words.lifecycle import State
from tests.integration.engine.asking import held, refund
from tests.integration.engine.conftest import Open
from tests.support.rail import HEAD, LEAD, POLICY, SECOND, Desk

TOLD = POLICY.replace(
    "support: {may: [refund, find, note, wipe, offer]}",
    "support: {may: [refund, find], told_when: {rejected: Hand the ticket to a person., answered: Obey., "
    "expired: Say that we are late., denied: Leave it., cancelled: Never mind.}}",
)


def test_an_answer_reaches_the_agent_and_the_action_does_not_run(desk: Desk) -> None:
    action = held(desk)
    closed = answer(desk.app.engine, desk.question(action).id, LEAD, "Ask for a photo first", verified=False)
    assert closed.state is ApprovalState.ANSWERED
    assert desk.action(action).state is State.CANCELLED
    with pytest.raises(Denied, match="a person answered: Ask for a photo first"):
        desk.rail.resume(action)
    assert desk.kinds(action)[-2:] == [Kind.VOTED, Kind.ANSWERED]
    assert desk.body(action, Kind.ANSWERED)["text"] == "Ask for a photo first"


def test_an_answer_needs_a_text_and_somebody_who_is_asked(one_desk: Desk) -> None:
    action = held(one_desk)
    question = one_desk.question(action).id
    for text in ("", "  "):
        with pytest.raises(Refused, match="needs a text"):
            answer(one_desk.app.engine, question, LEAD, text, verified=False)
    with pytest.raises(Refused, match="not among those"):
        answer(one_desk.app.engine, question, HEAD, "no", verified=False)
    with pytest.raises(BadArguments):
        answer(one_desk.app.engine, question, LEAD, "nul \0", verified=False)
    with pytest.raises(Conflict, match="what you saw"):
        answer(one_desk.app.engine, question, LEAD, "no", verified=False, seen="1")
    assert Kind.VOTED not in one_desk.kinds(action)
    digest = one_desk.action(action).digest
    done = answer(one_desk.app.engine, question, LEAD, "no", verified=False, seen=digest)
    assert done.state is ApprovalState.ANSWERED


def test_a_vote_on_something_else_than_was_seen_is_a_conflict(desk: Desk) -> None:
    action = held(desk)
    question = desk.question(action)
    with pytest.raises(Conflict, match="what you saw"):
        vote(desk.app.engine, question.id, LEAD, Choice.APPROVE, verified=False, seen="0" * 64)
    assert Kind.VOTED not in desk.kinds(action)
    seen = question.digest
    done = vote(desk.app.engine, question.id, LEAD, Choice.APPROVE, verified=True, seen=seen)
    assert done.state is ApprovalState.APPROVED


@pytest.mark.parametrize("choice", [Choice.EDIT, Choice.ANSWER])
def test_a_vote_is_yes_or_no(one_desk: Desk, choice: Choice) -> None:
    action = held(one_desk)
    with pytest.raises(BadArguments, match="approve or reject"):
        one_desk.vote(action, LEAD, choice)
    assert one_desk.vote(action).state is ApprovalState.APPROVED


def test_a_held_action_is_taken_back_and_its_question_closed(desk: Desk) -> None:
    action = held(desk)
    assert cancel(desk.app.engine, action, "support", "not wanted").state is State.CANCELLED
    assert desk.question(action).state is ApprovalState.CANCELLED
    assert desk.kinds(action)[-1] is Kind.CANCELLED
    with pytest.raises(Conflict, match="cancelled already"):
        desk.vote(action)
    with pytest.raises(Denied, match="was cancelled: by support: not wanted"):
        desk.rail.resume(action)


def test_an_approved_action_is_taken_back_before_it_runs_and_not_after(desk: Desk) -> None:
    action, other = held(desk), held(desk, order="o-2")
    desk.vote(action)
    desk.vote(other)
    assert cancel(desk.app.engine, action, HEAD, "").state is State.CANCELLED
    with pytest.raises(Denied, match="was cancelled"):
        desk.rail.resume(action)
    assert desk.rail.resume(other) == ["o-2", 150.0, ""]
    for one in (action, other):
        with pytest.raises(Conflict, match="can't be cancelled any more"):
            cancel(desk.app.engine, one, HEAD, "late")
    with pytest.raises(NotFound):
        cancel(desk.app.engine, "nothing", HEAD, "late")
    with pytest.raises(BadArguments):
        cancel(desk.app.engine, other, "", "late")


def test_several_questions_are_answered_each_by_itself(desk: Desk) -> None:
    one, two, legal = held(desk), held(desk, order="o-2"), held(desk, reason="legal", order="o-3")
    ids = {action: desk.question(action).id for action in (one, two, legal)}
    digest = desk.action(one).digest
    items = [(ids[one], digest), (ids[two], "0" * 64), ("nothing", None), (ids[legal], None)]
    told = dict(vote_many(desk.app.engine, items, LEAD, Choice.APPROVE, "fine", verified=False))
    first = told[ids[one]]
    assert isinstance(first, Approval)
    assert first.state is ApprovalState.APPROVED
    assert isinstance(told[ids[two]], Conflict)
    assert isinstance(told["nothing"], NotFound)
    last = told[ids[legal]]
    assert isinstance(last, Approval)
    assert last.state is ApprovalState.OPEN
    assert [desk.action(each).state for each in (one, two, legal)] == [
        State.APPROVED,
        State.HELD,
        State.HELD,
    ]


def test_an_agent_is_told_what_its_policy_says_for_each_end(open_desk: Open) -> None:
    desk = open_desk("memory:", TOLD)
    rejected, answered, expired, cancelled = (held(desk, order=f"o-{number}") for number in range(4))
    desk.vote(rejected, LEAD, Choice.REJECT, "no")
    answer(desk.app.engine, desk.question(answered).id, LEAD, "Wait", verified=False)
    cancel(desk.app.engine, cancelled, SECOND, "no")
    for _ in range(2):
        desk.sql("update seats set expires_at = 1")
        expire(desk.app.engine)
    told = {
        rejected: "rejected by a person: no. Hand the ticket to a person.",
        answered: "was not run: a person answered: Wait. Obey.",
        expired: "in time: nobody of heads answered in time. Say that we are late.",
        cancelled: "was cancelled: by second@example.com: no. Never mind.",
    }
    for action, sentence in told.items():
        with pytest.raises(Denied) as raised:
            desk.rail.resume(action)
        assert str(raised.value).endswith(sentence)
    with pytest.raises(Denied, match=r"Leave it\.$"):
        refund(desk, 5000)


def test_an_agent_without_words_of_its_own_is_told_the_usual(open_desk: Open) -> None:
    desk = open_desk("memory:")
    action = held(desk)
    desk.vote(action, LEAD, Choice.REJECT, "no")
    with pytest.raises(Denied, match="Do not try the same call again; hand the task to a person"):
        desk.rail.resume(action)
    with pytest.raises(handrail.Denied, match="choose another way"):
        refund(desk, 5000)
    with pytest.raises(Held):
        refund(desk, 200)
