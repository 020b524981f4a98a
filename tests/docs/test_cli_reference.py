"""The command line's page says exactly what the commands take: commands, arguments, options, exit codes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from handrail.cli.exits import MEANING
from handrail.cli.tree import app

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "cli.md").read_text("utf-8")
WITHOUT_JSON = {"handrail demo"}
"""The demo is a show; what it leaves is read with the other commands."""


def _walk(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    subcommands = getattr(command, "commands", None)
    if subcommands is None or (command.invoke_without_command and path != "handrail"):
        yield path, command
    for name, sub in (subcommands or {}).items():
        yield from _walk(sub, f"{path} {name}")


COMMANDS = dict(_walk(typer.main.get_command(app), "handrail"))


def sections(page: str) -> dict[str, str]:
    """The text below each heading of a command."""
    parts = re.split(r"^## (handrail .+)$", page, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def described(section: str) -> set[str]:
    """Every name in the first column of a section's table of options."""
    table = section.rpartition("| option | meaning |\n|---|---|\n")[2]
    cells = (line.split("|")[1] for line in table.splitlines() if line.startswith("|"))
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def taken(command: Any) -> set[str]:
    """Every option and argument of a command, as its help shows it."""
    names: set[str] = set()
    for parameter in command.params:
        if parameter.param_type_name == "option":
            names |= {*parameter.opts, *parameter.secondary_opts}
        else:
            names.add(parameter.metavar or parameter.name.upper())
    return names - {"-h", "--help"}


def test_every_command_has_its_heading_and_every_heading_its_command() -> None:
    assert set(sections(PAGE)) == set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_section_names_exactly_what_its_command_takes(name: str) -> None:
    assert described(sections(PAGE)[name]) == taken(COMMANDS[name])


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_says_what_it_does_and_every_parameter_what_it_means(name: str) -> None:
    command = COMMANDS[name]
    assert (command.help or "").strip()
    assert all(parameter.help for parameter in command.params if parameter.name != "help")


def test_every_command_can_answer_in_json() -> None:
    assert {name for name, command in COMMANDS.items() if "--json" not in taken(command)} == WITHOUT_JSON


def test_no_command_has_a_switch_that_answers_for_a_person() -> None:
    """An agent with a shell must not find one."""
    switches = {option for command in COMMANDS.values() for option in taken(command)}
    assert not switches & {"--yes", "-y", "--no-input", "--assume-yes", "--non-interactive"}


def test_the_exit_codes_are_those_of_the_table() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", PAGE.partition("## Exit codes")[2], re.MULTILINE)
    assert [(int(code), meaning) for code, meaning in rows[: len(MEANING)]] == [
        (int(code), meaning) for code, meaning in MEANING.items()
    ]


def test_the_comparison_finds_what_is_missing_or_too_much() -> None:
    page = "## handrail x\n\n| option | meaning |\n|---|---|\n| `--json` | J. |\n| `ID` | I. |\n"
    assert sections(page).keys() == {"handrail x"}
    assert described(sections(page)["handrail x"]) == {"--json", "ID"}
