"""People who answer, steer and look: who they are, what they may do, and the ways in which they prove it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


def one_spelling(person: str) -> str:
    """The spelling under which somebody is kept, looked up and compared: lower case, without space around it.

    Lower case, and not case folding: that makes one person of two who only look alike, and none is found.
    """
    return person.strip().lower()


class Role(StrEnum):
    """What a person may do: look; also answer questions and halt; also steer, lift and manage."""

    VIEWER = "viewer"
    REVIEWER = "reviewer"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Person:
    """A person with an account. ``id`` is the address that the policy's groups name, in lower case.

    Times are milliseconds since the epoch, UTC. Secrets are hashed (``password``) or needed (``totp``), and
    never leave the store but to be checked.
    """

    id: str
    name: str
    role: Role
    made_at: int
    active: bool = True
    password: str | None = None
    """An argon2 hash; None for somebody who signs in elsewhere, or was invited and has not come yet."""
    totp: str | None = None
    """The secret of the second factor, base32; None without one."""
    totp_step: int = 0
    """The last time step whose code was used: a code works once."""
    oidc: str | None = None
    """Issuer and subject at the company's sign-on, with a space between."""
    slack: str | None = None
    """Team and member id in Slack, with a space between."""
    away_until: int | None = None
    """Until when the person's deputies answer."""


class Purpose(StrEnum):
    """What a one-time link is for."""

    SETUP = "setup"
    INVITE = "invite"
    RESET = "reset"
    SLACK = "slack"
    """A code that says in Slack whose member this is; never a link, and it opens nothing."""


@dataclass(frozen=True, slots=True)
class Link:
    """A one-time link. Only the digest of its secret is kept. ``person`` is None for the first admin."""

    digest: str
    purpose: Purpose
    person: str | None
    made_at: int
    expires_at: int
    made_by: str


@dataclass(frozen=True, slots=True)
class SignIn:
    """One browser in which a person is signed in. Only the digest of its cookie is kept."""

    id: str
    digest: str
    person: str
    opened_at: int
    seen_at: int
    expires_at: int
    second_factor: bool
    """Whether the person gave the second factor; without it, one who has one may do nothing else."""
    address: str | None = None
    browser: str | None = None


class KeyKind(StrEnum):
    """Whose key it is: an agent proposes and reports, a service opens sessions for agents."""

    AGENT = "agent"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a program. Only the digest of its secret is kept; it is shown once.

    ``agents`` is whose actions it may propose (an agent's key: exactly one) or for whom it may open sessions.
    """

    id: str
    kind: KeyKind
    name: str
    agents: tuple[str, ...]
    digest: str
    made_at: int
    made_by: str
    opens_sessions: bool = True
    """False: it acts only in sessions that a service opened for its agent, so it can't invent tasks."""
    expires_at: int | None = None
    used_at: int | None = None
    revoked_at: int | None = None
    replaces: str | None = None
    """The key that this one is to follow; both work until the old one ends."""

    def over(self, at: int) -> bool:
        """Whether it was revoked, or its time is over."""
        return self.revoked_at is not None or (self.expires_at is not None and self.expires_at <= at)
