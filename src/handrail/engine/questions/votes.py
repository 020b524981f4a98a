"""What people answer: yes, no, or something else. There is no way for an agent to reach these functions."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from handrail.engine import record
from handrail.engine.claim import Stale
from handrail.engine.outcomes import ANSWERED
from handrail.engine.questions.approvals import action_of, advance, close, found
from handrail.engine.questions.seats import Bench, behalf_of, complete, proposes
from handrail.engine.texts import LONGEST_NAME, reason_of
from handrail.ports import Commit
from handrail.words.approval import Approval, ApprovalState, Choice, Vote
from handrail.words.entry import Kind
from handrail.words.errors import BadArguments, Conflict, NotFound, Refused
from handrail.words.lifecycle import State
from handrail.words.person import one_spelling

if TYPE_CHECKING:
    from collections.abc import Callable

    from handrail.engine.core import Engine
    from handrail.ports import Transaction
    from handrail.words.action import Action

T = TypeVar("T")
HOUR = 3_600_000
TRIES = 16
"""How often an answer is weighed anew because the policy changed meanwhile."""
MOVING = "policy and halts kept changing; nothing was answered, try again"


@dataclass(frozen=True, slots=True)
class Asked:
    """An open question that a person may answer, locked until the end of the transaction."""

    approval: Approval
    action: Action
    behalf: str | None

    @classmethod
    def of(cls, tx: Transaction, approval: Approval, action: Action) -> Asked:
        """A question with the person for whom its agent works."""
        return cls(approval, action, behalf_of(tx, action.session))


class Refusal(Protocol):
    """What a no does in its transaction; ``known``: whether the running policy could be had."""

    def __call__(self, tx: Transaction, *, known: bool) -> Approval | Conflict:
        """The question as it then stands, or why it was too late."""


def vote(
    engine: Engine,
    approval_id: str,
    person: str,
    choice: Choice,
    reason: str | None = None,
    *,
    verified: bool,
    seen: str | None = None,
) -> Approval:
    """Record one person's yes or no; the question as it now stands.

    ``verified`` says whether the person proved who they are; where the agent shares the machine nobody can.
    ``seen`` is the digest of the action that the person was shown. Where the active policy can't be had, a no
    is taken all the same, then from everyone who may answer anything.

    Raises:
        NotFound: there is no such question.
        Conflict: it has been answered, has expired, this person has answered already, or what was seen is not
            what is asked.
        Refused: this person may not answer it.
        BadArguments: the person or the reason can't be stored, or this is neither yes nor no.
    """
    if choice not in (Choice.APPROVE, Choice.REJECT):
        raise BadArguments(f"a vote is approve or reject, not {choice}; an edit and an answer are their own")
    _check_texts(person, reason)

    def work(tx: Transaction, *, known: bool = True) -> Approval | Conflict:
        given = Vote(approval_id, person, choice, reason, verified, tx.now())
        asked = taken(engine, tx, given, seen, known=known)
        return asked if isinstance(asked, Conflict) else _vote(engine, tx, asked, given)

    return answering(engine, Commit.VOTE, work) if choice is Choice.APPROVE else _refusing(engine, work)


def answer(
    engine: Engine, approval_id: str, person: str, text: str, *, verified: bool, seen: str | None = None
) -> Approval:
    """Tell the agent something instead: its action does not run, and it is told the text. This is a no, too.

    Raises:
        NotFound, Conflict, Refused: as for a vote; an answer without a text is refused too.
        BadArguments: the person or the text can't be stored.
    """
    _check_texts(person, text)
    if not text.strip():
        raise Refused("an answer needs a text: it is what the agent is told")

    def work(tx: Transaction, *, known: bool = True) -> Approval | Conflict:
        given = Vote(approval_id, person, Choice.ANSWER, text, verified, tx.now())
        asked = taken(engine, tx, given, seen, known=known)
        if isinstance(asked, Conflict):
            return asked
        count(tx, asked, given)
        _end(tx, asked, given, ApprovalState.ANSWERED, State.CANCELLED, ANSWERED + text)
        body = {"approval": approval_id, "person": person, "text": text, "verified": verified}
        tx.journal.append([record.about(asked.action, Kind.ANSWERED, given.at, **body)])
        return found(tx, approval_id)

    return _refusing(engine, work)


def answering(engine: Engine, commit: Commit, work: Callable[[Transaction], T | Conflict]) -> T:
    """Write what a person said under the policy that this engine knows; anew when that changed meanwhile.

    Raises:
        Conflict: ``work`` gave one (so what it found on the way is kept), or the policy never stood still.
    """
    for _ in range(TRIES):
        engine.refresh()
        with suppress(Stale):
            return _written(engine, commit, _fresh(engine, work))
    raise Conflict(MOVING)


def _refusing(engine: Engine, work: Refusal) -> Approval:
    """As ``answering``, for a no: a policy that can't be had must not keep an action waiting for a yes."""
    for _ in range(TRIES):
        known = engine.catch_up()
        said = partial(work, known=known)
        with suppress(Stale):
            return _written(engine, Commit.VOTE, _fresh(engine, said) if known else said)
    raise Conflict(MOVING)


def _written(engine: Engine, commit: Commit, work: Callable[[Transaction], T | Conflict]) -> T:
    said = engine.store.write(commit, work)
    engine.stir()
    if isinstance(said, Conflict):
        raise said
    return said


def taken(
    engine: Engine, tx: Transaction, given: Vote, seen: str | None, *, known: bool = True
) -> Asked | Conflict:
    """The question that somebody wants to answer, locked and open; a conflict when it is too late.

    Without a policy that is ``known``, nobody can say whose turn it is: it is not escalated, and who sits
    where is not asked. Only a no may be given then.

    Raises:
        NotFound: there is no such question, or not its action.
        Refused: this person may not answer it.
        Conflict: this person has answered, or saw something else.
    """
    locked = tx.approvals.lock(given.approval)
    if locked is None:
        raise NotFound(f"there is no question {given.approval}")
    due = known and locked.state is ApprovalState.OPEN
    approval = advance(engine, tx, locked, given.at) if due else locked
    if approval.state is not ApprovalState.OPEN:
        return Conflict(too_late(tx, approval))
    asked = Asked.of(tx, approval, action_of(tx, approval))
    if known:
        may(engine, tx, asked, given.person, given.at)
    elif (why := _barred(tx, asked, given.person)) is not None:
        raise Refused(why)
    if seen is not None and seen != approval.digest:
        raise Conflict("what you saw is not what is asked: the question has changed; look at it again")
    said = {one_spelling(vote.person) for vote in tx.approvals.votes(approval.id)}
    if one_spelling(given.person) in said:
        raise Conflict(f"{given.person} has answered this question already")
    return asked


def count(tx: Transaction, asked: Asked, given: Vote) -> None:
    """Write one answer of somebody who may give it.

    Raises:
        Conflict: this person has answered already.
    """
    if not tx.approvals.vote(given):
        raise Conflict(f"{given.person} has answered this question already")
    body = {"approval": given.approval, "person": given.person, "choice": given.choice}
    said = record.about(
        asked.action, Kind.VOTED, given.at, **body, verified=given.verified, reason=given.reason
    )
    tx.journal.append([said])


def may(engine: Engine, tx: Transaction, asked: Asked, person: str, at: int) -> None:
    """Test that somebody may answer a question.

    Raises:
        Refused: it is the one who asks, an account that is closed, or nobody who sits on any of its seats.
    """
    why = why_not(engine, tx, asked, person, at)
    if why is not None:
        raise Refused(why)


def why_not(engine: Engine, tx: Transaction, asked: Asked, person: str, at: int) -> str | None:
    """Why somebody may not answer a question; None when they may."""
    barred = _barred(tx, asked, person)
    if barred is not None:
        return barred
    bench = Bench(tx, engine.policy.policy.approvers)
    if any(bench.places(seat, person, at) for seat in asked.approval.seats):
        return None
    groups = ", ".join(seat.group for seat in asked.approval.seats)
    return f"{person} is not among those who are asked: {groups}"


def _barred(tx: Transaction, asked: Asked, person: str) -> str | None:
    """Why somebody may not answer it, whatever the policy says; None when they may."""
    if not person.strip():
        return "an answer needs the name of the person who gives it"
    if proposes(asked.action.agent, asked.behalf, person):
        return f"{person} proposed this action, or an agent for them did, and can't answer for it"
    return Bench(tx, {}).silent(person)


def approve_when_complete(engine: Engine, tx: Transaction, asked: Asked, given: Vote) -> None:
    """Let the action run once every seat of its question is filled."""
    approval, action = asked.approval, asked.action
    if not complete(tx, engine.policy.policy.approvers, approval, action, asked.behalf):
        return
    until = runs_until(engine, approval, given.at)
    if not close(tx, approval, action, ApprovalState.APPROVED, given.at, given.reason):
        raise Conflict(too_late(tx, approval))
    if not tx.actions.approve(action.id, action.approved | approval.asks, given.at, until):
        raise Conflict(f"action {action.id} is no longer held")
    body = {"approval": approval.id, "runs_until": until}
    tx.journal.append([record.about(action, Kind.APPROVED, given.at, **body)])


def runs_until(engine: Engine, approval: Approval, at: int) -> int:
    """Until when it may run if it is approved now: as long as people had to answer, at least an hour."""
    return at + max([HOUR, *(_time_of(engine, seat.group) for seat in approval.seats)])


def too_late(tx: Transaction, approval: Approval) -> str:
    """Who has answered already."""
    people = ", ".join(f"{vote.person} ({vote.choice})" for vote in tx.approvals.votes(approval.id))
    return f"this question is {approval.state} already" + (f": {people}" if people else "")


def _vote(engine: Engine, tx: Transaction, asked: Asked, given: Vote) -> Approval:
    count(tx, asked, given)
    if given.choice is Choice.APPROVE:
        approve_when_complete(engine, tx, asked, given)
    else:
        _end(tx, asked, given, ApprovalState.REJECTED, State.REJECTED, given.reason)
        body = {"approval": given.approval, "reason": given.reason}
        tx.journal.append([record.about(asked.action, Kind.REJECTED, given.at, **body)])
    return found(tx, given.approval)


def _end(
    tx: Transaction, asked: Asked, given: Vote, state: ApprovalState, target: State, error: str | None
) -> None:
    if not close(tx, asked.approval, asked.action, state, given.at, given.reason):
        raise Conflict(too_late(tx, asked.approval))
    if not tx.actions.move(asked.action.id, State.HELD, target, given.at, error):
        raise Conflict(f"action {asked.action.id} is no longer held")


def _fresh(
    engine: Engine, work: Callable[[Transaction], T | Conflict]
) -> Callable[[Transaction], T | Conflict]:
    """``work``, in whose transaction the policy is still the one that this engine has."""
    seen = engine.restrictions.generation

    def checked(tx: Transaction) -> T | Conflict:
        if tx.restrictions.generation() != seen:
            raise Stale("the policy that says who may answer has changed meanwhile")
        return work(tx)

    return checked


def _time_of(engine: Engine, group: str) -> int:
    known = engine.policy.policy.approvers.get(group)
    return known.answer_within if known else 24 * HOUR


def _check_texts(person: str, reason: str | None) -> None:
    reason_of(person, "the person", LONGEST_NAME)
    if reason is not None:
        reason_of(reason, "the reason")
