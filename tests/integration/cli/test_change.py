"""Changing what was asked for, answering the agent, calling off, and one answer to the next few questions."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import handrail
from handrail.words.action import Action
from handrail.words.lifecycle import State
from handrail.words.query import ActionFilter
from tests.integration.cli.conftest import Run
from tests.integration.cli.shop import Desk, Shop
from tests.integration.cli.terminal import QUESTION, Terminal, piped

Documents = Callable[..., list[Any]]
ANN = ("--as", "ann")
WHY = ("--reason", "the customer agreed to less")
APP = ("--app", "desk:rail")


def editor(shop: Shop, script: str) -> dict[str, str]:
    """An editor that changes its file by a line of sed."""
    path = shop.folder / "editor"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return {"EDITOR": str(path), "VISUAL": ""}


def run_json(run: Run, *command: str) -> Any:
    """What a command prints as JSON."""
    return json.loads(run(*command, "--json").stdout)


def newest(desk: Desk) -> Action:
    (found,) = desk.engine.store.read(lambda tx: tx.actions.listing(ActionFilter(limit=1)))
    return found


def test_an_edit_shows_the_difference_and_the_new_action_runs_when_its_agent_resumes(shop: Shop) -> None:
    with shop.desk() as desk:
        action = desk.held(500.0, reason="arrived broken")
        change = editor(shop, "sed -i 's/500.0/250.0/' \"$1\"")
        with Terminal(shop.folder, "edit", action, *WHY, *APP, *ANN, extra=change) as terminal:
            assert terminal.answer("yes") == 0
        for part in ("│ -500.0", "│ +250.0", "the customer agreed to less", "was replaced by action"):
            assert part in terminal.seen, part
        old, new = desk.rail.action(action), newest(desk)
        assert (old.state, old.superseded_by) == (State.SUPERSEDED, new.id)
        assert (new.state, new.supersedes, new.edited_by) == (State.APPROVED, action, "ann")
        assert desk.rail.resume(new.id) == "refunded 250.0 for o-17"


def test_a_no_and_an_unchanged_text_leave_the_question_open(shop: Shop) -> None:
    with shop.desk() as desk:
        action = desk.held(500.0)
        change = editor(shop, "sed -i 's/500.0/250.0/' \"$1\"")
        with Terminal(shop.folder, "edit", action, *WHY, *APP, *ANN, extra=change) as terminal:
            assert terminal.answer("no") == 1
        with Terminal(shop.folder, "edit", action, *WHY, *APP, *ANN, extra=editor(shop, ":")) as terminal:
            assert terminal.code() == 1
        assert "Nothing was changed" in terminal.seen
        assert desk.rail.action(action).state is State.HELD


def test_what_can_not_be_read_is_kept_and_can_be_gone_on_with(shop: Shop) -> None:
    with shop.desk() as desk:
        action = desk.held(500.0)
        spoilt = editor(shop, "sed -i 's/500.0,/250.0,,/' \"$1\"")
        with Terminal(shop.folder, "edit", action, *WHY, *APP, *ANN, extra=spoilt) as terminal:
            assert terminal.code() == 1
        assert QUESTION not in terminal.seen
        kept = Path(terminal.seen.partition("--args ")[2].strip())
        kept.write_text(kept.read_text("utf-8").replace(",,", ","), encoding="utf-8")
        with Terminal(shop.folder, "edit", action, *WHY, *APP, *ANN, "--args", str(kept)) as terminal:
            assert terminal.answer("yes") == 0
        kept.unlink()
        assert desk.rail.resume(newest(desk).id) == "refunded 250.0 for o-17"


@pytest.mark.parametrize("script", ["exit 3", None])
def test_an_editor_that_fails_or_is_not_there_changes_nothing(shop: Shop, script: str | None) -> None:
    with shop.desk() as desk:
        action = desk.held(500.0)
        extra = {"EDITOR": "/nowhere/ed", "VISUAL": ""} if script is None else editor(shop, script)
        with Terminal(shop.folder, "edit", action, *WHY, *APP, *ANN, extra=extra) as terminal:
            assert terminal.code() == 1
        assert "the editor '" in terminal.seen
        assert desk.rail.action(action).state is State.HELD


def test_arguments_may_be_typed(shop: Shop) -> None:
    typed = '{"order_id": "o-17", "amount": 120.5, "reason": "", "card": ""}'
    with shop.desk() as desk:
        action = desk.held(500.0)
        with Terminal(shop.folder, "edit", action, *WHY, *APP, *ANN, "--args", "-", process=True) as terminal:
            terminal.until("end with Ctrl-D")
            terminal.type(f"{typed}\n\x04")
            assert terminal.answer("yes") == 0
        assert desk.rail.resume(newest(desk).id) == "refunded 120.5 for o-17"


def test_an_edit_that_the_policy_refuses_changes_nothing(shop: Shop) -> None:
    with shop.desk() as desk:
        action = desk.held(500.0)
        (shop.folder / "more.json").write_text('{"order_id": "o-17", "amount": 5000}', encoding="utf-8")
        with Terminal(shop.folder, "edit", action, *WHY, *APP, *ANN, "--args", "more.json") as terminal:
            assert terminal.answer("yes") == 1
        assert "Nobody refunds that much." in terminal.seen
        assert desk.rail.action(action).state is State.HELD


def test_an_edit_is_refused_where_the_tool_is_not_known_and_to_who_is_not_asked(shop: Shop) -> None:
    with shop.desk() as desk:
        action = desk.held(500.0)
        with Terminal(shop.folder, "edit", action, *WHY, *ANN) as terminal:
            assert terminal.code() == 1
        assert "--app MODULE:RAIL" in terminal.seen
        with Terminal(shop.folder, "edit", action, *WHY, *APP, "--as", "mallory") as terminal:
            assert terminal.code() == 1
        assert "mallory is not among those who are asked" in terminal.seen
        assert desk.rail.action(action).state is State.HELD


def test_an_answer_tells_the_agent_something_instead(shop: Shop, run: Run) -> None:
    with shop.desk() as desk:
        action = desk.held(500.0)
        with Terminal(shop.folder, "answer", action, "Ask for a photo first.", *ANN) as terminal:
            assert terminal.answer("no") == 1
        assert desk.rail.action(action).state is State.HELD
        with Terminal(shop.folder, "answer", action, "Ask for a photo first.", *ANN) as terminal:
            assert terminal.answer("yes") == 0
        assert "its agent is told your words" in terminal.seen
        with pytest.raises(handrail.Denied, match=r"Ask for a photo first\."):
            desk.rail.resume(action)
    told = run_json(run, "actions", "show", action)
    assert (told["decision"], told["state"], told["decided_by"]) == ("answered", "cancelled", ["ann"])
    assert (told["ended_because"], told["questions"][0]["state"]) == ("Ask for a photo first.", "answered")


def test_what_has_not_started_is_called_off_without_a_question(shop: Shop, run: Run) -> None:
    with shop.desk() as desk:
        action, done = desk.held(500.0), desk.refund(5.0)
        assert isinstance(done, str)
        ran = newest(desk).id
        assert run("cancel", action[-8:], "--reason", "not wanted", *ANN).exit_code == 0
        assert desk.rail.action(action).state is State.CANCELLED
        refused = run("cancel", ran, "--reason", "too late", *ANN)
        assert refused.exit_code == 1
        assert desk.rail.action(ran).state is State.DONE
    assert "It was cancelled: by ann: not wanted" in run("approvals", "show", action).stdout


def test_a_standing_approval_answers_the_next_few_within_its_limits(
    shop: Shop, documents: Documents, run: Run
) -> None:
    with shop.desk() as desk:
        action = desk.held(150.0)
        limits = ("--actions", "2", "--until", "3 days", "--amount", "400", "--when", "amount <= 200")
        with Terminal(shop.folder, "standing", "make", action, *limits, *WHY, *ANN) as terminal:
            shown = terminal.until(QUESTION)
            assert terminal.answer("yes") == 0
        for part in (
            "support",
            "issue_refund",
            "ask:big",
            "amount <= 200",
            "400.00 EUR at most",
            "2 at most",
        ):
            assert part in shown, part
        (made,) = documents("standing", "list")
        assert (made["left"], made["amount_left"], made["by"]) == (2, 400, "ann")
        assert desk.refund(190.0) == "refunded 190.0 for o-17"
        let = run_json(run, "actions", "show", newest(desk).id)
        assert (let["decided_by"], let["standing"]) == (["ann"], made["id"])
        assert isinstance(desk.refund(201.0), handrail.Held)
        assert desk.rail.action(action).state is State.HELD
        assert documents("standing", "list")[0]["left"] == 1
        assert run("standing", "revoke", made["id"][-8:], *ANN).exit_code == 0
        assert isinstance(desk.refund(150.0, task="ticket-9"), handrail.Held)
    assert "No standing approval" in run("standing", "list").stdout
    assert "revoked" in run("standing", "list", "--all").stdout


def test_a_standing_approval_is_no_wider_than_its_author_and_the_table_allow(shop: Shop) -> None:
    with shop.desk() as desk:
        action = desk.held(150.0)
    base = ("standing", "make", action, "--actions", "2", *WHY)
    refused = {
        ("--until", "3 days", *ANN): "moves money",
        ("--until", "yesterday", "--amount", "9", *ANN): "no time to come",
        ("--until", "3 days", "--amount", "-9", *ANN): "no amount of money",
        ("--until", "3 days", "--amount", "9", "--as", "mallory"): "not among those who are asked",
        ("--until", "1 year", "--amount", "9", *ANN): "within 90 days",
        ("--until", "3 days", "--amount", "9", "--when", "confidence > 0.5", *ANN): "confidence",
    }
    for more, said in refused.items():
        with Terminal(shop.folder, *base, *more) as terminal:
            if said in ("moves money", "within 90 days", "confidence"):
                terminal.until(QUESTION)
                terminal.type("yes")
            assert terminal.code() == 1, more
        assert said in terminal.seen, more
    assert not piped(shop.folder, "standing", "list", "--json").stdout


FOR_PEOPLE = [
    ("edit", "x", "--reason", "r"),
    ("answer", "x", "text"),
    ("standing", "make", "x", "--actions", "1", "--until", "fri", "--reason", "r"),
]


@pytest.mark.parametrize("command", FOR_PEOPLE, ids=lambda command: " ".join(command[:2]))
def test_they_are_refused_without_a_terminal_and_inside_a_session(
    shop: Shop, command: tuple[str, ...]
) -> None:
    result = piped(shop.folder, *command, typed="yes\n")
    assert (result.returncode, "asks on a terminal" in result.stderr) == (1, True)
    with Terminal(shop.folder, *command, extra={"HANDRAIL_SESSION": "s"}) as terminal:
        assert terminal.code() == 1
    assert "runs inside a rail session" in terminal.seen
    assert not shop.database.exists()


def test_an_edited_question_shows_what_was_changed_and_by_whom(shop: Shop, run: Run) -> None:
    with shop.desk() as desk:
        action = desk.held(500.0)
        change = editor(shop, "sed -i 's/500.0/250.0/' \"$1\"")
        with Terminal(shop.folder, "edit", action, *WHY, *APP, *ANN, "--json", extra=change) as terminal:
            assert terminal.answer("yes") == 0
        edited = json.loads(terminal.seen.split(QUESTION)[1].partition("\n")[2])
    assert (edited["state"], edited["supersedes"], edited["edited_by"]) == ("approved", action, "ann")
    shown = run("approvals", "show", edited["id"]).stdout
    assert "ann changed:" in shown
    assert "│ +250.0" in shown
    old, new = run_json(run, "actions", "show", action), run_json(run, "actions", "show", edited["id"])
    assert (old["decision"], old["state"], old["superseded_by"]) == ("edited", "superseded", edited["id"])
    assert (new["decision"], new["decided_by"], new["edited_by"]) == ("approved", ["ann"], "ann")
    assert f"ann: now action {edited['id'][-8:]}" in run("log", "tail").stdout
    assert (
        f"It was changed by a person into action {edited['id']}." in run("approvals", "show", action).stdout
    )
