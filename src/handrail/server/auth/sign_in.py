"""Signing in: a password, throttled by account and address, then the second factor, then a cookie."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handrail.engine.identity import sign_ins as engine_sign_ins
from handrail.engine.identity.accounts import person_id, rehash
from handrail.server.auth import passwords, totp
from handrail.server.auth.keys import digest_of
from handrail.server.auth.signed import opened, sealed
from handrail.server.errors import Problem
from handrail.words.errors import BadArguments, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.engine.core import Engine
    from handrail.words.person import Person, SignIn

MINUTE = 60_000
WINDOWS = (MINUTE, 15 * MINUTE, 24 * 60 * MINUTE)
LIMITS = {"pair": (5, 10, 30), "account": (20, 40, 200), "address": (30, 100, 1_000), "code": (5, 10, 20)}
"""Failures within a minute, a quarter of an hour and a day after which an answer must wait.

An account's own limit is wider than that of one address at it: a stranger elsewhere can't easily lock it.
"""
WRONG = "Person and password don't fit together, or the account is switched off."
WRONG_CODE = "This code is not right, or was used already."
LATER = "Too many attempts failed. Wait a while before the next one."
LONGEST_BROWSER = 200
DEVICE = "handrail_device"
"""The cookie of a browser in which somebody signed in: others who fail at the account don't lock it there."""
DEVICE_LIVES = 90 * 24 * 60 * MINUTE


@dataclass(frozen=True, slots=True)
class Came:
    """Somebody signed in: the cookie's secret, shown nowhere else. ``complete`` unless a code is missing."""

    secret: str
    sign_in: SignIn
    person: Person
    complete: bool


class SignIns:
    """The sign-ins of one server."""

    def __init__(self, engine: Engine) -> None:
        """Everything is kept in the store: any server knows each sign-in."""
        self._engine = engine

    def find(self, secret: str) -> tuple[SignIn, Person] | None:
        """The sign-in with this cookie, if it is in force."""
        return self.find_all([secret])[0]

    def find_all(self, secrets_: Sequence[str]) -> Sequence[tuple[SignIn, Person] | None]:
        """The same for many cookies at once."""
        return engine_sign_ins.find_sign_ins(self._engine, [digest_of(each) for each in secrets_])

    def by_password(
        self,
        person: str,
        password: str,
        code: str | None,
        *,
        address: str,
        browser: str | None,
        device: str | None = None,
    ) -> Came:
        """Sign in with a password, and a code where one is needed and given; ``device`` is that cookie.

        Raises:
            Problem: 401, always with the same words; 429 after too many failures.
        """
        name = _id(person)
        known = self._device(device, name)
        throttled = _subjects(name, address) if known is None else {"pair": f"device:{known}"}
        self._throttle(throttled)
        found = self._person(name)
        right = passwords.matches(password, found.password if found else None)
        if found is None or not right or not found.active:
            self._failed(throttled, found.id if found else None, address)
            raise Problem(401, WRONG)
        self._throttle(throttled)
        if found.password is not None and passwords.outdated(found.password):
            found = rehash(self._engine, found, passwords.hashed_anew(password))
        came = self.open(found, address=address, browser=browser, how="password")
        return came if came.complete or not code else self.by_code(came.sign_in, code)

    def device(self, person: Person) -> str:
        """The cookie for a browser in which this person signed in. It lets nobody in."""
        value = [digest_of(person.id), secrets.token_hex(8)]
        return sealed(self._engine.key, DEVICE, value, self._engine.clock() + DEVICE_LIVES)

    def _device(self, cookie: str | None, name: str) -> str | None:
        found = opened(self._engine.key, DEVICE, cookie, self._engine.clock())
        return found[1] if found is not None and found[0] == digest_of(name) else None

    def open(self, person: Person, *, address: str, browser: str | None, how: str) -> Came:
        """A sign-in for a person who proved who they are; the second factor may still be missing."""
        secret = secrets.token_urlsafe(32)
        complete = person.totp is None
        made = engine_sign_ins.open_sign_in(
            self._engine,
            person,
            digest_of(secret),
            second_factor=False,
            address=address,
            browser=(browser or "")[:LONGEST_BROWSER] or None,
            how=how,
        )
        return Came(secret, made, person, complete)

    def by_code(self, sign_in: SignIn, code: str) -> Came:
        """Give the second factor, and get another cookie: the one before it proved a password only.

        Raises:
            Problem: the code is wrong, was used, or there were too many.
        """
        secret = secrets.token_urlsafe(32)
        person, proven = self._checked(sign_in, code, digest_of(secret))
        return Came(secret, proven, person, complete=True)

    def prove(self, sign_in: SignIn, code: str) -> Person:
        """Check a code of somebody who is signed in already.

        Raises:
            Problem: the code is wrong, was used, or there were too many.
        """
        return self._checked(sign_in, code)[0]

    def _checked(self, sign_in: SignIn, code: str, renewed: str | None = None) -> tuple[Person, SignIn]:
        at = self._engine.clock()

        def step_of(person: Person) -> int | None:
            return totp.step_of(person.totp or "", code, at, person.totp_step)

        subject, limits = f"code:{sign_in.person}", dict(zip(WINDOWS, LIMITS["code"], strict=True))
        try:
            found = engine_sign_ins.second_factor(self._engine, sign_in, subject, limits, step_of, renewed)
        except Refused as error:
            raise Problem(429, LATER, headers={"retry-after": "60"}) from error
        if found is None:
            raise Problem(401, WRONG_CODE)
        return found

    def check_password(self, person: Person, password: str, address: str) -> None:
        """Ask again for the password of somebody who is signed in.

        Raises:
            Problem: it is wrong, or too many were.
        """
        throttled = _subjects(person.id, address)
        self._throttle(throttled)
        if not passwords.matches(password, person.password):
            self._failed(throttled, person.id, address)
            raise Problem(403, "This is not your present password.")

    def _person(self, name: str) -> Person | None:
        return self._engine.store.read(lambda tx: tx.people.get(name))

    def _throttle(self, subjects: dict[str, str]) -> None:
        counts = engine_sign_ins.failures(self._engine, list(subjects.values()), WINDOWS)
        for kind, subject in subjects.items():
            if any(counts[subject, span] >= most for span, most in zip(WINDOWS, LIMITS[kind], strict=True)):
                raise Problem(429, LATER, headers={"retry-after": "60"})

    def _failed(self, subjects: dict[str, str], person: str | None, address: str | None) -> None:
        engine_sign_ins.count_failure(self._engine, list(subjects.values()), person, address)


def _subjects(name: str, address: str) -> dict[str, str]:
    """Who is counted. A name is kept as a digest: people type passwords into that field."""
    account = digest_of(name)[:32]
    return {
        "pair": f"pair:{account}@{address}",
        "account": f"account:{account}",
        "address": f"from:{address}",
    }


def _id(person: str) -> str:
    """The id that was meant; one that can't exist for what can't be an id."""
    try:
        return person_id(person)
    except BadArguments:
        return "nobody"
