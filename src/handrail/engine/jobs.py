"""Background work as small idempotent functions over rows with a due time: sealing, expiry, lost leases.

Embedded, one loop in the process runs them; a server runs the same functions from its queue.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from handrail.engine import record
from handrail.engine.budgets.leases import any_lapsed, close_lapsed
from handrail.engine.deliveries.planning import plan_lost, plan_outcome
from handrail.engine.ids import new_id
from handrail.engine.models.calls import presume
from handrail.engine.questions.approvals import advance
from handrail.journal.entry import leaf_of
from handrail.journal.merkle import Frontier
from handrail.ports import Commit
from handrail.words.approval import ApprovalState
from handrail.words.entry import Kind
from handrail.words.seal import Head, Leaf

if TYPE_CHECKING:
    from handrail.engine.core import Engine
    from handrail.ports import Transaction
    from handrail.words.action import Action
    from handrail.words.entry import Entry

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
    """Mark running actions whose lease has ended as unknown, and presume calls of models spent; how many.

    What their processes had taken of budgets goes back, too. People are told of the actions, once.
    """
    engine.catch_up()

    def actions(tx: Transaction) -> int:
        at = tx.now()
        # in the order in which who closes a chunk locks the same holds, and therefore in two transactions
        lapsed = sorted(tx.actions.lapse(at, BATCH))
        found = list(filter(None, map(tx.actions.get, lapsed)))
        for action in found:
            tx.budgets.presume(action.id, action.attempt)
        if found:
            loss = new_id()
            tx.journal.append([_unknown(each, at, loss) for each in found])
            plan_lost(tx, engine.policy.policy, loss, at)
        return len(lapsed)

    def calls(tx: Transaction) -> int:
        at = tx.now()
        lapsed = sorted(tx.model_calls.lapse(at, BATCH), key=lambda call: call.id)
        presume(tx, lapsed, at)
        return len(lapsed)

    presumed = sum(engine.store.write(Commit.REAP, work) for work in (actions, calls))
    return presumed + close_lapsed(engine)


def _unknown(action: Action, at: int, loss: str) -> Entry:
    return record.about(action, Kind.UNKNOWN, at, owner=action.owner, loss=loss)


def expire(engine: Engine) -> int:
    """Expire or escalate questions, and expire approved actions that nobody ran; how many changed.

    Each question in a transaction of its own: two of one session, in one, could wait for an answer to the
    second that itself waits for the session.
    """
    engine.refresh()
    due = engine.store.read(lambda tx: tx.approvals.due(tx.now(), BATCH))
    changed = sum(engine.store.write(Commit.EXPIRE, partial(_advanced, engine, approval)) for approval in due)
    return changed + engine.store.write(Commit.EXPIRE, _expired)


def _advanced(engine: Engine, approval_id: str, tx: Transaction) -> bool:
    at = tx.now()
    approval = tx.approvals.lock(approval_id)
    if approval is None or approval.state is not ApprovalState.OPEN:
        return False
    return advance(engine, tx, approval, at) != approval


def _expired(tx: Transaction) -> int:
    """Approved actions that nobody ran in time."""
    at = tx.now()
    expired = tx.actions.expire_approved(at, BATCH)
    reason = "it was approved, but not run in time"
    for action in filter(None, map(tx.actions.get, expired)):
        tx.journal.append([record.about(action, Kind.EXPIRED, at, reason=reason)])
        plan_outcome(tx, action, at)
    return len(expired)


def anything_due(engine: Engine) -> bool:
    """Whether ``reap`` or ``expire`` has something to do: a read, so that an idle process writes nothing."""

    def work(tx: Transaction) -> bool:
        at = tx.now()
        return tx.actions.anything_due(at) or tx.model_calls.anything_due(at) or any_lapsed(tx)

    return engine.store.read(work)


def stop_halted(engine: Engine) -> int:
    """Cancel what this process runs and a halt covers, where its tool allows that; how many were covered."""
    halts = engine.store.read(lambda tx: tx.restrictions.read()).halts
    covered = [
        stop
        for stop in list(engine.cancels.values())
        if any(halt.covers(stop.action.agent, stop.action.tool) for halt in halts)
    ]
    for stop in covered:
        stop()
    return len(covered)


def beat(engine: Engine) -> None:
    """Extend the lease of everything that this process is running."""
    running, calls = list(engine.running.items()), list(engine.calling.running.values())
    if not running and not calls:
        return

    def work(tx: Transaction) -> None:
        until = tx.now() + engine.lease
        for action, token in running:
            tx.actions.beat(action, token, until)
        for call in calls:
            tx.model_calls.beat(call.id, call.token or "", until)

    engine.store.write(Commit.BEAT, work)
