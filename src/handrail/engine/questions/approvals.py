"""Questions: a held action becomes one approval, with a seat for every distinct audience."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.engine import record
from handrail.engine.budgets.views import view_of
from handrail.engine.deliveries.planning import plan_asked, plan_closed
from handrail.engine.ids import new_id
from handrail.policy.model import AtLimit
from handrail.policy.working_hours import deadline
from handrail.words.approval import Approval, ApprovalState, Seat
from handrail.words.entry import Entry, Kind
from handrail.words.errors import NotFound
from handrail.words.lifecycle import State
from handrail.words.verdict import ANYONE, Measure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from handrail.engine.core import Engine
    from handrail.policy.model import BudgetPolicy, GroupPolicy, Policy
    from handrail.ports import Transaction
    from handrail.words.action import Action
    from handrail.words.verdict import Ask

DAY = 86_400_000
REJECT = "reject"


def question(engine: Engine, tx: Transaction, action: Action, asks: frozenset[Ask], at: int) -> Entry:
    """Open the question of a held action, and stop its session's clock; the entry that tells of it."""
    approval = opened(engine.policy.policy, action, asks, at)
    tx.approvals.add(approval)
    tx.sessions.pause(action.session, at)
    plan_asked(tx, engine.policy.policy, approval, at)
    told = [(ask.step, ask.audience) for ask in sorted(asks)]
    until = {seat.audience: seat.expires_at for seat in approval.seats}
    return record.about(action, Kind.ASKED, at, approval=approval.id, asks=told, expires_at=until)


def opened(policy: Policy, action: Action, asks: frozenset[Ask], at: int) -> Approval:
    """A question about an action with a seat for each audience."""
    seats = tuple(
        _seat(policy, audience, from_when(policy, [ask for ask in asks if ask.audience == audience], at))
        for audience in sorted({ask.audience for ask in asks})
    )
    return Approval(new_id(), action.id, action.digest, asks, seats, ApprovalState.OPEN, at)


def from_when(policy: Policy, asks: Iterable[Ask], at: int) -> int:
    """When the time to answer begins: of what waits for its budgets alone, once their windows are over."""
    steps = {ask.step for ask in asks}
    pausing = [one for one in policy.budgets if one.at_limit is AtLimit.PAUSE and budget_step(one) in steps]
    if len(pausing) < len(steps):
        return at
    return max([at, *filter(None, (view_of(policy, one).ends(at) for one in pausing))])


def budget_step(budget: BudgetPolicy) -> str:
    """The name of the step with which a budget asks."""
    return f"{Measure.BUDGET}:{budget.id}"


def close(
    tx: Transaction, approval: Approval, action: Action, state: ApprovalState, at: int, reason: str | None
) -> bool:
    """End a question: its session's clock goes on, and who was told of it is told. False: it has ended."""
    if not tx.approvals.close(approval.id, state, at, reason):
        return False
    tx.sessions.go_on(action.session, at)
    plan_closed(tx, approval.id, at)
    return True


def members(groups: Mapping[str, GroupPolicy], group: str) -> frozenset[str] | None:
    """The people of a group; None means that any person may answer, because no group limits it."""
    if group != ANYONE:
        return frozenset(groups[group].people) if group in groups else frozenset()
    everyone = frozenset(person for each in groups.values() for person in each.people)
    return everyone or None


def sits_on(groups: Mapping[str, GroupPolicy], seat: Seat, person: str) -> bool:
    """Whether this person may answer for this seat."""
    allowed = members(groups, seat.group)
    return allowed is None or person in allowed


def advance(engine: Engine, tx: Transaction, approval: Approval, at: int) -> Approval:
    """Expire or escalate every seat whose time is over; the question as it then stands."""
    policy = engine.policy.policy
    for seat in approval.seats:
        if seat.expires_at is None or seat.expires_at > at:
            continue
        action = action_of(tx, approval)
        if seat.if_no_answer == REJECT or seat.if_no_answer not in policy.approvers:
            _expire(tx, approval, action, at, seat)
            break
        following = _given_to(policy, policy.approvers[seat.if_no_answer], seat.audience, at)
        tx.approvals.escalate(approval.id, following)
        body = {"approval": approval.id, "audience": seat.audience, "from": seat.group, "to": following.group}
        tx.journal.append([record.about(action, Kind.ESCALATED, at, **body)])
        plan_asked(tx, policy, found(tx, approval.id), at)
    return found(tx, approval.id)


def action_of(tx: Transaction, approval: Approval) -> Action:
    """The action that a question is about.

    Raises:
        NotFound: it is not in the store.
    """
    action = tx.actions.get(approval.action)
    if action is None:
        raise NotFound(f"the action {approval.action} of question {approval.id} is not in the store")
    return action


def found(tx: Transaction, approval: str) -> Approval:
    """The question with this id.

    Raises:
        NotFound: there is none.
    """
    known = tx.approvals.get(approval)
    if known is None:
        raise NotFound(f"there is no question {approval}")
    return known


def _seat(policy: Policy, audience: str, at: int) -> Seat:
    group = policy.approvers.get(audience)
    if group is None:
        return Seat(audience, audience, 1, at + DAY, REJECT)
    return _given_to(policy, group, audience, at)


def _given_to(policy: Policy, group: GroupPolicy, audience: str, at: int) -> Seat:
    """A seat that a group is to fill; the time to answer runs in its working hours only."""
    until = deadline(at, group.answer_within, group.hours, policy.timezone)
    return Seat(audience, group.name, group.need, until, group.if_no_answer)


def _expire(tx: Transaction, approval: Approval, action: Action, at: int, seat: Seat) -> None:
    reason = f"nobody of {seat.group} answered in time"
    if close(tx, approval, action, ApprovalState.EXPIRED, at, reason):
        tx.actions.move(action.id, State.HELD, State.EXPIRED, at, reason)
        tx.journal.append([record.about(action, Kind.EXPIRED, at, approval=approval.id, reason=reason)])
