"""``handrail actions``: what agents asked for, what became of it, and a word on what nobody knows."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handrail.cli import screen
from handrail.cli.exits import Exit
from handrail.cli.opened import opened_engine, opened_store
from handrail.cli.options import (
    Agent,
    As,
    AsJson,
    Database,
    InState,
    Limit,
    PolicyPath,
    Reason,
    Session,
    Task,
    Tool,
)
from handrail.cli.person import confirmed, must_be_at_a_terminal, person_of
from handrail.cli.times import clock

if TYPE_CHECKING:
    from handrail.words.action import Action

app = typer.Typer(no_args_is_help=True, help="What agents asked for, and what became of it.")
Id = Annotated[str, typer.Argument(metavar="ID", help="The action's id, or its last digits.")]
Before = Annotated[
    str | None,
    typer.Option("--before", metavar="ID", help="Only older ones than this action: the next page."),
]


class Became(StrEnum):
    """How an action whose outcome nobody knew turned out."""

    DONE = "done"
    FAILED = "failed"


What = Annotated[Became, typer.Argument(help="Whether it took effect (done) or not (failed).")]


@app.command("list")
def list_(  # noqa: PLR0913 - each is one option of the command
    *,
    policy: PolicyPath = None,
    database: Database = None,
    state: InState = None,
    agent: Agent = None,
    tool: Tool = None,
    session: Session = None,
    task: Task = None,
    before: Before = None,
    limit: Limit = 50,
    json: AsJson = False,
) -> None:
    """List actions, newest first."""
    from handrail.cli.shorts import action as by_ending
    from handrail.cli.shown import action_json
    from handrail.words.query import ActionFilter

    with opened_store(policy, database) as store:
        last = None if before is None else store.read(lambda tx: by_ending(tx, before)).id
        wanted = ActionFilter(state, agent, tool, session, task, last, limit)
        found = store.read(lambda tx: tx.actions.listing(wanted))
    if json:
        for action in found:
            screen.line(action_json(action))
        return
    screen.table(
        ("id", "proposed (UTC)", "agent", "tool", "task", "state", "why"),
        [_row(action) for action in found],
        "No such actions.",
    )
    if len(found) == limit:
        screen.say(f"Further ones: --before {found[-1].id[-8:]}", "dim")


@app.command()
def show(action: Id, *, policy: PolicyPath = None, database: Database = None, json: AsJson = False) -> None:
    """Show one action: what was asked for, every step of the verdict, and what happened since."""
    from handrail.cli.shorts import action as by_ending
    from handrail.journal.export import record
    from handrail.journal.told import entry_json

    with opened_store(policy, database) as store:
        found = store.read(lambda tx: by_ending(tx, action))
        entries = store.read(lambda tx: tx.journal.of(found.id))
    told = record(entries)
    if json:
        screen.document({**told, "history": [entry_json(stored) for stored in entries]})
        return
    _print(found, told)
    _history(entries)


@app.command()
def settle(
    action: Id,
    became: What,
    *,
    reason: Reason,
    nothing_done: Annotated[
        bool, typer.Option("--nothing-done", help="It provably did nothing: budgets get back what it held.")
    ] = False,
    person: As = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """Say what became of an action that was interrupted while it ran. Asks on a terminal."""
    from handrail.cli.shorts import action as by_ending
    from handrail.engine.settle import resolve
    from handrail.words.lifecycle import State

    must_be_at_a_terminal("settling an action")
    who = person_of(person)
    with opened_engine(policy, database) as engine:
        found = engine.store.read(lambda tx: by_ending(tx, action))
        screen.pairs(_heading(found), error=True)
        what = f"{became}, and did nothing" if nothing_done else became
        if not confirmed(f"As {who}: this action is {what} ({reason})."):
            screen.say("Nothing was changed.", error=True)
            raise typer.Exit(Exit.NOT_DONE)
        resolve(engine, found.id, State(became.value), who, reason, nothing_done=nothing_done)
    if json:
        screen.document({"action": found.id, "state": became, "person": who, "reason": reason})
    else:
        screen.say(f"Action {found.id} is {became} now.")


def cancel(
    action: Id,
    *,
    reason: Reason,
    person: As = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """Call off an action that has not started. Asks nothing: letting less run is always allowed."""
    from handrail.cli.shorts import action as by_ending
    from handrail.cli.shown import action_json
    from handrail.engine.cancel import cancel as call_off

    who = person_of(person)
    with opened_engine(policy, database) as engine:
        engine.refresh()
        found = engine.store.read(lambda tx: by_ending(tx, action))
        after = call_off(engine, found.id, who, reason)
    if json:
        screen.document(action_json(after))
    else:
        screen.say(f"Cancelled: action {found.id} ({screen.plain(found.tool)}) will not run.")


def _row(action: Action) -> tuple[str | None, ...]:
    from handrail.cli.shorts import short
    from handrail.cli.shown import why

    return (
        *(short(action.id), clock(action.proposed_at), action.agent, action.tool),
        *(action.task, action.state, why(action)),
    )


def _heading(action: Action) -> list[tuple[str, str | None]]:
    from handrail.cli.shown import why

    return [
        ("action", action.id),
        ("tool", action.tool),
        ("agent", action.agent),
        ("task", action.task),
        ("session", action.session),
        ("state", action.state),
        ("why", why(action)),
    ]


def _print(action: Action, told: dict[str, Any]) -> None:
    amount, took = told["amount"], told["execution_time_ms"]
    screen.pairs(
        [
            *_heading(action),
            ("asked for", told["timestamp"]),
            ("decision", told["decision"]),
            ("decided by", ", ".join(told["decided_by"])),
            ("run by hand", told["by_hand"]),
            ("confidence", told["confidence"]),
            ("rationale", told["rationale"]),
            ("rung", told["rung"]),
            ("amount", None if amount is None else f"{amount:,f}"),
            ("key", told["key"]),
            ("policy", told["policy"]),
            ("took", None if took is None else f"{took} ms"),
            ("settled", told["settled"] and f"{told['settled']['state']} by {told['settled']['person']}"),
            ("input", _exact(told["input"])),
            ("output", None if told["output"] is None else _exact(told["output"])),
        ]
    )
    steps = [(step["measure"], step["rule"], step["outcome"], step["reason"]) for step in told["steps"]]
    screen.say("")
    screen.table(("measure", "rule", "outcome", "reason"), steps, "No step was taken.")


def _exact(value: object) -> str:
    import msgspec

    return screen.exact(msgspec.json.Encoder(decimal_format="number").encode(value).decode())


def _history(entries: Any) -> None:
    from handrail.journal.told import summary

    rows = [(clock(one.entry.at), one.entry.kind, summary(one.entry), one.seq) for one in entries]
    screen.say("")
    screen.table(("when (UTC)", "what", "", "entry"), rows, "The journal has no entry of it.")
