"""``handrail policy``: which version runs, which ran before, and taking up a changed file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handrail.cli import screen
from handrail.cli.exits import Exit
from handrail.cli.opened import DEFAULT, opened_engine, opened_store
from handrail.cli.options import As, AsJson, Database, Limit, PolicyPath
from handrail.cli.person import confirmed, must_be_at_a_terminal, person_of
from handrail.cli.times import clock
from handrail.words.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from handrail.policy.model import Policy
    from handrail.ports import Transaction
    from handrail.words.restriction import Activation

app = typer.Typer(no_args_is_help=True, help="Policy versions: which one runs, and taking up another.")
Where = Annotated[Path, typer.Argument(metavar="[PATH]", help="The policy file.")]
Version = Annotated[
    str | None,
    typer.Argument(metavar="[DIGEST]", help="The first digits of a version. Default: the active one."),
]
Why = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stays in the log.")]
SHOWN = 12
"""Digits of a version in a table."""
HISTORY = 100_000


@app.command()
def activate(
    path: Where = DEFAULT,
    *,
    reason: Why = "activated on the command line",
    person: As = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """Make a policy file the running version, in every process. Shows what changes and asks on a terminal."""
    from handrail.app import read_policy, runnable
    from handrail.engine.restrict import activate as take_up
    from handrail.policy.load import load_stored

    must_be_at_a_terminal("activating a policy")
    who = person_of(person)
    wanted = read_policy(path)
    runnable(wanted)
    with opened_engine(path, database, create=True) as engine:
        active, name, files = engine.store.read(_active)
        changed = active != wanted.digest
        if changed:
            _show_changes(files, wanted.files)
            if files:
                _show_meaning(load_stored(name, files), wanted)
            if not confirmed(f"You are {who}: make this the running policy ({reason})?"):
                screen.say("Nothing was changed.", error=True)
                raise typer.Exit(Exit.NOT_DONE)
            take_up(engine, wanted, who, reason)
    if json:
        screen.document({"active": wanted.digest, "before": active, "changed": changed, "by": who})
    elif changed:
        screen.say(f"Active now: version {wanted.digest[:SHOWN]}.")
    else:
        screen.say(f"Version {wanted.digest[:SHOWN]} is active already; nothing was changed.")


@app.command()
def show(
    version: Version = None, *, policy: PolicyPath = None, database: Database = None, json: AsJson = False
) -> None:
    """Print a version as it was activated, with the files that it includes."""
    with opened_store(policy, database) as store:
        found = store.read(lambda tx: _history(tx, HISTORY))
        digest = _digest(found, version)
        stored = store.read(lambda tx: tx.restrictions.policy(digest))
    if stored is None:
        raise NotFound(f"version {digest[:SHOWN]} is not in the store")
    name, files = stored
    if json:
        newest = next(each for each in found if each.policy == digest)
        active = found[0].policy == digest
        screen.document({**_document(newest, active=active), "name": name, "files": files})
        return
    for each in sorted(files, key=lambda each: (each != name, each)):
        if len(files) > 1:
            screen.say(f"# --- {each}", "dim")
        screen.say(files[each].rstrip("\n"))


@app.command("list")
def list_(
    *, policy: PolicyPath = None, database: Database = None, limit: Limit = 50, json: AsJson = False
) -> None:
    """List which version became active when, by whom and why; newest first."""
    with opened_store(policy, database) as store:
        found = store.read(lambda tx: _history(tx, limit))
    if json:
        for number, each in enumerate(found):
            screen.line(_document(each, active=number == 0))
        return
    rows = [
        (each.policy[:SHOWN], clock(each.at), each.by, each.reason, "active" if number == 0 else "")
        for number, each in enumerate(found)
    ]
    screen.table(("version", "since (UTC)", "by", "reason", ""), rows, "No policy was ever activated here.")


def _active(tx: Transaction) -> tuple[str | None, str, Mapping[str, str]]:
    digest = tx.restrictions.read().policy
    stored = None if digest is None else tx.restrictions.policy(digest)
    return digest, *(stored or ("", {}))


def _history(tx: Transaction, limit: int) -> list[Activation]:
    return list(tx.restrictions.activations(limit))


def _digest(found: list[Activation], beginning: str | None) -> str:
    """The version that was meant.

    Raises:
        NotFound: there is none, or several begin so.
    """
    if not found:
        raise NotFound("no policy was ever activated here")
    if beginning is None:
        return found[0].policy
    digests = list(dict.fromkeys(each.policy for each in found if each.policy.startswith(beginning.lower())))
    if len(digests) != 1:
        what = "several versions begin" if digests else "no version begins"
        raise NotFound(f"{what} with {beginning!r}; 'handrail policy list' shows them")
    return digests[0]


def _show_changes(before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """The difference, on stderr beside the question."""
    if not before:
        screen.say("This store has no active policy yet; this will be its first.", "bold", error=True)
        return
    for line in _difference(before, after):
        style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
        screen.say(line, style, error=True)


def _show_meaning(before: Policy, wanted: Policy) -> None:
    """What the change means, rule by rule, last, beside the question; more for agents stands out."""
    from handrail.policy.diff.changes import diff

    for change in diff(before, wanted):
        word = {True: "lets agents do more", False: "", None: "look at this"}[change.widens]
        style = "bold yellow" if change.widens else ""
        screen.say(f"{change}{f'  ({word})' if word else ''}", style, error=True)


def _difference(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    from difflib import unified_diff

    for name in sorted({*before, *after}):
        old, new = before.get(name, "").splitlines(), after.get(name, "").splitlines()
        yield from unified_diff(old, new, f"active/{name}", f"new/{name}", lineterm="")


def _document(each: Activation, *, active: bool) -> dict[str, object]:
    from handrail.cli.shown import when

    return {
        "policy": each.policy,
        "activated_at": when(each.at),
        "by": each.by,
        "reason": each.reason,
        "active": active,
    }
