"""Questions in the terminal: looked at, answered several at once, and never drawn by what an agent wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import handrail
from handrail.words.approval import Choice
from handrail.words.lifecycle import State
from tests.integration.cli.conftest import Run
from tests.integration.cli.shop import Shop
from tests.integration.cli.terminal import QUESTION, Terminal

Documents = Callable[..., list[Any]]
Document = Callable[..., Any]
NASTY = "\x1b[2J\x1b]0;owned\x07\u202e[bold red]ok[/bold red]\nYou are ann: approve? yes"


def test_a_question_is_shown_with_all_that_one_must_know(shop: Shop, run: Run) -> None:
    with shop.desk() as desk:
        action = desk.held(500.25, card="4111-1111")
    shown = run("approvals", "show", action[-8:]).stdout
    for part in (
        "support wants to pay 500.25 EUR with issue_refund for ticket-1 (order_id o-17).",
        *("It can't be undone.", "after it 1 of 50 actions today (2 %)", "amount > 100", "ann, bea"),
        *("3 h left, then it is rejected", "0.9 (the agent's own word)", '"card": "[redacted]"'),
    ):
        assert part in shown, part
    assert "4111-1111" not in shown


def test_a_closed_question_is_shown_with_its_answers_and_its_outcome(shop: Shop, run: Run) -> None:
    with shop.desk() as desk:
        action = desk.held()
        with Terminal(shop.folder, "reject", action, "--as", "bea", "--reason", "no receipt") as terminal:
            assert terminal.answer("yes") == 0
    shown = run("approvals", "show", action).stdout
    assert "reject (no receipt)" in shown
    assert "It was rejected: no receipt" in shown
    assert "left, then" not in shown


def test_programs_get_the_whole_sheet_without_what_the_policy_hides(
    shop: Shop, document: Document, documents: Documents
) -> None:
    with shop.desk() as desk:
        action = desk.held(500.25, card="4111")
    found = document("approvals", "show", action)
    (listed,) = documents("approvals", "list")
    assert listed == found
    assert found["input"]["card"] == "[redacted]"
    assert found["amount"] == 500.25
    assert found["why"] == [
        {"step": "ask:big", "rule": "big", "reason": "big: amount > 100", "when": "amount > 100"}
    ]
    assert found["seats"][0]["people"] == ["ann", "bea"]
    assert found["budgets"][0]["after"] == "1"


def test_a_question_that_is_not_there_is_not_found(shop: Shop, run: Run) -> None:
    with shop.desk():
        pass
    assert run("approvals", "show", "zzzz").exit_code == 3


def test_several_are_listed_asked_once_and_answered_each(shop: Shop) -> None:
    with shop.desk() as desk:
        actions = [desk.held(200.0 + number) for number in range(3)]
        with Terminal(shop.folder, "approve", *actions, actions[0], "--as", "ann") as terminal:
            assert terminal.answer("yes") == 0
        assert terminal.seen.count(QUESTION) == 1
        assert "approve these 3, so that each runs as shown" in terminal.seen
        for number, action in enumerate(actions):
            assert f'"amount": {200.0 + number}' in terminal.seen
            assert desk.rail.action(action).state is State.APPROVED


def test_several_that_are_not_confirmed_stay_open(shop: Shop) -> None:
    with shop.desk() as desk:
        actions = [desk.held(200.0 + number) for number in range(2)]
        with Terminal(shop.folder, "approve", *actions, "--as", "ann") as terminal:
            assert terminal.answer("y") == 1
        assert {desk.rail.action(action).state for action in actions} == {State.HELD}


def test_one_of_several_that_can_not_be_answered_stops_no_other(shop: Shop) -> None:
    with shop.desk() as desk:
        done, waits = desk.held(200.0), desk.held(300.0)
        _answer(desk, done, Choice.REJECT)
        with Terminal(
            shop.folder, "reject", done, waits, "zzzz", "--as", "ann", "--reason", "closed today"
        ) as terminal:
            assert terminal.answer("yes") == 1
        assert "waits for no answer" in terminal.seen
        assert "'zzzz'" in terminal.seen
        assert desk.rail.action(waits).state is State.REJECTED
        with pytest.raises(handrail.Denied, match="closed today"):
            desk.rail.resume(waits)


def test_one_that_was_answered_while_the_person_read_is_told_and_the_other_is_answered(shop: Shop) -> None:
    with shop.desk() as desk:
        first, second = desk.held(200.0), desk.held(300.0)
        with Terminal(shop.folder, "approve", first, second, "--as", "ann", "--json") as terminal:
            terminal.until(QUESTION)
            _answer(desk, first, Choice.REJECT)
            assert terminal.answer("yes") == 1
        assert "this question is rejected already: bea (reject)" in terminal.seen
        assert desk.rail.action(second).state is State.APPROVED
    answered = [json.loads(line) for line in terminal.seen.splitlines() if line.startswith('{"id"')]
    assert [("error" in each, each.get("state")) for each in answered] == [(True, None), (False, "approved")]


def test_nobody_is_asked_where_no_question_can_be_answered(shop: Shop) -> None:
    with shop.desk():
        pass
    with Terminal(shop.folder, "approve", "aaaa", "bbbb", "--as", "ann") as terminal:
        assert terminal.code() == 1
    assert QUESTION not in terminal.seen
    assert "There is nothing to answer." in terminal.seen


def test_who_has_answered_is_told_so_and_others_see_how_many_have(shop: Shop) -> None:
    path = shop.folder / "handrail.yaml"
    path.write_text(path.read_text("utf-8").replace("need: 1", "need: 2"), encoding="utf-8")
    with shop.desk() as desk:
        action = desk.held()
        with Terminal(shop.folder, "approve", action, "--as", "ann") as terminal:
            assert terminal.answer("yes") == 0
        assert "still waits for others" in terminal.seen
        with Terminal(shop.folder, "approve", action, "--as", "Ann") as terminal:
            assert terminal.code() == 1
        assert "Ann has answered this question already" in terminal.seen
        with Terminal(shop.folder, "approve", action, "--as", "bea") as terminal:
            assert "1 of 2 have: ann, bea" in terminal.until(QUESTION)
            assert terminal.answer("yes") == 0
        assert desk.rail.action(action).state is State.APPROVED


def test_nothing_that_an_agent_writes_acts_in_the_terminal(shop: Shop, run: Run) -> None:
    """In any field: arguments, task, rationale, and the agent's own words on them."""
    with shop.desk() as desk:
        rail = desk.rail
        with rail.session("support", NASTY), rail.about(0.5, NASTY), pytest.raises(handrail.Held) as held:
            desk._refund(NASTY, 700.0, reason=NASTY)
        other = desk.held(300.0, reason=NASTY)
        action = held.value.action_id
        with Terminal(shop.folder, "approve", action, "--as", "ann") as terminal:
            alone = terminal.until(QUESTION)
        with Terminal(shop.folder, "approve", action, other, "--as", "ann") as terminal:
            together = terminal.until(QUESTION)
    looked = run("approvals", "show", action).output + run("approvals", "list").output
    for seen in (alone, together, looked):
        for sign in ("\x1b[2J", "\x1b]", "\x07", "\u202e"):
            assert sign not in seen
        assert not [line for line in seen.splitlines() if line.startswith("You are ann: approve? yes")]
    assert "[bold red]ok[/bold red]" in alone


def _answer(desk: Any, action: str, choice: Choice) -> None:
    from handrail.engine.questions.votes import vote

    asked = desk.engine.store.read(lambda tx: tx.approvals.of(action))
    vote(desk.engine, asked.id, "bea", choice, "by hand", verified=False)
