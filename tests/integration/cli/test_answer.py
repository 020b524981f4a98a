"""Answers on a real terminal: they show exactly what is asked, and no program can answer by a pipe."""

from __future__ import annotations

import json

import pytest

import handrail
from handrail.words.lifecycle import State
from handrail.words.query import ActionFilter
from tests.integration.cli.conftest import Run
from tests.integration.cli.shop import Shop
from tests.integration.cli.terminal import QUESTION, Terminal, piped
from tests.support.rail import lose_policy


def test_a_yes_on_a_terminal_approves_and_the_agent_resumes(shop: Shop) -> None:
    with shop.desk() as desk:
        action = desk.held(500.0)
        with Terminal(shop.folder, "approve", action[-8:], "--as", "ann", process=True) as terminal:
            assert terminal.answer("yes") == 0
        assert "Approved." in terminal.seen
        assert desk.rail.resume(action) == "refunded 500.0 for o-17"


def test_the_question_shows_tool_exact_arguments_reason_people_and_time(shop: Shop) -> None:
    with shop.desk() as desk:
        desk.held(500.25, reason="arrived broken", card="4111")
        with Terminal(shop.folder, "approve", _newest(shop), "--as", "ann") as terminal:
            asked = terminal.until(QUESTION)
    for part in (
        *('"amount": 500.25', '"reason": "arrived broken"', '"card": "4111"', "issue_refund"),
        *("amount > 100", "500.25 EUR", "ann, bea", "3 h left, then it is rejected"),
        *("0.9 (the agent's own word)", "the photo shows damage"),
    ):
        assert part in asked, part


def test_anything_but_yes_leaves_the_question_open(shop: Shop) -> None:
    with shop.desk() as desk:
        action = desk.held()
        for typed in ("y", "", "no", "yes please"):
            with Terminal(shop.folder, "approve", action, "--as", "ann") as terminal:
                assert terminal.answer(typed) == 1, typed
            assert "stays open" in terminal.seen
        assert desk.rail.action(action).state is State.HELD


def test_a_rejection_needs_a_reason_and_the_agent_is_told_it(shop: Shop) -> None:
    with shop.desk() as desk:
        action = desk.held()
        assert piped(shop.folder, "reject", action, "--as", "bea").returncode == 2
        with Terminal(shop.folder, "reject", action, "--as", "bea", "--reason", "no receipt") as terminal:
            assert terminal.answer("yes") == 0
        with pytest.raises(handrail.Denied, match="no receipt"):
            desk.rail.resume(action)


def test_yes_in_a_pipe_is_refused_and_answers_nothing(shop: Shop) -> None:
    with shop.desk() as desk:
        action = desk.held()
        for command in (("approve", action), ("reject", action, "--reason", "x")):
            result = piped(shop.folder, *command, "--as", "ann", typed="yes\n" * 5, process=True)
            assert result.returncode == 1
            assert "asks on a terminal" in result.stderr
        assert desk.rail.action(action).state is State.HELD


def test_a_terminal_inside_a_rail_session_is_refused_too(shop: Shop) -> None:
    with shop.desk() as desk:
        action = desk.held()
        inside = {"HANDRAIL_SESSION": "s-1"}
        with Terminal(shop.folder, "approve", action, "--as", "ann", extra=inside) as terminal:
            assert terminal.code() == 1
        assert "runs inside a rail session" in terminal.seen
        assert desk.rail.action(action).state is State.HELD


def test_who_is_not_asked_can_not_answer_and_is_told_who_can(shop: Shop) -> None:
    with shop.desk() as desk:
        action = desk.held()
        for person in ("mallory", "support"):
            with Terminal(shop.folder, "approve", action, "--as", person) as terminal:
                assert terminal.code() == 1
            assert "ann, bea" in terminal.seen
            assert QUESTION not in terminal.seen
        assert desk.rail.action(action).state is State.HELD


def test_an_answered_question_is_told_not_answered_twice(shop: Shop) -> None:
    with shop.desk() as desk:
        action = desk.held()
        with Terminal(shop.folder, "approve", action, "--as", "ann") as terminal:
            assert terminal.answer("yes") == 0
        with Terminal(shop.folder, "approve", action, "--as", "bea") as terminal:
            assert terminal.code() == 1
        assert "its question is approved" in terminal.seen


def test_with_a_policy_that_can_not_be_read_a_question_is_seen_and_rejected_and_not_approved(
    shop: Shop, run: Run
) -> None:
    with shop.desk() as desk:
        first, second = desk.held(), desk.held(600.0)
        lose_policy(desk.engine.store)
        assert len(run("approvals", "list", "--json").stdout.splitlines()) == 2
        assert run("approvals", "show", first).exit_code == 0
        with Terminal(shop.folder, "approve", first, "--as", "ann") as terminal:
            assert terminal.code() != 0
        for command in (("reject", first, "--reason", "no"), ("answer", second, "Wait for us.")):
            with Terminal(shop.folder, *command, "--as", "ann") as terminal:
                assert terminal.answer("yes") == 0
        assert desk.rail.action(first).state is State.REJECTED
        assert desk.rail.action(second).state is State.CANCELLED


def test_what_an_agent_writes_can_not_draw_on_the_terminal(shop: Shop) -> None:
    with shop.desk() as desk:
        desk.held(900.0, reason="fine\u202e\x1b[2J\x9b31m")
        with Terminal(shop.folder, "approve", _newest(shop), "--as", "ann") as terminal:
            asked = terminal.until(QUESTION)
    assert "\x1b[2J" not in asked
    assert "\x9b" not in asked
    assert "\u202e" not in asked
    assert "fine\\u202e\\u001b[2J\\u009b31m" in asked


def test_the_vote_is_recorded_as_unverified(shop: Shop, run: Run) -> None:
    with shop.desk() as desk:
        action = desk.held()
    with Terminal(shop.folder, "approve", action, "--as", "ann", "--reason", "seen it") as terminal:
        assert terminal.answer("yes") == 0
    shown = json.loads(run("actions", "show", action, "--json").stdout)
    vote = shown["questions"][0]["votes"][0]
    assert (vote["person"], vote["choice"], vote["verified"]) == ("ann", "approve", False)
    assert shown["decided_by"] == ["ann"]
    assert shown["decision"] == "approved"


def test_json_goes_to_stdout_and_the_question_to_the_terminal(shop: Shop) -> None:
    with shop.desk() as desk:
        action = desk.held()
        with Terminal(shop.folder, "approve", action, "--as", "ann", "--json") as terminal:
            assert terminal.answer("yes") == 0
        answered = json.loads(terminal.seen.split(QUESTION)[1].partition("\n")[2])
    assert answered["state"] == "approved"
    assert answered["action"] == action


def test_an_id_that_fits_nothing_and_one_that_fits_several(shop: Shop) -> None:
    with shop.desk() as desk:
        for amount in range(200, 237):
            desk.held(float(amount))
        ends = [
            action.id[-1]
            for action in desk.engine.store.read(lambda tx: tx.actions.listing(ActionFilter(limit=100)))
        ]
        double = next(end for end in ends if ends.count(end) > 1)
    with Terminal(shop.folder, "approve", "zzzz", "--as", "ann") as terminal:
        assert terminal.code() == 3
    with Terminal(shop.folder, "approve", double, "--as", "ann") as terminal:
        assert terminal.code() == 1
    assert "give more digits" in terminal.seen


def _newest(shop: Shop) -> str:
    result = piped(shop.folder, "approvals", "list", "--json")
    found: str = json.loads(result.stdout.splitlines()[-1])["action"]
    return found


FOR_PEOPLE = [
    ("approve", "x"),
    ("reject", "x", "--reason", "r"),
    ("lift", "x", "--reason", "r"),
    ("promote", "support", "send_mail", "bounded", "--reason", "r"),
    ("policy", "activate"),
    ("run", "issue_refund", "--app", "desk:rail"),
    ("actions", "settle", "x", "done", "--reason", "r"),
]


@pytest.mark.parametrize("command", FOR_PEOPLE, ids=lambda command: " ".join(command[:2]))
def test_what_frees_or_acts_is_refused_without_a_terminal_and_inside_a_session(
    shop: Shop, command: tuple[str, ...]
) -> None:
    """Before anything else is looked at: no store is made, nothing is imported."""
    result = piped(shop.folder, *command, typed="yes\n")
    assert (result.returncode, "asks on a terminal" in result.stderr) == (1, True)
    with Terminal(shop.folder, *command, extra={"HANDRAIL_SESSION": "s"}) as terminal:
        assert terminal.code() == 1
    assert "runs inside a rail session" in terminal.seen
    assert not shop.database.exists()
