"""The log on the command line: tail, follow, search and export, on SQLite and on PostgreSQL."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Callable
from typing import Any

import handrail
from handrail.journal.export import FIRST
from tests.integration.cli.conftest import Run
from tests.integration.cli.shop import Shop
from tests.integration.cli.terminal import COMMAND, SECONDS, Terminal, environment

Documents = Callable[..., list[Any]]
WORD = ("--reason", "because", "--as", "ann")


def test_the_newest_entries_are_printed_oldest_first(shop: Shop, documents: Documents, run: Run) -> None:
    with shop.desk() as desk:
        desk.refund(1.0)
        desk.refund(5000.0)
    found = documents("log", "tail", "--limit", "4")
    assert [each["kind"] for each in found] == ["done", "session_opened", "proposed", "decided"]
    assert [each["seq"] for each in found] == sorted(each["seq"] for each in found)
    assert [each["kind"] for each in documents("log", "tail", "--kind", "done")] == ["done"]
    assert "denied: Nobody refunds that much." in run("log", "tail").stdout


def test_following_prints_what_comes_at_once_and_ends_with_an_interrupt(shop: Shop) -> None:
    import signal

    with shop.desk() as desk:
        desk.refund(1.0)
        follower = subprocess.Popen(
            [*COMMAND, "log", "tail", "-f", "-n", "1", "--json", "--tool", "issue_refund"],
            cwd=shop.folder,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        with follower:
            assert follower.stdout is not None
            assert json.loads(follower.stdout.readline())["kind"] == "done"
            desk.mail("a@example.com")
            desk.refund(5000.0)
            following = [json.loads(follower.stdout.readline()) for _ in range(2)]
            follower.send_signal(signal.SIGINT)
            assert follower.wait(SECONDS) == 0
    assert [each["kind"] for each in following] == ["proposed", "decided"]
    assert [each["tool"] for each in following] == ["issue_refund"] * 2


def test_a_search_finds_texts_names_and_signs_that_json_escapes(shop: Shop, documents: Documents) -> None:
    with shop.desk() as desk:
        desk.refund(1.0, task="ticket-77", reason='a "quoted" 50% gift\\box')
        desk.refund(2.0, task="ticket-88", reason="plain")
    for text in ('"quoted"', "50%", "gift\\box", "QUOTED", "ticket-77"):
        assert {each["task"] for each in documents("log", "search", text)} == {"ticket-77"}, text
    assert not documents("log", "search", "5_%")
    assert {each["task"] for each in documents("log", "search", "plain")} == {"ticket-88"}
    assert len(documents("log", "search", "issue_refund", "--limit", "2")) == 2


def test_each_action_is_one_line_that_begins_with_the_ten_fields(shop: Shop, run: Run) -> None:
    _day(shop)
    lines = run("log", "export").stdout.splitlines()
    pairs = [json.loads(line, object_pairs_hook=list) for line in lines]
    assert len(lines) == 6
    for fields in pairs:
        assert tuple(name for name, _ in fields[:10]) == FIRST
    assert len({tuple(name for name, _ in fields) for fields in pairs}) == 1


def test_an_export_says_what_was_decided_by_whom_and_what_came_of_it(
    shop: Shop, documents: Documents
) -> None:
    approved, rejected = _day(shop)
    found = documents("log", "export")
    by_id = {each["id"]: each for each in found}
    decisions = [each["decision"] for each in found]
    assert decisions == ["approved", "denied", "shadowed", "approved", "rejected", "asked"]
    first = found[0]
    assert first["timestamp"].endswith("Z")
    assert first["action"] == "issue_refund"
    assert first["input"] == {"amount": 1.5, "card": "[redacted]", "order_id": "o-17", "reason": "broken"}
    assert first["confidence"] == 0.9
    assert {"budget_ok", "halt_ok", "rude_words_ok"} <= set(first["safety_checks"])
    assert first["output"] == "refunded 1.5 for o-17"
    assert first["cost"] is None
    assert first["execution_time_ms"] >= 0
    assert first["check_results"] == [{"check": "rude-words", "outcome": "pass", "reason": ""}]
    assert first["amount"] == 1.5
    assert by_id[approved]["decided_by"] == ["ann"]
    assert by_id[approved]["state"] == "done"
    assert by_id[rejected]["ended_because"] == "because"
    assert "budget_ok" not in found[1]["safety_checks"]
    assert found[2]["would_have"] == "allow"


def test_an_export_never_tells_what_is_redacted(shop: Shop, run: Run) -> None:
    _day(shop)
    assert "4111-1111" not in run("log", "export").stdout
    assert "4111-1111" not in run("log", "tail", "--json", "-n", "1000").stdout


def test_an_export_is_narrowed_down(shop: Shop, documents: Documents, run: Run) -> None:
    _day(shop)
    everything = documents("log", "export")
    second = everything[1]["timestamp"]
    assert documents("log", "export", "--since", second) == everything[1:]
    assert documents("log", "export", "--until", second) == everything[:1]
    assert documents("log", "export", "--since", "1h") == everything
    assert not documents("log", "export", "--until", "2001-02-03")
    assert {each["decision"] for each in documents("log", "export", "--decision", "denied")} == {"denied"}
    assert {each["action"] for each in documents("log", "export", "--tool", "send_mail")} == {"send_mail"}
    assert not documents("log", "export", "--agent", "nobody")
    assert run("log", "export", "--since", "soon").exit_code == 1
    assert run("log", "export", "--format", "xml").exit_code == 2
    assert run("log", "export", "--format", "jsonl").exit_code == 0


def test_an_export_into_a_closed_pipe_is_quiet(shop: Shop) -> None:
    with shop.desk() as desk:
        for number in range(40):
            desk.refund(1.0 + number, reason="x" * 2_000)
    exporting = subprocess.Popen(
        [*COMMAND, "log", "export"],
        cwd=shop.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    with exporting:
        assert exporting.stdout is not None
        assert exporting.stderr is not None
        exporting.stdout.readline()
        exporting.stdout.close()
        assert "Traceback" not in exporting.stderr.read()


def test_export_search_and_verification_are_the_same_on_postgresql(
    shop: Shop, postgres_database: str, documents: Documents, run: Run
) -> None:
    with shop.desk(postgres_database) as desk:
        desk.refund(1.0)
        desk.refund(5000.0, task="ticket-9")
        desk.mail("a@example.com")
    where = ("--database", postgres_database)
    assert [each["decision"] for each in documents("log", "export", *where)] == [
        "approved",
        "denied",
        "shadowed",
    ]
    assert [each["decision"] for each in documents("log", "export", "--task", "ticket-9", *where)] == [
        "denied"
    ]
    assert {each["task"] for each in documents("log", "search", "TICKET-9", *where)} == {"ticket-9"}
    assert len(documents("policy", "list", *where)) == 1
    verified = run("log", "verify", *where)
    assert verified.exit_code == 0, verified.output
    assert "Consistent, not proven" in verified.stdout
    root = json.loads(run("log", "verify", "--json", *where).stdout)["root"]
    assert run("log", "verify", "--root", root, *where).exit_code == 0


def test_an_export_is_one_pass_however_many_actions_there_are(shop: Shop) -> None:
    from handrail.journal.export import records
    from handrail.words.query import EntryFilter

    with shop.desk() as desk:
        for number in range(30):
            desk.refund(1.0 + number / 10)
        streams = desk.engine.store.audit()
        read = 0

        def counted() -> Any:
            nonlocal read
            for stored in streams.by_action(EntryFilter(), "", "g"):
                read += 1
                yield stored

        (first,) = itertools.islice(records(counted()), 1)
        streams.close()
    assert first["decision"] == "approved"
    assert read <= 5


def _day(shop: Shop) -> tuple[str, str]:
    """Six actions, of every decision that a day brings; the ids of the approved and the rejected one."""
    with shop.desk() as desk:
        desk.refund(1.5, reason="broken", card="4111-1111")
        desk.refund(5000.0)
        assert isinstance(desk.mail("a@example.com"), handrail.Shadowed)
        approved, rejected = desk.held(501.0), desk.held(502.0)
        desk.held(503.0)
        for command, action in (("approve", approved), ("reject", rejected)):
            with Terminal(shop.folder, command, action, *WORD) as terminal:
                assert terminal.answer("yes") == 0
        desk.rail.resume(approved)
    return approved, rejected
