"""Chunks in SQL: who draws from one shares its row, and who closes it waits for them.

Everybody locks in one order: chunks, then holds by their holder, then windows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handrail.store.parts.base import Runner, values_of
from handrail.words.budget import Chunk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.store.parts.budget_reports import Values
    from handrail.words.budget import Drawn
    from handrail.words.verdict import Charge

PART = 8
"""A chunk is at most this part of what is left before the limit, or before a percentage to be told."""


@dataclass(frozen=True, slots=True)
class SqlBudgetChunks:
    """``ports.BudgetChunks`` over named queries. ``now`` is the database's clock."""

    sql: Runner
    now: Callable[[], int]

    def lease(
        self, chunk: str, owner: str, charge: Charge, most: int, least: int, milliseconds: int
    ) -> Chunk | None:
        """The window's row is locked first, so that nobody changes what is left meanwhile."""
        at = self.now()
        values: Values = {"budget": charge.budget, "scope": charge.scope, "starts_at": charge.window}
        window = self.sql.row("lock_window", values)
        if window is None:
            return None
        used, told = window
        raised, ends = self.sql.row("raised", {**values, "at": at}) or (0, None)
        quantity = min(most, (_mark(charge, charge.limit + raised, told) - used) // PART)
        if quantity < max(1, least):
            return None
        # a raise that ends takes its room from everybody at that moment
        until = at + milliseconds if ends is None else min(at + milliseconds, ends)
        made = Chunk(chunk, owner, charge.budget, charge.scope, charge.window, quantity, until)
        self.sql.run("move_window", {**values, "more": quantity})
        self.sql.run("add_chunk", values_of(made))
        return made

    def draw(self, holder: str, attempt: int, drawn: Sequence[Drawn]) -> Sequence[Drawn]:
        """One statement each, that writes the hold if the chunk is there."""
        hold: Values = {"holder": holder, "attempt": attempt, "at": self.now()}
        return [each for each in drawn if not self.sql.changed("draw", _values(hold, each))]

    def close(self, chunk: str) -> Chunk | None:
        """Two looks at its holds: while the first one waits for who settles, more may be settled."""
        values: Values = {"chunk": chunk}
        row = self.sql.row("close_chunk", values)
        if row is None:
            return None
        closed = Chunk(*row)
        self.sql.rows("lock_chunk_holds", values)
        held = sum(row[0] for row in self.sql.rows("detach_holds", values))
        spent = (self.sql.row("chunk_spent", values) or (0,))[0]
        place: Values = {"budget": closed.budget, "scope": closed.scope, "starts_at": closed.window}
        self.sql.run("move_window", {**place, "more": held + spent - closed.quantity})
        return closed

    def open(self, budget: str, scope: str, window: int) -> Sequence[str]:
        """In the order of their ids."""
        values: Values = {"budget": budget, "scope": scope, "starts_at": window}
        return [row[0] for row in self.sql.rows("open_chunks", values)]

    def lapsed(self, before: int, limit: int) -> Sequence[str]:
        """The oldest first."""
        return [row[0] for row in self.sql.rows("lapsed_chunks", {"before": before, "limit": limit})]


def _mark(charge: Charge, limit: int, told: int) -> int:
    """Up to where nothing has to be told or refused."""
    return min([limit, *(-(-percent * limit // 100) for percent in charge.alert_at if percent > told)])


def _values(hold: Values, drawn: Drawn) -> Values:
    return {**hold, "chunk": drawn.chunk, "quantity": drawn.charge.quantity, "unit": drawn.charge.unit}
