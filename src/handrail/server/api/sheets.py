"""The sheet of a question as the API tells it: what a person must know to answer."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from handrail.server.api.shapes import Digest, Moment, Money, Object, maybe, moment, money
from handrail.server.auth.who import Caller
from handrail.server.roles import VIEWER
from handrail.words.approval import ApprovalState, Vote
from handrail.words.sheet import Because, BudgetAfter, Change, SeatView, Sheet, Similar


class VoteShape(Struct):
    """One person's answer."""

    person: str
    choice: str
    reason: str | None
    verified: bool
    at: Moment


class SeatShape(Struct):
    """One audience: who may answer, how many must, until when, and what happens then."""

    audience: str
    group: str
    people: list[str]
    deputies: list[str]
    anyone: bool
    need: int
    answered: int
    expires_at: Moment | None
    then: str


class SimilarShape(Struct):
    """How an action like this one was answered before."""

    action: str
    at: Moment
    answer: str
    by: str
    what: str
    reason: str | None


class SheetShape(Struct):
    """Everything that a person must know to answer. Exact arguments and facts are for who may answer."""

    id: str
    action: str
    state: str
    opened_at: Moment
    closed_at: Moment | None
    reason: str | None
    what: str
    agent: str
    tool: str
    task: str | None
    session: str
    behalf: str | None
    does: str
    why: list[Because]
    undo: str
    amount: str | None
    money: Money | None
    budgets: list[BudgetAfter]
    args: Annotated[msgspec.Raw, Meta(extra_json_schema={"type": ["object", "null"]})]
    shown_args: Object
    changes: list[Change]
    facts: Object | None
    shown_facts: Object
    confidence: str | None
    rationale: str | None
    seats: list[SeatShape]
    votes: list[VoteShape]
    similar: list[SimilarShape]
    seen: Digest
    action_state: str
    outcome: str | None
    schema: Object | None
    notes: list[str]
    edited_by: str | None
    supersedes: str | None
    superseded_by: str | None
    runs_until: Moment | None
    mine: bool


def sheet_shape(found: Sheet, caller: Caller) -> SheetShape:
    """A question as the API tells it; who may only look sees what is redacted."""
    asked, may = found.approval, caller.role != VIEWER
    return SheetShape(
        id=asked.id,
        action=asked.action,
        state=asked.state.value,
        opened_at=moment(asked.opened_at),
        closed_at=maybe(asked.closed_at),
        reason=asked.reason,
        what=found.what,
        agent=found.agent,
        tool=found.tool,
        task=found.task,
        session=found.session,
        behalf=found.behalf,
        does=str(found.does),
        why=list(found.why),
        undo=found.undo,
        amount=found.amount,
        money=money(found.money),
        budgets=list(found.budgets),
        args=msgspec.Raw(found.args.encode() if may and found.args is not None else b"null"),
        shown_args=dict(found.shown_args),
        changes=list(found.changes if may else found.shown_changes),
        facts=dict(found.facts) if may else None,
        shown_facts=dict(found.shown_facts),
        confidence=_number(found.confidence),
        rationale=found.rationale,
        seats=[_seat(seat) for seat in found.seats],
        votes=[_vote(each) for each in found.votes],
        similar=[_similar(each) for each in found.similar],
        seen=found.digest,
        action_state=found.action_state,
        outcome=found.outcome,
        schema=None if found.schema is None else dict(found.schema),
        notes=list(found.notes),
        edited_by=found.edited_by,
        supersedes=found.supersedes,
        superseded_by=found.superseded_by,
        runs_until=maybe(found.runs_until),
        mine=asked.state is ApprovalState.OPEN and found.asks(caller.human().id),
    )


def _number(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _seat(seat: SeatView) -> SeatShape:
    return SeatShape(
        seat.audience,
        seat.group,
        list(seat.people),
        list(seat.deputies),
        seat.anyone,
        seat.need,
        seat.answered,
        maybe(seat.expires_at),
        seat.then,
    )


def _vote(given: Vote) -> VoteShape:
    return VoteShape(given.person, given.choice.value, given.reason, given.verified, moment(given.at))


def _similar(each: Similar) -> SimilarShape:
    return SimilarShape(each.action, moment(each.at), each.answer, each.by, each.what, each.reason)
