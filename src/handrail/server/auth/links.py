"""One-time links: to make the first admin, to come in, to set a new password. Shown once, kept as digests."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from handrail.engine.identity import accounts
from handrail.server.auth.keys import digest_of

if TYPE_CHECKING:
    from handrail.engine.core import Engine
    from handrail.words.person import Link, Role

PATH = "/set-up"


def link_to(address: str, secret: str) -> str:
    """The link as it is given to its person."""
    return f"{address}{PATH}?link={secret}"


def first(engine: Engine, address: str) -> str | None:
    """The link that makes the first admin; None when there is one."""
    secret = _new()
    return link_to(address, secret) if accounts.first_link(engine, digest_of(secret)) else None


def invite(engine: Engine, address: str, person: str, name: str, role: Role, by: str) -> str:
    """Make an account; the link with which its person comes in.

    Raises:
        Conflict: there is such an account.
    """
    secret = _new()
    accounts.invite(engine, person, name, role, digest_of(secret), by)
    return link_to(address, secret)


def reset(engine: Engine, address: str, person: str, by: str, *, end_second_factor: bool = False) -> str:
    """The link with which a person sets a new password; a lost second factor ends at once.

    Raises:
        NotFound: there is no such account.
    """
    secret = _new()
    accounts.reset_link(engine, person, digest_of(secret), by, end_second_factor=end_second_factor)
    return link_to(address, secret)


def rescue(engine: Engine, address: str, person: str) -> str:
    """The link for a lost admin, made on the host: the account is an active admin's again.

    Raises:
        NotFound: there is no such account.
    """
    secret = _new()
    accounts.rescue_link(engine, person, digest_of(secret))
    return link_to(address, secret)


def peek(engine: Engine, secret: str) -> Link | None:
    """The link with this secret, if it still works. Looking does not use it up: mail scanners look."""
    digest = digest_of(secret)
    found = engine.store.read(lambda tx: tx.people.peek_link(digest, tx.now()))
    return found if found is not None and found.purpose in accounts.SETS_PASSWORDS else None


def _new() -> str:
    return secrets.token_urlsafe(32)
