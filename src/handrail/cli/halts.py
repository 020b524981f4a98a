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
    from collections.abc import Iterable, Sequence

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


def halt(
    *,
    reason: Reason,
    agent: OfAgent = None,
    tool: OfTool = None,
    wait: Wait = False,
    person: As = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """Stop everything, an agent, a tool, or an agent's tool: nothing that it covers starts any more.

    What runs already is listed; it is not torn off in the middle. Asks nothing: stopping is always allowed.
    """
    from handrail.engine.restrict import halt as throw

    with opened_engine(policy, database) as engine:
        who = person_of(person)
        halt_id, running = throw(engine, reason, who, agent, tool)
        thrown = _thrown(engine, halt_id)
        _warn_of_strangers(engine, agent, tool)
        if not json:
            _tell(thrown, running)
        lost = _drained(engine, thrown, running) if wait else []
    if json:
        screen.document(_document(thrown, running, lost, waited=wait))
    elif wait:
        _tell_drained(lost)


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
    if json:
        screen.document({"lifted": found.id, "scope": found.scope, "by": who, "reason": reason})
    else:
        screen.say(f"Lifted: {found.scope} may run again.")


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
    from handrail.policy.nearest import nearest
    from handrail.words.errors import HandrailError

    try:
        engine.refresh()
    except HandrailError as error:
        screen.complain(
            f"the active policy can't be read, the halt is in force all the same: {error}", "warning"
        )
        return
    known = engine.policy.policy
    for what, name, names in (("agent", agent, known.agents), ("tool", tool, known.tools)):
        if name is not None and name not in names:
            near = nearest(name, names)
            hint = f"; did you mean {near!r}?" if near else ""
            screen.complain(
                f"the policy knows no {what} {name!r}{hint} The halt is in force all the same", "warning"
            )


def _drained(engine: Engine, thrown: Halt, running: Sequence[Action]) -> list[Action]:
    """Wait until nothing that the halt covers is running; those whose process was lost meanwhile."""
    from handrail.engine.jobs import anything_due, reap
    from handrail.words.lifecycle import State

    while any(thrown.covers(each.agent, each.tool) for each in _running(engine)):
        if anything_due(engine):
            reap(engine)
        time.sleep(LOOK_EVERY)
    ids = [each.id for each in running]
    after = engine.store.read(lambda tx: [tx.actions.get(each) for each in ids])
    return [each for each in after if each is not None and each.state is State.UNKNOWN]


def _running(engine: Engine) -> Iterable[Action]:
    return engine.store.read(lambda tx: tx.actions.running())


def _tell(thrown: Halt, running: Sequence[Action]) -> None:
    from handrail.cli.shorts import short

    screen.say(
        f"Halted: {thrown.scope} (halt {short(thrown.id)}). Nothing that it covers starts any more.", "bold"
    )
    if running:
        screen.say("Still running, started before:")
        rows = [
            (short(each.id), clock(each.started_at or 0), each.agent, each.tool, each.owner)
            for each in running
        ]
        screen.table(("action", "started (UTC)", "agent", "tool", "process"), rows, "")


def _tell_drained(lost: Sequence[Action]) -> None:
    screen.say("Nothing that it covers runs any more.")
    for each in lost:
        screen.say(
            f"Nobody knows what became of {each.tool} (action {each.id}): handrail actions settle", "yellow"
        )


def _document(
    thrown: Halt, running: Sequence[Action], lost: Sequence[Action], *, waited: bool
) -> dict[str, object]:
    from handrail.cli.shown import action_json

    return {
        **_halt_json(thrown),
        "still_running": [] if waited else [action_json(each) for each in running],
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
