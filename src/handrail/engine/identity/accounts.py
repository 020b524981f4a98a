"""Accounts of people: how they come and change. Each change is journalled, and no entry holds a secret.

Secrets come in as digests, passwords as hashes: this room keeps them, whoever calls it made them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from handrail.engine import record
from handrail.engine.texts import name_of
from handrail.ports import Commit
from handrail.words.entry import Entry, Kind
from handrail.words.errors import BadArguments, Conflict, NotFound, Refused
from handrail.words.person import Link, Person, Purpose, Role, one_spelling

if TYPE_CHECKING:
    from collections.abc import Callable

    from handrail.engine.core import Engine
    from handrail.ports import Transaction

HOUR = 3_600_000
LINK_LIVES = HOUR
INVITE_LIVES = 3 * 24 * HOUR
LONGEST_ID = 254
"""Characters of an address."""
SETS_PASSWORDS = frozenset({Purpose.SETUP, Purpose.INVITE, Purpose.RESET})
HOST = "the host's console"
"""Who makes a link on the machine itself."""


def person_id(text: str) -> str:
    """A person's id as it is kept: lower case, without space around it.

    Raises:
        BadArguments: it can't be an address or a name.
    """
    given = name_of(text, "the person")
    found = one_spelling(given)
    if any(sign.lower().isascii() and not sign.isascii() for sign in given):
        raise BadArguments(f"{given[:60]!r} has a letter that only looks like one of a to z; write that one")
    # a slash, and dots alone, would be read as another path: nobody could switch such an account off
    odd = "/" in found or not found.strip(".") or any(sign.isspace() for sign in found)
    if len(found) > LONGEST_ID or not found.isprintable() or odd:
        raise BadArguments(f"{found[:60]!r} is no person; expected an address such as lead@example.com")
    return found


def first_link(engine: Engine, digest: str) -> bool:
    """Keep the link that makes the first admin; False when there is an active admin already."""

    def work(tx: Transaction) -> bool:
        if tx.people.admins():
            return False
        at = tx.now()
        tx.people.add_link(Link(digest, Purpose.SETUP, None, at, at + LINK_LIVES, HOST))
        return True

    return engine.store.write(Commit.PERSON, work)


def invite(engine: Engine, person: str, name: str, role: Role, digest: str, by: str) -> Person:
    """Make an account that waits for its person, and keep the link that lets them in.

    Raises:
        Conflict: there is such an account.
    """
    found = Person(person_id(person), name_of(name, "the name"), role, 0)

    def work(tx: Transaction) -> Person:
        at = tx.now()
        made = replace(found, made_at=at)
        if not tx.people.add(made):
            raise Conflict(f"{made.id} has an account already; change it, or send a new link")
        tx.people.add_link(Link(digest, Purpose.INVITE, made.id, at, at + INVITE_LIVES, by))
        tx.journal.append([record.plain(Kind.PERSON_INVITED, at, person=made.id, role=made.role, by=by)])
        return made

    return _written(engine, work)


def join(engine: Engine, person: str, name: str, role: Role, oidc: str) -> Person:
    """Make an account for somebody whom the company's sign-on vouches for.

    Raises:
        Conflict: there is such an account.
    """
    found = Person(person_id(person), name_of(name, "the name"), role, 0, oidc=oidc)

    def work(tx: Transaction) -> Person:
        at = tx.now()
        made = replace(found, made_at=at)
        if not tx.people.add(made):
            raise Conflict(f"{made.id} has an account already")
        body = {"person": made.id, "role": made.role, "by": "the company's sign-on"}
        tx.journal.append([record.plain(Kind.PERSON_INVITED, at, **body)])
        return made

    return _written(engine, work)


def reset_link(
    engine: Engine, person: str, digest: str, by: str, *, end_second_factor: bool = False
) -> Person:
    """Keep a link with which a person sets a new password; earlier links end, and a lost second factor.

    Raises:
        NotFound: there is no such account.
    """

    def work(tx: Transaction) -> Person:
        at = tx.now()
        found = _locked(tx, person)
        tx.people.end_links(found.id)
        tx.people.add_link(Link(digest, Purpose.RESET, found.id, at, at + LINK_LIVES, by))
        if end_second_factor:
            found = replace(found, totp=None)
            tx.people.save(found)
            tx.people.close(found.id)
        body = {"reset": "a link was made", "second_factor": found.totp is not None}
        tx.journal.append([_changed(at, found, by, **body)])
        return found

    return _written(engine, work)


def rescue_link(engine: Engine, person: str, digest: str) -> Person:
    """For a lost admin, on the host: the account is active and an admin's again, its second factor gone.

    Raises:
        NotFound: there is no such account.
    """

    def work(tx: Transaction) -> Person:
        at = tx.now()
        found = replace(_locked(tx, person), active=True, role=Role.ADMIN, totp=None)
        tx.people.save(found)
        tx.people.close(found.id)
        tx.people.end_links(found.id)
        tx.people.add_link(Link(digest, Purpose.RESET, found.id, at, at + LINK_LIVES, HOST))
        tx.journal.append([_changed(at, found, HOST, role=found.role, active=True, second_factor=False)])
        return found

    return _restricted(engine, work)


def use_link(
    engine: Engine, digest: str, password: str, *, person: str | None = None, name: str | None = None
) -> Person:
    """Use a one-time link up: the password is set, and every earlier sign-in ends.

    ``person`` and ``name`` are for the first admin, whose link names nobody.

    Raises:
        NotFound: the link does not work any more.
        Refused: there is an admin by now, or the account is not active.
    """

    def work(tx: Transaction) -> Person:
        at = tx.now()
        link = tx.people.take_link(digest, at)
        if link is None or link.purpose not in SETS_PASSWORDS:
            raise NotFound("this link does not work any more: it was used, or its time is over")
        found = _first(tx, person, name, at) if link.person is None else _locked(tx, link.person)
        if not found.active:
            raise Refused(f"the account {found.id} is switched off")
        saved = replace(found, password=password)
        tx.people.save(saved)
        tx.people.close(saved.id)
        tx.journal.append([_changed(at, saved, saved.id, password="set by a link")])  # noqa: S106 - words
        return saved

    # the first admin's link may make an account of one that was closed an admin's: whose word counts changes
    return _restricted(engine, work)


def _first(tx: Transaction, person: str | None, name: str | None, at: int) -> Person:
    if tx.people.admins():
        raise Refused("there is an admin already, who can invite you")
    if person is None:
        raise BadArguments("the first admin needs an address")
    made = Person(person_id(person), name_of(name or person, "the name"), Role.ADMIN, at)
    if not tx.people.add(made):
        found = _locked(tx, made.id)
        made = replace(found, role=Role.ADMIN, active=True)
    tx.journal.append([record.plain(Kind.PERSON_INVITED, at, person=made.id, role=made.role, by=HOST)])
    return made


def rename(engine: Engine, person: str, name: str, by: str) -> Person:
    """Change the name that others see."""
    wanted = name_of(name, "the name")
    return change(engine, person, by, lambda found: replace(found, name=wanted), {"name": wanted})


def change_password(
    engine: Engine, person: str, password: str, *, keep: str | None, only_if: str | None = None
) -> Person:
    """Set another password: every sign-in but ``keep`` ends, and every open link.

    ``only_if`` is the hash that the old password was compared with: another one by now is a conflict.

    Raises:
        Conflict: the password was changed meanwhile.
    """

    def work(tx: Transaction) -> Person:
        at = tx.now()
        found = _locked(tx, person)
        if only_if is not None and found.password != only_if:
            raise Conflict("the password was changed meanwhile")
        saved = replace(found, password=password)
        tx.people.save(saved)
        tx.people.end_links(saved.id)
        _close_others(tx, saved.id, keep)
        tx.journal.append([_changed(at, saved, saved.id, password="changed")])  # noqa: S106 - words
        return saved

    return _written(engine, work)


def rehash(engine: Engine, person: Person, password: str) -> Person:
    """Keep the same password under a stronger hash, unless it was changed meanwhile."""

    def work(tx: Transaction) -> Person:
        found = _locked(tx, person.id)
        if found.password != person.password:
            return found
        saved = replace(found, password=password)
        tx.people.save(saved)
        return saved

    return engine.store.write(Commit.PERSON, work)


def set_totp(engine: Engine, person: str, secret: str | None, step: int, *, keep: str | None) -> Person:
    """Begin or end the second factor; every sign-in but ``keep`` ends."""

    def work(tx: Transaction) -> Person:
        at = tx.now()
        found = _locked(tx, person)
        if secret is not None and found.totp is not None:
            raise Conflict("there is a second factor already; end it first")
        saved = replace(found, totp=secret, totp_step=max(step, found.totp_step))
        tx.people.save(saved)
        _close_others(tx, saved.id, keep)
        if keep is not None and secret is not None:
            tx.people.passed(keep)
        tx.journal.append([_changed(at, saved, saved.id, second_factor=secret is not None)])
        return saved

    return _written(engine, work)


def set_role(engine: Engine, person: str, role: Role, by: str) -> Person:
    """Change what a person may do.

    Raises:
        Refused: no admin would be left.
    """
    return change(engine, person, by, lambda found: replace(found, role=role), {"role": role})


def set_active(engine: Engine, person: str, active: bool, by: str) -> Person:  # noqa: FBT001 - on or off
    """Switch an account off or on again; whoever is off is signed out everywhere.

    Raises:
        Refused: no admin would be left.
    """
    return change(engine, person, by, lambda found: replace(found, active=active), {"active": active})


def set_away(engine: Engine, person: str, until: int | None, by: str) -> Person:
    """Say until when a person's deputies answer; None: they are back."""
    return change(engine, person, by, lambda found: replace(found, away_until=until), {"away_until": until})


def set_slack(engine: Engine, person: str, slack: str | None, by: str) -> Person:
    """Say which Slack member a person is: team and member id with a space between."""
    return change(engine, person, by, lambda found: replace(found, slack=slack), {"slack": slack})


def set_oidc(engine: Engine, person: str, oidc: str, by: str) -> Person:
    """Say who a person is at the company's sign-on, once.

    Raises:
        Conflict: the account belongs to another identity there.
    """

    def link(found: Person) -> Person:
        if found.oidc not in {None, oidc}:
            raise Conflict(f"{found.id} belongs to another identity at the company's sign-on")
        return replace(found, oidc=oidc)

    return change(engine, person, by, link, {"oidc": oidc})


def change(
    engine: Engine, person: str, by: str, to: Callable[[Person], Person], told: dict[str, object]
) -> Person:
    """Change an account under the restriction lock, tell it, and keep at least one active admin.

    Raises:
        NotFound: there is no such account.
        Refused: no admin would be left.
    """

    def work(tx: Transaction) -> Person:
        at = tx.now()
        before = _locked(tx, person)
        saved = to(before)
        tx.people.save(saved)
        if not saved.active:
            tx.people.close(saved.id)
            tx.people.end_links(saved.id)
        if _manages(before) and not _manages(saved) and not tx.people.admins():
            raise Refused(f"{saved.id} is the last active admin; make another one first")
        tx.journal.append([_changed(at, saved, by, **told)])
        return saved

    return _restricted(engine, work)


def _manages(person: Person) -> bool:
    return person.active and person.role is Role.ADMIN


def _locked(tx: Transaction, person: str) -> Person:
    found = tx.people.lock(person)
    if found is None:
        raise NotFound(f"there is no account {person}")
    return found


def _close_others(tx: Transaction, person: str, keep: str | None) -> None:
    for each in tx.people.sign_ins(person):
        if each.id != keep:
            tx.people.close(person, each.id)


def _changed(at: int, person: Person, by: str, **what: object) -> Entry:
    return record.plain(Kind.PERSON_CHANGED, at, person=person.id, by=by, **what)


def _written(engine: Engine, work: Callable[[Transaction], Person]) -> Person:
    found = engine.store.write(Commit.PERSON, work)
    engine.stir()
    return found


def _restricted(engine: Engine, work: Callable[[Transaction], Person]) -> Person:
    found = engine.store.restrict(Commit.PERSON, work)
    engine.stir()
    return found
