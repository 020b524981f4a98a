"""``handrail sessions``: the runs of agents, and those that a person or the loop breaker holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from handrail.cli import screen
from handrail.cli.exits import Exit
from handrail.cli.opened import opened_engine, opened_store
from handrail.cli.options import As, AsJson, Database, Limit, PolicyPath, Reason
from handrail.cli.person import confirmed, must_be_at_a_terminal, person_of
from handrail.cli.times import clock

if TYPE_CHECKING:
    from handrail.words.session import SessionRecord

app = typer.Typer(no_args_is_help=True, help="The runs of agents, and what is held of them.")
Id = Annotated[str, typer.Argument(metavar="ID", help="The session's id.")]
OnlyHeld = Annotated[bool, typer.Option("--held", help="Only those that are held.")]
OfAgent = Annotated[str | None, typer.Option("--agent", metavar="NAME", help="Only this agent's.")]


@app.command("list")
def list_(
    *,
    held: OnlyHeld = False,
    agent: OfAgent = None,
    limit: Limit = 50,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """List sessions, newest first; those that are held with the reason."""
    with opened_store(policy, database) as store:
        if held:
            found = store.read(lambda tx: tx.sessions.held(limit))
            found = [each for each in found if agent in (None, each.agent)]
        else:
            found = store.read(lambda tx: tx.sessions.listing(agent, None, None, limit))
    if json:
        for each in found:
            screen.line(session_json(each))
        return
    rows = [(each.id, clock(each.opened_at), each.agent, each.task or "", _state(each)) for each in found]
    empty = "No session is held." if held else "No agent has begun yet."
    screen.table(("id", "opened (UTC)", "agent", "task", "now"), rows, empty)


@app.command()
def hold(
    session: Id,
    *,
    reason: Reason,
    person: As = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """Hold a session: nothing of it, or inside it, starts until it is released. Asks nothing."""
    from handrail.engine.loops import hold as throw

    with opened_engine(policy, database) as engine:
        found = throw(engine, session, reason, person_of(person))
    if json:
        screen.document(session_json(found))
    else:
        screen.say(f"Held: the session {found.id} of {found.agent}. Nothing of it starts any more.", "bold")


@app.command()
def release(
    session: Id,
    *,
    reason: Reason,
    person: As = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """Release a held session; what repeated before counts no more. Asks on a terminal."""
    from handrail.engine.loops import release as let_go
    from handrail.words.errors import NotFound

    must_be_at_a_terminal("releasing a session")
    who = person_of(person)
    with opened_engine(policy, database) as engine:
        known = engine.store.read(lambda tx: tx.sessions.get(session))
        if known is None:
            raise NotFound(f"there is no session {session}; 'handrail sessions list --held' lists them")
        screen.pairs(_told(known), error=True)
        if not confirmed(f"You are {who}: release this session ({reason})?"):
            screen.say("Nothing was changed.", error=True)
            raise typer.Exit(Exit.NOT_DONE)
        found = let_go(engine, session, reason, who)
    if json:
        screen.document(session_json(found))
    else:
        screen.say(f"Released: the session {found.id} of {found.agent} may go on.")


def session_json(found: SessionRecord) -> dict[str, object]:
    """A session for programs."""
    from handrail.cli.shown import when

    return {
        "id": found.id,
        "agent": found.agent,
        "task": found.task,
        "inside": found.lineage[-1] if found.lineage else None,
        "opened_at": when(found.opened_at),
        "ended_at": None if found.ended_at is None else when(found.ended_at),
        "held_at": None if found.held_at is None else when(found.held_at),
        "held_reason": found.held_reason,
    }


def _told(known: SessionRecord) -> list[tuple[str, str]]:
    since = "" if known.held_at is None else clock(known.held_at)
    return [
        ("session", known.id),
        ("agent", known.agent),
        ("held since", since or "it is not held"),
        ("because", known.held_reason or ""),
    ]


def _state(each: SessionRecord) -> str:
    if each.held_at is not None:
        return f"held: {each.held_reason}"
    if each.ended_at is not None:
        return "ended"
    return f"waits for {each.questions} answers" if each.questions else "open"
