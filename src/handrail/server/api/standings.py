"""Standing approvals: a person's answer to the next few questions of one kind, within limits."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import Query, Request, Response
from msgspec import Meta, Struct

from handrail.engine.questions.standings import make_standing, revoke_standing
from handrail.ports import Transaction
from handrail.server.api.route import (
    PAGE,
    Id,
    Limit,
    Who,
    answer,
    engine_of,
    reading,
    route,
    routes,
    store_of,
)
from handrail.server.api.shapes import Ident, Moment, Money, Reason, Taken, Words, maybe, moment, money
from handrail.words.errors import BadArguments, NotFound
from handrail.words.money import to_nano
from handrail.words.standing import Standing
from handrail.words.verdict import Ask

router = routes("standing approvals")


class AskShape(Struct):
    """One thing that is asked: a step, the digest of the rule that asks, and who may answer."""

    step: str
    digest: str
    audience: str


class NewStanding(Taken):
    """The next actions like the one that this question is about, on the same conditions."""

    approval: Annotated[Ident, Meta(description="The question whose agent, tool and asks it is for.")]
    actions: Annotated[int, Meta(ge=1, le=10_000, description="How many actions it lets run.")]
    expires_at: Annotated[datetime, Meta(tz=True, description="At most 90 days ahead.")]
    reason: Reason
    when: Annotated[Words, Meta(description="A condition in the policy's expressions.")] | None = None
    amount: Annotated[Decimal, Meta(description="Money that they may move in all.")] | None = None


class StandingShape(Struct):
    """A standing approval, and what is left of it."""

    id: str
    agent: str
    tool: str
    asks: list[AskShape]
    when: str | None
    left: int
    amount_left: Money | None
    expires_at: Moment
    person: str
    reason: str
    made_at: Moment
    revoked_at: Moment | None
    revoked_by: str | None


class StandingList(Struct):
    """Standing approvals, newest first."""

    items: list[StandingShape]


@route(router, "GET /standing-approvals", gives=StandingList)
def list_standing_approvals(
    request: Request,
    ended: Annotated[bool, Query(description="With those that have ended.")] = False,  # noqa: FBT002
    limit: Limit = PAGE,
) -> Response:
    """List standing approvals."""
    found = store_of(request).read(lambda tx: tx.standings.listing(ended=ended, limit=limit))
    return answer(StandingList([_shape(each) for each in found]))


@route(
    router,
    "POST /standing-approvals",
    takes=NewStanding,
    gives=StandingShape,
    status=201,
    said={
        "approval": "0193a5e2c4d800000123456789ab",
        "actions": 20,
        "amount": "80.00",
        "expires_at": "2026-11-27T17:00:00Z",
        "when": "amount <= 10",
        "reason": "Small goodwill after the outage.",
    },
)
def make_standing_approval(
    request: Request, caller: Who, given: Annotated[NewStanding, reading(NewStanding)]
) -> Response:
    """Answer the next few questions like this one. It is never wider than its author may approve alone."""
    agent, tool, asks = store_of(request).read(lambda tx: _kind(tx, given.approval))
    made = make_standing(
        engine_of(request),
        agent=agent,
        tool=tool,
        asks=asks,
        when=given.when,
        actions=given.actions,
        amount=_nano(given.amount),
        expires_at=int(given.expires_at.timestamp() * 1000),
        person=caller.human().id,
        reason=given.reason,
        verified=True,
    )
    return answer(_shape(made), 201)


@route(router, "POST /standing-approvals/{standing_id}/revoke", gives=StandingShape)
def revoke_standing_approval(request: Request, caller: Who, standing_id: Id) -> Response:
    """End a standing approval: nothing that starts from now on is let by it."""
    revoke_standing(engine_of(request), standing_id, caller.human().id)
    found = store_of(request).read(lambda tx: tx.standings.get(standing_id))
    if found is None:
        raise NotFound(f"there is no standing approval {standing_id}")
    return answer(_shape(found))


def _kind(tx: Transaction, approval_id: str) -> tuple[str, str, frozenset[Ask]]:
    found = tx.approvals.get(approval_id)
    action = tx.actions.get(found.action) if found else None
    if found is None or action is None:
        raise NotFound(f"there is no question {approval_id}")
    return action.agent, action.tool, found.asks


def _nano(amount: Decimal | None) -> int | None:
    try:
        return None if amount is None else to_nano(amount)
    except ValueError as error:
        raise BadArguments(f"the amount can't be used: {error}") from error


def _shape(found: Standing) -> StandingShape:
    return StandingShape(
        id=found.id,
        agent=found.agent,
        tool=found.tool,
        asks=[AskShape(ask.step, ask.digest, ask.audience) for ask in sorted(found.asks)],
        when=found.when,
        left=found.left,
        amount_left=money(found.amount_left),
        expires_at=moment(found.expires_at),
        person=found.person,
        reason=found.reason,
        made_at=moment(found.made_at),
        revoked_at=maybe(found.revoked_at),
        revoked_by=found.revoked_by,
    )
