"""The loop breaker: what repeats too often holds its session, and all inside it, until it is released.

The limits are the policy's ``loops``. They are looked at in the claim, where each proposal is counted: all
threads and processes of one session count together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.engine import record
from handrail.engine.deliveries.planning import plan_held
from handrail.engine.ids import first_id, new_id
from handrail.engine.texts import reason_of
from handrail.ports import Commit
from handrail.words.entry import Entry, Kind
from handrail.words.errors import BadArguments, Conflict, HandrailError, NotFound
from handrail.words.session import Pace, SessionRecord

if TYPE_CHECKING:
    from collections.abc import Iterable

    from handrail.engine.core import Engine
    from handrail.policy.model import LoopPolicy
    from handrail.ports import Transaction
    from handrail.words.action import Proposal

MINUTE = 60_000
BREAKER = "the loop breaker"
"""Who holds a session when no person does."""
LONGEST = 200
"""Characters of an error that are compared and told."""


class SessionOver(HandrailError):
    """The session has ended: nothing of it is proposed or started any more."""


class SessionHeld(SessionOver):
    """The session, or one around it, is held: nothing of it goes on until a person releases it."""


class Looping(HandrailError):
    """Something repeats too often; ``session`` is to be held for it."""

    def __init__(self, what: str, session: str) -> None:
        """Say what repeats."""
        super().__init__(what)
        self.session = session


def must_go_on(tx: Transaction, known: SessionRecord | None, lineage: Iterable[str], at: int) -> None:
    """Raise unless a session and all around it are open: ``SessionOver`` or ``SessionHeld``."""
    around = (tx.sessions.get(each) for each in lineage)
    for each in (known, *around):
        if each is None:
            continue
        if each.over(at):
            raise SessionOver(f"the session {each.id} is over; open a new one")
        if each.held_at is not None:
            raise SessionHeld(why_held(each))


def why_held(known: SessionRecord) -> str:
    """What is said of a session that is held."""
    return f"the session {known.id} is held: {known.held_reason}"


def look(engine: Engine, tx: Transaction, known: SessionRecord | None, proposal: Proposal, at: int) -> None:
    """Raise ``Looping`` when this proposal would be one too many."""
    limits = engine.policy.loops
    lineage = known.lineage if known is not None else proposal.lineage
    if limits.depth is not None and len(lineage) > limits.depth:
        what = f"sessions are nested {len(lineage)} deep; the policy's limit is {limits.depth}"
        raise Looping(what, lineage[0])
    if known is not None:
        _errors(known, limits, at)
        _calls(tx, known, limits, proposal, at)


def failed(engine: Engine, tx: Transaction, session: str, tool: str, error: str, at: int) -> None:
    """Count an error of a session's tool, in the transaction that settles it."""
    limits = engine.policy.loops
    if limits.same_error is not None:
        tx.sessions.failed(session, f"{tool}: {error}"[:LONGEST], at, at - limits.within)


def trip(engine: Engine, found: Looping) -> None:
    """Hold the session of a loop; one that is held already stays as it is."""
    _hold(engine, found.session, str(found), BREAKER)
    engine.stir()


def hold(engine: Engine, session: str, reason: str, person: str) -> SessionRecord:
    """Hold a session: when this returns, nothing of it starts any more, in any process.

    Raises:
        NotFound: there is no such session.
        Conflict: it is held already, or has ended.
        BadArguments: the reason is empty or can't be kept.
    """
    _must_say(reason)
    before = _known(engine, session)
    if before.ended_at is not None or not _hold(engine, session, reason, person):
        raise Conflict(f"session {session} {'has ended' if before.ended_at else 'is held already'}")
    engine.stir()
    return _known(engine, session)


def release(engine: Engine, session: str, reason: str, person: str) -> SessionRecord:
    """Let a held session go on. What repeated before counts no more.

    Raises:
        NotFound: there is no such session.
        Conflict: it is not held.
        BadArguments: the reason is empty or can't be kept.
    """
    _must_say(reason)

    def work(tx: Transaction) -> SessionRecord:
        at = tx.now()
        known = tx.sessions.get(session)
        if known is None:
            raise NotFound(f"there is no session {session}")
        if not tx.sessions.release(session, at):
            raise Conflict(f"session {session} is not held")
        tx.journal.append([_entry(Kind.SESSION_RELEASED, at, known, reason=reason, person=person)])
        return known

    engine.store.write(Commit.SESSION, work)
    engine.stir()
    return _known(engine, session)


def _hold(engine: Engine, session: str, reason: str, by: str) -> bool:
    """Under the exclusive lock: no claim of it is in flight when this returns."""
    hold_id = new_id()

    def work(tx: Transaction) -> bool:
        at = tx.now()
        known = tx.sessions.get(session)
        if known is None or not tx.sessions.hold(session, reason, at):
            return False
        tx.journal.append([_entry(Kind.SESSION_HELD, at, known, hold=hold_id, reason=reason, person=by)])
        plan_held(tx, engine.policy.policy, hold_id, at)
        return True

    return engine.store.restrict(Commit.SESSION, work)


def _errors(known: SessionRecord, limits: LoopPolicy, at: int) -> None:
    if limits.same_error is None or known.errors < limits.same_error:
        return
    if known.errors_since is not None and known.errors_since > at - limits.within:
        what = f"the same error came {known.errors} times in {_time(limits.within)}: {known.error}"
        raise Looping(what, known.id)


def _calls(tx: Transaction, known: SessionRecord, limits: LoopPolicy, proposal: Proposal, at: int) -> None:
    """Count what was proposed, this proposal among it: it is in the store already."""
    if limits.same_call is None and limits.calls_per_minute is None:
        return
    # what led to the hold may have come in the very millisecond of the release: it counts no more
    released = known.released_at + 1 if known.released_at is not None else 0
    since, minute = (first_id(max(at - span, released)) for span in (limits.within, MINUTE))
    most = Pace((limits.calls_per_minute or 0) + 1, (limits.same_call or 0) + 1)
    pace = tx.sessions.pace(known.id, proposal.digest, since, minute, most)
    if limits.same_call is not None and pace.same > limits.same_call:
        times = f"{pace.same} times in {_time(limits.within)}"
        raise Looping(f"{proposal.tool} was called with the same arguments {times}", known.id)
    if limits.calls_per_minute is not None and pace.calls > limits.calls_per_minute:
        raise Looping(f"it made more than {limits.calls_per_minute} calls in a minute", known.id)


def _time(milliseconds: int) -> str:
    minutes, rest = divmod(milliseconds, MINUTE)
    return f"{minutes} minutes" if not rest else f"{milliseconds / 1000:g} seconds"


def _must_say(reason: str) -> None:
    if not reason.strip():
        raise BadArguments("a session is held and released with a reason, which people read later")
    reason_of(reason, "the reason")


def _known(engine: Engine, session: str) -> SessionRecord:
    found = engine.store.read(lambda tx: tx.sessions.get(session))
    if found is None:
        raise NotFound(f"there is no session {session}")
    return found


def _entry(kind: Kind, at: int, session: SessionRecord, **body: object) -> Entry:
    return Entry(kind, at, record.encode(body), None, session.agent, None, session.id, session.task)
