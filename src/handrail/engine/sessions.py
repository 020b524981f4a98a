"""Sessions that programs open over the network: kept, ended, and proven by a token of the store's key."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from handrail.engine import record
from handrail.engine.ids import new_id
from handrail.engine.loops import SessionOver, must_go_on
from handrail.engine.texts import name_of
from handrail.ports import Commit
from handrail.words.entry import Entry, Kind
from handrail.words.errors import BadArguments, Conflict, NotFound
from handrail.words.person import one_spelling
from handrail.words.session import SessionRecord

if TYPE_CHECKING:
    from handrail.engine.core import Engine
    from handrail.ports import Transaction

LONGEST = 30 * 86_400
"""Seconds that a session may last on its own clock."""


def open_session(
    engine: Engine,
    agent: str,
    opened_by: str,
    *,
    task: str | None = None,
    behalf: str | None = None,
    expires_in: int | None = None,
    inside: SessionRecord | None = None,
) -> SessionRecord:
    """Open a session for ``agent``. ``behalf`` is the person for whom it works, who may not answer for it.

    ``inside`` is the session that it belongs to: it serves the same task for the same person, spends from the
    same budgets, and goes no further than that one does.

    Raises:
        BadArguments: a name can't be kept, the time is not between a second and thirty days, or the task or
            person is another one than that of the session around it.
        Conflict: the session around it does not go on.
    """
    if expires_in is not None and not 1 <= expires_in <= LONGEST:
        raise BadArguments(f"a session lasts from 1 to {LONGEST:,} seconds, or without end")
    named = name_of(agent, "agent")
    business = None if task is None else name_of(task, "task")
    person = None if behalf is None else one_spelling(name_of(behalf, "behalf"))
    lineage: tuple[str, ...] = ()
    if inside is not None:
        lineage = (*inside.lineage, inside.id)
        business, person = _of_its_parent(inside, business, person)

    def work(tx: Transaction) -> SessionRecord:
        at = tx.now()
        try:
            must_go_on(tx, None, lineage, at)
        except SessionOver as error:
            raise Conflict(f"nothing can be opened inside it: {error}") from error
        until = None if expires_in is None else at + expires_in * 1_000
        made = SessionRecord(new_id(), named, business, at, opened_by, person, until, lineage=lineage)
        tx.sessions.open(made)
        around = {"inside": lineage[-1]} if lineage else {}
        body = record.encode({"by": opened_by, "behalf": person, "expires_at": until, **around})
        tx.journal.append([_entry(Kind.SESSION_OPENED, at, made, body)])
        return made

    found = engine.store.write(Commit.SESSION, work)
    engine.stir()
    return found


def _of_its_parent(
    inside: SessionRecord, task: str | None, behalf: str | None
) -> tuple[str | None, str | None]:
    """The task and person of the session around it: another one would dodge their budgets."""
    for what, said, wanted in (("task", task, inside.task), ("person", behalf, inside.behalf)):
        if said is not None and said != wanted:
            raise BadArguments(
                f"a session inside another has the {what} of that one, {wanted!r}; this says {said!r}"
            )
    return inside.task, inside.behalf


def end_session(engine: Engine, session: str, by: str) -> SessionRecord:
    """End a session: it proposes nothing more, nor do those inside it.

    Raises:
        NotFound: there is no such session.
        Conflict: it has ended already.
    """

    def work(tx: Transaction) -> SessionRecord:
        at = tx.now()
        known = _found(tx, session)
        if not tx.sessions.end(session, at):
            raise Conflict(f"session {session} has ended already")
        tx.journal.append([_entry(Kind.SESSION_ENDED, at, known, record.encode({"by": by}))])
        return _found(tx, session)

    found = engine.store.write(Commit.SESSION, work)
    engine.stir()
    return found


def lineage_of(tx: Transaction, session: str) -> tuple[str, ...]:
    """The sessions inside which this one was opened, from the first one down."""
    known = tx.sessions.get(session)
    return known.lineage if known is not None else ()


def session_token(engine: Engine, session: SessionRecord) -> str:
    """What proves that this store opened the session, for this agent and this task."""
    parts = (session.id, session.agent, session.task or "")
    signed = "\0".join(("session", *parts, "task" if session.task is not None else ""))
    return hmac.digest(engine.key, signed.encode(), "sha256").hex()


def proven(engine: Engine, session: str, token: str, agents: tuple[str, ...]) -> SessionRecord:
    """The session, if it is one of these agents' and the token is its own. If it is over, the claim says.

    Raises:
        NotFound: there is none. Another agent's is not told apart from none, nor is a wrong token.
    """
    found = engine.store.read(lambda tx: tx.sessions.get(session))
    wanted = session_token(engine, found) if found is not None else ""
    if found is None or found.agent not in agents or not hmac.compare_digest(wanted.encode(), token.encode()):
        raise NotFound(f"there is no session {session} with this token")
    return found


def _found(tx: Transaction, session: str) -> SessionRecord:
    found = tx.sessions.get(session)
    if found is None:
        raise NotFound(f"there is no session {session}")
    return found


def _entry(kind: Kind, at: int, session: SessionRecord, body: bytes) -> Entry:
    return Entry(kind, at, body, None, session.agent, None, session.id, session.task)
