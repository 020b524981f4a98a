"""``handrail log``: the journal, as it grows, searched, exported and verified."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handrail.cli import screen
from handrail.cli.exits import Exit
from handrail.cli.opened import opened_store
from handrail.cli.options import Agent, AsJson, Database, Limit, PolicyPath, Session, Since, Task, Tool, Until
from handrail.cli.times import clock, moment
from handrail.journal.export import Said
from handrail.words.entry import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from handrail.journal.report import Report
    from handrail.ports import Store
    from handrail.words.entry import StoredEntry
    from handrail.words.query import EntryFilter

app = typer.Typer(no_args_is_help=True, help="The journal: every event, in order, sealed.")
LOOK_EVERY = 0.25
"""Seconds between two looks for new entries."""
WINDOW = 1_000
"""Entries that are looked at again: on PostgreSQL one may become visible after one with a greater number."""
ROOT_DIGITS = 64


class Format(StrEnum):
    """How an export is written."""

    JSONL = "jsonl"


Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes; end with Ctrl-C.")]
Text = Annotated[str, typer.Argument(metavar="TEXT", help="Any text in an entry: case does not count.")]
OfKind = Annotated[Kind | None, typer.Option("--kind", help="Only entries of this kind.")]
Decided = Annotated[Said | None, typer.Option("--decision", help="Only actions that this was decided of.")]
As = Annotated[Format, typer.Option("--format", help="How it is written.")]
Root = Annotated[
    str | None, typer.Option("--root", metavar="HASH", help="A root that was kept elsewhere: 64 hex digits.")
]


@app.command()
def tail(  # noqa: PLR0913 - each is one option of the command
    *,
    policy: PolicyPath = None,
    database: Database = None,
    limit: Limit = 20,
    follow: Follow = False,
    agent: Agent = None,
    tool: Tool = None,
    session: Session = None,
    task: Task = None,
    kind: OfKind = None,
    json: AsJson = False,
) -> None:
    """Print the newest entries, oldest first; with -f also what comes."""
    from handrail.words.query import EntryFilter

    wanted = EntryFilter(kind, None, agent, tool, session, task, limit=limit)
    with opened_store(policy, database) as store:
        newest = store.read(lambda tx: tx.journal.newest(EntryFilter(limit=WINDOW)))
        for stored in reversed(store.read(lambda tx: tx.journal.newest(wanted))):
            _print(stored, json=json)
        if follow:
            with suppress(KeyboardInterrupt):
                for stored in _coming(store, {each.seq for each in newest}):
                    if _is_wanted(stored, wanted):
                        _print(stored, json=json)


@app.command()
def search(  # noqa: PLR0913 - each is one option of the command
    text: Text,
    *,
    policy: PolicyPath = None,
    database: Database = None,
    limit: Limit = 50,
    agent: Agent = None,
    tool: Tool = None,
    session: Session = None,
    task: Task = None,
    kind: OfKind = None,
    json: AsJson = False,
) -> None:
    """Find entries that hold a text, newest first."""
    from handrail.words.query import EntryFilter

    wanted = EntryFilter(kind, None, agent, tool, session, task, _as_in_json(text), limit=limit)
    with opened_store(policy, database) as store:
        found = store.read(lambda tx: tx.journal.newest(wanted))
    for stored in found:
        _print(stored, json=json)
    if not json:
        more = f"The newest {limit} are shown; --limit shows more." if len(found) == limit else ""
        screen.say(more or f"{len(found)} found.", "dim")


@app.command()
def export(  # noqa: PLR0913 - each is one option of the command
    *,
    policy: PolicyPath = None,
    database: Database = None,
    since: Since = None,
    until: Until = None,
    agent: Agent = None,
    tool: Tool = None,
    session: Session = None,
    task: Task = None,
    decision: Decided = None,
    written_as: As = Format.JSONL,
    json: AsJson = False,
) -> None:
    """Print each action as one line of JSON, oldest first; see docs/reference/log-export.md.

    The lines are redacted as the log is. --json changes nothing here: an export is JSON lines.
    """
    from handrail.engine.views.exports import within
    from handrail.words.query import EntryFilter

    del written_as, json
    wanted = EntryFilter(agent=agent, tool=tool, session=session, task=task)
    with opened_store(policy, database) as store:
        now = store.read(lambda tx: tx.now())
        begin, end = moment(since, now), moment(until, now)
        streams = store.audit()
        try:
            _export(within(streams, wanted, begin, end), decision)
        finally:
            streams.close()


@app.command()
def verify(
    *, policy: PolicyPath = None, database: Database = None, root: Root = None, json: AsJson = False
) -> None:
    """Verify that the sealed log was not changed: names each changed, removed or inserted entry.

    With --root, a root that you kept elsewhere, it proves the log up to that root; without one the log can
    only be found consistent, not proven.
    """
    kept = _root(root)
    with opened_store(policy, database) as store:
        report = _verify(store, kept)
    if json:
        screen.document(_document(report))
    else:
        style = "bold green" if report.ok else "bold red"
        for number, sentence in enumerate(report.sentences()):
            screen.say(sentence, "" if number else style)
    code = _code(report, asked=kept is not None)
    if code is not Exit.OK:
        raise typer.Exit(code)


def _print(stored: StoredEntry, *, json: bool) -> None:
    from handrail.cli.shorts import short
    from handrail.journal.told import entry_json, summary

    if json:
        screen.line(entry_json(stored))
        return
    entry = stored.entry
    names = " ".join(name for name in (entry.agent, entry.tool, entry.task) if name)
    head = f"{stored.seq:>7}  {clock(entry.at)}  {entry.kind:<16}  {short(entry.action):<8}  {names}"
    screen.say(f"{head}  {screen.plain(summary(entry))}".rstrip())


def _coming(store: Store, seen: set[int]) -> Iterator[StoredEntry]:
    """Every entry that was not seen yet, as it becomes visible, for ever."""
    newest = max(seen, default=0)
    while True:
        after = newest - WINDOW
        for stored in store.read(lambda tx, after=after: tx.journal.after(after, 2 * WINDOW)):  # type: ignore[misc]
            if stored.seq not in seen:
                seen.add(stored.seq)
                newest = max(newest, stored.seq)
                yield stored
        if newest - WINDOW == after:
            time.sleep(LOOK_EVERY)
        seen.difference_update([seq for seq in seen if seq <= newest - WINDOW])


def _is_wanted(stored: StoredEntry, wanted: EntryFilter) -> bool:
    entry = stored.entry
    return all(
        asked is None or asked == found
        for asked, found in (
            (wanted.kind, entry.kind),
            (wanted.agent, entry.agent),
            (wanted.tool, entry.tool),
            (wanted.session, entry.session),
            (wanted.task, entry.task),
        )
    )


def _as_in_json(text: str) -> str:
    """Text as it stands inside a JSON string, which is how entries hold it."""
    import json

    return json.dumps(text, ensure_ascii=False)[1:-1]


def _export(found: Iterable[dict[str, Any]], decision: Said | None) -> None:
    for record in found:
        if decision in (None, record["decision"]):
            screen.line(record, at_once=False)
    sys.stdout.flush()


def _root(text: str | None) -> bytes | None:
    """The root that was given.

    Raises:
        typer.BadParameter: it is none.
    """
    if text is None:
        return None
    with suppress(ValueError):
        if len(text.strip()) == ROOT_DIGITS:
            return bytes.fromhex(text.strip())
    raise typer.BadParameter(f"{text!r} is no root: expected 64 hexadecimal digits", param_hint="--root")


def _verify(store: Store, root: bytes | None) -> Report:
    from handrail.journal.verify import verify as compare

    streams = store.audit()
    try:
        return compare(streams.entries(), streams.leaves, streams.heads(), root=root)
    finally:
        streams.close()


def _code(report: Report, *, asked: bool) -> Exit:
    from handrail.journal.report import Standing

    if report.standing is Standing.TAMPERED:
        return Exit.TAMPERED
    return Exit.NOT_PROVEN if asked and report.standing is not Standing.PROVEN else Exit.OK


def _document(report: Report) -> dict[str, object]:
    from dataclasses import asdict

    return {
        "standing": report.standing,
        "ok": report.ok,
        "sealed": report.size,
        "root": report.root.hex(),
        "through": report.through,
        "entries": report.entries,
        "unsealed": asdict(report.unsealed),
        "findings": [asdict(finding) for finding in report.findings],
        "counts": {str(fault): count for fault, count in report.counts.items()},
        "proof": None if report.proof is None else asdict(report.proof),
        "sentences": list(report.sentences()),
    }
