"""Paused actions: what a budget had no room for goes on by itself once there is room, and no person said no.

Nothing is let by here: the action is handed back to its agent as one that may start, without any leave to
exceed, so that its recheck judges everything anew and its claim tests every limit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from handrail.engine import record
from handrail.engine.budgets.views import view_of
from handrail.engine.questions.approvals import budget_step, close
from handrail.engine.questions.votes import runs_until
from handrail.policy.model import AtLimit
from handrail.ports import Commit
from handrail.words.approval import ApprovalState
from handrail.words.entry import Kind
from handrail.words.lifecycle import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from handrail.engine.core import Engine
    from handrail.policy.compiled import Budget
    from handrail.policy.model import Policy
    from handrail.ports import Transaction
    from handrail.words.approval import Approval
    from handrail.words.verdict import Verdict

PAGE = 500
"""Questions that are read at once."""
MOST = 10_000
"""Actions that may start, and are counted as if they had."""

Window = tuple[str, str, int]
"""A budget, its scope and the start of its window."""


@dataclass(slots=True)
class Space:
    """What budgets have left for what waits: what may start already, and goes on now, counts as spent."""

    policy: Policy
    budgets: dict[str, Budget]
    promised: dict[Window, int] = field(default_factory=dict)

    @classmethod
    def of(cls, policy: Policy) -> Space:
        """Of every budget of a policy, nothing promised yet."""
        return cls(policy, {budget.id: view_of(policy, budget) for budget in policy.budgets})

    def wanted(self, verdict: Verdict, now: int) -> Iterator[tuple[Window, int]]:
        """What an action takes from each budget that there still is, in the window of ``now``."""
        for charge in verdict.charges:
            budget = self.budgets.get(charge.budget)
            if budget is not None:
                yield (charge.budget, charge.scope, budget.begins(now)), charge.quantity

    def promise(self, verdict: Verdict, now: int) -> None:
        """Count what an action takes as spent."""
        for window, quantity in self.wanted(verdict, now):
            self.promised[window] = self.promised.get(window, 0) + quantity

    def fits(self, tx: Transaction, verdict: Verdict, now: int) -> bool:
        """Whether every budget has room for an action beside all that was promised."""
        return all(
            quantity + self.promised.get(window, 0) <= self._left(tx, window)
            for window, quantity in self.wanted(verdict, now)
        )

    def _left(self, tx: Transaction, window: Window) -> int:
        budget = self.budgets[window[0]]
        room = tx.budgets.room(*window, budget.rolling)
        return budget.limit + room.raised - room.used


def go_on(engine: Engine) -> int:
    """Let what is paused go on where there is room; how many actions did. Oldest first, as many as fit."""
    engine.refresh()
    policy = engine.policy.policy
    steps = frozenset(budget_step(one) for one in policy.budgets if one.at_limit is AtLimit.PAUSE)
    if not steps:
        return 0
    space = Space.of(policy)
    # a look first: what does not fit, which is most of it at most times, costs no write
    fitting = engine.store.read(lambda tx: _fitting(tx, space, steps))
    return sum(engine.store.write(Commit.GO_ON, partial(_resumed, engine, space, each)) for each in fitting)


def anything_paused(engine: Engine) -> bool:
    """Whether a budget of the running policy may pause anything."""
    return any(one.at_limit is AtLimit.PAUSE for one in engine.policy.policy.budgets)


def _open(tx: Transaction) -> Iterator[Approval]:
    """Every open question, oldest first."""
    last: str | None = None
    while page := tx.approvals.listing(ApprovalState.OPEN, PAGE, last):
        yield from page
        last = page[-1].id


def _waits(approval: Approval, steps: frozenset[str]) -> bool:
    """Whether it asks for nothing but room in budgets that pause."""
    return bool(approval.asks) and {ask.step for ask in approval.asks} <= steps


def _fitting(tx: Transaction, space: Space, steps: frozenset[str]) -> list[Approval]:
    """What waits for nothing but room, and has it now: the oldest first, as many as fit beside each other."""
    waiting = [each for each in _open(tx) if _waits(each, steps)]
    if not waiting:
        return []
    now = tx.now()
    _promise_approved(tx, space, now)
    looked = Space(space.policy, space.budgets, dict(space.promised))
    found = []
    for each in waiting:
        action = tx.actions.get(each.action)
        if action is not None and looked.fits(tx, action.verdict, now):
            looked.promise(action.verdict, now)
            found.append(each)
    return found


def _promise_approved(tx: Transaction, space: Space, now: int) -> None:
    """What may start already and has not: it will take its part when it does."""
    for name in tx.actions.approved(tuple(space.policy.tools), MOST):
        action = tx.actions.get(name)
        if action is not None:
            space.promise(action.verdict, now)


def _resumed(engine: Engine, space: Space, asked: Approval, tx: Transaction) -> bool:
    at = tx.now()
    if tx.restrictions.generation() != engine.restrictions.generation:
        return False  # a freeze, a halt or another policy: the next round looks again
    approval = tx.approvals.lock(asked.id)
    action = tx.actions.get(asked.action)
    if approval is None or approval.state is not ApprovalState.OPEN or action is None:
        return False
    frozen = engine.restrictions.frozen
    if action.state is not State.HELD or any(charge.budget in frozen for charge in action.verdict.charges):
        return False
    if not space.fits(tx, action.verdict, at):
        return False
    named = ", ".join(sorted(ask.step.partition(":")[2] for ask in approval.asks))
    reason = f"there is room in the budget {named} again"
    until = runs_until(engine, approval, at)
    if not close(tx, approval, action, ApprovalState.RESUMED, at, reason):
        return False
    tx.actions.approve(action.id, action.approved, at, until)
    body = {"approval": approval.id, "runs_until": until, "reason": reason}
    tx.journal.append([record.about(action, Kind.RESUMED, at, **body)])
    space.promise(action.verdict, at)
    return True
