"""Standing approvals in SQL: each use is one conditional update, so that nobody can use one up twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from handrail.store.codec import asks_of, asks_text
from handrail.store.parts.base import Runner
from handrail.words.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.store.codec import Row


@dataclass(frozen=True, slots=True)
class SqlStandings:
    """``ports.Standings`` over named queries."""

    sql: Runner

    def add(self, standing: Standing) -> None:
        """In force from now on."""
        values = {
            "id": standing.id,
            "agent": standing.agent,
            "tool": standing.tool,
            "asks": asks_text(standing.asks),
            "condition": standing.when,
            "actions_left": standing.left,
            "amount_left": standing.amount_left,
            "expires_at": standing.expires_at,
            "person": standing.person,
            "verified": int(standing.verified),
            "reason": standing.reason,
            "made_at": standing.made_at,
        }
        self.sql.run("add_standing", values)

    def get(self, standing: str) -> Standing | None:
        """The one with this id, also when it has ended."""
        row = self.sql.row("standing", {"id": standing})
        return None if row is None else _standing(row)

    def usable(self, agent: str, tool: str, at: int) -> Sequence[Standing]:
        """Oldest first."""
        found = self.sql.rows("usable_standings", {"agent": agent, "tool": tool, "at": at})
        return [_standing(row) for row in found]

    def take(self, standing: str, amount: int | None, at: int) -> bool:
        """False also for an amount that is not known where money is limited."""
        return self.sql.changed("take_standing", {"id": standing, "amount": amount, "at": at})

    def revoke(self, standing: str, person: str, at: int) -> bool:
        """False when it had ended."""
        return self.sql.changed("revoke_standing", {"id": standing, "person": person, "at": at})

    def listing(self, *, ended: bool, limit: int) -> Sequence[Standing]:
        """Newest first."""
        found = self.sql.rows("list_standings", {"ended": int(ended), "limit": limit})
        return [_standing(row) for row in found]


def _standing(row: Row) -> Standing:
    fields = list(row)
    fields[3], fields[9] = asks_of(fields[3]), bool(fields[9])
    return Standing(*fields)
