"""Retention: payloads and prompts are erased when the policy's time for them is over; the journal stays.

An entry holds redacted values and salted digests, and the salt goes with the payload: what was erased can't
be guessed from them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.engine import record
from handrail.engine.models.prompts import forget_hidden
from handrail.ports import Commit
from handrail.words.entry import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from handrail.engine.core import Engine
    from handrail.ports import Transaction

BATCH = 1_000
EVERY = 3_600.0
"""Seconds between two rounds: what is kept for days need not go by the minute."""


def erase(engine: Engine) -> int:
    """Erase payloads of actions that ended, and prompts, kept longer than ``data.keep`` says; how many."""
    engine.refresh()
    keep = engine.policy.policy.keep
    total = 0
    for what, erasing in (("payloads", _payloads), ("prompts", _prompts)):
        if (longest := keep.get(what)) is not None:
            total += _erase(engine, lambda tx, e=erasing, most=longest: e(engine, tx, most))  # type: ignore[misc]
    if total:
        engine.stir()
    return total


def _erase(engine: Engine, work: Callable[[Transaction], int]) -> int:
    total = count = engine.store.write(Commit.ERASE, work)
    while count == BATCH:
        count = engine.store.write(Commit.ERASE, work)
        total += count
    return total


def _payloads(engine: Engine, tx: Transaction, keep: int) -> int:
    """What they hide is taken out of the prompts of their sessions first: without them nobody knows it."""
    at = tx.now()
    due = tx.actions.erasable(at - keep, BATCH)
    forget_hidden(engine, tx, filter(None, map(tx.actions.get, due)))
    tx.actions.erase(due)
    if due:
        body = {"payloads": len(due), "ended_before": at - keep, "first": due[0], "last": due[-1]}
        tx.journal.append([record.plain(Kind.ERASED, at, **body)])
    return len(due)


def _prompts(_: Engine, tx: Transaction, keep: int) -> int:
    at = tx.now()
    erased = tx.prompts.erase(at - keep, BATCH)
    if erased:
        body = {"prompts": len(erased), "asked_before": at - keep, "first": erased[0], "last": erased[-1]}
        tx.journal.append([record.plain(Kind.ERASED, at, **body)])
    return len(erased)
