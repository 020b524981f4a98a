"""What pages and messages read of budgets, in SQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handrail.store.parts.base import Runner, values_of
from handrail.words.budget import (
    Balance,
    BudgetAlert,
    Hold,
    Raise,
    Spender,
    Spent,
    SpentIn,
    oldest_bucket,
)
from handrail.words.money import LARGEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.words.budget import SpendingFilter

Values = dict[str, object]
AHEAD = 3_600_000
"""How far the clock of who chose a window may be ahead of the database's, in milliseconds."""


@dataclass(frozen=True, slots=True)
class BudgetReports:
    """The reading half of ``ports.Budgets``. ``now`` is the database's clock."""

    sql: Runner
    now: Callable[[], int]

    def presumed(self, limit: int) -> Sequence[Hold]:
        """Newest first."""
        return [Hold(*row) for row in self.sql.rows("presumed", {"limit": limit})]

    def balances(self, budget: str, window: int, limit: int, rolling: int = 0) -> Sequence[Balance]:
        """The fullest first."""
        first = oldest_bucket(window, rolling) + 1 if rolling else window
        values: Values = {"budget": budget, "starts_at": window, "earliest": first, "at": self.now()}
        rows = self.sql.rows("balances", {**values, "latest": LARGEST if rolling else window, "limit": limit})
        return [Balance(budget, scope, window, used, held, raised) for scope, used, held, raised in rows]

    def alerts(self, budget: str | None, since: int, limit: int) -> Sequence[BudgetAlert]:
        """Newest first."""
        values = {"budget": budget, "since": since, "limit": limit}
        return [BudgetAlert(*row) for row in self.sql.rows("alerts", values)]

    def raises(self, budget: str | None = None) -> Sequence[Raise]:
        """Newest first; also top-ups of windows that are over."""
        return [Raise(*row) for row in self.sql.rows("raises", {"budget": budget, "at": self.now()})]

    def spenders(
        self, budget: str, scope: str, window: int, limit: int, rolling: int = 0
    ) -> Sequence[Spender]:
        """By when it was set aside: an index finds what is as young as the window."""
        first = oldest_bucket(window, rolling) + 1 if rolling else window
        values: Values = {"budget": budget, "scope": scope, "earliest": first, "limit": limit}
        last = LARGEST if rolling else window
        rows = self.sql.rows("spenders", {**values, "latest": last, "since": max(0, first - AHEAD)})
        return [Spender(*row) for row in rows]

    def spending(self, wanted: SpendingFilter) -> Sequence[Spent]:
        """By when it was set aside."""
        values = values_of(wanted)
        if wanted.budget is not None:
            return [Spent(*row) for row in self.sql.rows("spending", values)]
        del values["budget"], values["scope"]
        return [Spent(*row) for row in self.sql.rows("spending_in_all", values)]

    def spending_in_time(
        self, budget: str, scope: str | None, since: int, until: int, width: int
    ) -> Sequence[SpentIn]:
        """By when it was set aside."""
        values: Values = {"budget": budget, "scope": scope, "since": since, "until": until, "width": width}
        rows = self.sql.rows("spending_in_time", values)
        return [SpentIn(since + number * width, quantity, count) for number, quantity, count in rows]
