"""Any order of everything that happens to budgets, against a model of a few lines: the sums agree exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handrail.policy.budgets.window import of
from handrail.policy.model import Window
from handrail.ports import Store, Transaction
from handrail.words.budget import Raise, bucket_width
from handrail.words.errors import Overspent
from handrail.words.verdict import Charge
from tests.contract.things import AT, SOON, new_id, restrict, write

DAY = 86_400_000
ZONE = ZoneInfo("Europe/Warsaw")
ROLLING = "rolling"
KINDS = {
    "hour": (Window.HOUR, 0, 8, "cost"),
    "day": (Window.DAY, 0, 12, "cost"),
    ROLLING: (Window.ROLLING, DAY, 15, "cost"),
    "total": (Window.TOTAL, 0, 30, "actions"),
}
"""Each budget's window, length, limit and unit: those of short windows fill first."""


def at(*moment: int) -> int:
    """A local time in milliseconds."""
    return int(datetime(*moment, tzinfo=ZONE).timestamp()) * 1000  # type: ignore[misc,arg-type]


# the nights in which clocks go forward and back, hour by hour, and days around them
MOMENTS = [
    *(at(2026, 3, 28, 23) + hour * 3_600_000 for hour in range(0, 30, 3)),
    *(at(2026, 10, 24, 23) + hour * 3_600_000 for hour in range(0, 30, 3)),
]
TURNS = {name: of(window, rolling, ZONE) for name, (window, rolling, _, _) in KINDS.items()}

Key = tuple[str, str, int]
Step = tuple[str, Any]


@dataclass
class Held:
    """What one holder set aside."""

    charges: list[Charge]
    state: str = "held"


@dataclass
class Model:
    """What budgets are, said plainly: a window holds the sum of what its holders did not get back."""

    used: dict[Key, int] = field(default_factory=dict)
    holders: dict[str, Held] = field(default_factory=dict)
    raises: dict[str, Raise] = field(default_factory=dict)
    frozen: set[str] = field(default_factory=set)

    def room(self, charge: Charge) -> int:
        """How much more fits."""
        raised = sum(
            more.quantity
            for more in self.raises.values()
            if more.budget == charge.budget
            and more.scope in (None, charge.scope)
            and (more.window == charge.window or (more.until or 0) > AT)
        )
        return charge.limit + raised - self.counted(charge)

    def counted(self, charge: Charge) -> int:
        """What counts against a charge: its window, or every bucket with a part inside."""
        if not charge.rolling:
            return self.used.get((charge.budget, charge.scope, charge.window), 0)
        oldest = charge.window - charge.rolling - bucket_width(charge.rolling)
        return sum(
            used
            for (budget, scope, start), used in self.used.items()
            if (budget, scope) == (charge.budget, charge.scope) and start > oldest
        )

    def add(self, charge: Charge, quantity: int) -> None:
        """Move a window."""
        key = (charge.budget, charge.scope, charge.window)
        self.used[key] = self.used.get(key, 0) + quantity


NAMES = st.sampled_from(sorted(KINDS))
SCOPES = st.sampled_from(["[]", '["task","t"]'])
CHARGED = st.dictionaries(st.tuples(NAMES, SCOPES), st.integers(0, 9), min_size=1, max_size=5)
PICK = st.integers(0, 99)
STEPS = st.one_of(
    st.tuples(st.just("reserve"), st.tuples(CHARGED, st.sampled_from(MOMENTS), st.integers(0, 9))),
    st.tuples(st.just("reserve"), st.tuples(CHARGED, st.sampled_from(MOMENTS[:3]), st.integers(1, 9))),
    st.tuples(st.just("settle"), st.tuples(PICK, st.none() | st.integers(0, 14))),
    st.tuples(st.just("release"), PICK),
    st.tuples(st.just("crash"), PICK),
    st.tuples(
        st.just("raise"),
        st.tuples(NAMES, st.none() | SCOPES, st.none() | st.sampled_from(MOMENTS), st.integers(1, 9)),
    ),
    st.tuples(st.just("end"), PICK),
    st.tuples(st.just("freeze"), NAMES),
    st.tuples(st.just("thaw"), NAMES),
)


class Run:
    """One example: the store and the model take the same steps."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.model = Model()
        self.names = {name: f"{name}-{new_id()}" for name in KINDS}

    def charge(self, name: str, scope: str, quantity: int, now: int, *, soft: bool) -> Charge:
        _, rolling, limit, unit = KINDS[name]
        window = TURNS[name].begins(now)
        return Charge(self.names[name], scope, window, quantity, limit, unit, soft, rolling=rolling)

    def reserve(self, given: tuple[dict[tuple[str, str], int], int, int]) -> None:
        charged, now, soft = given
        charges = [
            self.charge(name, scope, quantity, now, soft=soft == 0)
            for (name, scope), quantity in charged.items()
        ]
        frozen = self.model.frozen & {charge.budget for charge in charges}
        assert frozen == self.store.read(lambda tx: tx.restrictions.read()).frozen.keys() & {
            charge.budget for charge in charges
        }
        if frozen:
            return
        holder = new_id()
        fits = soft == 0 or all(charge.quantity <= self.model.room(charge) for charge in charges)

        def work(tx: Transaction) -> None:
            tx.budgets.reserve(holder, 1, charges)

        if not fits:
            with pytest.raises(Overspent):
                write(self.store, work)
            return
        write(self.store, work)
        self.model.holders[holder] = Held(charges)
        for charge in charges:
            self.model.add(charge, charge.quantity)

    def settle(self, given: tuple[int, int | None]) -> None:
        found, spent = self.picked(given[0]), given[1]
        if found is None:
            return
        holder, held = found
        measured = None if spent is None else {"cost": spent}
        write(self.store, lambda tx: tx.budgets.settle(holder, 1, measured))
        if held.state in ("held", "presumed"):
            for charge in held.charges:
                if spent is not None and charge.unit == "cost":
                    self.model.add(charge, spent - charge.quantity)
            held.state = "settled"

    def release(self, pick: int) -> None:
        found = self.picked(pick)
        if found is None:
            return
        holder, held = found
        write(self.store, lambda tx: tx.budgets.release(holder, 1))
        if held.state in ("held", "presumed"):
            for charge in held.charges:
                self.model.add(charge, -charge.quantity)
            held.state = "released"

    def crash(self, pick: int) -> None:
        found = self.picked(pick)
        if found is None:
            return
        holder, held = found
        write(self.store, lambda tx: tx.budgets.presume(holder, 1))
        if held.state == "held":
            held.state = "presumed"

    def raise_(self, given: tuple[str, str | None, int | None, int]) -> None:
        name, scope, moment, quantity = given
        window = None if moment is None or name == ROLLING else TURNS[name].begins(moment)
        until = None if window is not None else (SOON if quantity % 2 else AT)
        more = Raise(new_id(), self.names[name], scope, window, until, quantity, "ann", "more", AT)
        write(self.store, lambda tx: tx.budgets.add_raise(more))
        self.model.raises[more.id] = more

    def end(self, pick: int) -> None:
        if self.model.raises:
            known = sorted(self.model.raises)[pick % len(self.model.raises)]
            assert restrict(self.store, lambda tx: tx.budgets.end_raise(known, "ann", "over", AT))
            del self.model.raises[known]

    def freeze(self, name: str) -> None:
        budget = self.names[name]
        fresh = restrict(self.store, lambda tx: tx.budgets.freeze(new_id(), budget, "odd", "ann", AT))
        assert fresh == (budget not in self.model.frozen)
        self.model.frozen.add(budget)

    def thaw(self, name: str) -> None:
        budget = self.names[name]
        was = restrict(self.store, lambda tx: tx.budgets.thaw(budget, "well", "ann", AT))
        assert was == (budget in self.model.frozen)
        self.model.frozen.discard(budget)

    def picked(self, pick: int) -> tuple[str, Held] | None:
        if not self.model.holders:
            return None
        known = sorted(self.model.holders)[pick % len(self.model.holders)]
        return known, self.model.holders[known]

    def agrees(self) -> None:
        """Every window of the store is the model's, and so is what counts in a window that rolls."""
        for (budget, scope, start), used in self.model.used.items():
            found = self.store.read(lambda tx, b=budget, s=scope, w=start: tx.budgets.room(b, s, w))  # type: ignore[misc]
            assert found.used == used, (budget, scope, start)
        rolling = self.charge(ROLLING, "[]", 0, MOMENTS[4], soft=False)
        found = self.store.read(
            lambda tx: tx.budgets.room(rolling.budget, rolling.scope, rolling.window, rolling.rolling)
        )
        assert found.used == self.model.counted(rolling)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=30))
def test_any_order_of_everything_adds_up(store: Store, steps: list[Step]) -> None:
    """Reservations over random scopes, settlements, releases, crashes, raises, freezes, changes of clocks."""
    run = Run(store)
    acts: dict[str, Callable[[Any], None]] = {
        "raise": run.raise_,
        "end": run.end,
        "freeze": run.freeze,
        "thaw": run.thaw,
    }
    acts |= {"reserve": run.reserve, "settle": run.settle, "release": run.release, "crash": run.crash}
    for step, given_ in steps:
        acts[step](given_)
    run.agrees()
    for known in list(run.model.raises):
        restrict(store, lambda tx, k=known: tx.budgets.end_raise(k, "ann", "over", AT))  # type: ignore[misc]


def test_the_nights_in_which_clocks_change_have_windows_of_their_own_length() -> None:
    """23 and 25 hours; the hour that comes twice is two windows."""
    day, hour = TURNS["day"], TURNS["hour"]
    lengths = [
        (day.ends(noon) or 0) - day.begins(noon) for noon in (at(2026, 3, 29, 12), at(2026, 10, 25, 12))
    ]
    assert lengths == [23 * 3_600_000, 25 * 3_600_000]
    two = at(2026, 10, 25, 2)
    assert hour.begins(two + 3_600_000) - hour.begins(two) == 3_600_000
