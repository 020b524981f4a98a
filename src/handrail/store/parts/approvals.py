"""Questions, seats and votes in SQL."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handrail.store.codec import approval_of, asks_text, vote_of
from handrail.store.parts.base import Runner, suffix_pattern
from handrail.words.approval import ApprovalState

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

    def about(self, action: str) -> Sequence[Approval]:
        """Oldest first."""
        rows = self.sql.rows("approvals_about", {"action": action})
        return self._all(rows)

    def listing(self, state: str | None, limit: int, after: str | None = None) -> Sequence[Approval]:
        """Oldest first; nothing after one that is not known."""
        if state == ApprovalState.OPEN:
            return self._open(after, limit)
        wanted = None if state is None else str(state)
        rows = self.sql.rows("list_approvals", {"state": wanted, "limit": limit, "after": after})
        return self._all(rows)

    def neighbours(self, approval: Approval) -> tuple[str | None, str | None]:
        """By an index each way."""
        place = {"since": approval.opened_at, "last": approval.id}
        before = self.sql.row("open_approval_before", place)
        after = self.sql.row("open_approvals", {**place, "limit": 1})
        return None if before is None else before[0], None if after is None else after[0]

    def waiting(
        self, groups: Sequence[str], person: str, limit: int, after: str | None = None, *, asked: bool
    ) -> Sequence[Approval]:
        """Oldest first; nothing after one that is not known."""
        place = self._place(after)
        if place is None:
            return []
        wanted = {**place, **_for(groups, person), "asked": int(asked), "limit": limit}
        rows = self.sql.rows("waiting_approvals", wanted)
        return self._all(rows)

    def waiting_beside(
        self, approval: Approval, groups: Sequence[str], person: str
    ) -> tuple[str | None, str | None]:
        """By an index each way."""
        place = {"since": approval.opened_at, "last": approval.id, **_for(groups, person)}
        before = self.sql.row("waiting_approval_before", place)
        after = self.sql.row("waiting_approvals", {**place, "asked": 1, "limit": 1})
        return None if before is None else before[0], None if after is None else after[0]

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

    def _open(self, after: str | None, limit: int) -> Sequence[Approval]:
        place = self._place(after)
        if place is None:
            return []
        rows = self.sql.rows("open_approvals", {**place, "limit": limit})
        return self._all(rows)

    def _place(self, after: str | None) -> dict[str, object] | None:
        """Where a listing goes on; None after one that is not known."""
        if after is None:
            return {"since": 0, "last": ""}
        last = self.sql.row("approval", {"id": after})
        return None if last is None else {"since": last[5], "last": last[0]}

    def _with_seats(self, row: Row | None) -> Approval | None:
        return None if row is None else self._all([row])[0]

    def _all(self, rows: Sequence[Row]) -> list[Approval]:
        """The questions of these rows, with their seats by one statement."""
        seats: dict[str, list[Row]] = {row[0]: [] for row in rows}
        if rows:
            for approval, *seat in self.sql.rows("seats", {"approvals": json.dumps(list(seats))}):
                seats[approval].append(tuple(seat))
        return [approval_of(row, seats[row[0]]) for row in rows]


def _for(groups: Sequence[str], person: str) -> dict[str, object]:
    """Names as one text, each between signs that no name has."""
    return {"groups": "".join(f'"{each}"' for each in groups), "person": person}


def _seat_row(approval: str, seat: Seat) -> dict[str, object]:
    return {
        "approval": approval,
        "audience": seat.audience,
        "asked": seat.group,
        "need": seat.need,
        "expires_at": seat.expires_at,
        "if_no_answer": seat.if_no_answer,
    }
