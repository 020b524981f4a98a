"""``handrail check``: every mistake of a policy file, placed; and, with the application, of its tools."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handrail.cli import screen
from handrail.cli.exits import Exit
from handrail.cli.opened import DEFAULT
from handrail.cli.options import AppSpec, AsJson
from handrail.words.errors import PolicyError
from handrail.words.problem import Problem

if TYPE_CHECKING:
    from handrail.engine.core import Tool
    from handrail.policy.compile import CompiledPolicy
    from handrail.policy.model import Policy

DATABASE = "HANDRAIL_DATABASE_URL"
Where = Annotated[Path, typer.Argument(metavar="[PATH]", help="The policy file.")]


@dataclass(frozen=True, slots=True)
class Found:
    """What the check found: mistakes, what is not alive yet, and tools without code."""

    problems: tuple[Problem, ...] = ()
    not_alive: tuple[Problem, ...] = ()
    unbound: tuple[str, ...] = ()
    unnamed: tuple[str, ...] = ()
    policy: Policy | None = None

    @property
    def ok(self) -> bool:
        """Whether this policy can be run."""
        return not self.problems and not self.not_alive


def check(path: Where = DEFAULT, *, app: AppSpec = None, json: AsJson = False) -> None:
    """Check a policy file: file, line, column, what was expected and the nearest valid word.

    With --app also whether it fits your application's tools. Nothing is activated, no store is touched.
    """
    found = _file(path)
    if app is not None and found.policy is not None and found.ok:
        found = _with_app(found.policy, app)
    if json:
        screen.document(_document(path, found))
    else:
        _print(path, found)
    if not found.ok:
        raise typer.Exit(Exit.NOT_DONE)


def _file(path: Path) -> Found:
    """Phase one: the file alone."""
    from handrail.app import read_policy
    from handrail.policy.alive import not_alive
    from handrail.policy.compile import compile_policy

    try:
        policy = read_policy(path)
    except PolicyError as error:
        return Found(error.problems)
    waiting = not_alive(policy)
    try:
        compile_policy(policy)
    except PolicyError as error:
        return Found(error.problems, waiting, policy=policy)
    return Found((), waiting, policy=policy)


def _with_app(policy: Policy, spec: str) -> Found:
    """Phase two: every tool of the application, bound to this very file."""
    from handrail.cli.apps import engine_of, imported
    from handrail.policy.compile import compile_policy

    with _own_store():
        try:
            rail = imported(spec)
        except PolicyError as error:
            return Found(error.problems, policy=policy)
        with rail:
            tools = engine_of(rail).tools
            problems = tuple(_bound(compile_policy(policy), tools))
    named = [name for name in policy.tools if name not in tools]
    strangers = [name for name in tools if name not in policy.tools]
    return Found(problems, (), tuple(named), tuple(strangers), policy)


def _bound(compiled: CompiledPolicy, tools: Mapping[str, Tool]) -> Iterator[Problem]:
    for tool in tools.values():
        try:
            compiled.bind(tool.binding)
        except PolicyError as error:
            yield from error.problems


@contextmanager
def _own_store() -> Iterator[None]:
    """Let the application connect to a store of its own that is gone afterwards: a check changes nothing."""
    before = os.environ.get(DATABASE)
    os.environ[DATABASE] = "memory:"
    try:
        yield
    finally:
        if before is None:
            del os.environ[DATABASE]
        else:
            os.environ[DATABASE] = before


def _document(path: Path, found: Found) -> dict[str, object]:
    return {
        "file": str(path),
        "ok": found.ok,
        "problems": [asdict(problem) for problem in found.problems],
        "not_alive": [asdict(problem) for problem in found.not_alive],
        "tools_without_code": found.unbound,
        "tools_unknown_to_the_policy": found.unnamed,
    }


def _print(path: Path, found: Found) -> None:
    for problem in found.problems:
        _show(path.parent, problem)
    if found.not_alive:
        screen.say(f"Not alive yet in this version; {path} can't be run while it asks for:", "bold")
        for problem in found.not_alive:
            _show(path.parent, problem)
    if found.unbound:
        screen.say(
            f"Named in the policy, not in the application (denied): {', '.join(found.unbound)}", "yellow"
        )
    if found.unnamed:
        screen.say(f"In the application, not in the policy (denied): {', '.join(found.unnamed)}", "yellow")
    screen.say(_summary(path, found), "green" if found.ok else "bold")


def _summary(path: Path, found: Found) -> str:
    if not found.ok or found.policy is None:
        count = len(found.problems) + len(found.not_alive)
        return f"{path}: {count} {'problem' if count == 1 else 'problems'}"
    policy = found.policy
    counts = (
        *((len(policy.agents), "agent"), (len(policy.tools), "tool"), (len(policy.rules), "rule")),
        *((len(policy.checks), "check"), (len(policy.budgets), "budget")),
    )
    told = ", ".join(f"{count} {what}{'' if count == 1 else 's'}" for count, what in counts)
    return f"{path} is in order: {told}"


def _show(folder: Path, problem: Problem) -> None:
    """One problem with its source line and a caret below the place."""
    screen.say(f"{problem.file}:{problem.line}:{problem.column}: {problem.message}", "bold")
    for line in _excerpt(folder / problem.file, problem):
        screen.say(line, "dim")
    if problem.expected:
        screen.say(f"    expected: {problem.expected}")
    if problem.nearest:
        screen.say(f"    did you mean: {problem.nearest}")


def _excerpt(file: Path, problem: Problem) -> list[str]:
    """The line that the problem is in, cut around it, with a caret below; nothing when it can't be read."""
    from rich.cells import cell_len

    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    if not 0 < problem.line <= len(lines):
        return []
    room = max(screen.console().width - 12, 30)
    text = lines[problem.line - 1].replace("\t", " ")
    start = 0 if problem.column <= room else problem.column - room // 2
    shown = screen.plain(text[start : start + room])
    before = screen.plain(text[start : max(problem.column - 1, start)])
    gutter = f"{problem.line:>6} | "
    return [gutter + shown, " " * (len(gutter) - 2) + "| " + " " * cell_len(before) + "^"]
