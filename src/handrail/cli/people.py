"""``handrail admin`` and ``people``: accounts, from the host itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from handrail.cli import screen
from handrail.cli.exits import Exit
from handrail.cli.opened import opened_engine, opened_store
from handrail.cli.options import As, AsJson, Database, PolicyPath
from handrail.cli.person import confirmed, must_be_at_a_terminal, person_of
from handrail.cli.times import clock
from handrail.words.person import Role

if TYPE_CHECKING:
    from handrail.words.person import Person

app = typer.Typer(no_args_is_help=True, help="Accounts of people.")
admin = typer.Typer(no_args_is_help=True, help="The way back in for admins, on the host itself.")
Who = Annotated[str, typer.Argument(metavar="PERSON", help="The person's address, as the policy names it.")]
Name = Annotated[str | None, typer.Option("--name", metavar="NAME", help="The name that others see.")]
AsRole = Annotated[Role, typer.Option("--role", help="What the person may do.")]
SecondFactor = Annotated[bool, typer.Option("--second-factor", help="End a lost second factor, too.")]
Url = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", envvar="HANDRAIL_URL", help="The server's public address."),
]


@admin.command("create")
def create(
    *, url: Url = None, policy: PolicyPath = None, database: Database = None, json: AsJson = False
) -> None:
    """Print the link that makes the first admin. Asks on a terminal.

    Works while there is no active admin; afterwards admins invite each other.
    """
    from handrail.server.auth import links
    from handrail.words.errors import Refused

    must_be_at_a_terminal("making an admin")
    with opened_engine(policy, database) as engine:
        _agreed("print a link that makes an admin")
        link = links.first(engine, _address(url))
    if link is None:
        raise Refused("there is an admin; 'handrail admin reset PERSON' lets a lost one in again")
    _tell_link(link, "makes the first admin", "an hour", json=json)


@admin.command("reset")
def reset(
    person: Who,
    *,
    url: Url = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """Let a lost admin in again: prints a link for a new password. Asks on a terminal.

    The account becomes an active admin's, its second factor and every sign-in end. The log says so.
    """
    from handrail.server.auth import links

    must_be_at_a_terminal("letting an admin in")
    with opened_engine(policy, database) as engine:
        _agreed(f"make {person} an admin with a new password, without a second factor")
        link = links.rescue(engine, _address(url), person.strip().lower())
    _tell_link(link, f"lets {person} set a new password", "an hour", json=json)


@app.command("list")
def list_(*, policy: PolicyPath = None, database: Database = None, json: AsJson = False) -> None:
    """List every account."""
    with opened_store(policy, database) as store:
        found = store.read(lambda tx: tx.people.listing())
    if json:
        for each in found:
            screen.line(_json(each))
        return
    rows = [
        (each.id, each.name, each.role, _state(each), "yes" if each.totp else "no", _away(each))
        for each in found
    ]
    columns = ("person", "name", "role", "account", "second factor", "away until (UTC)")
    screen.table(columns, rows, "Nobody has an account yet.")


@app.command("invite")
def invite(
    person: Who,
    *,
    name: Name = None,
    role: AsRole = Role.REVIEWER,
    url: Url = None,
    by: As = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """Make an account and print the link with which its person comes in. Asks on a terminal."""
    from handrail.server.auth import links

    must_be_at_a_terminal("inviting somebody")
    who = person_of(by)
    with opened_engine(policy, database) as engine:
        _agreed(f"invite {person} as {role}", who)
        link = links.invite(engine, _address(url), person, name or person, role, who)
    _tell_link(link, f"lets {person} in", "three days", json=json)


@app.command("reset")
def renew(
    person: Who,
    *,
    second_factor: SecondFactor = False,
    url: Url = None,
    by: As = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """Print a link with which a person sets a new password. Asks on a terminal."""
    from handrail.server.auth import links

    must_be_at_a_terminal("a link for a new password")
    who = person_of(by)
    with opened_engine(policy, database) as engine:
        _agreed(
            f"let {person} set a new password{', without the second factor' if second_factor else ''}", who
        )
        named = person.strip().lower()
        link = links.reset(engine, _address(url), named, who, end_second_factor=second_factor)
    _tell_link(link, f"lets {person} set a new password", "an hour", json=json)


@app.command("off")
def off(
    person: Who, *, by: As = None, policy: PolicyPath = None, database: Database = None, json: AsJson = False
) -> None:
    """Switch an account off: signed out everywhere, answers no more. Asks on a terminal."""
    _switch(person, by, policy, database, active=False, json=json)


@app.command("on")
def on(
    person: Who, *, by: As = None, policy: PolicyPath = None, database: Database = None, json: AsJson = False
) -> None:
    """Switch an account on again. Asks on a terminal."""
    _switch(person, by, policy, database, active=True, json=json)


@app.command("role")
def role_(
    person: Who,
    role: Annotated[Role, typer.Argument(metavar="ROLE", help="viewer, reviewer or admin.")],
    *,
    by: As = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """Change what a person may do. Asks on a terminal."""
    from handrail.engine.identity.accounts import set_role

    must_be_at_a_terminal("changing a role")
    who = person_of(by)
    with opened_engine(policy, database) as engine:
        _agreed(f"make {person} {role}", who)
        _tell(set_role(engine, person.strip().lower(), role, who), json=json)


def _switch(
    person: str,
    by: str | None,
    policy: PolicyPath,
    database: str | None,
    *,
    active: bool,
    json: bool,
) -> None:
    from handrail.engine.identity.accounts import set_active

    must_be_at_a_terminal("switching an account")
    who = person_of(by)
    with opened_engine(policy, database) as engine:
        _agreed(f"switch {person} {'on' if active else 'off'}", who)
        _tell(set_active(engine, person.strip().lower(), active, who), json=json)


def _agreed(what: str, who: str | None = None) -> None:
    you = f"You are {who}: " if who else ""
    if not confirmed(f"{you}{what}?"):
        screen.say("Nothing was changed.", error=True)
        raise typer.Exit(Exit.NOT_DONE)


def _address(url: str | None) -> str:
    from handrail.cli.serve import settings

    found = settings(url=url)
    if found.url is None:
        screen.complain(
            "the link's address is a guess: say with --url or HANDRAIL_URL where people reach the server",
            "warning",
        )
    return found.address()


def _tell_link(link: str, what: str, long: str, *, json: bool) -> None:
    if json:
        screen.document({"link": link})
    else:
        screen.say(f"Within {long}, and once, this link {what}:\n\n  {link}\n")


def _tell(person: Person, *, json: bool) -> None:
    if json:
        screen.document(_json(person))
    else:
        screen.say(f"{person.id} is {person.role}, and the account is {_state(person)}.")


def _json(person: Person) -> dict[str, object]:
    from handrail.cli.shown import when

    return {
        "id": person.id,
        "name": person.name,
        "role": person.role,
        "active": person.active,
        "has_password": person.password is not None,
        "second_factor": person.totp is not None,
        "away_until": when(person.away_until),
        "made_at": when(person.made_at),
    }


def _state(person: Person) -> str:
    if not person.active:
        return "off"
    return "invited" if person.password is None and person.oidc is None else "on"


def _away(person: Person) -> str:
    return "" if person.away_until is None else clock(person.away_until)
