"""What holds in a store that was restored from a copy: halted, and nothing goes on by itself.

The copy is older than the world: what ran or was about to run when it was made may have happened since. So
nothing of it runs a second time unless a person lets it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from handrail.engine import record
from handrail.engine.ids import new_id
from handrail.engine.models.calls import presume
from handrail.words.entry import Kind
from handrail.words.lifecycle import State
from handrail.words.query import ActionFilter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from handrail.ports import Transaction
    from handrail.words.action import Action

BATCH = 500
FOR_EVER = 1 << 62
"""Later than every lease."""
STALE = "the store was restored from an older copy: nobody knows whether it ran since; propose it anew"


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore changed beside writing the copy: the halt, and how many of what."""

    halt: str
    unknown: int
    expired: int
    sealed: int


def begin_anew(tx: Transaction, sealed: int, what: str, person: str, **about: object) -> Restored:
    """Halt everything, and end what was under way, in the transaction of the restore.

    ``what`` names the copy in the halt's reason; ``about`` is kept in the journal.
    """
    at = tx.now()
    halt = new_id()
    restored = record.plain(Kind.RESTORED, at, what=what, person=person, halt=halt, sealed=sealed, **about)
    tx.journal.append([restored])
    unknown = _lose(tx, at)
    expired = sum(_expire(tx, state, at) for state in (State.APPROVED, State.ALLOWED))
    _revoke(tx, person, at)
    tx.tables.end_open_things()
    reason = f"restored from {what}; lift it when you have looked"
    tx.restrictions.halt(halt, None, None, reason, person, at)
    tx.journal.append([record.plain(Kind.HALTED, at, halt=halt, reason=reason, person=person)])
    return Restored(halt, unknown, expired, sealed)


def _lose(tx: Transaction, at: int) -> int:
    """Running to unknown, whatever the lease says, also calls of models: their process has another store."""
    count = 0
    while lost := tx.actions.lapse(FOR_EVER, BATCH):
        count += len(lost)
        actions = [tx.actions.get(each) for each in lost]
        tx.journal.append(
            [record.about(each, Kind.UNKNOWN, at, owner=each.owner) for each in actions if each]
        )
    while calls := tx.model_calls.lapse(FOR_EVER, BATCH):
        presume(tx, calls, at)
    return count


def _expire(tx: Transaction, state: State, at: int) -> int:
    """What may start comes to its end: it may have run since the copy was made."""
    count = 0
    for action in _all(tx, state):
        if tx.actions.move(action.id, state, State.EXPIRED, at, STALE):
            tx.journal.append([record.about(action, Kind.EXPIRED, at, reason=STALE)])
            count += 1
    return count


def _revoke(tx: Transaction, person: str, at: int) -> None:
    """Standing approvals end: what they let run since the copy was made is not counted in it."""
    while left := tx.standings.listing(ended=False, limit=BATCH):
        for each in left:
            if not tx.standings.revoke(each.id, person, at):
                return
            body = {"agent": each.agent, "tool": each.tool, "standing": each.id, "person": person}
            tx.journal.append([record.plain(Kind.STANDING_REVOKED, at, **body, reason=STALE)])


def _all(tx: Transaction, state: State) -> Iterator[Action]:
    wanted = ActionFilter(state=state, limit=BATCH)
    while page := tx.actions.listing(wanted):
        yield from page
        wanted = replace(wanted, before=page[-1].id)
