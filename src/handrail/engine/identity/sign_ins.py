"""Sign-ins of people: opening, using and ending them, and counting what failed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from handrail.engine import record
from handrail.engine.ids import new_id
from handrail.ports import Commit
from handrail.words.entry import Kind
from handrail.words.errors import Conflict, NotFound, Refused
from handrail.words.person import SignIn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from handrail.engine.core import Engine
    from handrail.ports import Transaction
    from handrail.words.person import Person

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
IDLE = 12 * HOUR
"""How long a sign-in lives unused."""
LONGEST = 7 * DAY
"""How long it lives at most."""


def open_sign_in(
    engine: Engine,
    person: Person,
    digest: str,
    *,
    second_factor: bool,
    address: str | None,
    browser: str | None,
    how: str,
) -> SignIn:
    """Sign a person in, if the account is as it was when the proof was checked.

    Raises:
        Conflict: the account changed meanwhile.
    """

    def work(tx: Transaction) -> SignIn:
        at = tx.now()
        now = tx.people.lock(person.id)
        if now is None or not now.active or (now.password, now.totp) != (person.password, person.totp):
            raise Conflict("the account was changed meanwhile; sign in again")
        made = SignIn(new_id(), digest, person.id, at, at, at + IDLE, second_factor, address, browser)
        tx.people.open(made)
        body = {"person": person.id, "address": address, "how": how, "second_factor": second_factor}
        tx.journal.append([record.plain(Kind.SIGNED_IN, at, **body)])
        return made

    found = engine.store.write(Commit.SIGN_IN, work)
    engine.stir()
    return found


def find_sign_in(engine: Engine, digest: str) -> tuple[SignIn, Person] | None:
    """The sign-in with this cookie and its person, if both are in force; its use is noted once a minute."""
    return find_sign_ins(engine, [digest])[0]


def find_sign_ins(engine: Engine, digests: Sequence[str]) -> Sequence[tuple[SignIn, Person] | None]:
    """The same for many cookies by one look into the store, in their order."""
    known, at = engine.store.read(lambda tx: (tx.people.signed_in(digests), tx.now()))
    used = {digest: _used(engine, *seen, at) for digest, seen in known.items()}
    return [used.get(digest) for digest in digests]


def _used(engine: Engine, found: SignIn, person: Person, at: int) -> tuple[SignIn, Person] | None:
    end = found.opened_at + LONGEST
    if at >= min(found.expires_at, end):
        return None
    if at - found.seen_at >= MINUTE:
        engine.store.write(Commit.SIGN_IN, lambda tx: tx.people.saw(found.id, at, min(at + IDLE, end)))
    return found, person


def second_factor(
    engine: Engine,
    sign_in: SignIn,
    subject: str,
    limits: Mapping[int, int],
    step_of: Callable[[Person], int | None],
    renewed: str | None = None,
) -> tuple[Person, SignIn] | None:
    """Check a code by ``step_of``, which gives the time step that it proves; None: it is wrong or was used.

    ``renewed`` is the digest of another cookie, with which the person goes on: whoever knew the one from
    before the proof, and perhaps planted it, is signed in nowhere.

    Guesses are counted as ``subject`` under the person's lock: many at once get no more than one by one.
    ``limits``: failures within so many milliseconds after which no code is checked.

    Raises:
        Refused: there were too many.
    """

    def work(tx: Transaction) -> tuple[Person, SignIn] | None:
        at = tx.now()
        person = tx.people.lock(sign_in.person)
        if any(tx.people.tries(subject, at - span) >= most for span, most in limits.items()):
            raise Refused("too many codes were wrong; wait before the next one")
        step = None if person is None or person.totp is None else step_of(person)
        if person is None or step is None or step <= person.totp_step:
            tx.people.tried(subject, at)
            told = {"person": sign_in.person, "address": sign_in.address}
            tx.journal.append([record.plain(Kind.SIGN_IN_FAILED, at, **told)])
            return None
        passed = replace(person, totp_step=step)
        tx.people.save(passed)
        proven = _proven(tx, sign_in, renewed, at)
        body = {"person": person.id, "address": sign_in.address, "how": "second factor"}
        tx.journal.append([record.plain(Kind.SIGNED_IN, at, **body, second_factor=True)])
        return passed, proven

    found = engine.store.write(Commit.SIGN_IN, work)
    engine.stir()
    return found


def _proven(tx: Transaction, sign_in: SignIn, renewed: str | None, at: int) -> SignIn:
    """The sign-in whose second factor was given; in place of it one with another cookie, where that is asked.

    Raises:
        Conflict: it was ended meanwhile.
    """
    if renewed is None:
        tx.people.passed(sign_in.id)
        return replace(sign_in, second_factor=True)
    if not tx.people.close(sign_in.person, sign_in.id):
        raise Conflict("you were signed out meanwhile; sign in again")
    made = replace(sign_in, id=new_id(), digest=renewed, seen_at=at, expires_at=at + IDLE, second_factor=True)
    tx.people.open(made)
    return made


def end_sign_in(engine: Engine, person: str, sign_in: str | None, by: str) -> int:
    """Sign a person out, in one browser or in all; in how many.

    Raises:
        NotFound: the person has no such sign-in.
    """

    def work(tx: Transaction) -> int:
        at = tx.now()
        count = tx.people.close(person, sign_in)
        if sign_in is not None and not count:
            raise NotFound("there is no such sign-in")
        tx.journal.append([record.plain(Kind.SIGNED_OUT, at, person=person, by=by, browsers=count)])
        return count

    found = engine.store.write(Commit.SIGN_IN, work)
    engine.stir()
    return found


def count_failure(engine: Engine, subjects: Sequence[str], person: str | None, address: str | None) -> None:
    """Count an attempt that failed; ``person`` if there is one: people type passwords there."""

    def work(tx: Transaction) -> None:
        at = tx.now()
        for subject in subjects:
            tx.people.tried(subject, at)
        tx.journal.append([record.plain(Kind.SIGN_IN_FAILED, at, person=person, address=address)])

    engine.store.write(Commit.SIGN_IN, work)
    engine.stir()


def failures(engine: Engine, subjects: Sequence[str], spans: Sequence[int]) -> dict[tuple[str, int], int]:
    """How often each subject failed within each span until now."""

    def work(tx: Transaction) -> dict[tuple[str, int], int]:
        at = tx.now()
        return {(each, span): tx.people.tries(each, at - span) for each in subjects for span in spans}

    return engine.store.read(work)


def forget_old(engine: Engine) -> int:
    """Remove attempts, links and sign-ins that ended a month ago, and who looks on no more; how many."""

    def work(tx: Transaction) -> int:
        return tx.people.forget(tx.now() - 30 * DAY) + tx.people.forget_lookers(tx.now())

    return engine.store.write(Commit.SIGN_IN, work)
