"""``handrail halt``, ``lift`` and ``halts``: the kill switch."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from handrail.cli import screen
from handrail.cli.exits import Exit
from handrail.cli.opened import opened_engine, opened_store
from handrail.cli.options import As, AsJson, Database, PolicyPath, Reason
from handrail.cli.person import confirmed, must_be_at_a_terminal, person_of
from handrail.cli.times import clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.engine.core import Engine
    from handrail.words.action import Action
    from handrail.words.restriction import Halt

app = typer.Typer(no_args_is_help=True, help="What is halted now.")
LOOK_EVERY = 0.2
"""Seconds between two looks at what is still running."""
Id = Annotated[str, typer.Argument(metavar="ID", help="The halt's id, or its last digits.")]
OfAgent = Annotated[str | None, typer.Option("--agent", metavar="NAME", help="Halt this agent only.")]
OfTool = Annotated[str | None, typer.Option("--tool", metavar="NAME", help="Halt this tool only.")]
Wait = Annotated[bool, typer.Option("--wait", help="Return when nothing that it covers runs any more.")]
AtMost = Annotated[
    float | None,
    typer.Option("--at-most", metavar="SECONDS", min=0, help="With --wait: no longer than this."),
]


def halt(  # noqa: PLR0913 - each is one option of the command
    *,
    reason: Reason,
    agent: OfAgent = None,
    tool: OfTool = None,
    wait: Wait = False,
    at_most: AtMost = None,
    person: As = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """Stop everything, an agent, a tool, or an agent's tool: nothing that it covers starts any more.

    What runs already is listed; a tool that allows it is cancelled. Asks nothing: stopping is always allowed.
    """
    from handrail.engine.restrict import halt as throw

    with opened_engine(policy, database) as engine:
        who = person_of(person)
        halt_id, running = throw(engine, reason, who, agent, tool)
        thrown = _thrown(engine, halt_id)
        _warn_of_strangers(engine, agent, tool)
        if not json:
            _tell(thrown, running)
        if wait:
            running, lost = _drained(engine, thrown, running, at_most)
        else:
            lost = []
    if json:
        screen.document(_document(thrown, running, lost))
    elif wait:
        _tell_drained(running, lost)
    if wait and running:
        raise typer.Exit(Exit.NOT_DONE)


def lift(
    halt: Id,
    *,
    reason: Reason,
    person: As = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """End a halt. Asks on a terminal."""
    from handrail.cli.shorts import halt as by_ending
    from handrail.engine.restrict import lift as end

    must_be_at_a_terminal("lifting a halt")
    who = person_of(person)
    with opened_engine(policy, database) as engine:
        found = by_ending(engine.store.read(lambda tx: tx.restrictions.read()).halts, halt)
        halted = [
            ("halted", found.scope),
            ("because", found.reason),
            ("by", found.by),
            ("since", clock(found.at)),
        ]
        screen.pairs(halted, error=True)
        if not confirmed(f"You are {who}: lift this halt ({reason})?"):
            screen.say("Nothing was changed; it stays halted.", error=True)
            raise typer.Exit(Exit.NOT_DONE)
        end(engine, found.id, reason, who)
        left = engine.store.read(lambda tx: tx.restrictions.read()).halts
        still = [each for each in left if each.meets(found)]
    if json:
        screen.document(
            {
                "lifted": found.id,
                "scope": found.scope,
                "by": who,
                "reason": reason,
                "still_in_force": [_halt_json(each) for each in still],
            }
        )
    else:
        _tell_lifted(found, still)


def _tell_lifted(lifted: Halt, still: Sequence[Halt]) -> None:
    from handrail.cli.shorts import short

    if not still:
        screen.say(f"Lifted: {lifted.scope} may run again.")
        return
    others = ", ".join(f"{each.scope} (halt {short(each.id)})" for each in still)
    screen.say(f"Lifted. Other halts are in force still, and stop what they cover: {others}", "yellow")


@app.command("list")
def list_(*, policy: PolicyPath = None, database: Database = None, json: AsJson = False) -> None:
    """List every halt in force."""
    from handrail.cli.shorts import short

    with opened_store(policy, database) as store:
        found = store.read(lambda tx: tx.restrictions.read()).halts
    if json:
        for each in found:
            screen.line(_halt_json(each))
        return
    rows = [(short(each.id), clock(each.at), each.scope, each.reason, each.by) for each in found]
    screen.table(("id", "since (UTC)", "halted", "because", "by"), rows, "Nothing is halted.")


def _thrown(engine: Engine, halt_id: str) -> Halt:
    found = engine.store.read(lambda tx: tx.restrictions.read()).halts
    return next(each for each in found if each.id == halt_id)


def _warn_of_strangers(engine: Engine, agent: str | None, tool: str | None) -> None:
    """A halt of a mistyped name stops nothing: say so, once it is in force."""
    from handrail.engine.restrict import strangers
    from handrail.words.errors import HandrailError

    try:
        engine.refresh()
    except HandrailError as error:
        screen.complain(
            f"the active policy can't be read, the halt is in force all the same: {error}", "warning"
        )
        return
    for told in strangers(engine.policy.policy, agent, tool):
        screen.complain(f"{told} The halt is in force all the same", "warning")


def _drained(
    engine: Engine, thrown: Halt, running: Sequence[Action], at_most: float | None
) -> tuple[list[Action], list[Action]]:
    """Wait until nothing that the halt covers is running, or for so many seconds.

    What still runs then, and what was lost meanwhile together with its process.
    """
    from handrail.engine.jobs import anything_due, reap
    from handrail.words.lifecycle import State

    end = None if at_most is None else time.monotonic() + at_most
    while (still := _covered(engine, thrown)) and (end is None or time.monotonic() < end):
        if anything_due(engine):
            reap(engine)
        time.sleep(LOOK_EVERY if end is None else max(0.0, min(LOOK_EVERY, end - time.monotonic())))
    ids = [each.id for each in running]
    after = engine.store.read(lambda tx: [tx.actions.get(each) for each in ids])
    return still, [each for each in after if each is not None and each.state is State.UNKNOWN]


def _covered(engine: Engine, thrown: Halt) -> list[Action]:
    running = engine.store.read(lambda tx: tx.actions.running())
    return [each for each in running if thrown.covers(each.agent, each.tool)]


def _tell(thrown: Halt, running: Sequence[Action]) -> None:
    from handrail.cli.shorts import short

    screen.say(
        f"Halted: {thrown.scope} (halt {short(thrown.id)}). Nothing that it covers starts any more.", "bold"
    )
    if running:
        screen.say("Still running, started before:")
        _list_running(running)


def _list_running(running: Sequence[Action]) -> None:
    from handrail.cli.shorts import short

    rows = [
        (short(each.id), clock(each.started_at or 0), each.agent, each.tool, each.owner) for each in running
    ]
    screen.table(("action", "started (UTC)", "agent", "tool", "process"), rows, "")


def _tell_drained(still: Sequence[Action], lost: Sequence[Action]) -> None:
    if still:
        screen.say("The time is over, and this still runs; the halt stays in force:", "yellow")
        _list_running(still)
    else:
        screen.say("Nothing that it covers runs any more.")
    for each in lost:
        screen.say(
            f"Nobody knows what became of {each.tool} (action {each.id}): handrail actions settle", "yellow"
        )


def _document(thrown: Halt, running: Sequence[Action], lost: Sequence[Action]) -> dict[str, object]:
    from handrail.cli.shown import action_json

    return {
        **_halt_json(thrown),
        "still_running": [action_json(each) for each in running],
        "outcome_unknown": [action_json(each) for each in lost],
    }


def _halt_json(halt: Halt) -> dict[str, object]:
    from handrail.cli.shown import when

    return {
        "id": halt.id,
        "scope": halt.scope,
        "agent": halt.agent,
        "tool": halt.tool,
        "reason": halt.reason,
        "by": halt.by,
        "at": when(halt.at),
    }
