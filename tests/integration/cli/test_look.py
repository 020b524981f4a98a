"""Looking: actions, questions, halts, grants and policy versions, for people and for programs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import handrail
from tests.integration.cli.conftest import Run
from tests.integration.cli.shop import Shop
from tests.integration.cli.terminal import Terminal, piped

Documents = Callable[..., list[Any]]
Document = Callable[..., Any]
LOOKS = (
    *(("actions", "list"), ("approvals", "list"), ("halts", "list"), ("policy", "list"), ("policy", "show")),
    *(("log", "tail"), ("log", "search", "x"), ("log", "export"), ("log", "verify"), ("grants",)),
)


def test_looking_where_no_store_is_says_so_and_makes_none(shop: Shop, run: Run) -> None:
    for look in LOOKS:
        result = run(*look)
        assert result.exit_code == 3, look
        assert "there is no store" in result.stderr
    assert not shop.database.exists()


def test_every_look_works_once_the_store_is_there(shop: Shop, run: Run) -> None:
    with shop.desk():
        pass
    for look in LOOKS:
        assert run(*look).exit_code == 0, look


def test_looking_needs_no_policy_file(shop: Shop, run: Run) -> None:
    with shop.desk() as desk:
        desk.refund(5.0)
    (shop.folder / "handrail.yaml").unlink()
    for look in LOOKS:
        assert run(*look).exit_code == 0, look


def test_a_named_policy_file_that_is_missing_is_not_found(shop: Shop, run: Run) -> None:
    with shop.desk():
        pass
    assert run("actions", "list", "--policy", "elsewhere.yaml").exit_code == 3
    assert run("actions", "list", "--policy", str(shop.folder / "handrail.yaml")).exit_code == 0


def test_the_store_is_found_by_option_and_by_environment(
    shop: Shop, run: Run, tmp_path_factory: Any, monkeypatch: Any
) -> None:
    elsewhere: Path = tmp_path_factory.mktemp("store") / "other.db"
    with shop.desk(f"sqlite:///{elsewhere}") as desk:
        desk.refund(5.0)
    assert "issue_refund" in run("actions", "list", "--database", f"sqlite:///{elsewhere}").stdout
    assert run("actions", "list").exit_code == 3
    monkeypatch.setenv("HANDRAIL_DATABASE_URL", f"sqlite:///{elsewhere}")
    assert "issue_refund" in run("actions", "list").stdout


def test_a_store_that_is_no_database_can_not_be_used(shop: Shop, run: Run) -> None:
    shop.database.write_text("This is a letter, not a database. " * 100, encoding="utf-8")
    result = run("actions", "list")
    assert result.exit_code == 4
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.output


def test_actions_are_listed_newest_first_and_filtered(shop: Shop, documents: Documents) -> None:
    with shop.desk() as desk:
        desk.refund(1.0, task="ticket-1")
        desk.held(500.0)
        desk.refund(5000.0, task="ticket-9")
        desk.mail("a@example.com")
    found = documents("actions", "list")
    assert [each["state"] for each in found] == ["shadowed", "denied", "held", "done"]
    assert [each["amount"] for each in found] == [None, 5000.0, 500.0, 1.0]
    assert len(documents("actions", "list", "--state", "held")) == 1
    assert [each["tool"] for each in documents("actions", "list", "--tool", "send_mail")] == ["send_mail"]
    assert [each["task"] for each in documents("actions", "list", "--task", "ticket-9")] == ["ticket-9"]
    assert not documents("actions", "list", "--agent", "nobody")
    first, second = documents("actions", "list", "--limit", "2")
    rest = documents("actions", "list", "--before", second["id"])
    assert [first, second, *rest] == found


def test_the_table_tells_state_and_reason_in_words(shop: Shop, run: Run) -> None:
    with shop.desk() as desk:
        desk.refund(5000.0)
        shown = run("actions", "list").stdout
    assert "denied" in shown
    assert "Nobody refunds that much." in shown


def test_an_action_is_shown_with_steps_and_history_by_its_last_digits(shop: Shop, run: Run) -> None:
    with shop.desk() as desk:
        action = desk.held(500.0, card="4111-1111")
    result = run("actions", "show", action[-8:])
    assert result.exit_code == 0
    for part in (action, "held", "amount > 100", "the photo shows damage", "proposed", "asked", "[redacted]"):
        assert part in result.stdout, part
    assert "4111-1111" not in result.stdout


def test_an_action_as_json_is_its_export_with_its_history(shop: Shop, document: Document, run: Run) -> None:
    with shop.desk() as desk:
        action = desk.held(500.0)
    found = document("actions", "show", action)
    assert found["id"] == action
    assert [entry["kind"] for entry in found["history"]] == ["proposed", "decided", "asked"]
    assert run("actions", "show", "ffffffffffffffff").exit_code == 3
    assert run("actions", "show", "").exit_code == 3
    assert run("actions", "show", "%").exit_code == 3


def test_questions_are_listed_with_who_may_answer_until_when(
    shop: Shop, run: Run, documents: Documents
) -> None:
    assert isinstance(_desk_asks(shop), str)
    shown = run("approvals", "list").stdout
    for part in ("issue_refund", "amount > 100", "leads", "3 h", "open"):
        assert part in shown, part
    (found,) = documents("approvals", "list")
    assert found["seats"][0]["asked"] == "leads"
    assert "args" not in found
    assert not documents("approvals", "list", "--state", "approved")
    assert len(documents("approvals", "list", "--all")) == 1


def test_grants_tell_rung_ceiling_and_who_set_them(shop: Shop, documents: Documents, run: Run) -> None:
    with shop.desk():
        pass
    assert (
        run("demote", "support", "issue_refund", "suggest", "--reason", "new staff", "--as", "ann").exit_code
        == 0
    )
    found = {each["tool"]: each for each in documents("grants")}
    assert found["issue_refund"]["rung"] == "suggest"
    assert found["issue_refund"]["ceiling"] == "bounded"
    assert found["issue_refund"]["by"] == "ann"
    assert found["issue_refund"]["override"] is True
    assert found["send_mail"]["rung"] == "shadow"
    assert found["send_mail"]["override"] is False
    assert [each["tool"] for each in documents("grants", "list", "--tool", "send_mail")] == ["send_mail"]


def test_a_policy_version_is_listed_and_shown_as_it_was_activated(
    shop: Shop, run: Run, documents: Documents, document: Document
) -> None:
    with shop.desk():
        pass
    (only,) = documents("policy", "list")
    assert only["active"] is True
    assert run("policy", "show").stdout.strip() == (shop.folder / "handrail.yaml").read_text().strip()
    assert document("policy", "show", only["policy"][:10])["policy"] == only["policy"]
    assert run("policy", "show", "0000").exit_code == 3


def test_a_narrow_terminal_gets_cards_and_loses_nothing(shop: Shop, run: Run, monkeypatch: Any) -> None:
    with shop.desk() as desk:
        desk.refund(5000.0)
    monkeypatch.setenv("COLUMNS", "40")
    shown = run("actions", "list").stdout
    assert "issue_refund" in shown
    assert "denied" in shown
    assert max(len(line) for line in shown.splitlines()) <= 40


def test_colours_only_where_they_are_wanted(shop: Shop) -> None:
    with shop.desk() as desk:
        desk.refund(5000.0)
    with Terminal(shop.folder, "actions", "list", extra={"NO_COLOR": ""}) as terminal:
        assert terminal.code() == 0
        assert "\x1b[31mdenied" in terminal.seen
    with Terminal(shop.folder, "actions", "list", extra={"NO_COLOR": "1"}) as terminal:
        assert terminal.code() == 0
        assert "denied" in terminal.seen
        assert "\x1b[31m" not in terminal.seen


def test_what_an_agent_writes_is_made_visible_in_lists_too(shop: Shop, run: Run) -> None:
    with shop.desk() as desk:
        found = desk.refund(5000.0, task="t\x1b[2J\u202eevil")
    assert isinstance(found, handrail.Denied)
    for look in (
        ("actions", "list"),
        ("actions", "show", found.action_id),
        ("log", "tail"),
        ("log", "export"),
    ):
        shown = run(*look).stdout
        assert "\x1b" not in shown, look
        assert "\u202e" not in shown, look
        assert "u202eevil" in shown, look


def _desk_asks(shop: Shop) -> str:
    with shop.desk() as desk:
        return desk.held(500.0)


def test_commands_beside_a_working_agent_never_lose_what_it_writes(shop: Shop) -> None:
    """Each command is a process that opens and closes the store; the agent's connections keep their locks."""
    with shop.desk():
        pass
    with shop.desk() as desk:
        for number in range(3):
            desk.refund(10.0 + number)
            listed = piped(shop.folder, "actions", "list", "--json", process=True).stdout.splitlines()
            assert len(listed) == number + 1


def test_costs_are_listed_by_what_one_asks_and_as_a_table_file(
    shop: Shop, run: Run, documents: Documents
) -> None:
    with shop.desk() as desk:
        for each in (1.0, 2.0):
            desk.refund(each)
    (refunds,) = documents("costs", "--by", "tool")
    assert (refunds["name"], refunds["unit"], refunds["quantity"]) == ("issue_refund", "actions", 2)
    assert documents("costs", "--by", "agent")[0]["name"] == "support"
    heading, row = run("costs", "--by", "tool", "--csv").output.splitlines()
    assert heading == "name,unit,quantity,spent,count"
    assert row == "issue_refund,actions,2,2,2"
    assert run("budget", "list", "--csv").output.startswith("budget,unit,scope,for,")
    assert "Nothing was spent" in run("costs", "--since", "2026-01-01", "--until", "2026-01-02").output
