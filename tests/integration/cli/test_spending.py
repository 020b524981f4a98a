"""Steering what agents spend and how long they go on: budgets, and sessions that are held."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import handrail
from tests.integration.cli.conftest import Run
from tests.integration.cli.shop import Shop
from tests.integration.cli.terminal import Terminal, piped

Documents = Callable[..., list[Any]]
WORD = ("--reason", "because", "--as", "ann")


def test_a_session_is_held_without_a_terminal_and_released_on_one(
    shop: Shop, run: Run, documents: Documents
) -> None:
    with shop.desk() as desk:
        assert desk.refund(1.0) == "refunded 1.0 for o-17"
    (session,) = documents("sessions", "list")
    assert piped(shop.folder, "sessions", "hold", session["id"], *WORD).returncode == 0
    (held,) = documents("sessions", "list", "--held")
    assert (held["id"], held["held_reason"]) == (session["id"], "because")
    assert not documents("sessions", "list", "--held", "--agent", "nobody")
    assert "held: because" in run("sessions", "list").output
    assert piped(shop.folder, "sessions", "release", session["id"], *WORD, typed="yes\n").returncode == 1
    with Terminal(shop.folder, "sessions", "release", session["id"], *WORD) as terminal:
        assert terminal.answer("no") == 1
    assert documents("sessions", "list", "--held")
    with Terminal(shop.folder, "sessions", "release", session["id"], *WORD) as terminal:
        assert terminal.answer("yes") == 0
    assert not documents("sessions", "list", "--held")


def test_a_budget_is_topped_up_on_a_terminal_and_frozen_without_one(
    shop: Shop, run: Run, documents: Documents
) -> None:
    with shop.desk() as desk:
        assert desk.refund(1.0) == "refunded 1.0 for o-17"
        (many,) = documents("budget", "list")
        assert (many["budget"], many["used"], many["limit"], many["left"]) == ("many", 1, 50, 49)
        assert piped(shop.folder, "budget", "top-up", "many", "5", *WORD, typed="yes\n").returncode == 1
        with Terminal(shop.folder, "budget", "top-up", "many", "5", *WORD) as terminal:
            assert terminal.answer("yes") == 0
        with Terminal(shop.folder, "budget", "raise", "many", "7", "--until", "3 days", *WORD) as terminal:
            assert terminal.answer("yes") == 0
        (many,) = documents("budget", "list", "many")
        assert (many["raised"], many["left"]) == (12, 61)
        first, second = documents("budget", "raises")
        assert {first["quantity"], second["quantity"]} == {5, 7}
        assert piped(shop.folder, "budget", "end", first["id"], *WORD).returncode == 0
        assert len(documents("budget", "raises")) == 1
        assert piped(shop.folder, "budget", "freeze", "many", *WORD).returncode == 0
        assert isinstance(desk.refund(2.0), handrail.Denied)
        assert "frozen by ann: because" in run("budget", "list").output
        with Terminal(shop.folder, "budget", "thaw", "many", *WORD) as terminal:
            assert terminal.answer("yes") == 0
        assert desk.refund(3.0) == "refunded 3.0 for o-17"


def test_whoever_gives_room_is_asked_for_which_budget_and_no_leaves_it(
    shop: Shop, documents: Documents
) -> None:
    with shop.desk():
        pass
    command = ("budget", "top-up", "many", "5", *WORD)
    with Terminal(shop.folder, *command) as terminal:
        assert terminal.answer("no") == 1
        assert "5 actions more for many in this window" in terminal.seen
        assert "Nothing was changed." in terminal.seen
    with Terminal(shop.folder, *command, "--scope", "c-1") as terminal:
        assert terminal.code() != 0
        assert "counts everything together" in " ".join(terminal.seen.split())
    assert documents("budget", "raises") == []


def test_freezing_what_the_policy_does_not_name_is_done_and_said(shop: Shop) -> None:
    with shop.desk() as desk:
        frozen = piped(shop.folder, "budget", "freeze", "mny", *WORD)
        assert (frozen.returncode, "no budget 'mny'" in frozen.stderr) == (0, True)
        assert desk.refund(1.0) == "refunded 1.0 for o-17"
        frozen = piped(shop.folder, "budget", "freeze", "many", *WORD)
        assert (frozen.returncode, frozen.stderr) == (0, "")
        assert isinstance(desk.refund(2.0), handrail.Denied)


def test_what_is_no_quantity_or_no_budget_is_said(shop: Shop) -> None:
    with shop.desk():
        pass
    for named, quantity, told in (
        ("many", "1.5", "expected a whole number of actions"),
        ("many", "much", "expected a whole number of actions"),
        ("few", "1", "the policy has no budget 'few'; it has many"),
    ):
        with Terminal(shop.folder, "budget", "top-up", named, quantity, *WORD) as terminal:
            assert terminal.code() != 0
            assert told in " ".join(terminal.seen.split())


def test_what_nobody_knows_is_listed_as_presumed_spent(shop: Shop, run: Run, documents: Documents) -> None:
    with shop.desk() as desk:
        assert "Nothing is presumed spent" in run("budget", "presumed").output
        assert desk.refund(1.0) == "refunded 1.0 for o-17"
    with closing(sqlite3.connect(shop.folder / "handrail.db")) as database, database:
        database.execute("update holds set state = 'presumed'")
    (presumed,) = documents("budget", "presumed")
    assert (presumed["budget"], presumed["quantity"], presumed["unit"]) == ("many", 1, "actions")
    assert "1 action" in run("budget", "presumed").output
    assert "Only the newest 1 are listed" in run("budget", "presumed", "--limit", "1").stderr
    assert run("budget", "presumed", "--limit", "2").stderr == ""
    for form in ((), ("--csv",), ("--json",)):
        assert "Only the 1 largest sums are listed" in run("costs", "--limit", "1", *form).stderr
        assert run("costs", "--limit", "2", *form).stderr == ""
