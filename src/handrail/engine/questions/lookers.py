"""Who else has a question open just now: told to those who look, never journalled, soon forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.ports import Commit
from handrail.words.approval import ApprovalState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.engine.core import Engine
    from handrail.ports import Transaction

LASTS = 15_000
"""Milliseconds for which somebody counts after they last said that they look."""
AGAIN = 8_000
"""With fewer milliseconds left it is written again: a page asks more often than that."""


def others(tx: Transaction, approval: str, person: str) -> Sequence[str]:
    """The names of the others who have a question open."""
    return tx.people.lookers(approval, person, tx.now())


def look(engine: Engine, approval: str, person: str) -> Sequence[str]:
    """Say that somebody has a question open; the names of the others. Nobody looks at one that has ended."""

    def read(tx: Transaction) -> tuple[bool, Sequence[str]]:
        asked = tx.approvals.get(approval)
        if asked is None or asked.state is not ApprovalState.OPEN:
            return True, ()
        left = tx.people.looks_until(approval, person) - tx.now()
        return left > AGAIN, others(tx, approval, person)

    known, found = engine.store.read(read)
    if not known:
        engine.store.write(Commit.SIGN_IN, lambda tx: tx.people.look(approval, person, tx.now() + LASTS))
    return found


def look_away(engine: Engine, approval: str, person: str) -> None:
    """Somebody closed a question."""
    engine.store.write(Commit.SIGN_IN, lambda tx: tx.people.look_away(approval, person))
