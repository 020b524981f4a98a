"""Questions: a held action becomes one approval, with a seat for every distinct audience."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.engine import record
from handrail.engine.ids import new_id
from handrail.words.approval import Approval, ApprovalState, Seat
from handrail.words.entry import Entry, Kind
from handrail.words.errors import NotFound
from handrail.words.lifecycle import State
from handrail.words.verdict import ANYONE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handrail.engine.core import Engine
    from handrail.policy.model import GroupPolicy
    from handrail.ports import Transaction
    from handrail.words.action import Action
    from handrail.words.verdict import Ask

DAY = 86_400_000
REJECT = "reject"


def question(engine: Engine, tx: Transaction, action: Action, asks: frozenset[Ask], at: int) -> Entry:
    """Open the question of a held action; the entry that tells of it."""
    groups = engine.policy.policy.approvers
    seats = tuple(_seat(groups, audience, at) for audience in sorted({ask.audience for ask in asks}))
    approval = Approval(new_id(), action.id, action.digest, asks, seats, ApprovalState.OPEN, at)
    tx.approvals.add(approval)
    told = [(ask.step, ask.audience) for ask in sorted(asks)]
    until = {seat.audience: seat.expires_at for seat in seats}
    return record.about(action, Kind.ASKED, at, approval=approval.id, asks=told, expires_at=until)


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
    for seat in approval.seats:
        if seat.expires_at is None or seat.expires_at > at:
            continue
        action = _action(tx, approval)
        groups = engine.policy.policy.approvers
        if seat.if_no_answer == REJECT or seat.if_no_answer not in groups:
            _expire(tx, approval, action, at, seat)
            break
        following = _escalated(groups[seat.if_no_answer], seat, at)
        tx.approvals.escalate(approval.id, following)
        body = {"approval": approval.id, "audience": seat.audience, "from": seat.group, "to": following.group}
        tx.journal.append([record.about(action, Kind.ESCALATED, at, **body)])
    return _found(tx, approval.id)


def _seat(groups: Mapping[str, GroupPolicy], audience: str, at: int) -> Seat:
    group = groups.get(audience)
    if group is None:
        return Seat(audience, audience, 1, at + DAY, REJECT)
    return Seat(audience, group.name, group.need, at + group.answer_within, group.if_no_answer)


def _escalated(group: GroupPolicy, seat: Seat, at: int) -> Seat:
    return Seat(seat.audience, group.name, group.need, at + group.answer_within, group.if_no_answer)


def _expire(tx: Transaction, approval: Approval, action: Action, at: int, seat: Seat) -> None:
    reason = f"nobody of {seat.group} answered in time"
    if tx.approvals.close(approval.id, ApprovalState.EXPIRED, at, reason):
        tx.actions.move(action.id, State.HELD, State.EXPIRED, at, reason)
        tx.journal.append([record.about(action, Kind.EXPIRED, at, approval=approval.id, reason=reason)])


def _action(tx: Transaction, approval: Approval) -> Action:
    action = tx.actions.get(approval.action)
    if action is None:
        raise NotFound(f"the action {approval.action} of question {approval.id} is not in the store")
    return action


def _found(tx: Transaction, approval: str) -> Approval:
    found = tx.approvals.get(approval)
    if found is None:
        raise NotFound(f"there is no question {approval}")
    return found
