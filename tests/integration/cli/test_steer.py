"""Steering: halts, rungs, policy versions, manual runs and a person's word on what nobody knows."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

import handrail
from handrail.words.lifecycle import State
from tests.integration.cli.conftest import Run
from tests.integration.cli.shop import POLICY, Shop
from tests.integration.cli.terminal import QUESTION, Terminal, piped

Documents = Callable[..., list[Any]]
Document = Callable[..., Any]
WORD = ("--reason", "because", "--as", "ann")


def test_a_halt_stops_what_it_covers_and_a_lift_frees_it(shop: Shop, run: Run, documents: Documents) -> None:
    with shop.desk() as desk:
        assert desk.refund(1.0) == "refunded 1.0 for o-17"
        assert run("halt", "--tool", "issue_refund", *WORD).exit_code == 0
        assert isinstance(desk.refund(2.0), handrail.Denied)
        (halted,) = documents("halts", "list")
        assert halted["scope"] == "tool issue_refund"
        with Terminal(shop.folder, "lift", halted["id"][-8:], *WORD) as terminal:
            assert terminal.answer("yes") == 0
        assert desk.refund(3.0) == "refunded 3.0 for o-17"
    assert not documents("halts", "list")


def test_a_halt_needs_no_terminal_and_works_inside_a_session_but_a_lift_does_not(
    shop: Shop, documents: Documents
) -> None:
    with shop.desk():
        pass
    inside = {"HANDRAIL_SESSION": "s-1"}
    assert piped(shop.folder, "halt", *WORD, extra=inside).returncode == 0
    (halted,) = documents("halts", "list")
    assert halted["scope"] == "everything"
    assert piped(shop.folder, "lift", halted["id"], *WORD, typed="yes\n").returncode == 1
    with Terminal(shop.folder, "lift", halted["id"], *WORD, extra=inside) as terminal:
        assert terminal.code() == 1
    assert len(documents("halts", "list")) == 1


def test_a_lift_that_is_not_confirmed_keeps_the_halt(shop: Shop, run: Run, documents: Documents) -> None:
    with shop.desk():
        pass
    run("halt", *WORD)
    (halted,) = documents("halts", "list")
    with Terminal(shop.folder, "lift", halted["id"], *WORD) as terminal:
        assert terminal.answer("no") == 1
    assert len(documents("halts", "list")) == 1


def test_a_lift_names_the_other_halts_that_still_stop_what_it_covered(
    shop: Shop, run: Run, documents: Documents
) -> None:
    with shop.desk():
        pass
    for scope in ((), ("--tool", "issue_refund"), ("--agent", "support", "--tool", "find_customer")):
        run("halt", *scope, *WORD)
    by_scope = {each["scope"]: each["id"] for each in documents("halts", "list")}
    with Terminal(shop.folder, "lift", by_scope["everything"], *WORD) as terminal:
        assert terminal.answer("yes") == 0
        assert "may run again" not in terminal.seen
        assert "tool issue_refund (halt " in terminal.seen
        assert "find_customer for support (halt " in terminal.seen
    with Terminal(shop.folder, "lift", by_scope["tool issue_refund"], *WORD) as terminal:
        assert terminal.answer("yes") == 0
        assert "tool issue_refund may run again" in terminal.seen


def test_a_halt_of_a_name_that_the_policy_does_not_know_warns(shop: Shop, run: Run) -> None:
    with shop.desk():
        pass
    mistyped, right = run("halt", "--agent", "suport", *WORD), run("halt", "--agent", "support", *WORD)
    assert mistyped.exit_code == right.exit_code == 0
    assert "did you mean 'support'?" in mistyped.stderr
    assert not right.stderr


def test_a_halt_works_when_the_active_policy_can_not_be_read(shop: Shop, run: Run) -> None:
    with shop.desk():
        pass
    with closing(sqlite3.connect(shop.database)) as base, base:
        base.execute('update policies set files = \'{"handrail.yaml": "handrail: 99"}\'')
    base.close()
    assert run("grants").exit_code == 1
    result = run("halt", *WORD)
    assert result.exit_code == 0
    assert "the halt is in force all the same" in result.stderr


def test_a_halt_lists_what_still_runs_and_wait_returns_when_it_is_over(shop: Shop, run: Run) -> None:
    begun, finish = threading.Event(), threading.Event()
    with shop.desk() as desk:

        @desk.rail.tool
        def find_order(order_id: str) -> str:
            begun.set()
            finish.wait(20)
            return order_id

        def work() -> None:
            with desk.rail.session("support", "t"):
                find_order("o-1")

        def release_once_halted() -> None:
            while not desk.engine.store.read(lambda tx: tx.restrictions.read()).halts:
                finish.wait(0.01)
            finish.set()

        threads = [threading.Thread(target=work), threading.Thread(target=release_once_halted)]
        threads[0].start()
        assert begun.wait(120)
        threads[1].start()
        result = run("halt", "--agent", "support", "--wait", *WORD)
        for thread in threads:
            thread.join()
        assert "find_order" in result.stdout
        assert "Nothing that it covers runs any more." in result.stdout
        assert [each.state for each in _actions(desk.engine)] == [State.DONE]


def test_a_wait_that_is_over_says_what_still_runs_and_fails(shop: Shop, run: Run, document: Document) -> None:
    begun, finish = threading.Event(), threading.Event()
    with shop.desk() as desk:

        @desk.rail.tool
        def find_order(order_id: str) -> str:
            begun.set()
            finish.wait(20)
            return order_id

        def work() -> None:
            with desk.rail.session("support", "t"):
                find_order("o-1")

        thread = threading.Thread(target=work)
        thread.start()
        assert begun.wait(120)
        result = run("halt", "--agent", "support", "--wait", "--at-most", "0.1", *WORD)
        assert result.exit_code == 1
        assert "this still runs; the halt stays in force" in result.stdout
        assert result.stdout.count("find_order") == 2
        told = document("halt", "--tool", "find_order", "--wait", "--at-most", "0", *WORD)
        assert [each["tool"] for each in told["still_running"]] == ["find_order"]
        finish.set()
        thread.join()
        over = run("halt", "--agent", "support", "--wait", "--at-most", "20", *WORD)
        assert over.exit_code == 0
        assert "Nothing that it covers runs any more." in over.stdout


def test_a_promotion_asks_and_is_marked_as_an_override(
    shop: Shop, document: Document, documents: Documents
) -> None:
    with shop.desk() as desk:
        assert isinstance(desk.mail("a@example.com"), handrail.Shadowed)
        with Terminal(shop.folder, "promote", "support", "send_mail", "bounded", *WORD) as terminal:
            shown = terminal.until(QUESTION)
            terminal.type("yes")
            assert terminal.code() == 0
        assert "shadow: on trial" in shown
        assert "bounded: runs alone unless a rule asks" in shown
        assert desk.mail("b@example.com") == "sent to b@example.com"
    moved = next(each for each in documents("grants") if each["tool"] == "send_mail")
    assert (moved["rung"], moved["override"], moved["by"]) == ("bounded", True, "ann")


def test_a_promotion_is_refused_by_pipe_above_the_ceiling_and_downwards(
    shop: Shop, documents: Documents
) -> None:
    with shop.desk():
        pass
    before = documents("grants")
    up = ("promote", "support", "send_mail", "bounded", *WORD)
    assert piped(shop.folder, *up, typed="yes\n").returncode == 1
    for wrong in (("send_mail", "autonomous"), ("issue_refund", "suggest"), ("unknown", "bounded")):
        with Terminal(shop.folder, "promote", "support", *wrong, *WORD) as terminal:
            if wrong[1] == "autonomous":
                terminal.until(QUESTION)
                terminal.type("yes")
            assert terminal.code() == 1, wrong
    assert documents("grants") == before


def test_a_demotion_needs_no_terminal_and_never_goes_up(shop: Shop, run: Run) -> None:
    with shop.desk() as desk:
        assert run("demote", "support", "issue_refund", "shadow", *WORD).exit_code == 0
        assert isinstance(desk.refund(1.0), handrail.Shadowed)
    assert run("demote", "support", "issue_refund", "bounded", *WORD).exit_code == 1
    assert run("demote", "support", "issue_refund", "low", *WORD).exit_code == 2
    assert run("demote", "support", "issue_refund", "shadow").exit_code == 2


def test_a_changed_policy_counts_only_once_it_is_activated(shop: Shop) -> None:
    with shop.desk():
        pass
    (shop.folder / "handrail.yaml").write_text(
        POLICY.replace("amount > 100", "amount > 10"), encoding="utf-8"
    )
    with shop.desk() as desk:
        assert desk.refund(50.0) == "refunded 50.0 for o-17"
        with Terminal(shop.folder, "policy", "activate", "--as", "ann") as terminal:
            terminal.until(QUESTION)
            terminal.type("no")
            assert terminal.code() == 1
        assert desk.refund(51.0) == "refunded 51.0 for o-17"
        with Terminal(shop.folder, "policy", "activate", "--as", "ann", columns=200) as terminal:
            shown = terminal.until(QUESTION)
            terminal.type("yes")
            assert terminal.code() == 0
        assert '-  - {id: big, tools: issue_refund, when: "amount > 100"' in shown
        assert '+  - {id: big, tools: issue_refund, when: "amount > 10"' in shown
        assert "rules: big changed" in shown
        assert isinstance(desk.refund(52.0), handrail.Held)


def test_an_activation_is_refused_by_pipe_and_for_a_policy_that_can_not_run(
    shop: Shop, documents: Documents
) -> None:
    with shop.desk():
        pass
    policy = shop.folder / "handrail.yaml"
    policy.write_text(POLICY.replace("amount > 100", "amount > 10"), encoding="utf-8")
    assert piped(shop.folder, "policy", "activate", typed="yes\n").returncode == 1
    policy.write_text(POLICY.replace("amount > 100", "amuont > 100"), encoding="utf-8")
    with Terminal(shop.folder, "policy", "activate") as terminal:
        assert terminal.code() == 1
    assert len(documents("policy", "list")) == 1


def test_an_activation_makes_the_store_where_there_is_none_and_changes_nothing_twice(
    shop: Shop, documents: Documents
) -> None:
    with Terminal(shop.folder, "policy", "activate", "--as", "ann") as terminal:
        assert terminal.answer("yes") == 0
    with Terminal(shop.folder, "policy", "activate", "--as", "ann") as terminal:
        assert terminal.code() == 0
    assert "active already" in terminal.seen
    assert [each["by"] for each in documents("policy", "list")] == ["ann"]


RUN = ("run", "issue_refund", "--app", "desk:rail", "--as", "ann", "--task", "ticket-5")


def test_a_person_runs_a_tool_by_hand_while_its_agent_is_halted(
    shop: Shop, run: Run, documents: Documents
) -> None:
    with shop.desk():
        pass
    assert run("halt", *WORD).exit_code == 0
    with Terminal(
        shop.folder, *RUN, "--args", '{"order_id": "o-1", "amount": 5000.50}', process=True
    ) as terminal:
        asked = terminal.until(QUESTION)
        terminal.type("yes")
        assert terminal.code() == 0
    assert '"amount": 5000.50' in asked
    assert '"refunded 5000.5"' in terminal.seen
    assert (shop.folder / "refunds.txt").read_text() == "o-1 5000.5\n"
    (action,) = documents("log", "export")
    assert (action["by_hand"], action["agent"], action["decided_by"]) == ("ann", "ann", ["ann"])
    assert (action["decision"], action["task"]) == ("approved", "ticket-5")


def test_a_manual_run_is_refused_without_a_yes_a_terminal_or_right_arguments(shop: Shop) -> None:
    good = ("--args", '{"order_id": "o-1", "amount": 5}')
    assert piped(shop.folder, *RUN, *good, typed="yes\n").returncode == 1
    with Terminal(shop.folder, *RUN, *good, extra={"HANDRAIL_SESSION": "s"}) as terminal:
        assert terminal.code() == 1
    with Terminal(shop.folder, *RUN, *good) as terminal:
        assert terminal.answer("n") == 1
    for wrong in (
        '{"order_id": "o-1"}',
        '{"order_id": 1, "amount": 5}',
        '{"amount": 1, "amount": 2}',
        "[]",
        "{",
    ):
        with Terminal(shop.folder, *RUN, "--args", wrong) as terminal:
            terminal_code = _answer_if_asked(terminal)
        assert terminal_code == 1, wrong
        assert "Traceback" not in terminal.seen
    assert not (shop.folder / "refunds.txt").exists()


def test_async_tools_run_too_and_failures_say_whether_something_was_done(shop: Shop) -> None:
    def by_hand(tool: str, args: str) -> tuple[int, str]:
        with Terminal(
            shop.folder, "run", tool, "--app", "desk:rail", "--args", args, "--as", "ann"
        ) as terminal:
            return terminal.answer("yes"), terminal.seen

    code, seen = by_hand("find_order", '{"order_id": "o-9"}')
    assert code == 0
    assert '"total": 12.5' in seen
    code, seen = by_hand("send_mail", '{"to": "x"}')
    assert code == 1
    assert "did nothing: the mail server is away" in seen
    code, seen = by_hand("close_account", '{"customer": "x"}')
    assert code == 1
    assert "Whether it took effect is not known" in seen


def test_a_manual_run_of_what_is_not_there_is_not_found(shop: Shop) -> None:
    for spec, tool in (
        ("desk:rail", "isue_refund"),
        ("desk:rale", "issue_refund"),
        ("dekk:rail", "issue_refund"),
    ):
        with Terminal(shop.folder, "run", tool, "--app", spec) as terminal:
            assert terminal.code() == 3, spec
    with Terminal(shop.folder, "run", "issue_refund", "--app", "desk") as terminal:
        assert terminal.code() == 1


def test_a_person_settles_what_nobody_knows(shop: Shop, document: Document) -> None:
    with shop.desk() as desk:
        action = _lost(desk.engine, desk)
        with Terminal(shop.folder, "actions", "settle", action, "done", *WORD) as terminal:
            assert terminal.answer("no") == 1
        assert desk.rail.action(action).state is State.UNKNOWN
        assert piped(shop.folder, "actions", "settle", action, "done", *WORD, typed="yes\n").returncode == 1
        with Terminal(shop.folder, "actions", "settle", action[-8:], "done", *WORD) as terminal:
            assert terminal.answer("yes") == 0
        assert desk.rail.action(action).state is State.DONE
    assert document("actions", "show", action)["settled"]["person"] == "ann"
    with Terminal(shop.folder, "actions", "settle", action, "failed", *WORD) as terminal:
        assert _answer_if_asked(terminal) == 3


def test_a_person_who_knows_that_nothing_was_done_gives_the_money_back(
    shop: Shop, document: Document
) -> None:
    """What is said to be done can't have done nothing."""
    with shop.desk() as desk:
        action = _lost(desk.engine, desk)
        for state, code in (("done", 1), ("failed", 0)):
            settling = "actions", "settle", action, state, "--nothing-done", *WORD
            with Terminal(shop.folder, *settling) as terminal:
                assert terminal.answer("yes") == code
        assert desk.rail.action(action).state is State.FAILED
        told = desk.engine.store.read(lambda tx: tx.journal.of(action))[-1].entry
    assert b'"nothing_done":true' in told.body


def _answer_if_asked(terminal: Terminal) -> int:
    """Say yes if there is a question; the exit code."""
    try:
        terminal.until(QUESTION)
    except AssertionError:
        return terminal.code()
    terminal.type("yes")
    return terminal.code()


def _actions(engine: Any) -> list[handrail.Action]:
    from handrail.words.query import ActionFilter

    return list(engine.store.read(lambda tx: tx.actions.listing(ActionFilter())))


def _lost(engine: Any, desk: Any) -> str:
    """An action whose process was lost while it ran: its lease is long over."""
    from handrail.engine.jobs import reap

    desk.refund(7.0)
    (action,) = _actions(engine)
    base = sqlite3.connect(engine.store.path)
    with base:
        base.execute("update actions set state = 'running', lease_until = 1, finished_at = null")
    base.close()
    assert reap(engine) == 1
    return action.id


def test_a_tool_that_the_application_has_not_is_told_with_those_that_it_has(shop: Shop) -> None:
    with shop.desk():
        pass
    with Terminal(
        shop.folder, "run", "isue_refund", "--app", "desk:rail", "--as", "ann", columns=300
    ) as terminal:
        assert terminal.code() == 3
        assert "no tool 'isue_refund'; it has " in terminal.seen
        assert "; did you mean 'issue_refund'?" in terminal.seen
