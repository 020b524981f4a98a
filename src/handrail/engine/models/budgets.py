"""What a call of a model counts against, and how much of an answer the tightest budget can pay for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from handrail.policy.budgets.words import full
from handrail.policy.expressions import EvaluationError
from handrail.policy.model import Unit
from handrail.words.errors import BudgetExhausted, ModelRefused

if TYPE_CHECKING:
    from handrail.policy.compiled import Budget
    from handrail.ports import Transaction
    from handrail.words.budget import Room
    from handrail.words.model_call import Bound, ModelAsked
    from handrail.words.session import SessionRecord
    from handrail.words.verdict import Charge


@dataclass(frozen=True, slots=True)
class Counting:
    """What the running policy counts a call against, and what the loop breaker allows."""

    policy: str
    budgets: tuple[Budget, ...]
    calls_per_minute: int | None = None
    depth: int | None = None


def counted(
    tx: Transaction, counting: Counting, asked: ModelAsked, session: SessionRecord | None, at: int
) -> tuple[int, tuple[Charge, ...]]:
    """How many tokens each choice may write, and what the claim reserves for exactly that.

    Raises:
        BudgetExhausted: a budget can't pay even for the shortest answer.
        ModelRefused: a budget can't be told: it counts for each task or session, and there is none.
    """
    places = [(each, _charge(each, asked, session, at)) for each in counting.budgets]
    rooms = [
        (each, tx.budgets.room(place.budget, place.scope, place.window, place.rolling))
        for each, place in places
    ]
    output = affordable(asked.bound, rooms, at)
    charges = [replace(place, quantity=_quantity(each, asked.bound, output)) for each, place in places]
    return output, tuple(charges)


def affordable(bound: Bound, rooms: list[tuple[Budget, Room]], at: int) -> int:
    """How many tokens each choice may write, so that every budget can pay for it: at most what was asked for.

    Raises:
        BudgetExhausted: one can't pay for ``bound.least`` of them.
    """
    output = bound.output
    for budget, room in rooms:
        left = budget.limit + room.raised - room.used
        paid = bound.affords(budget.unit, left)
        if paid < min(bound.least, bound.output):
            raise _exhausted(budget, room, _quantity(budget, bound, min(bound.least, bound.output)), at)
        output = min(output, paid)
    return output


def _quantity(budget: Budget, bound: Bound, output: int) -> int:
    if budget.unit is Unit.COST:
        return bound.cost_of(output)
    return bound.tokens_of(output) if budget.unit is Unit.TOKENS else 1


def _charge(budget: Budget, asked: ModelAsked, session: SessionRecord | None, at: int) -> Charge:
    """What is reserved where, of which nobody has said yet how much."""
    names = {
        "agent": asked.agent,
        "task": asked.task,
        "session": {"id": session.id, "root": session.root} if session is not None else {},
    }
    try:
        return budget.charge(names, at, 0)
    except (EvaluationError, ValueError) as error:
        why = f"{str(error).partition(',')[0]}, and this call proves none; open a session that does"
        raise ModelRefused(f"The budget {budget.id} can't be told: {why}.", "session") from error


def _exhausted(budget: Budget, room: Room, quantity: int, at: int) -> BudgetExhausted:
    why = full(budget, room, quantity, at)
    return BudgetExhausted(
        f"{why[0].upper()}{why[1:]}.",
        budget=budget.id,
        unit=str(budget.unit),
        left=max(0, budget.limit + room.raised - room.used),
        limit=budget.limit + room.raised,
        renews=budget.renews(at),
        renews_at=budget.ends(at),
    )
