"""Edits: a new action takes the place of the old one, whose answers do not count, and is judged afresh."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

import handrail
from handrail.engine.context import About, said
from handrail.engine.questions.edits import edit
from handrail.words.action import Action
from handrail.words.approval import ApprovalState
from handrail.words.entry import Kind
from handrail.words.errors import BadArguments, Conflict, Held, Refused
from handrail.words.lifecycle import State
from tests.integration.engine.asking import held, refund
from tests.integration.engine.conftest import Open
from tests.support.rail import HEAD, LEAD, POLICY, SECOND, Desk

SMALL = {"order": "o-1", "amount": 20}
BIG = {"order": "o-1", "amount": 500}


def edited(
    desk: Desk, action: str, args: Mapping[str, object], person: str = LEAD, seen: str | None = None
) -> Action:
    """Edit a held action as a person at a terminal does."""
    question = desk.question(action).id
    return edit(desk.app.engine, question, person, args, "as agreed", verified=False, seen=seen)


def test_what_would_run_alone_after_the_edit_may_be_run_and_runs_as_edited(desk: Desk) -> None:
    old = held(desk)
    new = edited(desk, old, SMALL)
    assert (new.state, new.supersedes, new.edited_by) == (State.APPROVED, old, LEAD)
    assert new.expires_at is not None
    assert desk.action(old).state is State.SUPERSEDED
    assert desk.action(old).superseded_by == new.id
    assert desk.question(old).state is ApprovalState.SUPERSEDED
    assert desk.rail.resume(old) == ["o-1", 20.0, ""]
    assert desk.action(new.id).state is State.DONE
    assert desk.kinds(old)[-2:] == [Kind.VOTED, Kind.EDITED]
    assert desk.kinds(new.id)[:3] == [Kind.PROPOSED, Kind.DECIDED, Kind.APPROVED]
    assert desk.body(old, Kind.EDITED)["superseded_by"] == new.id
    assert desk.verified().ok


def test_what_is_still_asked_after_the_edit_has_the_editors_yes_and_runs(desk: Desk) -> None:
    old = held(desk)
    new = edited(desk, old, BIG)
    assert new.state is State.APPROVED
    assert {ask.step for ask in new.approved} == {"ask:big"}
    assert desk.rail.resume(old) == ["o-1", 500.0, ""]


def test_others_who_are_asked_still_have_to_answer_an_edit(desk: Desk) -> None:
    old = held(desk)
    new = edited(desk, old, {**BIG, "reason": "legal"})
    assert new.state is State.HELD
    assert {seat.audience for seat in desk.question(new.id).seats} == {"leads", "heads"}
    with pytest.raises(Held, match="as a person changed it"):
        desk.rail.resume(old)
    assert desk.vote(new.id, HEAD).state is ApprovalState.APPROVED


def test_an_edit_that_a_rule_forbids_is_refused_and_changes_nothing(desk: Desk) -> None:
    old = held(desk)
    with pytest.raises(Refused, match="Nobody refunds that much"):
        edited(desk, old, {**BIG, "amount": 5000})
    assert desk.action(old).state is State.HELD
    assert desk.question(old).state is ApprovalState.OPEN
    assert len(desk.actions()) == 1
    assert Kind.VOTED not in desk.kinds(old)
    assert edited(desk, old, BIG).state is State.APPROVED


@pytest.mark.parametrize("args", [{"order": "o-1"}, {**SMALL, "amount": "much"}, {**SMALL, "more": 1}])
def test_arguments_that_the_tool_does_not_take_are_refused(
    one_desk: Desk, args: Mapping[str, object]
) -> None:
    old = held(one_desk)
    with pytest.raises(BadArguments, match="does not take these arguments"):
        edited(one_desk, old, args)
    assert one_desk.action(old).state is State.HELD


def test_an_edit_that_changes_nothing_is_refused(one_desk: Desk) -> None:
    old = held(one_desk)
    with pytest.raises(Conflict, match="approve it, or change something"):
        edited(one_desk, old, {"order": "o-1", "amount": 150})


def test_a_stranger_may_not_edit_and_learns_nothing(one_desk: Desk) -> None:
    old = held(one_desk)
    for person in ("stranger@example.com", "support", " "):
        with pytest.raises(Refused):
            edited(one_desk, old, {**BIG, "amount": 5000}, person)


def test_an_edit_of_something_else_than_was_seen_is_a_conflict(one_desk: Desk) -> None:
    old = held(one_desk)
    with pytest.raises(Conflict, match="what you saw"):
        edited(one_desk, old, SMALL, seen="0" * 64)
    assert edited(one_desk, old, SMALL, seen=one_desk.action(old).digest).state is State.APPROVED


def test_an_answered_question_can_not_be_edited(one_desk: Desk) -> None:
    old = held(one_desk)
    one_desk.vote(old)
    with pytest.raises(Conflict, match="approved already"):
        edited(one_desk, old, SMALL)
    new = held(one_desk, order="o-2")
    question = one_desk.question(new).id
    edited(one_desk, new, SMALL)
    with pytest.raises(Conflict, match="superseded already"):
        edit(one_desk.app.engine, question, SECOND, SMALL, "me too", verified=False)


def test_answers_to_what_was_edited_do_not_count_for_what_it_became(desk: Desk) -> None:
    old = held(desk, reason="pairs")
    desk.vote(old, SECOND)
    new = edited(desk, old, {**BIG, "reason": "pairs"})
    assert new.state is State.HELD
    assert desk.vote(new.id, SECOND).state is ApprovalState.APPROVED


def test_where_edits_need_another_the_editor_can_not_be_the_only_one(store_url: str, open_desk: Open) -> None:
    need_another = POLICY.replace("need: 1, answer_within: 4 h", "need: 1, edits_need_another: true")
    desk = open_desk(store_url, need_another)
    new = edited(desk, held(desk), BIG)
    assert new.state is State.HELD
    assert desk.vote(new.id, SECOND).state is ApprovalState.APPROVED


def test_the_key_of_a_call_leads_to_what_people_made_of_it(desk: Desk) -> None:
    with said(About(key="k-1")):
        old = held(desk)
        new = edited(desk, old, {**BIG, "reason": "legal"})
        with pytest.raises(Held, match="as a person changed it") as again:
            refund(desk)
        assert again.value.action_id == new.id
        desk.vote(new.id, HEAD)
        assert refund(desk) == ["o-1", 500.0, "legal"]
        assert refund(desk) == ["o-1", 500.0, "legal"]
        with pytest.raises(handrail.Denied, match="used for another call"):
            refund(desk, 7)
    assert len(desk.actions(State.DONE)) == 1


def test_an_edit_can_be_edited_and_the_first_action_leads_to_the_last(desk: Desk) -> None:
    old = held(desk)
    middle = edited(desk, old, {**BIG, "reason": "legal"})
    last = edited(desk, middle.id, {"order": "o-1", "amount": 30}, HEAD)
    assert last.supersedes == middle.id
    assert desk.rail.resume(old) == ["o-1", 30.0, ""]


def test_the_same_call_without_a_key_is_asked_anew_after_an_edit(one_desk: Desk) -> None:
    """What a person replaced is not run unreviewed: it is a new question."""
    old = held(one_desk)
    edited(one_desk, old, SMALL)
    assert held(one_desk) not in {old, one_desk.action(old).superseded_by}


def test_a_process_without_the_tool_can_not_edit(tmp_path: object, open_desk: Open) -> None:
    url = f"sqlite:///{tmp_path}/handrail.db"
    one, other = open_desk(url), open_desk(url)
    old = held(one)
    with pytest.raises(Refused, match="does not know the tool refund"):
        edited(other, old, SMALL)
    assert edited(one, old, SMALL).state is State.APPROVED


def test_a_tool_that_went_back_on_trial_can_not_be_edited_into_a_trial(one_desk: Desk) -> None:
    old = held(one_desk)
    one_desk.activate(POLICY.replace("starts: bounded, at_most: bounded}\n  find", "starts: shadow}\n  find"))
    with pytest.raises(Refused, match="on trial"):
        edited(one_desk, old, SMALL)
    one_desk.activate(POLICY)
    assert edited(one_desk, old, SMALL).state is State.APPROVED
