"""The budget preview: what has no room is refused or asked about, and the claim is told what to reserve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from handrail.gate.context import Context, Finding, denied, passed
from handrail.policy.budgets.words import full
from handrail.policy.compiled import Budget
from handrail.policy.expressions import EvaluationError
from handrail.policy.model import Unit
from handrail.words.budget import Freeze, Room
from handrail.words.fact import Failed
from handrail.words.money import to_nano_up
from handrail.words.restriction import Restrictions
from handrail.words.verdict import Charge, Measure, Outcome, Step

PASSED = passed(Measure.BUDGET)
ACTIONS, AMOUNT = Unit.ACTIONS, Unit.AMOUNT
NOTHING: Mapping[str, Freeze] = {}

Told = str | tuple[Charge, Step | None]
"""Why a budget refuses, or what it is charged and perhaps asks."""


def budget(context: Context) -> Finding:
    """Deny at the first budget that is frozen, used up or can't be told; ask where one may be exceeded.

    Nothing is taken from any: the claim does that, with the limits of that moment.
    """
    access = context.access
    if access is None or not access.budgets:
        return PASSED
    restrictions = context.restrictions
    frozen = restrictions.frozen if type(restrictions) is Restrictions else NOTHING
    charges: list[Charge] = []
    asks: list[Step] = []
    for limit in access.budgets:
        found = _frozen(frozen[limit.id]) if limit.id in frozen else _charge(context, limit)
        if isinstance(found, str):
            return denied(Measure.BUDGET, found, limit.id)
        charges.append(found[0])
        if found[1] is not None:
            asks.append(found[1])
    if asks:
        return Finding(tuple(asks), Outcome.ASK, charges=tuple(charges))
    return Finding(PASSED.steps, charges=tuple(charges))


def _frozen(by: Freeze) -> str:
    return f"the budget {by.budget} was frozen by {by.person}, until a person thaws it: {by.reason}"


def _charge(context: Context, limit: Budget) -> Told:
    """What this action takes from one budget, with the question when it has no room; or why it can't."""
    now = context.facts.get("now")
    if isinstance(now, bool) or not isinstance(now, int):
        return "this budget can't be told: the time is not known"
    try:
        quantity = 1 if limit.unit is ACTIONS else _money(context, limit)
        charge = limit.charge(context.names, now, quantity, shadow=context.shadow)
        room = _room(context, limit)
        if room.used + quantity <= limit.limit + room.raised:
            return charge, None
        why = full(limit, room, quantity, now)
    except (EvaluationError, ValueError) as error:
        return f"this budget can't be told: {error}"
    return why if limit.ask is None else (charge, replace(limit.ask, reason=why))


def _room(context: Context, limit: Budget) -> Room:
    room = context.facts.get(limit.fact)
    if type(room) is not Room:
        raise EvaluationError(room.why if isinstance(room, Failed) else "its use is not known")
    return room


def _money(context: Context, limit: Budget) -> int:
    """What the action moves, or what running it costs, in nano-units; a tool that is counted has it."""
    value = context.names.get("amount" if limit.unit is AMOUNT else "cost")
    if not isinstance(value, Decimal):
        raise EvaluationError(f"the {'amount' if limit.unit is AMOUNT else 'cost'} is not known")
    return to_nano_up(value)
