"""Keys of programs: made, rotated with overlap, revoked at once. Only digests of secrets come here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.engine import record
from handrail.engine.ids import new_id
from handrail.engine.texts import name_of
from handrail.ports import Commit
from handrail.words.entry import Kind
from handrail.words.errors import BadArguments, Conflict, NotFound, Refused
from handrail.words.person import Key, KeyKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.engine.core import Engine
    from handrail.ports import Transaction


def make_key(
    engine: Engine,
    kind: KeyKind,
    name: str,
    agents: Sequence[str],
    digest: str,
    by: str,
    *,
    opens_sessions: bool = True,
    expires_at: int | None = None,
) -> Key:
    """Keep a new key.

    Raises:
        BadArguments: an agent's key is for exactly one agent, a service's for at least one.
    """
    named = tuple(dict.fromkeys(name_of(each, "the agent") for each in agents))
    if kind is KeyKind.AGENT and len(named) != 1:
        raise BadArguments("an agent's key is for exactly one agent")
    if not named:
        raise BadArguments("a service's key is for at least one agent")
    called = name_of(name, "the key's name")

    def work(tx: Transaction) -> Key:
        at = tx.now()
        if expires_at is not None and expires_at <= at:
            raise BadArguments("the key would have ended already")
        made = Key(
            new_id(),
            kind,
            called,
            named,
            digest,
            at,
            by,
            opens_sessions=opens_sessions,
            expires_at=expires_at,
        )
        tx.keys.add(made)
        _tell(tx, made, at, by)
        return made

    found = engine.store.write(Commit.KEY, work)
    engine.stir()
    return found


def rotate_key(engine: Engine, key: str, digest: str, overlap: int, by: str) -> Key:
    """Make the key that follows another and lives as long; the old one ends after ``overlap`` milliseconds.

    Raises:
        NotFound: there is no such key.
        Conflict: it has ended.
    """
    if overlap < 0:
        raise BadArguments("an overlap can't be negative")

    def work(tx: Transaction) -> Key:
        at = tx.now()
        old = _found(tx, key)
        if old.over(at):
            raise Conflict("this key has ended; make a new one")
        made = Key(
            new_id(),
            old.kind,
            old.name,
            old.agents,
            digest,
            at,
            by,
            opens_sessions=old.opens_sessions,
            expires_at=None if old.expires_at is None else at + old.expires_at - old.made_at,
            replaces=old.id,
        )
        tx.keys.add(made)
        tx.keys.expire(old.id, at + overlap)
        _tell(tx, made, at, by, replaces=old.id, overlap=overlap)
        return made

    found = engine.store.restrict(Commit.KEY, work)
    engine.stir()
    return found


def revoke_key(engine: Engine, key: str, by: str, reason: str = "") -> Key:
    """End a key now: when this returns, no process lets it in any more.

    Raises:
        NotFound: there is no such key.
        Conflict: it was revoked already.
    """

    def work(tx: Transaction) -> Key:
        at = tx.now()
        old = _found(tx, key)
        if not tx.keys.revoke(key, at):
            raise Conflict("this key was revoked already")
        body = {"key": old.id, "name": old.name, "by": by, "reason": reason}
        tx.journal.append([record.plain(Kind.KEY_REVOKED, at, **body)])
        return _found(tx, key)

    found = engine.store.restrict(Commit.KEY, work)
    engine.stir()
    return found


def key_used(engine: Engine, key: str) -> None:
    """Note that a key is used."""
    engine.store.write(Commit.KEY, lambda tx: tx.keys.used(key, tx.now()))


def covers(key: Key, agent: str) -> None:
    """Refuse what a key does for an agent that it is not for.

    Raises:
        Refused: it is not for this agent.
    """
    if agent not in key.agents:
        raise Refused(f"this key is not for the agent {agent}")


def _found(tx: Transaction, key: str) -> Key:
    found = tx.keys.get(key)
    if found is None:
        raise NotFound(f"there is no key {key}")
    return found


def _tell(tx: Transaction, key: Key, at: int, by: str, **more: object) -> None:
    body = {
        "key": key.id,
        "kind_of_key": key.kind,
        "name": key.name,
        "agents": key.agents,
        "opens_sessions": key.opens_sessions,
        "expires_at": key.expires_at,
        "by": by,
    }
    tx.journal.append([record.plain(Kind.KEY_MADE, at, **body, **more)])
