"""Windows and holds in SQL: a charge is one conditional update, so that nobody can exceed a limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from handrail.store.parts.base import Runner
from handrail.words.errors import Overspent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.words.verdict import Charge


@dataclass(frozen=True, slots=True)
class SqlBudgets:
    """``ports.Budgets`` over named queries."""

    sql: Runner

    def used(self, budget: str, scope: str, window: int) -> int:
        """0 for a window that nobody has touched."""
        row = self.sql.row("used", {"budget": budget, "scope": scope, "starts_at": window})
        return int(row[0]) if row else 0

    def reserve(self, action: str, attempt: int, charges: Sequence[Charge]) -> None:
        """In one order for everybody, so that two claims can't wait for each other."""
        for charge in sorted(charges, key=lambda charge: (charge.budget, charge.scope, charge.window)):
            values = {
                "budget": charge.budget,
                "scope": charge.scope,
                "starts_at": charge.window,
                "quantity": charge.quantity,
                "limit": charge.limit,
            }
            # the statement tests what a window holds already; a new window holds this charge alone
            if charge.quantity > charge.limit or not self.sql.changed("reserve", values):
                raise Overspent(charge.budget)
            self.sql.run("add_hold", {**values, "action": action, "attempt": attempt})

    def settle(self, action: str, attempt: int) -> None:
        """Spent for good."""
        self.sql.run("settle_holds", {"action": action, "attempt": attempt})

    def release(self, action: str, attempt: int) -> None:
        """Given back to exactly the windows it came from; a second release finds nothing to give."""
        holds = self.sql.rows("open_holds", {"action": action, "attempt": attempt})
        for budget, scope, starts_at, quantity in holds:
            values = {"budget": budget, "scope": scope, "starts_at": starts_at, "quantity": quantity}
            if self.sql.changed("release_hold", {**values, "action": action, "attempt": attempt}):
                self.sql.run("give_back", values)
