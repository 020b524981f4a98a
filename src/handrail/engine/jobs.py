"""Background work as small idempotent functions over rows with a due time: sealing, expiry, lost leases.

Embedded, one loop in the process runs them; a server runs the same functions from its queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.engine import record
from handrail.engine.questions import advance
from handrail.journal.entry import leaf_of
from handrail.journal.merkle import Frontier
from handrail.ports import Commit
from handrail.words.entry import Kind
from handrail.words.seal import Head, Leaf

if TYPE_CHECKING:
    from handrail.engine.core import Engine
    from handrail.ports import Transaction

BATCH = 1_000
"""Rows in one transaction of a job: enough to keep up, few enough not to keep others waiting."""


def seal(engine: Engine) -> int:
    """Append every entry that can no longer be preceded to the sealed log; how many were sealed."""
    sealed = 0
    while True:
        count = engine.store.write(Commit.SEAL, _seal)
        sealed += count
        if count < BATCH:
            return sealed


def _seal(tx: Transaction) -> int:
    if not tx.journal.lock_sealer():
        return 0
    last = tx.journal.last_head()
    entries = tx.journal.unsealed(last, BATCH)
    if not entries:
        return 0
    size = last.size if last else 0
    leaves = [Leaf(size + place, stored.seq, leaf_of(stored)) for place, (stored, _) in enumerate(entries)]
    before = Frontier.from_bytes(last.frontier) if last else Frontier()
    frontier = before.extend(leaf.hash for leaf in leaves)
    newest, xid = entries[-1]
    head = Head(frontier.size, frontier.root(), frontier.to_bytes(), xid, newest.seq, tx.now())
    tx.journal.seal(head, leaves)
    return len(leaves)


def reap(engine: Engine) -> int:
    """Mark running actions whose lease has ended as unknown; how many there were."""

    def work(tx: Transaction) -> int:
        at = tx.now()
        lapsed = tx.actions.lapse(at, BATCH)
        actions = [tx.actions.get(action) for action in lapsed]
        tx.journal.append(
            [record.about(action, Kind.UNKNOWN, at, owner=action.owner) for action in actions if action]
        )
        return len(lapsed)

    return engine.store.write(Commit.REAP, work)


def expire(engine: Engine) -> int:
    """Expire or escalate questions, and expire approved actions that nobody ran; how many changed."""
    engine.refresh()

    def work(tx: Transaction) -> int:
        at = tx.now()
        due = tx.approvals.due(at, BATCH)
        for approval_id in due:
            approval = tx.approvals.lock(approval_id)
            if approval is not None and approval.state == "open":
                advance(engine, tx, approval, at)
        expired = tx.actions.expire_approved(at, BATCH)
        actions = [tx.actions.get(action) for action in expired]
        reason = "it was approved, but not run in time"
        tx.journal.append(
            [record.about(action, Kind.EXPIRED, at, reason=reason) for action in actions if action]
        )
        return len(due) + len(expired)

    return engine.store.write(Commit.EXPIRE, work)


def anything_due(engine: Engine) -> bool:
    """Whether ``reap`` or ``expire`` has something to do: a read, so that an idle process writes nothing."""

    def work(tx: Transaction) -> bool:
        return tx.actions.anything_due(tx.now())

    return engine.store.read(work)


def beat(engine: Engine) -> None:
    """Extend the lease of everything that this process is running."""
    running = list(engine.running.items())
    if not running:
        return

    def work(tx: Transaction) -> None:
        until = tx.now() + engine.lease
        for action, token in running:
            tx.actions.beat(action, token, until)

    engine.store.write(Commit.BEAT, work)
