"""What a budget without room says: how much is used, how much is wanted, and what can be done."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from handrail.policy.budgets.scope import budget_of
from handrail.policy.budgets.words import full, quantity_of
from handrail.policy.compiled import Budget
from handrail.policy.load import load
from handrail.words.budget import Room
from handrail.words.money import NANO

HEAD = """handrail: 1
agents: {a: {may: [pay]}}
tools: {pay: {does: pay, amount: args.n, cost: 0.01}}
models: {"o:*": {}}
approvers: {leads: {people: [x@example.com]}}
"""
NOON = 1_793_790_000_000
RENEWS = "it renews at 2026-11-05 00:00 (UTC)"


def made(budget: str, currency: str = "USD") -> Budget:
    (found,) = load(f"{HEAD}currency: {currency}\nbudgets: [{{id: b, {budget}}}]\n").budgets
    return budget_of(found, (ZoneInfo("UTC"), currency), None, frozenset())


@pytest.mark.parametrize(
    ("budget", "room", "quantity", "said"),
    [
        ("actions: 1, per: day", Room(1), 1, f"1 of 1 action of the budget b is used; {RENEWS}"),
        (
            "actions: 2000, per: day",
            Room(1999),
            2,
            f"1,999 of 2,000 actions of the budget b are used; {RENEWS}",
        ),
        (
            "tokens: 1000, per: day",
            Room(900),
            200,
            f"900 of 1,000 tokens of the budget b are used and this takes 200 tokens; {RENEWS}",
        ),
        (
            "cost: 1, per: total",
            Room(999_000_000),
            2_000_000,
            "$0.999 of $1 of the budget b are used and this takes $0.002; it does not renew by itself",
        ),
        (
            "amount: 50, per: day, tools: pay",
            Room(60 * NANO, 20 * NANO),
            15 * NANO,
            f"$60 of $70 of the budget b are used and this takes $15; {RENEWS}",
        ),
        (
            "amount: 50, per: day, tools: pay",
            Room(0, 20 * NANO),
            71 * NANO,
            f"this takes $71, and the whole budget b is $70; {RENEWS}",
        ),
    ],
)
def test_why_there_is_no_room(budget: str, room: Room, quantity: int, said: str) -> None:
    assert full(made(budget), room, quantity, NOON) == f"{said}; a person can top it up"


def test_what_asks_says_how_much_over_with_what_was_topped_up_counted() -> None:
    soft = made("amount: 50, per: day, tools: pay, at_limit: ask")
    assert full(soft, Room(60 * NANO, 20 * NANO), 15 * NANO, NOON).endswith(
        f"{RENEWS}; a yes lets this one exceed it by $5"
    )


@pytest.mark.parametrize(
    ("budget", "currency", "quantity", "text"),
    [
        ("cost: 1, per: day", "USD", 48_200_000_000, "$48.20"),
        ("cost: 1, per: day", "PLN", 1_250 * NANO, "1,250 PLN"),
        ("actions: 1, per: day", "USD", 1, "1 action"),
        ("actions: 1, per: day", "USD", 0, "0 actions"),
        ("tokens: 1, per: day", "USD", 20_000, "20,000 tokens"),
    ],
)
def test_a_quantity_is_told_in_its_unit(budget: str, currency: str, quantity: int, text: str) -> None:
    assert quantity_of(made(budget, currency), quantity) == text
