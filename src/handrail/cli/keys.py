"""``handrail keys``: keys of agents and services, from the host itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from handrail.cli import screen
from handrail.cli.exits import Exit
from handrail.cli.opened import opened_engine, opened_store
from handrail.cli.options import As, AsJson, Database, PolicyPath
from handrail.cli.person import confirmed, must_be_at_a_terminal, person_of
from handrail.cli.times import clock
from handrail.words.person import KeyKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.engine.core import Engine
    from handrail.words.person import Key

app = typer.Typer(no_args_is_help=True, help="Keys of agents and services.")
HOUR = 3_600_000
Id = Annotated[str, typer.Argument(metavar="KEY", help="The key's id; 'handrail keys list' shows it.")]
Agents = Annotated[
    list[str],
    typer.Option(
        "--agent", metavar="NAME", help="The agent that it is for; a service's key may have several."
    ),
]
Name = Annotated[str, typer.Option("--name", metavar="NAME", help="What the key is called in lists and log.")]
Service = Annotated[
    bool, typer.Option("--service", help="A service's key: it opens sessions for agents, and acts in none.")
]
NoSessions = Annotated[
    bool,
    typer.Option("--no-sessions", help="The agent acts only in sessions that a service opened for it."),
]
Days = Annotated[
    int | None, typer.Option("--days", min=1, max=3650, help="How long it works. Default: no end.")
]
Hours = Annotated[
    int, typer.Option("--hours", min=0, max=24 * 90, help="How long the old key goes on working beside it.")
]


@app.command("list")
def list_(*, policy: PolicyPath = None, database: Database = None, json: AsJson = False) -> None:
    """List every key, the newest first; secrets are kept nowhere."""
    with opened_store(policy, database) as store:
        found, now = store.read(lambda tx: (tx.keys.listing(), tx.now()))
    if json:
        for each in found:
            screen.line(_json(each))
        return
    rows = [
        (each.id, each.kind, each.name, ", ".join(each.agents), _state(each, now), _moment(each.used_at))
        for each in found
    ]
    screen.table(("key", "kind", "name", "for", "state", "last used (UTC)"), rows, "There is no key yet.")


@app.command("make")
def make(  # noqa: PLR0913 - each is an option
    *,
    agent: Agents,
    name: Name,
    service: Service = False,
    no_sessions: NoSessions = False,
    days: Days = None,
    by: As = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """Make a key and print it, this one time. Asks on a terminal."""
    from handrail.engine.identity.keys import make_key
    from handrail.server.auth.keys import new_key_secret, shown

    must_be_at_a_terminal("making a key")
    who = person_of(by)
    kind = KeyKind.SERVICE if service else KeyKind.AGENT
    with opened_engine(policy, database) as engine:
        _agreed(f"make a key of the {kind} {name!r} for {', '.join(agent)}", who)
        secret, digest = new_key_secret()
        until = None if days is None else engine.clock() + days * 24 * HOUR
        made = make_key(
            engine, kind, name, agent, digest, who, opens_sessions=not no_sessions, expires_at=until
        )
        _warn_of_strangers(engine, agent)
    _tell(made, shown(kind, made.id, secret), json=json)


@app.command("rotate")
def rotate(
    key: Id,
    *,
    hours: Hours = 24,
    by: As = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """Make the key that follows another; both work for a while. Asks on a terminal."""
    from handrail.engine.identity.keys import rotate_key
    from handrail.server.auth.keys import new_key_secret, shown

    must_be_at_a_terminal("rotating a key")
    who = person_of(by)
    with opened_engine(policy, database) as engine:
        _agreed(f"make the key that follows {key}, which ends in {hours} hours", who)
        secret, digest = new_key_secret()
        made = rotate_key(engine, key, digest, hours * HOUR, who)
    _tell(made, shown(made.kind, made.id, secret), json=json)


@app.command("revoke")
def revoke(
    key: Id, *, by: As = None, policy: PolicyPath = None, database: Database = None, json: AsJson = False
) -> None:
    """End a key now, in every process. Asks on a terminal."""
    from handrail.engine.identity.keys import revoke_key

    must_be_at_a_terminal("revoking a key")
    who = person_of(by)
    with opened_engine(policy, database) as engine:
        _agreed(f"revoke the key {key}", who)
        ended = revoke_key(engine, key, who)
    if json:
        screen.document(_json(ended))
    else:
        screen.say(f"Revoked: {ended.name} ({ended.id}).")


def _warn_of_strangers(engine: Engine, agents: Sequence[str]) -> None:
    """A key of a mistyped agent may do nothing: say so, as a later policy may know the name."""
    from handrail.engine.restrict import strangers
    from handrail.words.errors import HandrailError

    try:
        engine.refresh()
    except HandrailError:
        return  # nobody can say which names the policy knows
    for told in (each for name in agents for each in strangers(engine.policy.policy, name, None)):
        screen.complain(
            f"{told} The key is made all the same, and does nothing until a policy does", "warning"
        )


def _agreed(what: str, who: str) -> None:
    if not confirmed(f"You are {who}: {what}?"):
        screen.say("Nothing was changed.", error=True)
        raise typer.Exit(Exit.NOT_DONE)


def _tell(made: Key, text: str, *, json: bool) -> None:
    if json:
        screen.document({**_json(made), "key": text})
    else:
        screen.say(f"The key of {made.name}, shown this once:\n\n  {text}\n")


def _json(key: Key) -> dict[str, object]:
    from handrail.cli.shown import when

    return {
        "id": key.id,
        "kind": key.kind,
        "name": key.name,
        "agents": list(key.agents),
        "opens_sessions": key.opens_sessions,
        "made_at": when(key.made_at),
        "made_by": key.made_by,
        "expires_at": when(key.expires_at),
        "used_at": when(key.used_at),
        "revoked_at": when(key.revoked_at),
        "replaces": key.replaces,
    }


def _state(key: Key, now: int) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is None:
        return "active"
    return "expired" if key.expires_at <= now else f"until {clock(key.expires_at)}"


def _moment(at: int | None) -> str:
    return "" if at is None else clock(at)
