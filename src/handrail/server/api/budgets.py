"""Budgets: what is left, more room with a reason, freezing; and what was spent, by whom."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import Query, Request, Response
from msgspec import Meta, Struct

from handrail.engine.budgets.balances import FULLEST, BudgetLine, balances, raises
from handrail.engine.budgets.changes import end_raise, freeze, raise_until, thaw, top_up
from handrail.server.api.route import (
    Filter,
    Id,
    Limit,
    Name,
    Who,
    answer,
    engine_of,
    reading,
    route,
    routes,
    store_of,
)
from handrail.server.api.shapes import Moment, Reason, Taken, maybe, moment
from handrail.server.errors import Problem
from handrail.words.budget import Freeze, Raise, SpendingFilter
from handrail.words.errors import NotFound
from handrail.words.money import LARGEST

router = routes("budgets")
PAGE = 100
ALL_OF_ONE = 1_000
"""Scopes that are listed when one budget is asked for."""
TIME = r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2}))?$"
MONTH = 30 * 86_400_000
Quantity = Annotated[
    int,
    Meta(
        ge=1, le=LARGEST, description="In the budget's unit; money in nano-units.", examples=[25_000_000_000]
    ),
]
Scope = Annotated[str, Meta(max_length=2_000, description="One scope as a balance names it; else every one.")]


class FreezeShape(Struct):
    """Which budget is frozen, since when, by whom and why."""

    budget: str
    person: str
    reason: str
    at: Moment


class BalanceShape(Struct):
    """One window of one scope of a budget. Quantities are in its unit, money in nano-units."""

    budget: str
    unit: str
    scope: str
    whose: Annotated[str, Meta(description="For whom it counts, in words; empty for everybody.")]
    begins: Moment | None
    ends: Moment | None
    used: int
    held: Annotated[int, Meta(description="The part of `used` that is set aside for what has not ended.")]
    limit: int
    raised: int
    left: int
    share: Annotated[int, Meta(description="Per cent of the limit that are used, rounded up.")]
    alert_at: list[int]
    used_words: str
    limit_words: str
    renews: str
    used_up_at: Annotated[Moment | None, Meta(description="When it is used up at this pace, if it is.")]
    frozen: FreezeShape | None


class FreezeList(Struct):
    """Every budget that is frozen."""

    items: list[FreezeShape]


class BalanceList(Struct):
    """Every budget of the policy, its fullest scopes first."""

    items: list[BalanceShape]


class RaiseShape(Struct):
    """More room by a person's word: for the window that began then, or until a time."""

    id: str
    budget: str
    scope: str | None
    window: Moment | None
    until: Moment | None
    quantity: int
    person: str
    reason: str
    made_at: Moment


class RaiseList(Struct):
    """Every raise in force."""

    items: list[RaiseShape]


class NewTopUp(Taken):
    """More room in the window that runs now."""

    quantity: Quantity
    reason: Reason
    scope: Scope | None = None


class NewRaise(Taken):
    """More room in every window until a time."""

    quantity: Quantity
    until: Annotated[datetime, Meta(tz=True)]
    reason: Reason
    scope: Scope | None = None


class Because(Taken):
    """Why."""

    reason: Reason


class SpentShape(Struct):
    """What was spent for one agent, tool, model, task or session, in one unit; money in nano-units."""

    name: str | None
    unit: str
    quantity: int
    count: Annotated[int, Meta(description="Actions and calls of models.")]


class SpentList(Struct):
    """The most first."""

    items: list[SpentShape]


@route(router, "GET /budgets", gives=BalanceList)
def list_budgets(request: Request, budget: Filter = None) -> Response:
    """List what is left of every budget, or of one with more of its scopes."""
    try:
        found = balances(engine_of(request), budget, FULLEST if budget is None else ALL_OF_ONE)
    except NotFound as error:
        # it is the filter that is wrong, not the address
        raise Problem(422, str(error)) from error
    return answer(BalanceList([_balance(each) for each in found]))


@route(router, "GET /budgets/raises", gives=RaiseList)
def list_raises(request: Request, budget: Filter = None) -> Response:
    """List the top-ups and raises in force."""
    engine = engine_of(request)
    engine.refresh()
    return answer(RaiseList([_raise(each) for each in raises(engine, budget)]))


@route(
    router,
    "POST /budgets/{budget}/top-up",
    takes=NewTopUp,
    gives=RaiseShape,
    status=201,
    said={"quantity": 25_000_000_000, "reason": "The sale ends tonight."},
)
def top_up_a_budget(
    request: Request, caller: Who, budget: Name, given: Annotated[NewTopUp, reading(NewTopUp)]
) -> Response:
    """Give a budget more room in the window that runs now."""
    person = caller.human().id
    made = top_up(engine_of(request), budget, given.quantity, person, given.reason, given.scope)
    return answer(_raise(made), 201)


@route(
    router,
    "POST /budgets/{budget}/raise",
    takes=NewRaise,
    gives=RaiseShape,
    status=201,
    said={"quantity": 25_000_000_000, "until": "2099-11-27T00:00:00.000Z", "reason": "The week of the fair."},
)
def raise_a_budget(
    request: Request, caller: Who, budget: Name, given: Annotated[NewRaise, reading(NewRaise)]
) -> Response:
    """Give a budget more room in every window until a time."""
    until = _ms(given.until)
    person = caller.human().id
    made = raise_until(engine_of(request), budget, given.quantity, until, person, given.reason, given.scope)
    return answer(_raise(made), 201)


@route(
    router,
    "POST /budgets/raises/{raise_id}/end",
    takes=Because,
    gives=RaiseList,
    said={"reason": "It was enough."},
)
def end_a_raise(
    request: Request, caller: Who, raise_id: Id, given: Annotated[Because, reading(Because)]
) -> Response:
    """End a top-up or a raise; those that are still in force. What was spent of it stays spent."""
    engine = engine_of(request)
    end_raise(engine, raise_id, caller.human().id, given.reason)
    engine.catch_up()
    return answer(RaiseList([_raise(each) for each in raises(engine)]))


@route(
    router,
    "POST /budgets/{budget}/freeze",
    takes=Because,
    gives=FreezeList,
    said={"reason": "The provider bills twice."},
)
def freeze_a_budget(
    request: Request, caller: Who, budget: Name, given: Annotated[Because, reading(Because)]
) -> Response:
    """Let nothing more be spent from a budget. Once this is answered, nothing that it covers starts."""
    freeze(engine_of(request), budget, caller.human().id, given.reason)
    return _frozen(request)


@route(
    router,
    "POST /budgets/{budget}/thaw",
    takes=Because,
    gives=FreezeList,
    said={"reason": "The provider has mended it."},
)
def thaw_a_budget(
    request: Request, caller: Who, budget: Name, given: Annotated[Because, reading(Because)]
) -> Response:
    """Let a frozen budget be spent from again."""
    thaw(engine_of(request), budget, caller.human().id, given.reason)
    return _frozen(request)


@route(router, "GET /costs", gives=SpentList)
def list_costs(
    request: Request,
    by: Annotated[Literal["agent", "tool", "model", "task", "session"], Query()] = "agent",
    budget: Filter = None,
    since: Annotated[str | None, Query(pattern=TIME, description="Not before; default: 30 days ago.")] = None,
    until: Annotated[str | None, Query(pattern=TIME, description="Before; default: now.")] = None,
    limit: Limit = PAGE,
) -> Response:
    """List what was spent or is set aside, the most first."""
    now = engine_of(request).clock()
    begin = now - MONTH if since is None else _read(since)
    end = now + 1 if until is None else _read(until)
    wanted = SpendingFilter(by, begin, end, budget, limit=limit)
    found = store_of(request).read(lambda tx: tx.budgets.spending(wanted))
    return answer(SpentList([SpentShape(each.name, each.unit, each.quantity, each.count) for each in found]))


def _balance(each: BudgetLine) -> BalanceShape:
    frozen = each.frozen
    return BalanceShape(
        each.budget,
        each.unit,
        each.scope,
        each.whose,
        moment(each.window) if each.window else None,
        maybe(each.ends),
        each.used,
        each.held,
        each.limit,
        each.raised,
        each.left,
        each.share,
        list(each.alert_at),
        each.used_words,
        each.limit_words,
        each.renews,
        maybe(each.used_up_at),
        None if frozen is None else _freeze(frozen),
    )


def _frozen(request: Request) -> Response:
    found = store_of(request).read(lambda tx: tx.restrictions.read()).frozen
    return answer(FreezeList([_freeze(each) for each in found.values()]))


def _freeze(each: Freeze) -> FreezeShape:
    return FreezeShape(each.budget, each.person, each.reason, moment(each.at))


def _read(text: str) -> int:
    """Milliseconds since the epoch of a time in RFC 3339, or a day; without a zone it is in UTC."""
    try:
        return _ms(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as error:
        raise Problem(422, f"{text!r} is no time; expected one such as 2026-11-22T10:00:00Z") from error


def _ms(at: datetime) -> int:
    """Milliseconds since the epoch; a time without a zone is in UTC."""
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1_000)


def _raise(each: Raise) -> RaiseShape:
    return RaiseShape(
        each.id,
        each.budget,
        each.scope,
        maybe(each.window),
        maybe(each.until),
        each.quantity,
        each.person,
        each.reason,
        moment(each.made_at),
    )
