"""Questions, seats and votes in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from handrail.store.codec import approval_of, asks_text, vote_of
from handrail.store.parts.base import Runner, suffix_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.store.codec import Row
    from handrail.words.approval import Approval, Seat, Vote


@dataclass(frozen=True, slots=True)
class SqlApprovals:
    """``ports.Approvals`` over named queries."""

    sql: Runner

    def add(self, approval: Approval) -> None:
        """Insert the question and its seats."""
        values = {
            "id": approval.id,
            "action": approval.action,
            "digest": approval.digest,
            "asks": asks_text(approval.asks),
            "at": approval.opened_at,
        }
        self.sql.run("add_approval", values)
        self.sql.run_many("add_seat", [_seat_row(approval.id, seat) for seat in approval.seats])

    def get(self, approval: str) -> Approval | None:
        """The question with this id."""
        return self._with_seats(self.sql.row("approval", {"id": approval}))

    def lock(self, approval: str) -> Approval | None:
        """Row-locked where the database has row locks; SQLite's one writer needs none."""
        self.sql.row("lock_approval", {"id": approval})
        return self.get(approval)

    def of(self, action: str) -> Approval | None:
        """The newest question about an action."""
        return self._with_seats(self.sql.row("approval_of", {"action": action}))

    def listing(self, state: str | None, limit: int) -> Sequence[Approval]:
        """Oldest first."""
        wanted = None if state is None else str(state)
        rows = self.sql.rows("list_approvals", {"state": wanted, "limit": limit})
        return [approval_of(row, self._seats(row[0])) for row in rows]

    def find(self, suffix: str) -> Sequence[str]:
        """Two ids at most."""
        return [row[0] for row in self.sql.rows("find_approvals", {"suffix": suffix_pattern(suffix)})]

    def votes(self, approval: str) -> Sequence[Vote]:
        """In the order in which they came."""
        return [vote_of(row) for row in self.sql.rows("votes", {"approval": approval})]

    def vote(self, vote: Vote) -> bool:
        """One answer a person: a second one changes nothing."""
        values = {
            "approval": vote.approval,
            "person": vote.person,
            "choice": vote.choice.value,
            "reason": vote.reason,
            "verified": int(vote.verified),
            "at": vote.at,
        }
        return self.sql.changed("add_vote", values)

    def close(self, approval: str, state: str, at: int, reason: str | None) -> bool:
        """Only an open question."""
        values = {"id": approval, "state": str(state), "at": at, "reason": reason}
        return self.sql.changed("close_approval", values)

    def due(self, at: int, limit: int) -> Sequence[str]:
        """Open, with a seat whose time is over."""
        return [row[0] for row in self.sql.rows("due_approvals", {"at": at, "limit": limit})]

    def escalate(self, approval: str, seat: Seat) -> None:
        """Another group sits on it now."""
        self.sql.run("escalate", _seat_row(approval, seat))

    def _with_seats(self, row: Row | None) -> Approval | None:
        return None if row is None else approval_of(row, self._seats(row[0]))

    def _seats(self, approval: str) -> list[Row]:
        return self.sql.rows("seats", {"approval": approval})


def _seat_row(approval: str, seat: Seat) -> dict[str, object]:
    return {
        "approval": approval,
        "audience": seat.audience,
        "asked": seat.group,
        "need": seat.need,
        "expires_at": seat.expires_at,
        "if_no_answer": seat.if_no_answer,
    }
