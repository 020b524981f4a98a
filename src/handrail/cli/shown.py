"""Actions and questions as a person, and as a program, gets to see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from handrail.journal.export import rfc3339
from handrail.words.money import from_nano
from handrail.words.verdict import ANYONE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from handrail.policy.model import GroupPolicy
    from handrail.ports import Transaction
    from handrail.words.action import Action
    from handrail.words.approval import Approval, Seat, Vote


def why(action: Action) -> str:
    """Why it did not run alone; what went wrong, for one that ran."""
    return action.error or "; ".join(dict.fromkeys(action.verdict.reasons))


def when(at: int | None) -> str | None:
    """RFC 3339, for JSON."""
    return None if at is None else rfc3339(at)


def action_json(action: Action) -> dict[str, object]:
    """An action for programs: what the store knows, without its payload and its token."""
    verdict = action.verdict
    return {
        "id": action.id,
        "agent": action.agent,
        "tool": action.tool,
        "session": action.session,
        "task": action.task,
        "state": action.state,
        "decision": verdict.decision,
        "enforced": verdict.enforced,
        "reasons": verdict.reasons,
        "rung": action.rung.word,
        "confidence": action.confidence,
        "rationale": action.rationale,
        "amount": None if action.amount is None else from_nano(action.amount),
        "key": action.key,
        "by_hand": action.person,
        "attempt": action.attempt,
        "owner": action.owner,
        "error": action.error,
        "policy": action.policy,
        "digest": action.digest,
        "proposed_at": when(action.proposed_at),
        "started_at": when(action.started_at),
        "finished_at": when(action.finished_at),
        "expires_at": when(action.expires_at),
    }


@dataclass(frozen=True, slots=True)
class Question:
    """An approval with everything that a person needs to answer it."""

    approval: Approval
    action: Action
    votes: Sequence[Vote]
    args: str | None
    """The exact arguments as JSON text; None when they were erased."""


def question(tx: Transaction, approval: Approval) -> Question | None:
    """The question with its action; None when the action is gone."""
    action = tx.actions.get(approval.action)
    if action is None:
        return None
    payload = tx.actions.payload(approval.action)
    return Question(approval, action, tx.approvals.votes(approval.id), payload.args if payload else None)


def question_json(asked: Question) -> dict[str, object]:
    """A question for programs. The arguments are not in it: the payload is for who answers."""
    approval, action = asked.approval, asked.action
    return {
        "id": approval.id,
        "action": action.id,
        "state": approval.state,
        "agent": action.agent,
        "tool": action.tool,
        "task": action.task,
        "reasons": action.verdict.reasons,
        "rationale": action.rationale,
        "confidence": action.confidence,
        "amount": None if action.amount is None else from_nano(action.amount),
        "asks": [{"step": ask.step, "audience": ask.audience} for ask in sorted(approval.asks)],
        "seats": [_seat_json(seat) for seat in approval.seats],
        "votes": [_vote_json(vote) for vote in asked.votes],
        "opened_at": when(approval.opened_at),
        "closed_at": when(approval.closed_at),
        "reason": approval.reason,
    }


def people_of(groups: Mapping[str, GroupPolicy], seat: Seat) -> str:
    """Who may answer for a seat, by name."""
    group = groups.get(seat.group)
    if group is None and seat.group == ANYONE:
        everyone = dict.fromkeys(person for each in groups.values() for person in each.people)
        return ", ".join(everyone) or "anyone"
    return ", ".join(group.people) if group else "nobody (the policy has no such group)"


def _seat_json(seat: Seat) -> dict[str, object]:
    return {
        "audience": seat.audience,
        "asked": seat.group,
        "need": seat.need,
        "expires_at": when(seat.expires_at),
        "if_no_answer": seat.if_no_answer,
    }


def _vote_json(vote: Vote) -> dict[str, object]:
    return {
        "person": vote.person,
        "choice": vote.choice,
        "reason": vote.reason,
        "verified": vote.verified,
        "at": when(vote.at),
    }
