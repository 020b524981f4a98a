"""Approvals: the questions of held actions, as people see them, and people's answers."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query, Request, Response
from msgspec import Meta, Struct

from handrail.engine.dispatch import hidden, told
from handrail.engine.questions.batches import vote_many
from handrail.engine.questions.edits import edit
from handrail.engine.questions.sheet import sheet, sheets
from handrail.engine.questions.votes import answer as answer_instead
from handrail.engine.questions.votes import vote
from handrail.ports import Transaction
from handrail.server.api.route import (
    PAGE,
    Cursor,
    Id,
    Limit,
    Who,
    answer,
    engine_of,
    following,
    reading,
    route,
    routes,
    store_of,
)
from handrail.server.api.shapes import (
    ActionShape,
    Digest,
    Ident,
    Moment,
    Money,
    Object,
    Reason,
    Taken,
    Words,
    action_shape,
    maybe,
    moment,
    money,
)
from handrail.server.api.sheets import SheetShape, sheet_shape
from handrail.server.errors import problem_of
from handrail.words.approval import Approval, ApprovalState, Choice
from handrail.words.errors import HandrailError, NotFound
from handrail.words.sheet import Sheet

router = routes("approvals")
SEEN = "d1" * 32
BATCH = 100
Seen = Annotated[Digest, Meta(description="The `seen` of the question: an answer is for what was seen.")]


class QuestionShape(Struct):
    """One question, in short."""

    id: str
    action: str
    state: str
    what: str
    agent: str
    tool: str
    task: str | None
    amount: Money | None
    opened_at: Moment
    closed_at: Moment | None
    expires_at: Moment | None
    asked: list[str]
    mine: Annotated[bool, Meta(description="Whether the caller is among those who may answer now.")]
    seen: Digest
    reason: str | None


class QuestionPage(Struct):
    """Questions, oldest first."""

    items: list[QuestionShape]
    next: str | None


class Answered(Struct):
    """How a question stands after an answer."""

    id: str
    action: str
    state: str
    closed_at: Moment | None
    reason: str | None


class NewVote(Taken):
    """Yes or no, to exactly what was seen."""

    choice: Literal["approve", "reject"]
    seen: Seen
    reason: Words | None = None


class NewEdit(Taken):
    """Other arguments: a new action takes the old one's place, and is judged afresh."""

    args: Object
    reason: Reason
    seen: Seen


class NewAnswer(Taken):
    """What the agent is told instead; the action does not run."""

    text: Reason
    seen: Seen


class BatchItem(Taken):
    """One question, and what was seen of it."""

    id: Ident
    seen: Seen


class NewVotes(Taken):
    """The same answer to several questions."""

    items: Annotated[list[BatchItem], Meta(min_length=1, max_length=BATCH)]
    choice: Literal["approve", "reject"]
    reason: Words | None = None


class VoteResult(Struct):
    """What became of one answer: the question's state, or why it was refused."""

    id: str
    state: str | None
    status: int
    detail: str | None


class VoteResults(Struct):
    """Each answer by itself: one that is refused does not undo the others."""

    items: list[VoteResult]


@route(router, "GET /approvals", gives=QuestionPage)
def list_approvals(
    request: Request,
    caller: Who,
    state: Annotated[ApprovalState | None, Query()] = ApprovalState.OPEN,
    mine: Annotated[bool, Query(description="Only those that the caller may answer.")] = False,  # noqa: FBT002
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> Response:
    """List questions, oldest first; open ones unless another state is asked for."""
    engine, me = engine_of(request), caller.human().id

    def work(tx: Transaction) -> QuestionPage:
        found = tx.approvals.listing(state.value if state else None, limit, cursor)
        items = [_question(each, me) for each in sheets(engine, tx, found) if not mine or each.asks(me)]
        return QuestionPage(items, following(found, limit, lambda it: it.id))

    engine.catch_up()
    return answer(store_of(request).read(work))


@route(
    router,
    "POST /approvals/votes",
    takes=NewVotes,
    gives=VoteResults,
    said={"items": [{"id": "0193a5e2c4d800000123456789ab", "seen": SEEN}], "choice": "approve"},
)
def vote_on_many(request: Request, caller: Who, given: Annotated[NewVotes, reading(NewVotes)]) -> Response:
    """Answer several questions alike, each in a transaction of its own."""
    items = [(each.id, each.seen) for each in given.items]
    choice, me = Choice(given.choice), caller.human().id
    found = vote_many(engine_of(request), items, me, choice, given.reason, verified=True)
    return answer(VoteResults([_result(each, result) for each, result in found]))


@route(router, "GET /approvals/{approval_id}", gives=SheetShape)
def get_approval(request: Request, caller: Who, approval_id: Id) -> Response:
    """Look at a question: what will happen, why it asks, what it costs, how it can be undone, and more."""
    engine = engine_of(request)
    engine.catch_up()

    def work(tx: Transaction) -> Sheet:
        found = tx.approvals.get(approval_id)
        if found is None:
            raise NotFound(f"there is no question {approval_id}")
        return sheet(engine, tx, found)

    return answer(sheet_shape(store_of(request).read(work), caller))


@route(
    router,
    "POST /approvals/{approval_id}/vote",
    takes=NewVote,
    gives=Answered,
    said={"choice": "approve", "seen": SEEN, "reason": "It is what we promised."},
)
def vote_on_one(
    request: Request, caller: Who, approval_id: Id, given: Annotated[NewVote, reading(NewVote)]
) -> Response:
    """Approve or reject."""
    choice, me = Choice(given.choice), caller.human().id
    engine = engine_of(request)
    found = vote(engine, approval_id, me, choice, given.reason, verified=True, seen=given.seen)
    return answer(_answered(found))


@route(
    router,
    "POST /approvals/{approval_id}/edit",
    takes=NewEdit,
    gives=ActionShape,
    said={"args": {"order_id": "o-17", "amount": 20.00}, "reason": "Half is enough.", "seen": SEEN},
)
def edit_question(
    request: Request, caller: Who, approval_id: Id, given: Annotated[NewEdit, reading(NewEdit)]
) -> Response:
    """Change the arguments: the new action, held for others, or approved to run."""
    engine, me = engine_of(request), caller.human().id
    made = edit(engine, approval_id, me, given.args, given.reason, verified=True, seen=given.seen)
    return answer(action_shape(made, told(engine, hidden(made))))


@route(
    router,
    "POST /approvals/{approval_id}/answer",
    takes=NewAnswer,
    gives=Answered,
    said={"text": "Offer a replacement instead.", "seen": SEEN},
)
def answer_question(
    request: Request, caller: Who, approval_id: Id, given: Annotated[NewAnswer, reading(NewAnswer)]
) -> Response:
    """Tell the agent something instead; the action does not run."""
    engine, me = engine_of(request), caller.human().id
    return answer(
        _answered(answer_instead(engine, approval_id, me, given.text, verified=True, seen=given.seen))
    )


def _result(approval: str, result: Approval | HandrailError) -> VoteResult:
    if isinstance(result, HandrailError):
        told_of = problem_of(result)
        return VoteResult(approval, None, told_of.status_code, told_of.detail)
    return VoteResult(approval, result.state.value, 200, None)


def _answered(found: Approval) -> Answered:
    return Answered(found.id, found.action, found.state.value, maybe(found.closed_at), found.reason)


def _question(found: Sheet, me: str) -> QuestionShape:
    asked = found.approval
    ends = [seat.expires_at for seat in found.seats if seat.expires_at is not None]
    return QuestionShape(
        id=asked.id,
        action=asked.action,
        state=asked.state.value,
        what=found.what,
        agent=found.agent,
        tool=found.tool,
        task=found.task,
        amount=money(found.money),
        opened_at=moment(asked.opened_at),
        closed_at=maybe(asked.closed_at),
        expires_at=maybe(min(ends, default=None)),
        asked=[seat.group or seat.audience for seat in found.seats],
        mine=asked.state is ApprovalState.OPEN and found.asks(me),
        seen=found.digest,
        reason=asked.reason,
    )
