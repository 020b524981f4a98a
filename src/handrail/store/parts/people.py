"""Accounts, one-time links, sign-ins and failed attempts in SQL."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handrail.store.parts.base import NOTHING, Runner, values_of
from handrail.words.person import Link, Person, Purpose, Role, SignIn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from handrail.store.codec import Row

SIGN_IN = 9
"""Columns of a sign-in, where its person's follow."""


@dataclass(frozen=True, slots=True)
class SqlPeople:
    """``ports.People`` over named queries."""

    sql: Runner

    def add(self, person: Person) -> bool:
        """False when there is one with this id. Raises ``Conflict`` for another's sign-on or Slack member."""
        return self.sql.changed("add_person", values_of(person))

    def get(self, person: str) -> Person | None:
        """The account with this id."""
        return self._one("person", {"id": person})

    def lock(self, person: str) -> Person | None:
        """Row-locked where the database has row locks; SQLite's one writer needs none."""
        self.sql.row("lock_person", {"id": person})
        return self.get(person)

    def by_oidc(self, oidc: str) -> Person | None:
        """Whose this issuer and subject is."""
        return self._one("person_by_oidc", {"oidc": oidc})

    def by_slack(self, slack: str) -> Person | None:
        """Whose this Slack member is."""
        return self._one("person_by_slack", {"slack": slack})

    def save(self, person: Person) -> None:
        """What may restrict is written only when it differs: it waits for the claims in flight."""
        known = self.get(person.id)
        values = values_of(person)
        self.sql.run("save_person", values)
        if known is not None and _steers(known) != _steers(person):
            self.sql.run("steer_person", values)

    def listing(self) -> Sequence[Person]:
        """By id."""
        return [_person(row) for row in self.sql.rows("people")]

    def admins(self) -> int:
        """Active ones."""
        return self._number("admins")

    def add_link(self, link: Link) -> None:
        """Only its digest is kept."""
        self.sql.run("add_link", values_of(link))

    def take_link(self, digest: str, at: int) -> Link | None:
        """One conditional update: of two who come at once, one is first."""
        if not self.sql.changed("take_link", {"digest": digest, "at": at}):
            return None
        return _link(self.sql.row("link", {"digest": digest}))

    def peek_link(self, digest: str, at: int) -> Link | None:
        """Not used, and its time not over."""
        return _link(self.sql.row("usable_link", {"digest": digest, "at": at}))

    def end_links(self, person: str | None) -> None:
        """Those that were not used."""
        self.sql.run("end_links", {"person": person})

    def open(self, sign_in: SignIn) -> None:
        """Only the digest of its cookie is kept."""
        self.sql.run("open_sign_in", values_of(sign_in))

    def signed_in(self, digests: Sequence[str]) -> Mapping[str, tuple[SignIn, Person]]:
        """One statement, however many look on. Whether their time is over is the caller's to see."""
        rows = self.sql.rows("signed_in", {"digests": json.dumps(list(digests))})
        return {row[1]: (_sign_in(row[:SIGN_IN]), _person(row[SIGN_IN:])) for row in rows}

    def saw(self, sign_in: str, at: int, expires_at: int) -> None:
        """Whoever calls it for every page writes for every page: once a minute is enough."""
        self.sql.run("saw_sign_in", {"id": sign_in, "at": at, "expires_at": expires_at})

    def passed(self, sign_in: str) -> None:
        """From now on it may do what its person may."""
        self.sql.run("passed_sign_in", {"id": sign_in})

    def sign_ins(self, person: str) -> Sequence[SignIn]:
        """Newest first."""
        return [_sign_in(row) for row in self.sql.rows("sign_ins", {"person": person})]

    def close(self, person: str, sign_in: str | None = None) -> int:
        """A sign-in that is over is gone; the journal tells of it."""
        return self.sql.count("close_sign_ins", {"person": person, "id": sign_in})

    def tried(self, subject: str, at: int) -> None:
        """One row an attempt."""
        self.sql.run("add_try", {"subject": subject, "at": at})

    def tries(self, subject: str, since: int) -> int:
        """At that moment or later."""
        return self._number("tries", {"subject": subject, "since": since})

    def look(self, approval: str, person: str, until: int) -> None:
        """One row each, however often."""
        self.sql.run("look", {"approval": approval, "person": person, "until": until})

    def look_away(self, approval: str, person: str) -> None:
        """Without a trace."""
        self.sql.run("look_away", {"approval": approval, "person": person})

    def looks_until(self, approval: str, person: str) -> int:
        """It may be over."""
        return self._number("looks_until", {"approval": approval, "person": person})

    def lookers(self, approval: str, person: str, at: int) -> Sequence[str]:
        """By name; nobody whose account is closed."""
        values = {"approval": approval, "person": person, "at": at}
        return [row[0] for row in self.sql.rows("lookers", values)]

    def forget_lookers(self, at: int) -> int:
        """Not with each look: two of them would wait for each other's rows."""
        return self.sql.count("forget_lookers", {"at": at})

    def forget(self, before: int) -> int:
        """Rows of all three kinds."""
        names = ("forget_tries", "forget_links", "forget_sign_ins")
        return sum(self.sql.count(name, {"before": before}) for name in names)

    def _one(self, name: str, values: dict[str, object]) -> Person | None:
        row = self.sql.row(name, values)
        return None if row is None else _person(row)

    def _number(self, name: str, values: dict[str, object] = NOTHING) -> int:
        row = self.sql.row(name, values)
        return 0 if row is None else int(row[0])


def _steers(person: Person) -> tuple[Role, bool, int | None]:
    """What of an account others rely on when they start something."""
    return person.role, person.active, person.away_until


def _person(row: Row) -> Person:
    return Person(row[0], row[1], Role(row[2]), row[3], bool(row[4]), *row[5:])


def _link(row: Row | None) -> Link | None:
    return None if row is None else Link(row[0], Purpose(row[1]), *row[2:])


def _sign_in(row: Row) -> SignIn:
    fields = list(row)
    fields[6] = bool(fields[6])
    return SignIn(*fields)
