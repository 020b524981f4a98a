"""Taking back: an action that has not started is cancelled, by its agent or a person. It only restricts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.engine import record
from handrail.engine.deliveries.planning import plan_outcome
from handrail.engine.questions.approvals import close
from handrail.engine.texts import name_of, reason_of
from handrail.ports import Commit
from handrail.words.approval import ApprovalState
from handrail.words.entry import Kind
from handrail.words.errors import Conflict, NotFound
from handrail.words.lifecycle import State

if TYPE_CHECKING:
    from handrail.engine.core import Engine
    from handrail.ports import Transaction
    from handrail.words.action import Action

NOT_STARTED = frozenset({State.HELD, State.APPROVED, State.ALLOWED})


def cancel(engine: Engine, action_id: str, by: str, reason: str) -> Action:
    """Cancel an action that has not started, and its question; the action as it then stands.

    Who may do so is for the caller to test: an agent its own, a person any.

    Raises:
        NotFound: there is no such action.
        Conflict: it has started or ended.
        BadArguments: a text can't be stored.
    """
    name_of(by, "who cancels")
    reason_of(reason, "the reason")

    def work(tx: Transaction) -> Action:
        at = tx.now()
        # the question is locked before the action is read: whoever answers it does so before, or too late
        asked = tx.approvals.of(action_id)
        question = asked and tx.approvals.lock(asked.id)
        action = tx.actions.get(action_id)
        if action is None:
            raise NotFound(f"there is no action {action_id}")
        why = f"{by}: {reason}" if reason else by
        if action.state not in NOT_STARTED or not tx.actions.move(
            action_id, action.state, State.CANCELLED, at, f"by {why}"
        ):
            raise Conflict(f"action {action_id} is {action.state} and can't be cancelled any more")
        if question is not None and question.state is ApprovalState.OPEN:
            close(tx, question, action, ApprovalState.CANCELLED, at, reason)
        else:
            plan_outcome(tx, action, at)
        tx.journal.append([record.about(action, Kind.CANCELLED, at, by=by, reason=reason)])
        return tx.actions.get(action_id) or action

    cancelled = engine.store.write(Commit.CANCEL, work)
    engine.stir()
    return cancelled
