"""Windows and holds in SQL: a charge is one conditional update, so that nobody can exceed a limit.

Everybody locks in one order: first the turns of windows that roll, then windows, each by budget, scope and
start. A window that rolls is a sum over other rows, which PostgreSQL does not sum again after it has waited
for a lock; so its turn is taken in a statement of its own, and the next one sees what was committed before.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

from handrail.store.parts.base import values_of
from handrail.store.parts.budget_reports import BudgetReports, Values
from handrail.words.budget import (
    BudgetAlert,
    Crossing,
    HoldState,
    Overrun,
    Raise,
    Room,
    oldest_bucket,
)
from handrail.words.errors import BadArguments, Overspent
from handrail.words.money import LARGEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from handrail.words.verdict import Charge

NOBODY: Values = {"at": 0}
UNITS = ("actions", "amount", "cost", "tokens")
AT_ONCE = {
    "budgets": "budget",
    "scopes": "scope",
    "starts": "starts_at",
    "units": "unit",
    "quantities": "quantity",
    "limits": "limit",
}
"""What one statement is given as arrays, each with the column that it holds."""


@dataclass(frozen=True, slots=True)
class SqlBudgets(BudgetReports):
    """``ports.Budgets`` over named queries. ``now`` is the database's clock."""

    def room(self, budget: str, scope: str, window: int, rolling: int = 0) -> Room:
        """In one statement; two for a window that rolls."""
        values: Values = {"budget": budget, "scope": scope, "starts_at": window, "at": self.now()}
        row = self.sql.row("room", values) or (0, 0)
        if rolling:
            return Room(self._rolling(budget, scope, window, rolling), int(row[1]))
        return Room(int(row[0] or 0), int(row[1]))

    def reserve(
        self, holder: str, attempt: int, charges: Sequence[Charge], *, spent: bool = False
    ) -> Sequence[Crossing]:
        """Limits are tested in the statements that charge, with the raises in force at that moment."""
        if not charges:
            return ()
        at = self.now()
        state = HoldState.SETTLED if spent else HoldState.HELD
        hold = {"holder": holder, "attempt": attempt, "state": state.value, "at": at}
        ordered = sorted(charges, key=_place) if len(charges) > 1 else charges
        rows = [_charged(charge, hold, spent=spent) for charge in ordered]
        self._take(ordered, rows)
        return [each for charge in ordered if charge.alert_at for each in self._reached(charge)]

    def crossings(self, charge: Charge) -> Sequence[Crossing]:
        """By what the window holds now, in this transaction."""
        return self._crossings(charge)[0]

    def _reached(self, charge: Charge) -> Sequence[Crossing]:
        """The crossings of one who charges. No chunk may reach over a percentage that was not told."""
        reached, rest = self._crossings(charge)
        if rest:
            raise Overspent(*_place(charge))
        return reached

    def _crossings(self, charge: Charge) -> tuple[Sequence[Crossing], bool]:
        """What was reached, and whether more would be if what nobody took of chunks were used."""
        values = _charged(charge, NOBODY)
        rest = 0
        if charge.rolling:
            room = self.room(charge.budget, charge.scope, charge.window, charge.rolling)
            row = self.sql.row("alerted_since", values) or (0,)
            used, limit, told = room.used, charge.limit + room.raised, int(row[0])
        else:
            used, limit, told, rest = self.sql.row("window_after", values) or (0, charge.limit, 0, 0)
        if charge.soft:
            limit = charge.limit + self.room(charge.budget, charge.scope, charge.window).raised
        new = [percent for percent in charge.alert_at if percent > told and used * 100 >= percent * limit]
        real = used - rest
        reached = [percent for percent in new if real * 100 >= percent * limit]
        crossings = [
            Crossing(charge.budget, charge.scope, charge.window, percent, real, limit) for percent in reached
        ]
        return crossings, len(reached) < len(new)

    def settle(self, holder: str, attempt: int, spent: Mapping[str, int] | None = None) -> Sequence[Overrun]:
        """In one statement where nothing was measured."""
        values: Values = {"holder": holder, "attempt": attempt}
        if not spent:
            self.sql.run("settle_holds", values)
            return ()
        measured = _measured(spent)
        rows = sorted(self.sql.rows("settle_measured", {**values, **measured}), key=_of_row)
        moves: list[Values] = []
        overruns: list[Overrun] = []
        for budget, scope, starts_at, unit, quantity, said, chunk in rows:
            place: Values = {"budget": budget, "scope": scope, "starts_at": starts_at}
            real = said if said <= quantity else self._capped({**values, **place}, quantity, said)
            if real > quantity:
                overruns.append(Overrun(budget, scope, starts_at, unit, quantity, real))
                # what nobody looked at the limit for: nothing more is drawn beside it
                self.sql.run("end_chunks", place)
            # what is left of a hold in a chunk comes back with the chunk
            if real > quantity or (real < quantity and chunk is None):
                moves.append({**place, "more": real - quantity})
        self._move(moves)
        return overruns

    def release(self, holder: str, attempt: int) -> None:
        """Given back to exactly the windows it came from; a second release finds nothing to give."""
        found = sorted(self.sql.rows("release_holds", {"holder": holder, "attempt": attempt}), key=_of_row)
        self._move(
            {"budget": budget, "scope": scope, "starts_at": starts_at, "more": -quantity}
            for budget, scope, starts_at, quantity, chunk in found
            if chunk is None
        )

    def presume(self, holder: str, attempt: int) -> None:
        """What a window holds stays as it is."""
        self.sql.run("presume_holds", {"holder": holder, "attempt": attempt})

    def add_raise(self, more: Raise) -> None:
        """It counts from this commit on."""
        self.sql.run("add_raise", values_of(more))

    def end_raise(self, more: str, person: str, reason: str, at: int) -> bool:
        """A trigger makes every cached copy stale."""
        return self.sql.changed("end_raise", {"id": more, "person": person, "reason": reason, "at": at})

    def get_raise(self, more: str) -> Raise | None:
        """By its id."""
        row = self.sql.row("raise", {"id": more})
        return None if row is None else Raise(*row)

    def freeze(self, freeze: str, budget: str, reason: str, person: str, at: int) -> bool:
        """A trigger makes every cached copy stale."""
        values = {"id": freeze, "budget": budget, "reason": reason, "person": person, "at": at}
        return self.sql.changed("add_freeze", values)

    def thaw(self, budget: str, reason: str, person: str, at: int) -> bool:
        """A trigger makes every cached copy stale."""
        return self.sql.changed("thaw", {"budget": budget, "reason": reason, "person": person, "at": at})

    def alert(self, alert: BudgetAlert) -> bool:
        """The table's own key says whether it was told before."""
        values = values_of(alert)
        if not self.sql.changed("add_alert", values):
            return False
        self.sql.run("mark_alerted", values)
        return True

    def get_alert(self, alert: str) -> BudgetAlert | None:
        """By its id."""
        row = self.sql.row("alert", {"id": alert})
        return None if row is None else BudgetAlert(*row)

    def _take(self, charges: Sequence[Charge], rows: Sequence[Values]) -> None:
        """Charge the windows and write the holds, in the order given."""
        self._take_one_by_one(charges, rows)

    def _take_one_by_one(self, charges: Sequence[Charge], rows: Sequence[Values]) -> None:
        for charge, values in zip(charges, rows, strict=True):
            if charge.rolling:
                self.sql.run("take_turn", values)
        for charge, values in zip(charges, rows, strict=True):
            if not self.sql.changed(_statement(charge), values):
                raise self._refusal(charge)
            if charge.soft and self._leased(values):
                raise Overspent(*_place(charge))
        self.sql.run_many("add_hold", rows)

    def _rolling(self, budget: str, scope: str, window: int, rolling: int) -> int:
        values = {"budget": budget, "scope": scope, "oldest": oldest_bucket(window, rolling)}
        row = self.sql.row("rolling_used", values)
        return int(row[0]) if row else 0

    def _leased(self, values: Values) -> bool:
        """Whether something is left in chunks: it must not be drawn after the limit was passed."""
        row = self.sql.row("window_after", values)
        return row is not None and row[3] > 0

    def _refusal(self, charge: Charge) -> Exception:
        if charge.soft:
            return BadArguments(f"budget {charge.budget} would hold more than can be kept")
        return Overspent(*_place(charge))

    def _capped(self, values: Values, quantity: int, said: int) -> int:
        """An overrun is charged as it is, up to the largest number that a window can hold."""
        used = (self.sql.row("window_after", values) or (0,))[0]
        real = min(said, quantity + LARGEST - int(used))
        if real != said:
            self.sql.run("cap_hold", {**values, "spent": real})
        return real

    def _move(self, moves: Iterable[Values]) -> None:
        """In the order of everybody."""
        many = list(moves)
        if many:
            self.sql.run_many("move_window", many)


@dataclass(frozen=True, slots=True)
class PostgresBudgets(SqlBudgets):
    """The same with one statement, and one way to the server and back, for all limits that are plain."""

    def _take(self, charges: Sequence[Charge], rows: Sequence[Values]) -> None:
        if any(charge.rolling or charge.soft for charge in charges):
            self._take_one_by_one(charges, rows)
            return
        columns: Values = {many: [row[one] for row in rows] for many, one in AT_ONCE.items()}
        taken = self.sql.rows("reserve_all", {**rows[0], **columns})
        if len(taken) < len(rows):
            places = {tuple(row) for row in taken}
            raise Overspent(*next(filter(lambda place: place not in places, map(_place, charges))))


def _place(charge: Charge) -> tuple[str, str, int]:
    return charge.budget, charge.scope, charge.window


_of_row = itemgetter(0, 1, 2)


def _statement(charge: Charge) -> str:
    if charge.soft:
        return "reserve_soft"
    return "reserve_rolling" if charge.rolling else "reserve"


def _charged(charge: Charge, hold: Values, *, spent: bool = False) -> Values:
    """Everything that a charge's statements are given; ``hold`` says for whom."""
    if charge.quantity < 0:
        raise BadArguments(f"budget {charge.budget} can't be charged {charge.quantity}: less than nothing")
    return {
        **hold,
        "budget": charge.budget,
        "scope": charge.scope,
        "starts_at": charge.window,
        "unit": charge.unit,
        "quantity": charge.quantity,
        "limit": min(LARGEST, charge.limit),
        "oldest": oldest_bucket(charge.window, charge.rolling) if charge.rolling else 0,
        "spent": charge.quantity if spent else None,
    }


def _measured(spent: Mapping[str, int]) -> Values:
    strange = [unit for unit, much in spent.items() if unit not in UNITS or not 0 <= much <= LARGEST]
    if strange:
        raise BadArguments(
            f"{', '.join(strange)}: expected what was spent by unit ({', '.join(UNITS)}), 0 or more, "
            "in nano-units for money"
        )
    return {unit: spent.get(unit) for unit in UNITS}
