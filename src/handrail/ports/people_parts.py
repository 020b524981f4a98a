"""The parts of a transaction that people need: accounts, keys, sessions, standing approvals, deliveries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from handrail.words.delivery import Delivery
    from handrail.words.person import Key, Link, Person, SignIn
    from handrail.words.session import Pace, SessionRecord
    from handrail.words.standing import Standing
    from handrail.words.toolbox import ToolSchema


class People(Protocol):
    """Accounts, one-time links, sign-ins and failed attempts."""

    def add(self, person: Person) -> bool:
        """A new account; False when there is one with this id."""

    def get(self, person: str) -> Person | None:
        """The account with this id."""

    def lock(self, person: str) -> Person | None:
        """The account, locked until the end of the transaction."""

    def by_oidc(self, oidc: str) -> Person | None:
        """Whose this issuer and subject is."""

    def by_slack(self, slack: str) -> Person | None:
        """Whose this Slack member is."""

    def save(self, person: Person) -> None:
        """Write every field of an account that is there.

        Call it under ``Store.restrict`` when role, activity or absence change: they say whose word counts.
        """

    def listing(self) -> Sequence[Person]:
        """Every account, by id."""

    def admins(self) -> int:
        """How many active admins there are."""

    def add_link(self, link: Link) -> None:
        """Keep a one-time link."""

    def take_link(self, digest: str, at: int) -> Link | None:
        """Use a link up; None when there is none, or it was used, or its time is over."""

    def peek_link(self, digest: str, at: int) -> Link | None:
        """A link that could still be used."""

    def end_links(self, person: str | None) -> None:
        """Use up every link of a person; of the first admin when None."""

    def open(self, sign_in: SignIn) -> None:
        """Keep a sign-in."""

    def signed_in(self, digests: Sequence[str]) -> Mapping[str, tuple[SignIn, Person]]:
        """Those with these digests whose person's account is active, by digest, each with its person."""

    def saw(self, sign_in: str, at: int, expires_at: int) -> None:
        """It was used now, and lives on until then."""

    def passed(self, sign_in: str) -> None:
        """Its person gave the second factor."""

    def sign_ins(self, person: str) -> Sequence[SignIn]:
        """Where a person is signed in, newest first."""

    def close(self, person: str, sign_in: str | None = None) -> int:
        """Sign a person out, in one browser or in all; in how many."""

    def tried(self, subject: str, at: int) -> None:
        """Count an attempt of a subject (an account, an address) that failed."""

    def tries(self, subject: str, since: int) -> int:
        """How often a subject failed since then."""

    def look(self, approval: str, person: str, until: int) -> None:
        """Somebody has a question open; it counts until then, unless they say so again."""

    def look_away(self, approval: str, person: str) -> None:
        """They closed it."""

    def looks_until(self, approval: str, person: str) -> int:
        """Until when somebody has said to have a question open; 0 when they have not."""

    def lookers(self, approval: str, person: str, at: int) -> Sequence[str]:
        """The names of the others who have a question open at this time."""

    def forget_lookers(self, at: int) -> int:
        """Remove who looked until then; how many."""

    def forget(self, before: int) -> int:
        """Remove attempts, links and sign-ins that ended before then; how many."""


class Keys(Protocol):
    """Keys of programs."""

    def add(self, key: Key) -> None:
        """Keep a key."""

    def get(self, key: str) -> Key | None:
        """The key with this id."""

    def used(self, key: str, at: int) -> None:
        """It was used now."""

    def expire(self, key: str, at: int) -> bool:
        """Let a key end then, or earlier if it does already. Call it under ``Store.restrict``."""

    def revoke(self, key: str, at: int) -> bool:
        """End a key now; False when it had ended. Call it under ``Store.restrict``."""

    def listing(self) -> Sequence[Key]:
        """Every key, newest first."""


class Sessions(Protocol):
    """Sessions of agents."""

    def open(self, session: SessionRecord) -> bool:
        """Remember a session; False when it was known."""

    def get(self, session: str) -> SessionRecord | None:
        """The session with this id."""

    def pace(self, session: str, digest: str, since: str, minute: str, most: Pace) -> Pace:
        """Calls since the id ``minute``, and of this digest since the id ``since``; no more than ``most``."""

    def hold(self, session: str, reason: str, at: int) -> bool:
        """Hold it until a person releases it; False when it is held, or not known."""

    def release(self, session: str, at: int) -> bool:
        """Let it go on, and count what repeats anew; False when it is not held."""

    def failed(self, session: str, error: str, at: int, since: int) -> None:
        """Count an error; anew when it is another one, or the first of its kind came before ``since``."""

    def held(self, limit: int) -> Sequence[SessionRecord]:
        """Those that are held, the latest first."""

    def end(self, session: str, at: int) -> bool:
        """End it; False when it had ended or is not known."""

    def pause(self, session: str, at: int) -> None:
        """One more question is open: its clock stands still."""

    def go_on(self, session: str, at: int) -> None:
        """One question less is open: after the last one its clock goes on, and its end moves by the pause."""

    def listing(
        self, agent: str | None, task: str | None, before: str | None, limit: int
    ) -> Sequence[SessionRecord]:
        """Newest first."""


class Standings(Protocol):
    """Standing approvals."""

    def add(self, standing: Standing) -> None:
        """Keep one."""

    def get(self, standing: str) -> Standing | None:
        """The one with this id."""

    def usable(self, agent: str, tool: str, at: int) -> Sequence[Standing]:
        """Those of an agent's tool that are in force, oldest first."""

    def take(self, standing: str, amount: int | None, at: int) -> bool:
        """Count one action down, and its money; False when there is not enough left, or it has ended."""

    def revoke(self, standing: str, person: str, at: int) -> bool:
        """End it; False when it had ended."""

    def listing(self, *, ended: bool, limit: int) -> Sequence[Standing]:
        """Newest first; with or without those that have ended."""


class Deliveries(Protocol):
    """What is to be told through channels."""

    def add(self, delivery: Delivery) -> bool:
        """Plan one; False when there is one of this kind, subject and channel."""

    def take(self, at: int, lease_until: int, limit: int) -> Sequence[Delivery]:
        """Lease those that are due, or whose lease has ended, so that nobody else sends them meanwhile."""

    def sent(self, delivery: str, at: int, reference: str | None) -> None:
        """It was sent."""

    def later(self, delivery: str, due_at: int, error: str) -> None:
        """It could not be sent; try again then."""

    def gave_up(self, delivery: str, at: int, error: str) -> None:
        """It can't be sent."""

    def next_due(self) -> int | None:
        """When the next one is due."""

    def of(self, subject: str) -> Sequence[Delivery]:
        """Every delivery about a subject, oldest first."""

    def listing(self, state: str | None, limit: int) -> Sequence[Delivery]:
        """Newest first."""


class Toolbox(Protocol):
    """Schemas of tools that run elsewhere. Changes go through ``Store.restrict``: they say what may start."""

    def add(self, schema: ToolSchema) -> bool:
        """Remember a version; False when it is known."""

    def get(self, tool: str, binding: str) -> ToolSchema | None:
        """One version."""

    def accept(self, tool: str, binding: str, person: str, at: int) -> bool:
        """Pin this version instead of the one before; False when it is not known."""

    def pinned(self) -> Sequence[ToolSchema]:
        """The accepted version of each tool."""

    def listing(self) -> Sequence[ToolSchema]:
        """Every version of every tool, the newest first."""
