"""Whose Slack member is whose: a code shown to a signed-in person, said once in Slack within ten minutes."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from handrail.engine import record
from handrail.engine.identity.accounts import person_id
from handrail.ports import Commit
from handrail.words.entry import Kind
from handrail.words.errors import NotFound, Refused
from handrail.words.person import Link, Person, Purpose

if TYPE_CHECKING:
    from handrail.engine.core import Engine
    from handrail.ports import Transaction

CODE_LIVES = 10 * 60_000
MOST_TRIES = 5
"""Wrong codes of one member within the life of a code, after which none is looked at."""
WRONG = "this code does not work: it was used, it is not one, or its ten minutes are over; ask for a new one"


def keep_slack_code(engine: Engine, person: str, code: str) -> int:
    """Keep a code that was made for a person; until when it works.

    Raises:
        NotFound: there is no such account, or it is closed.
    """

    def work(tx: Transaction) -> int:
        at = tx.now()
        found = tx.people.get(person_id(person))
        if found is None or not found.active:
            raise NotFound(f"there is no active account {person}")
        tx.people.add_link(Link(_digest(code), Purpose.SLACK, found.id, at, at + CODE_LIVES, found.id))
        return at + CODE_LIVES

    return engine.store.write(Commit.PERSON, work)


def link_slack(engine: Engine, code: str, member: str) -> Person:
    """Use a code up: from now on this Slack member, ``TEAM USER``, answers as the code's person.

    Raises:
        Refused: the code does not work, the member guessed too often, or is somebody else already.
    """

    def work(tx: Transaction) -> Person | str:
        at = tx.now()
        guesser = f"slack {member}"
        if tx.people.tries(guesser, at - CODE_LIVES) >= MOST_TRIES:
            return "too many codes that did not work; wait ten minutes"
        link = tx.people.take_link(_digest(code), at)
        found = tx.people.lock(link.person) if link and link.person else None
        if link is None or link.purpose is not Purpose.SLACK or found is None or not found.active:
            tx.people.tried(guesser, at)
            return WRONG
        known = tx.people.by_slack(member)
        if known is not None and known.id != found.id:
            return f"this member of Slack is {known.id} already, who can take that back in Handrail"
        saved = replace(found, slack=member)
        tx.people.save(saved)
        told = record.plain(Kind.PERSON_CHANGED, at, person=saved.id, by=saved.id, slack=member)
        tx.journal.append([told])
        return saved

    found = engine.store.write(Commit.PERSON, work)
    if isinstance(found, str):
        raise Refused(found)
    engine.stir()
    return found


def unlink_slack(engine: Engine, person: str) -> bool:
    """Let a person be no member of Slack any more; False when they were none."""

    def work(tx: Transaction) -> bool:
        found = tx.people.lock(person)
        if found is None or found.slack is None:
            return False
        tx.people.save(replace(found, slack=None))
        told = record.plain(Kind.PERSON_CHANGED, tx.now(), person=found.id, by=found.id, slack=None)
        tx.journal.append([told])
        return True

    changed = engine.store.write(Commit.PERSON, work)
    engine.stir()
    return changed


def _digest(code: str) -> str:
    """Of another kind than a link's: what is said in Slack can never open a page, nor the other way."""
    plain = "".join(char for char in code.upper() if char.isalnum())
    return hashlib.sha256(b"slack code\0" + plain.encode()).hexdigest()
