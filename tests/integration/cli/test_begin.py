"""Beginning: init, check, version, help and completion."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from handrail.app import read_policy, runnable
from handrail.cli import templates
from tests.integration.cli.conftest import Run
from tests.integration.cli.shop import POLICY, Shop
from tests.integration.cli.terminal import piped

ASKED_FOR = {
    *("support-triage", "refunds", "offers", "cold-email"),
    *("meeting-scheduling", "procurement", "content", "coding-agent"),
}


def test_every_template_that_was_promised_is_listed_with_what_it_is_for(run: Run) -> None:
    listed = [json.loads(line) for line in run("init", "--list", "--json").stdout.splitlines()]
    assert {each["template"] for each in listed} >= ASKED_FOR
    assert all(each["about"] for each in listed)


@pytest.mark.parametrize("template", sorted(ASKED_FOR))
def test_every_template_is_written_and_can_be_run(run: Run, tmp_path: Path, template: str) -> None:
    target = tmp_path / "new" / template
    assert run("init", str(target), "--template", template).exit_code == 0
    assert runnable(read_policy(target / "handrail.yaml")).policy.agents
    assert run("check", str(target / "handrail.yaml")).exit_code == 0


def test_a_policy_that_is_there_is_never_written_over_unless_forced(shop: Shop, run: Run) -> None:
    refused = run("init")
    assert refused.exit_code == 1
    assert "--force" in refused.stderr
    assert (shop.folder / "handrail.yaml").read_text() == POLICY
    assert run("init", "--force", "-t", "refunds").exit_code == 0
    assert (shop.folder / "handrail.yaml").read_text() == templates.text("refunds")


def test_an_unknown_template_gets_the_nearest_word(run: Run, tmp_path: Path) -> None:
    result = run("init", str(tmp_path / "x"), "-t", "refund")
    assert result.exit_code == 3
    assert "did you mean 'refunds'?" in result.stderr
    assert not (tmp_path / "x").exists()


def test_a_good_policy_is_in_order_and_nothing_is_made(shop: Shop, run: Run) -> None:
    result = run("check")
    assert result.exit_code == 0
    assert "handrail.yaml is in order: 1 agent, 4 tools" in result.stdout
    assert not shop.database.exists()


def test_a_mistake_is_shown_with_place_source_line_caret_and_nearest_word(shop: Shop, run: Run) -> None:
    (shop.folder / "handrail.yaml").write_text(POLICY.replace("does: pay", "does: pey"), encoding="utf-8")
    result = run("check")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("handrail.yaml:10:24: "))
    source, caret = lines[place + 1], lines[place + 2]
    assert source.index("pey") == caret.index("^")
    assert "did you mean: pay" in result.stdout


def test_problems_as_json_have_place_expectation_and_nearest_word(shop: Shop, run: Run) -> None:
    (shop.folder / "handrail.yaml").write_text(POLICY.replace("does: pay", "does: pey"), encoding="utf-8")
    found = json.loads(run("check", "--json").stdout)
    assert found["ok"] is False
    problem = found["problems"][0]
    assert (problem["file"], problem["line"], problem["column"]) == ("handrail.yaml", 10, 24)
    assert problem["nearest"] == "pay"
    assert "read" in problem["expected"]


def test_what_is_not_alive_yet_is_listed_and_fails_the_check(shop: Shop, run: Run) -> None:
    alive = POLICY + "\nladder:\n  fall: {errors_surely_above: 5%}\n"
    (shop.folder / "handrail.yaml").write_text(alive, encoding="utf-8")
    result = run("check", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert not found["problems"]
    assert [each["message"].split()[0] for each in found["not_alive"]] == ["ladder"]
    assert "Not alive yet" in run("check").stdout


def test_a_missing_file_and_one_that_is_no_text(shop: Shop, run: Run) -> None:
    assert run("check", "nowhere.yaml").exit_code == 3
    (shop.folder / "picture.yaml").write_bytes(b"\xff\xfe\x00\x01")
    result = run("check", "picture.yaml")
    assert result.exit_code == 1
    assert "Traceback" not in result.output


def test_a_check_with_the_application_finds_what_does_not_fit_and_touches_no_store(shop: Shop) -> None:
    fine = piped(shop.folder, "check", "--app", "desk:rail", "--json", process=True)
    assert (fine.returncode, json.loads(fine.stdout)["ok"]) == (0, True), fine.stderr
    policy = shop.folder / "handrail.yaml"
    policy.write_text(POLICY.replace("in: args.reason", "in: args.raeson"), encoding="utf-8")
    wrong = piped(shop.folder, "check", "--app", "desk:rail")
    assert wrong.returncode == 1
    assert "raeson" in wrong.stdout
    assert piped(shop.folder, "check").returncode == 0
    assert not shop.database.exists()


def test_a_check_with_the_application_looks_at_the_file_not_at_the_active_version(shop: Shop) -> None:
    with shop.desk():
        pass
    wrong = POLICY.replace("in: args.reason", "in: args.raeson")
    (shop.folder / "handrail.yaml").write_text(wrong, encoding="utf-8")
    assert piped(shop.folder, "check", "--app", "desk:rail").returncode == 1


def test_tools_without_code_and_code_without_a_tool_are_told(shop: Shop) -> None:
    desk = shop.folder / "desk.py"
    desk.write_text(desk.read_text().replace("def send_mail", "def post_letter"), encoding="utf-8")
    found = json.loads(piped(shop.folder, "check", "--app", "desk:rail", "--json").stdout)
    assert found["tools_without_code"] == ["send_mail"]
    assert found["tools_unknown_to_the_policy"] == ["post_letter"]


def test_an_application_that_can_not_be_imported_is_one_sentence(shop: Shop) -> None:
    for text, part in (
        ("import nothing_of_this_name", "nothing_of_this_name"),
        ("1 / 0", "ZeroDivisionError"),
    ):
        (shop.folder / "broken.py").write_text(text, encoding="utf-8")
        result = piped(shop.folder, "check", "--app", "broken:rail")
        assert result.returncode == 1
        assert part in result.stderr
        assert "Traceback" not in result.stderr


def test_the_version_is_the_package_s(run: Run) -> None:
    found = json.loads(run("version", "--json").stdout)
    assert found["python"] == sys.version.split()[0]
    assert found["handrail"] in run("--version").stdout


def test_a_wrong_command_or_option_is_a_usage_error(run: Run) -> None:
    assert run("aprove").exit_code == 2
    assert run("approve").exit_code == 2
    assert run("actions", "list", "--stat", "held").exit_code == 2
    assert run("actions", "list", "--state", "hold").exit_code == 2


def test_there_is_completion_for_shells(shop: Shop) -> None:
    asked: dict[str, Any] = {
        "_HANDRAIL_COMPLETE": "complete_bash",
        "COMP_WORDS": "handrail app",
        "COMP_CWORD": "1",
    }
    completed = piped(shop.folder, extra=asked, process=True)
    assert {"approve", "approvals"} <= set(completed.stdout.split())


def test_the_tree_of_commands_loads_no_heavy_parts() -> None:
    """Nobody waits for databases, tables and the demo to see the help."""
    heavy = "{'sqlite3', 'psycopg', 'rich.table', 'handrail.demo.run', 'handrail.store.sqlite'}"
    script = f"import sys, handrail.cli.tree; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
