"""``handrail edit`` and ``answer``: a person changes what an agent asked for, or tells it more."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handrail.cli import screen
from handrail.cli.asked import UNVERIFIED, Id, again, became, must_be_confirmed, one
from handrail.cli.exits import Exit
from handrail.cli.opened import opened_engine
from handrail.cli.options import AppSpec, As, AsJson, Database, PolicyPath, Reason
from handrail.cli.person import must_be_at_a_terminal, person_of
from handrail.words.errors import BadArguments, NotFound, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from handrail.engine.core import Engine
    from handrail.words.action import Action
    from handrail.words.sheet import Sheet

Args = Annotated[
    str | None,
    typer.Option(
        "--args",
        metavar="FILE",
        help="The new arguments: a file with a JSON object, or - to type them. Default: your $EDITOR.",
    ),
]
Text = Annotated[str, typer.Argument(metavar="TEXT", help="What the agent is told.")]


def edit(
    action: Id,
    *,
    reason: Reason,
    args: Args = None,
    app: AppSpec = None,
    person: As = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """Change a held action's arguments and answer for it: opens your editor, shows the difference, and asks.

    What you wrote is a new action of the same agent, judged by every rule; the old one never runs.
    """
    from handrail.cli.sheets import draw, draw_changes
    from handrail.engine.questions.edits import edit as change
    from handrail.engine.questions.sentences import changes

    must_be_at_a_terminal("an edit")
    who = person_of(person)
    with _engine(app, policy, database) as engine:
        found, now = one(engine, action, who)
        _must_know(engine, found.tool)
        before = _arguments(found)
        after = _new(found, args)
        changed = changes(before, after)
        if not changed:
            screen.say("Nothing was changed, and nothing was answered.", error=True)
            raise typer.Exit(Exit.NOT_DONE)
        draw(found, now, exact=True, error=True)
        screen.say(f"\nYou change ({screen.plain(reason)}):", "bold", error=True)
        draw_changes(changed, error=True)
        must_be_confirmed(f"You are {who}: replace it by this, and approve that?")
        edited = change(engine, found.approval.id, who, after, reason, verified=False, seen=found.digest)
        _tell(found, edited, json=json)


def answer(
    action: Id,
    text: Text,
    *,
    person: As = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """Tell the agent something instead of letting its action run. Asks on a terminal."""
    from handrail.cli.sheets import draw, sheet_json
    from handrail.engine.questions.votes import answer as tell

    must_be_at_a_terminal("an answer")
    who = person_of(person)
    with opened_engine(policy, database) as engine:
        found, now = one(engine, action, who, refuses=True)
        draw(found, now, exact=True, error=True)
        must_be_confirmed(f"You are {who}: don't let this run, and tell {found.agent}: {text!r}?")
        answered = tell(engine, found.approval.id, who, text, verified=False, seen=found.digest)
        after = again(engine, [answered])[0] if json else None
    if after is not None:
        screen.document(sheet_json(after))
    else:
        screen.say(became(answered))


@contextmanager
def _engine(app: str | None, policy: Path | None, database: str | None) -> Iterator[Engine]:
    """The application's engine where one is named: it has the tools by which an edit is judged."""
    if app is None:
        with opened_engine(policy, database) as engine:
            yield engine
        return
    from handrail.cli.apps import engine_of, imported

    with imported(app) as rail:
        yield engine_of(rail)


def _must_know(engine: Engine, tool: str) -> None:
    """Say before the edit what would be said after it."""
    if tool not in engine.tools:
        raise Refused(
            f"{tool} is not known here, so what you write could not be judged: "
            "name the application that has it with --app MODULE:RAIL, or edit it on the server"
        )


def _arguments(found: Sheet) -> Mapping[str, object]:
    from handrail.engine.door import thaw

    if found.args is None:
        raise Refused(
            "its arguments were erased, so there is nothing to edit; reject it, or answer the agent"
        )
    return thaw(found.args.encode())


def _new(found: Sheet, source: str | None) -> Mapping[str, object]:
    from handrail.engine.door import parse

    if source is None:
        return _from_editor(found)
    if source == "-":
        screen.say("Type the new arguments as JSON, and end with Ctrl-D on a line of its own:", error=True)
        return parse(sys.stdin.read())
    try:
        return parse(Path(source).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise NotFound(f"{source} can't be read: {error}") from error


def _from_editor(found: Sheet) -> Mapping[str, object]:
    """Let a person edit the exact arguments; what can't be read as JSON is kept, so that nothing is lost."""
    from handrail.engine.door import parse

    handle, name = tempfile.mkstemp(prefix=f"handrail-{found.tool[:40]}-".replace("/", "_"), suffix=".json")
    path = Path(name)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(screen.exact(found.args or "{}") + "\n")
    _edit(path)
    try:
        after = parse(path.read_text(encoding="utf-8"))
    except (BadArguments, UnicodeDecodeError) as error:
        raise BadArguments(f"{error}. Your text is kept: mend it, and go on with --args {path}") from error
    path.unlink()
    return after


def _edit(path: Path) -> None:
    command = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    try:
        done = subprocess.run(  # noqa: S603 - the person's own editor
            [*command, str(path)], stdin=sys.stdin, stdout=sys.stderr, check=False
        )
    except OSError as error:
        path.unlink()
        raise Refused(
            f"the editor {command[0]!r} can't be started: {error}. Set EDITOR, or use --args"
        ) from error
    if done.returncode != 0:
        path.unlink()
        raise Refused(f"the editor {command[0]!r} ended with {done.returncode}; nothing was changed")


def _tell(found: Sheet, edited: Action, *, json: bool) -> None:
    from handrail.cli.shown import action_json
    from handrail.words.lifecycle import State

    if json:
        screen.document(action_json(edited))
        return
    waits = (
        "waits for another person's answer"
        if edited.state is State.HELD
        else "runs when its agent resumes it"
    )
    screen.say(
        f"Action {found.approval.action} was replaced by action {edited.id}, which {waits}. {UNVERIFIED}"
    )
