"""Budgets: how full each is, how it burns down, who spends, more room with a reason, freezing one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from handrail.engine.budgets.balances import BudgetLine, balances, budget_named, raises
from handrail.engine.budgets.changes import end_raise, freeze, raise_until, thaw, top_up
from handrail.engine.budgets.views import view_of, whose
from handrail.engine.views.exports import as_table
from handrail.policy.budgets.scope import MONEY
from handrail.policy.budgets.words import quantity_of
from handrail.policy.model import Unit, Window
from handrail.server.auth.who import Caller, allow, state_of
from handrail.server.pages.doing import day_of, fresh, tried
from handrail.server.pages.told import aligned
from handrail.words.budget import SpendingFilter, Spent
from handrail.words.errors import BadArguments
from handrail.words.money import spoken, to_nano

if TYPE_CHECKING:
    from handrail.engine.core import Engine
    from handrail.policy.compiled import Budget
    from handrail.policy.model import BudgetPolicy
    from handrail.ports import Transaction
    from handrail.words.budget import BudgetAlert, Raise, SpentIn

router = APIRouter(include_in_schema=False, prefix="/budgets")
Viewer = Annotated[Caller, Depends(allow("viewer"))]
Reviewer = Annotated[Caller, Depends(allow("reviewer"))]
Admin = Annotated[Caller, Depends(allow("admin"))]
Text = Annotated[str, Form()]
Word = Annotated[str, Query(max_length=2_000)]
DAY = 86_400_000
MONTH = 30 * DAY
STRETCHES = 60
"""Into how many pieces a chart's time is cut."""
WIDTH, HEIGHT = 600, 160
SCOPES = 50
FIRST_SCOPES = 5
BY = {"agent": "agent", "tool": "tool", "model": "model", "task": "task", "session": "session"}
COLUMNS = ("name", "unit", "quantity", "spent", "count")


@dataclass(frozen=True, slots=True)
class Burning:
    """A chart of what is left: points for the line, from the window's beginning to its end."""

    left: str
    now: int
    """How far along the chart now is, of ``WIDTH``."""
    ahead: str | None
    """The line on which it goes on at this pace; None when it lasts."""
    thresholds: Sequence[tuple[int, int]]
    """Each alert's percentage, and how far down the chart it stands."""
    begins: int
    ends: int


@router.get("")
def listed(request: Request, caller: Viewer) -> Response:
    """Every budget, with its fullest scopes: what everything spends from before what is counted apart."""
    del caller
    engine = state_of(request).engine
    engine.catch_up()
    groups: dict[str, list[BudgetLine]] = {}
    for line in balances(engine, limit=FIRST_SCOPES):
        groups.setdefault(line.budget, []).append(line)
    ordered = sorted(engine.policy.policy.budgets, key=lambda each: _place(each, groups[each.id]))
    shown = {each.id: (each, groups[each.id]) for each in ordered}
    return fresh(request, "budgets.html", budgets=shown, most=FIRST_SCOPES, width=WIDTH)


@router.get("/costs.csv")
def table(request: Request, caller: Viewer, by: Word = "agent", days: int = 30) -> Response:
    """What was spent as a table file, put together by what one asks."""
    del caller
    engine = state_of(request).engine
    now = engine.clock()
    wanted = SpendingFilter(BY.get(by, "agent"), now - max(1, min(days, 3_650)) * DAY, now + 1, limit=100_000)
    found = engine.store.read(lambda tx: tx.budgets.spending(wanted))
    currency = engine.policy.policy.currency
    rows = [
        {
            "name": each.name,
            "unit": each.unit,
            "quantity": each.quantity,
            "spent": _spent(each, currency),
            "count": each.count,
        }
        for each in found
    ]
    headers = {"content-disposition": f'attachment; filename="costs-by-{wanted.by}.csv"'}
    return Response(b"".join(as_table(rows, COLUMNS)), media_type="text/csv", headers=headers)


@router.get("/{budget}")
def shown(request: Request, caller: Viewer, budget: str, scope: Word = "", by: Word = "agent") -> Response:
    """One budget: how it burns down, who spends from it, and what people did about it."""
    engine = state_of(request).engine
    engine.catch_up()
    policy = engine.policy.policy
    described = budget_named(policy, budget)
    lines = balances(engine, budget, SCOPES)
    line = next((each for each in lines if each.scope == scope), lines[0])
    by = by if by in BY else "agent"
    now = engine.clock()
    since = line.since or now - MONTH
    # one that looks back has no end to draw to: what is used now counts for as long as it looks back
    drawn = replace(line, ends=None) if described.per is Window.ROLLING else line
    width = max((max(drawn.ends or now, now) - since) // STRETCHES, 1)

    def work(tx: Transaction) -> tuple[Sequence[SpentIn], Sequence[Spent], Sequence[BudgetAlert]]:
        wanted = SpendingFilter(by, since, now + 1, budget, line.scope if scope else None, limit=20)
        return (
            tx.budgets.spending_in_time(budget, line.scope, since, now + 1, width),
            tx.budgets.spending(wanted),
            tx.budgets.alerts(budget, since, 20),
        )

    stretches, spenders, alerts = engine.store.read(work)
    view = view_of(policy, described)
    return fresh(
        request,
        "budget.html",
        budget=described,
        line=line,
        lines=lines,
        chosen=scope,
        burning=burning(drawn, stretches, width, since, now),
        spenders=_told(view, spenders),
        most=max((each.quantity for each in spenders), default=1),
        by=by,
        ways=BY,
        alerts=[
            (each, quantity_of(view, each.used), whose(policy, described, each.scope)) for each in alerts
        ],
        raises=_raised(engine, described, view),
        lately=not line.since,
        address=lambda **more: f"/budgets/{budget}?{urlencode({'scope': scope, 'by': by} | more)}",
        width=WIDTH,
        height=HEIGHT,
        may_top_up=caller.role != "viewer",
        may_raise=caller.role == "admin",
        money=described.unit in MONEY,
        calls=described.unit in {Unit.COST, Unit.TOKENS},
    )


@router.post("/{budget}/top-up")
def more(
    request: Request, caller: Reviewer, budget: str, quantity: Text, reason: Text = "", scope: Text = ""
) -> Response:
    """More room in the window that runs now."""

    def act() -> str:
        engine = state_of(request).engine
        amount = _quantity(engine, budget, quantity)
        top_up(engine, budget, amount, caller.human().id, reason, scope or None)
        return "It has more room now."

    typed = {"more.quantity": quantity, "more.reason": reason}
    return tried(request, f"/budgets/{budget}", act, typed)


@router.post("/{budget}/raise")
def raised(
    request: Request, caller: Admin, budget: str, quantity: Text, until: Text, reason: Text = ""
) -> Response:
    """More room in every window until the end of a day."""

    def act() -> str:
        engine = state_of(request).engine
        day = day_of(request, until)
        if day is None:
            raise BadArguments("say until which day, such as 2026-11-30")
        amount = _quantity(engine, budget, quantity)
        raise_until(engine, budget, amount, day + DAY, caller.human().id, reason)
        return "It is raised until the end of that day."

    typed = {"raise.quantity": quantity, "raise.until": until, "raise.reason": reason}
    return tried(request, f"/budgets/{budget}", act, typed)


@router.post("/{budget}/end")
def ended(request: Request, caller: Reviewer, budget: str, more_id: Text, reason: Text = "") -> Response:
    """End a top-up or a raise."""
    return _done(
        request,
        budget,
        "It has ended. What was spent of it stays spent.",
        lambda engine: end_raise(engine, more_id, caller.human().id, reason),
    )


@router.post("/{budget}/freeze")
def frozen(request: Request, caller: Reviewer, budget: str, reason: Text = "") -> Response:
    """Let nothing more be spent."""
    return _done(
        request,
        budget,
        "Frozen. Nothing more is spent from it.",
        lambda engine: freeze(engine, budget, caller.human().id, reason),
    )


@router.post("/{budget}/thaw")
def thawed(request: Request, caller: Admin, budget: str, reason: Text = "") -> Response:
    """Let it be spent from again."""
    return _done(
        request,
        budget,
        "It is spent from again.",
        lambda engine: thaw(engine, budget, caller.human().id, reason),
    )


def _raised(engine: Engine, budget: BudgetPolicy, view: Budget) -> list[tuple[Raise, str, str | None]]:
    """What is in force, each with how much and for whom in words; None for every one."""
    policy = engine.policy.policy
    return [
        (each, quantity_of(view, each.quantity), each.scope and whose(policy, budget, each.scope))
        for each in raises(engine, budget.id)
    ]


def burning(line: BudgetLine, stretches: Sequence[SpentIn], width: int, since: int, now: int) -> Burning:
    """What was left at each moment, as points of a line from top left; and how it goes on at this pace.

    ``width`` is how long each of the ``stretches`` is, in milliseconds.
    """
    whole = max(line.limit + line.raised, 1)
    ends = max(line.ends or now, now, since + 1)

    def place(at: int, left: int) -> str:
        across = WIDTH * (min(max(at, since), ends) - since) // (ends - since)
        return f"{across},{HEIGHT - HEIGHT * max(0, min(left, whole)) // whole}"

    left, points = whole, [place(since, whole)]
    for each in stretches:
        points.append(place(each.at, left))
        left -= each.quantity
        points.append(place(min(each.at + width, now), left))
    # what was set aside before the window's chart began is in the balance, not in the stretches
    points.append(place(now, whole - line.used))
    ahead = None
    if line.used_up_at is not None and line.used_up_at > now:
        ahead = f"{place(now, whole - line.used)} {place(line.used_up_at, 0)}"
    thresholds = [(percent, HEIGHT * percent // 100) for percent in line.alert_at]
    across = WIDTH * (now - since) // (ends - since)
    return Burning(" ".join(points), min(across, WIDTH), ahead, thresholds, since, ends)


def _place(budget: BudgetPolicy, lines: Sequence[BudgetLine]) -> tuple[bool, bool, int]:
    """Where a budget stands on the page: shared ones first, money before counts, and the fullest on top."""
    return not budget.shared, budget.unit not in MONEY, -max(line.share for line in lines)


def _told(view: Budget, spenders: Sequence[Spent]) -> Sequence[tuple[Spent, str | None]]:
    """Each with what it spent, in words that stand under each other."""
    words = aligned([quantity_of(view, each.quantity) for each in spenders])
    return list(zip(spenders, words, strict=True))


def _done(request: Request, budget: str, said: str, act: Callable[[Engine], Any]) -> Response:
    def acted() -> str:
        act(state_of(request).engine)
        return said

    return tried(request, f"/budgets/{budget}", acted)


def _quantity(engine: Engine, budget: str, text: str) -> int:
    """What a person typed, in the budget's unit; money in nano-units."""
    unit = budget_named(engine.policy.policy, budget).unit
    wanted = "an amount such as 12.50" if unit in MONEY else f"a whole number of {unit}"
    try:
        amount = Decimal(text.strip())
        if unit in MONEY:
            return to_nano(amount)
        if amount == int(amount):
            return int(amount)
    except (InvalidOperation, ValueError, OverflowError):
        pass
    raise BadArguments(f"{text.strip()[:40]!r} is no quantity of this budget; expected {wanted}")


def _spent(each: Spent, currency: str) -> str:
    return spoken(each.quantity, currency) if each.unit in {"cost", "amount"} else f"{each.quantity:,}"
