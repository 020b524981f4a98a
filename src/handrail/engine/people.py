"""What people answer: votes on questions. There is no way for an agent to reach these functions."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from handrail.engine import record
from handrail.engine.claim import Stale
from handrail.engine.questions import advance, sits_on
from handrail.engine.texts import LONGEST_NAME, reason_of
from handrail.ports import Commit
from handrail.words.approval import Approval, ApprovalState, Choice, Vote
from handrail.words.entry import Kind
from handrail.words.errors import Conflict, NotFound, Refused
from handrail.words.lifecycle import State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from handrail.engine.core import Engine
    from handrail.policy.model import GroupPolicy
    from handrail.ports import Transaction
    from handrail.words.action import Action
    from handrail.words.approval import Seat

T = TypeVar("T")
HOUR = 3_600_000
TRIES = 16
"""How often an answer is weighed anew because the policy changed meanwhile."""


def vote(
    engine: Engine,
    approval_id: str,
    person: str,
    choice: Choice,
    reason: str | None = None,
    *,
    verified: bool,
) -> Approval:
    """Record one person's answer; the question as it now stands.

    ``verified`` says whether the person proved who they are; where the agent shares the machine nobody can.

    Raises:
        NotFound: there is no such question.
        Conflict: it has been answered, has expired, or this person has answered already.
        Refused: this person may not answer it.
        BadArguments: the person or the reason can't be stored.
    """
    reason_of(person, "the person", LONGEST_NAME)
    if reason is not None:
        reason_of(reason, "the reason")
    for _ in range(TRIES):
        engine.refresh()
        with suppress(Stale):
            answered = engine.store.write(
                Commit.VOTE,
                _fresh(
                    engine,
                    lambda tx: _vote(
                        engine, tx, Vote(approval_id, person, choice, reason, verified, tx.now())
                    ),
                ),
            )
            engine.stir()
            if isinstance(answered, Conflict):
                raise answered
            return answered
    raise Conflict("policy and halts kept changing; nothing was answered, try again")


def _fresh(engine: Engine, work: Callable[[Transaction], T]) -> Callable[[Transaction], T]:
    """``work``, in whose transaction the policy is still the one that this engine has."""
    seen = engine.restrictions.generation

    def checked(tx: Transaction) -> T:
        if tx.restrictions.generation() != seen:
            raise Stale("the policy that says who may answer has changed meanwhile")
        return work(tx)

    return checked


def _vote(engine: Engine, tx: Transaction, vote: Vote) -> Approval | Conflict:
    """The question as it then stands. It is too late: returned, so that an expiry found here is kept."""
    locked = tx.approvals.lock(vote.approval)
    if locked is None:
        raise NotFound(f"there is no question {vote.approval}")
    approval = advance(engine, tx, locked, vote.at) if locked.state is ApprovalState.OPEN else locked
    if approval.state is not ApprovalState.OPEN:
        return Conflict(_too_late(tx, approval))
    action = tx.actions.get(approval.action)
    if action is None:
        raise NotFound(f"the action of question {vote.approval} is not in the store")
    _may(engine, approval, action, vote.person)
    if not tx.approvals.vote(vote):
        raise Conflict(f"{vote.person} has answered this question already")
    body = {"approval": approval.id, "person": vote.person, "choice": vote.choice, "verified": vote.verified}
    tx.journal.append([record.about(action, Kind.VOTED, vote.at, **body, reason=vote.reason)])
    if vote.choice is Choice.REJECT:
        _reject(tx, approval, action, vote)
    elif _every_seat(engine, tx, approval):
        _approve(engine, tx, approval, action, vote)
    return tx.approvals.get(approval.id) or approval


def _may(engine: Engine, approval: Approval, action: Action, person: str) -> None:
    if not person.strip():
        raise Refused("an answer needs the name of the person who gives it")
    if person.strip().casefold() == action.agent.strip().casefold():
        raise Refused(f"{person} proposed this action and can't answer for it")
    groups = engine.policy.policy.approvers
    if not any(sits_on(groups, seat, person) for seat in approval.seats):
        asked = ", ".join(seat.group for seat in approval.seats)
        raise Refused(f"{person} is not among those who are asked: {asked}")


def _every_seat(engine: Engine, tx: Transaction, approval: Approval) -> bool:
    groups = engine.policy.policy.approvers
    people = {vote.person for vote in tx.approvals.votes(approval.id) if vote.choice is Choice.APPROVE}
    return all(
        sum(sits_on(groups, seat, person) for person in people) >= _need(groups, seat)
        for seat in approval.seats
    )


def _need(groups: Mapping[str, GroupPolicy], seat: Seat) -> int:
    """How many must answer: as many as were asked for, and as many as the running policy wants."""
    group = groups.get(seat.group)
    return max(seat.need, group.need if group else 0)


def _approve(engine: Engine, tx: Transaction, approval: Approval, action: Action, vote: Vote) -> None:
    until = vote.at + max([HOUR, *(_time_of(engine, seat.group) for seat in approval.seats)])
    if not tx.approvals.close(approval.id, ApprovalState.APPROVED, vote.at, vote.reason):
        raise Conflict(_too_late(tx, approval))
    if not tx.actions.approve(action.id, action.approved | approval.asks, vote.at, until):
        raise Conflict(f"action {action.id} is no longer held")
    body = {"approval": approval.id, "runs_until": until}
    tx.journal.append([record.about(action, Kind.APPROVED, vote.at, **body)])


def _time_of(engine: Engine, group: str) -> int:
    found = engine.policy.policy.approvers.get(group)
    return found.answer_within if found else 24 * HOUR


def _reject(tx: Transaction, approval: Approval, action: Action, vote: Vote) -> None:
    if not tx.approvals.close(approval.id, ApprovalState.REJECTED, vote.at, vote.reason):
        raise Conflict(_too_late(tx, approval))
    tx.actions.move(action.id, State.HELD, State.REJECTED, vote.at, vote.reason)
    body = {"approval": approval.id, "reason": vote.reason}
    tx.journal.append([record.about(action, Kind.REJECTED, vote.at, **body)])


def _too_late(tx: Transaction, approval: Approval) -> str:
    people = ", ".join(f"{vote.person} ({vote.choice})" for vote in tx.approvals.votes(approval.id))
    return f"this question is {approval.state} already" + (f": {people}" if people else "")
