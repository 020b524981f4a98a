"""What processes do that race for the same budgets: many threads, every limit looked at under its lock."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Sequence

from handrail.app import open_store
from handrail.ports import Commit, Store, Transaction
from handrail.words.errors import Overspent
from handrail.words.verdict import Charge
from tests.contract.things import AT
from tests.support.nursery import Meet

DAY = 86_400_000
LIMITS = {"cent": 1_000_003, "small": 40, "roll": 2_000_001, "wide": 10**9}
"""Odd numbers on purpose: a limit is to be met exactly."""
SCOPES = ("[]", '["task","a"]', '["task","b"]')
ROUNDS = 3


def wanted(dice: random.Random) -> list[Charge]:
    """Some of the budgets, in no order: all that races for them overlaps."""
    unit = {"small": "actions"}
    return [
        Charge(
            name,
            dice.choice(SCOPES),
            AT,
            1 if name == "small" else dice.randint(1, 40_000),
            LIMITS[name],
            unit.get(name, "cost"),
            rolling=DAY if name == "roll" else 0,
        )
        for name in dice.sample(sorted(LIMITS), dice.randint(1, len(LIMITS)))
    ]


def race(meet: Meet, url: str, number: int, threads: int) -> dict[str, int]:
    """Reserve, settle, release and be lost, in many threads; how often what happened."""
    store = open_store(url, "NORMAL")
    told: list[Counter[str]] = [Counter() for _ in range(threads)]
    runners = [
        threading.Thread(
            target=one, args=(store, random.Random(number * 1_000 + place), told[place], place, number)
        )
        for place in range(threads)
    ]
    meet()
    for each in runners:
        each.start()
    for each in runners:
        each.join()
    store.close()
    return dict(sum(told, Counter()))


def one(store: Store, dice: random.Random, told: Counter[str], place: int, number: int) -> None:
    """One thread."""
    for turn in range(ROUNDS):
        holder, charges = f"h-{number}-{place}-{turn}", wanted(dice)
        try:
            store.write(Commit.PROPOSE, lambda tx, h=holder, c=charges: reserve(tx, h, c))  # type: ignore[misc]
        except Overspent:
            told["overspent"] += 1
            continue
        told["reserved"] += 1
        end, least = dice.choice(ENDS), min(charge.quantity for charge in charges)
        spent = dice.randint(0, least)
        store.write(Commit.SETTLE, lambda tx, h=holder, e=end, s=spent: settle(tx, h, e, s))  # type: ignore[misc]


ENDS = ("settle", "measured", "measured", "release", "lost", "late", "held")


def reserve(tx: Transaction, holder: str, charges: Sequence[Charge]) -> None:
    """Nobody may ever see a window above its limit, not even under its own lock."""
    tx.budgets.reserve(holder, 1, charges)
    for charge in charges:
        room = tx.budgets.room(charge.budget, charge.scope, charge.window, charge.rolling)
        assert room.used <= charge.limit, (charge, room)


def settle(tx: Transaction, holder: str, end: str, spent: int) -> None:
    """One of the ways in which it may end."""
    if end == "settle":
        tx.budgets.settle(holder, 1)
    if end == "measured":
        tx.budgets.settle(holder, 1, {"cost": spent})
    if end == "release":
        tx.budgets.release(holder, 1)
    if end in ("lost", "late"):
        tx.budgets.presume(holder, 1)
    if end == "late":
        tx.budgets.settle(holder, 1, {"cost": spent})
