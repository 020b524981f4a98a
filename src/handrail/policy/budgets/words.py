"""What a budget says to people: how much is used, how much is asked for, and when there is room again."""

from __future__ import annotations

from handrail.policy.compiled import Budget
from handrail.policy.model import Unit
from handrail.words.budget import Room
from handrail.words.money import spoken

_COUNTED = {Unit.ACTIONS: "action", Unit.TOKENS: "token"}


def quantity_of(budget: Budget, quantity: int) -> str:
    """A quantity in the budget's unit: ``$48.20``, ``1 action``, ``20,000 tokens``."""
    word = _COUNTED.get(budget.unit)
    if word is None:
        return spoken(quantity, budget.currency)
    return f"{quantity:,} {word}{'' if quantity == 1 else 's'}"


def full(budget: Budget, room: Room, quantity: int, now: int) -> str:
    """Why there is no room for ``quantity``, when there is again, and what a person can do.

    Raises:
        ValueError: ``now`` (milliseconds since the epoch, UTC) is no time.
    """
    return f"{_used(budget, room, quantity)}; {_then(budget, room, quantity, now)}"


def _used(budget: Budget, room: Room, quantity: int) -> str:
    limit = budget.limit + room.raised
    whole, wanted = quantity_of(budget, limit), quantity_of(budget, quantity)
    if quantity > limit:
        return f"this takes {wanted}, and the whole budget {budget.id} is {whole}"
    used = quantity_of(budget, room.used) if budget.unit not in _COUNTED else f"{room.used:,}"
    verb = "is" if limit == 1 and budget.unit in _COUNTED else "are"
    said = f"{used} of {whole} of the budget {budget.id} {verb} used"
    return said if budget.unit is Unit.ACTIONS else f"{said} and this takes {wanted}"


def _then(budget: Budget, room: Room, quantity: int, now: int) -> str:
    renews = budget.renews(now)
    if budget.ask is None:
        return f"{renews}; a person can top it up"
    over = quantity_of(budget, room.used + quantity - budget.limit - room.raised)
    waits = budget.pauses and quantity <= budget.limit + room.raised
    going_on = "; without an answer it goes on by itself once there is room" if waits else ""
    return f"{renews}; a yes lets this one exceed it by {over}{going_on}"
