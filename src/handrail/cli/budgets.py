"""``handrail budget``: what is left of each budget, more room for one, and freezing one."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated

import typer

from handrail.cli import screen
from handrail.cli.asked import must_be_confirmed
from handrail.cli.opened import opened_engine
from handrail.cli.options import As, AsCsv, AsJson, Database, Limit, PolicyPath, Reason
from handrail.cli.person import must_be_at_a_terminal, person_of
from handrail.cli.times import clock, later
from handrail.words.errors import BadArguments
from handrail.words.money import to_nano

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.engine.budgets.balances import BudgetLine
    from handrail.engine.core import Engine
    from handrail.policy.model import BudgetPolicy
    from handrail.words.budget import Hold, Raise

app = typer.Typer(no_args_is_help=True, help="What is left of budgets, more room, and freezing one.")
Budget = Annotated[str, typer.Argument(metavar="BUDGET", help="The budget's id in the policy.")]
One = Annotated[
    str | None, typer.Argument(metavar="BUDGET", help="Only this budget, with more of its scopes.")
]
Quantity = Annotated[
    str, typer.Argument(metavar="QUANTITY", help="How much more: 25, 12.50, or so many actions.")
]
Until = Annotated[
    str, typer.Option("--until", metavar="TIME", help="Until when: fri, 2026-11-27 (its end), 3 days.")
]
Scope = Annotated[
    str | None,
    typer.Option("--scope", metavar="SCOPE", help="Only for this one customer, task, …, as 'list' names it."),
]
RaiseId = Annotated[str, typer.Argument(metavar="ID", help="The raise's id.")]
ALL_OF_ONE = 1_000
AS_BEFORE = "Nothing was changed."
COLUMNS = (
    *("budget", "unit", "scope", "for", "window", "ends", "used", "held", "limit", "raised", "left"),
    *("share", "used_up_at", "frozen"),
)


@app.command("list")
def list_(
    budget: One = None,
    *,
    policy: PolicyPath = None,
    database: Database = None,
    csv: AsCsv = False,
    json: AsJson = False,
) -> None:
    """List every budget: used, set aside, limit, when it renews, and when it ends at this pace."""
    from handrail.engine.budgets.balances import FULLEST, balances

    with opened_engine(policy, database) as engine:
        found = balances(engine, budget, FULLEST if budget is None else ALL_OF_ONE)
    if csv:
        screen.table_file([line_json(each) for each in found], COLUMNS)
    elif json:
        for each in found:
            screen.line(line_json(each))
    else:
        _show(found)


@app.command("raises")
def raises_(*, policy: PolicyPath = None, database: Database = None, json: AsJson = False) -> None:
    """List top-ups and raises that are in force."""
    from handrail.engine.budgets.balances import raises

    with opened_engine(policy, database) as engine:
        engine.refresh()
        found = raises(engine)
        told = [_quantity(engine, each.budget, each.quantity) for each in found]
        names = [_whose(engine, each) for each in found]
    if json:
        for each in found:
            screen.line(raise_json(each))
        return
    rows = [
        (
            each.id,
            each.budget,
            more,
            name,
            _while(each),
            each.person,
            each.reason,
        )
        for each, more, name in zip(found, told, names, strict=True)
    ]
    screen.table(("id", "budget", "more", "for", "until (UTC)", "by", "reason"), rows, "No budget is raised.")


@app.command("presumed")
def presumed_(
    *, limit: Limit = 50, policy: PolicyPath = None, database: Database = None, json: AsJson = False
) -> None:
    """List what counts as spent because its process was lost. A late report still settles it."""
    with opened_engine(policy, database) as engine:
        engine.refresh()
        found = engine.store.read(lambda tx: tx.budgets.presumed(limit))
        told = [_quantity(engine, each.budget, each.quantity) for each in found]
    if len(found) == limit:
        screen.say(f"Only the newest {limit:,} are listed; --limit lists more.", error=True)
    if json:
        for each in found:
            screen.line(hold_json(each))
        return
    rows = [(each.holder, clock(each.at), each.budget, more) for each, more in zip(found, told, strict=True)]
    empty = "Nothing is presumed spent: no process was lost with something set aside."
    screen.table(("action or call", "since (UTC)", "budget", "presumed"), rows, empty)


@app.command("top-up")
def top_up(
    budget: Budget,
    quantity: Quantity,
    *,
    reason: Reason,
    scope: Scope = None,
    person: As = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """Give a budget more room in the window that runs now. Asks on a terminal."""
    from handrail.engine.budgets.changes import top_up as give

    must_be_at_a_terminal("topping a budget up")
    who = person_of(person)
    with opened_engine(policy, database) as engine:
        more = _asked_for(engine, budget, quantity)
        only, told = _only(engine, budget, scope)
        told = f"{_quantity(engine, budget, more)} more for {told} in this window"
        must_be_confirmed(f"You are {who}: {told} ({reason})?", AS_BEFORE)
        made = give(engine, budget, more, who, reason, only)
    _made(made, json=json)


@app.command("raise")
def raise_(  # noqa: PLR0913 - each is one option of the command
    budget: Budget,
    quantity: Quantity,
    *,
    until: Until,
    reason: Reason,
    scope: Scope = None,
    person: As = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """Give a budget more room in every window until a time. Asks on a terminal."""
    from handrail.engine.budgets.changes import raise_until

    must_be_at_a_terminal("raising a budget")
    who = person_of(person)
    with opened_engine(policy, database) as engine:
        more = _asked_for(engine, budget, quantity)
        ends = later(until, engine.clock(), engine.policy.policy.timezone)
        only, told = _only(engine, budget, scope)
        told = f"{_quantity(engine, budget, more)} more for {told} until {clock(ends)} UTC"
        must_be_confirmed(f"You are {who}: {told} ({reason})?", AS_BEFORE)
        made = raise_until(engine, budget, more, ends, who, reason, only)
    _made(made, json=json)


@app.command()
def end(
    more: RaiseId,
    *,
    reason: Reason,
    person: As = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """End a top-up or a raise before its time. Asks nothing: letting less be spent is always allowed."""
    from handrail.engine.budgets.changes import end_raise

    with opened_engine(policy, database) as engine:
        end_raise(engine, more, person_of(person), reason)
    _done(f"Ended: {more}. What was spent of it stays spent.", {"ended": more}, json=json)


@app.command()
def freeze(
    budget: Budget,
    *,
    reason: Reason,
    person: As = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """Let nothing more be spent from a budget; what it covers is refused. Asks nothing."""
    from handrail.engine.budgets.changes import freeze as stop

    with opened_engine(policy, database) as engine:
        stop(engine, budget, person_of(person), reason)
        _must_be_known(engine, budget)
    _done(f"Frozen: nothing more is spent from {budget}.", {"frozen": budget}, json=json)


@app.command()
def thaw(
    budget: Budget,
    *,
    reason: Reason,
    person: As = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """Let a frozen budget be spent from again. Asks on a terminal."""
    from handrail.engine.budgets.changes import thaw as let_go

    must_be_at_a_terminal("thawing a budget")
    who = person_of(person)
    with opened_engine(policy, database) as engine:
        must_be_confirmed(f"You are {who}: let {budget} be spent from again ({reason})?", AS_BEFORE)
        let_go(engine, budget, who, reason)
    _done(f"Thawed: {budget} is spent from again.", {"thawed": budget}, json=json)


def line_json(each: BudgetLine) -> dict[str, object]:
    """One window of a budget for programs; quantities in its unit, money in nano-units."""
    from handrail.cli.shown import when

    return {
        "budget": each.budget,
        "unit": each.unit,
        "scope": each.scope,
        "for": each.whose,
        "window": when(each.window) if each.window else None,
        "ends": None if each.ends is None else when(each.ends),
        "used": each.used,
        "held": each.held,
        "limit": each.limit,
        "raised": each.raised,
        "left": each.left,
        "share": each.share,
        "used_up_at": None if each.used_up_at is None else when(each.used_up_at),
        "frozen": None if each.frozen is None else each.frozen.reason,
    }


def hold_json(each: Hold) -> dict[str, object]:
    """What is presumed spent, for programs; the quantity in its unit, money in nano-units."""
    from handrail.cli.shown import when

    return {
        "holder": each.holder,
        "attempt": each.attempt,
        "budget": each.budget,
        "scope": each.scope,
        "unit": each.unit,
        "quantity": each.quantity,
        "at": when(each.at),
    }


def raise_json(each: Raise) -> dict[str, object]:
    """A raise for programs; the quantity in the budget's unit, money in nano-units."""
    from handrail.cli.shown import when

    return {
        "id": each.id,
        "budget": each.budget,
        "scope": each.scope,
        "window": None if each.window is None else when(each.window),
        "until": None if each.until is None else when(each.until),
        "quantity": each.quantity,
        "person": each.person,
        "reason": each.reason,
        "made_at": when(each.made_at),
    }


def _show(found: Sequence[BudgetLine]) -> None:
    rows = [
        (each.budget, each.whose, each.used_words, each.limit_words, f"{each.share}%", _then(each))
        for each in found
    ]
    screen.table(("budget", "for", "used", "of", "", "then"), rows, "The policy has no budget.")


def _then(each: BudgetLine) -> str:
    if each.frozen is not None:
        return f"frozen by {each.frozen.person}: {each.frozen.reason}"
    if each.used_up_at is not None:
        return f"used up at {clock(each.used_up_at)} UTC at this pace"
    return each.renews


def _while(each: Raise) -> str:
    return "the window's end" if each.until is None else clock(each.until)


def _whose(engine: Engine, each: Raise) -> str:
    """For whom a raise is, in words."""
    from handrail.engine.budgets.views import whose
    from handrail.policy.budgets.scope import counted_by

    policy = engine.policy.policy
    described = next((one for one in policy.budgets if one.id == each.budget), None)
    if each.scope is None:
        return "every one" if described and counted_by(described) else "everything"
    return whose(policy, described, each.scope) or "everything"


def _only(engine: Engine, budget: str, name: str | None) -> tuple[str | None, str]:
    """The one scope that more room is for, and the budget with it in words."""
    from handrail.engine.budgets.balances import scope_called
    from handrail.engine.budgets.views import whose
    from handrail.policy.budgets.scope import counted_by

    described = _policy_of(engine, budget)
    if name is None:
        return None, f"every one of {budget}" if counted_by(described) else budget
    scope = scope_called(engine, budget, name)
    told = whose(engine.policy.policy, described, scope)
    return scope, f"{budget}, {told}," if told else budget


def _must_be_known(engine: Engine, budget: str) -> None:
    """Say so when what was frozen is not in the running policy: it may be a typing error."""
    known = [each.id for each in engine.policy.policy.budgets] if engine.catch_up() else [budget]
    if budget not in known:
        screen.complain(
            f"the running policy has no budget {budget!r}, so this stops nothing that it lets run; "
            f"it has {', '.join(known) or 'none'}",
            "warning",
        )


def _policy_of(engine: Engine, budget: str) -> BudgetPolicy:
    from handrail.engine.budgets.balances import budget_named

    engine.refresh()
    return budget_named(engine.policy.policy, budget)


def _asked_for(engine: Engine, budget: str, text: str) -> int:
    """A quantity in the budget's unit, money in nano-units."""
    from handrail.policy.budgets.scope import MONEY

    unit = _policy_of(engine, budget).unit
    try:
        amount = Decimal(text)
        if unit in MONEY:
            return to_nano(amount)
        if amount == int(amount) and amount >= 0:
            return int(amount)
    except (InvalidOperation, ValueError, OverflowError):
        pass
    wanted = "an amount of money such as 12.50" if unit in MONEY else f"a whole number of {unit}"
    raise BadArguments(f"{text!r} is no quantity of the budget {budget}; expected {wanted}")


def _quantity(engine: Engine, budget: str, quantity: int) -> str:
    from handrail.engine.budgets.views import view_of
    from handrail.policy.budgets.words import quantity_of
    from handrail.words.errors import NotFound

    try:
        return quantity_of(view_of(engine.policy.policy, _policy_of(engine, budget)), quantity)
    except NotFound:
        return f"{quantity:,}"


def _made(made: Raise, *, json: bool) -> None:
    _done(f"More room is in force (raise {made.id}).", raise_json(made), json=json)


def _done(sentence: str, document: dict[str, object], *, json: bool) -> None:
    if json:
        screen.document(document)
    else:
        screen.say(sentence)
