"""Setting aside and settling, in the transaction of a claim or an outcome, with all that is told of it.

Whoever claims (an action, a call of a model) reserves here, and whoever learns what became of it settles
here: a percentage that was reached and an overrun are journalled and planned for channels in the same commit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from handrail.engine import record
from handrail.engine.budgets.views import view_of
from handrail.engine.deliveries.planning import plan_budget
from handrail.engine.ids import new_id
from handrail.words.budget import BudgetAlert
from handrail.words.entry import Entry, Kind
from handrail.words.verdict import Charge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from handrail.engine.budgets.chunks import Chunks
    from handrail.engine.core import Engine
    from handrail.ports import Transaction
    from handrail.words.budget import Crossing, Overrun


class Holder(Protocol):
    """What holds are made for: one attempt of an action, or one call of a model."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def attempt(self) -> int:
        """The attempt's number."""

    @property
    def agent(self) -> str:
        """Who spends."""

    @property
    def session(self) -> str:
        """In which session; empty for none."""

    @property
    def task(self) -> str | None:
        """For which piece of business."""


def reserve_holds(
    engine: Engine,
    tx: Transaction,
    holder: Holder,
    charges: Sequence[Charge],
    at: int,
    *,
    generation: int,
    trial: bool = False,
) -> None:
    """Set aside every charge, or none. A ``trial`` counts in windows of its own, and nobody is told of it.

    ``generation`` is that of the restrictions, as this transaction has just found it.

    Raises:
        Overspent: a budget has no room for its charge, or only in chunks that must be closed first.
        BadArguments: a budget would hold more than can be kept.
    """
    if not charges:
        return
    if trial:
        charges = [replace(charge, alert_at=()) for charge in charges]
        tx.budgets.reserve(holder.id, holder.attempt, charges, spent=True)
    elif reached := _reserved(engine.chunks, tx, (holder.id, holder.attempt), charges, generation):
        _tell(engine, tx, holder, reached, at)


def _reserved(
    chunks: Chunks | None,
    tx: Transaction,
    holder: tuple[str, int],
    charges: Sequence[Charge],
    generation: int,
) -> Sequence[Crossing]:
    """From this process's chunks what can be, the rest from the windows themselves."""
    if chunks is None:
        return tx.budgets.reserve(*holder, charges)
    drawn, direct = chunks.draw(holder, charges, generation)
    try:
        missed = tx.budget_chunks.draw(*holder, drawn) if drawn else ()
        chunks.missed(each.chunk for each in missed)
        return tx.budgets.reserve(*holder, [*direct, *(each.charge for each in missed)])
    except BaseException:
        chunks.give_back(holder)
        raise


def settle_holds(
    engine: Engine, tx: Transaction, holder: Holder, spent: Mapping[str, int] | None, at: int
) -> None:
    """What was set aside is spent: as much as was measured (by unit: cost, tokens), else in full."""
    overruns = tx.budgets.settle(holder.id, holder.attempt, spent)
    if overruns:
        tx.journal.append([_overrun(holder, each, at) for each in overruns])
    # an overrun may pass a threshold that no claim will meet any more, because nothing has room
    for each in overruns:
        tell_of(engine, tx, (each.budget, each.scope, each.window), at, holder)
    if engine.chunks is not None:
        engine.chunks.ended((holder.id, holder.attempt))


def release_holds(engine: Engine, tx: Transaction, holder: str, attempt: int) -> None:
    """What was set aside is provably unspent: give it back."""
    tx.budgets.release(holder, attempt)
    if engine.chunks is not None:
        engine.chunks.ended((holder, attempt))


def tell_of(
    engine: Engine, tx: Transaction, place: tuple[str, str, int], at: int, holder: Holder | None = None
) -> None:
    """Tell which percentages a window has reached, whatever charged it; ``holder`` is who did, if known."""
    policy = engine.policy.policy
    budget = next((each for each in policy.budgets if each.id == place[0]), None)
    if budget is None:
        return
    view = view_of(policy, budget)
    charge = Charge(*place, 0, view.limit, view.unit, soft=not view.rolling)
    reached = tx.budgets.crossings(replace(charge, alert_at=view.alert_at, rolling=view.rolling))
    _tell(engine, tx, holder, reached, at)


def _tell(
    engine: Engine, tx: Transaction, holder: Holder | None, reached: Iterable[Crossing], at: int
) -> None:
    for each in reached:
        alert = BudgetAlert(
            new_id(), each.budget, each.scope, each.window, each.percent, at, each.used, each.limit
        )
        if tx.budgets.alert(alert):
            body = {
                "alert": alert.id,
                "budget": alert.budget,
                "percent": alert.percent,
                "used": alert.used,
                "limit": alert.limit,
                "window": alert.window,
            }
            tx.journal.append([_entry(Kind.BUDGET_ALERT, at, holder, body)])
            plan_budget(tx, engine.policy.policy, alert.id, at)


def _overrun(holder: Holder, found: Overrun, at: int) -> Entry:
    body = {"budget": found.budget, "unit": found.unit, "held": found.held, "spent": found.spent}
    return _entry(Kind.BUDGET_OVERRUN, at, holder, {**body, "window": found.window})


def _entry(kind: Kind, at: int, holder: Holder | None, body: Mapping[str, object]) -> Entry:
    """An entry of who spends. An action's has its id; a call's id stands in the text."""
    if holder is None:
        return Entry(kind, at, record.encode(body))
    tool = getattr(holder, "tool", None)
    action = holder.id if tool is not None else None
    told = body if action is not None else {**body, "call": holder.id}
    return Entry(
        kind, at, record.encode(told), action, holder.agent, tool, holder.session or None, holder.task
    )
