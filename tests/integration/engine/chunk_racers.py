"""What processes do that spend one hot budget together: in eight threads each, until it refuses them."""

from __future__ import annotations

import os
import random
import signal
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import handrail
from handrail.app import open_app
from handrail.engine.budgets import chunks as budget_chunks
from handrail.engine.budgets.changes import end_raise, freeze
from handrail.engine.rail import Rail
from handrail.engine.restrict import activate, halt
from handrail.policy.load import load
from handrail.words.entry import Kind
from handrail.words.query import EntryFilter
from tests.support.nursery import Meet

THREADS = 8
SHORT = 1_000
"""Milliseconds of the lease of a process that may be killed."""


def drain(
    meet: Meet, policy: str, url: str, seed: int, undone: float = 0.0, die_after: int = 0
) -> dict[str, Any]:
    """Pay small amounts until not even the smallest is let; how much was paid, and why it was refused.

    Of the calls ``undone`` is the share that does nothing. After ``die_after`` calls the process is killed.
    """
    # so that processes that share two processors find it hot
    budget_chunks.OFTEN = 2
    app = open_app(Path(policy), database=url, lease=SHORT if die_after else 60_000)
    rail, calls = Rail(app.engine, app.close), count(1)

    @rail.tool
    def pay(amount: int, *, fails: bool) -> str:
        number = next(calls)
        if number == die_after:
            os.kill(os.getpid(), signal.SIGKILL)
        if fails:
            # another text each time: the loop breaker holds who fails in one way again and again
            raise handrail.NotDone(f"nothing was paid by call {number}")
        return "paid"

    def spend(place: int) -> tuple[int, list[str]]:
        dice, paid, refused = random.Random(seed * 100 + place), 0, list[str]()
        with rail.session("support", "t"):
            while True:
                amount = 1 if refused else dice.randint(1, 3)
                try:
                    pay(amount, fails=dice.random() < undone)
                    paid += amount
                except handrail.NotDone:
                    continue
                except handrail.Denied as denied:
                    refused.append(str(denied))
                    if amount == 1:
                        return paid, refused

    meet()
    with ThreadPoolExecutor(THREADS) as pool:
        told = list(pool.map(spend, range(THREADS)))
    app.close()
    return {"paid": sum(paid for paid, _ in told), "refused": [why for _, all_ in told for why in all_]}


def restrict(meet: Meet, policy: str, url: str, how: str, after: int, given: str = "") -> int:
    """Once so many actions have begun, restrict; how many had begun when that had returned."""
    app = open_app(Path(policy), database=url)
    engine, person = app.engine, "ann@example.com"
    intended = EntryFilter(kind=Kind.INTENDED, limit=100_000)

    def begun() -> int:
        return len(app.store.read(lambda tx: tx.journal.newest(intended)))

    news = app.store.news()
    meet()
    while begun() < after:
        news.wait(0.05)
    if how == "freeze":
        freeze(engine, "hot", person, "odd")
    elif how == "stop":
        halt(engine, "odd", person)
    elif how == "limit":
        activate(engine, load(given, "handrail.yaml"), person, "less")
    else:
        end_raise(engine, given, person, "over")
    found = begun()
    app.close()
    return found
