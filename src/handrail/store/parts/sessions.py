"""Sessions in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from handrail.store.parts.base import Runner
from handrail.words.session import Pace, SessionRecord

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


@dataclass(frozen=True, slots=True)
class SqlSessions:
    """``ports.Sessions`` over named queries."""

    sql: Runner

    def open(self, session: SessionRecord) -> bool:
        """False when it was known."""
        values = {
            "id": session.id,
            "agent": session.agent,
            "task": session.task,
            "opened_at": session.opened_at,
            "opened_by": session.opened_by,
            "behalf": session.behalf,
            "expires_at": session.expires_at,
            "lineage": "/".join(session.lineage) or None,
        }
        return self.sql.changed("open_session", values)

    def get(self, session: str) -> SessionRecord | None:
        """The session with this id."""
        row = self.sql.row("session", {"id": session})
        return None if row is None else _record(row)

    def pace(self, session: str, digest: str, since: str, minute: str, most: Pace) -> Pace:
        """Counted no further than what is asked for: how many more there are changes nothing."""
        values = {"session": session, "digest": digest, "since": since, "minute": minute}
        row = self.sql.row("pace", {**values, "most_calls": most.calls, "most_same": most.same})
        return Pace(*row) if row else Pace(0, 0)

    def hold(self, session: str, reason: str, at: int) -> bool:
        """False when it is held already, or not known."""
        return self.sql.changed("hold_session", {"id": session, "reason": reason, "at": at})

    def release(self, session: str, at: int) -> bool:
        """False when it is not held."""
        return self.sql.changed("release_session", {"id": session, "at": at})

    def failed(self, session: str, error: str, at: int, since: int) -> None:
        """Another error than the last one, or one that was long ago, begins anew."""
        self.sql.run("session_failed", {"id": session, "error": error, "at": at, "since": since})

    def held(self, limit: int) -> Sequence[SessionRecord]:
        """Those that are held, the latest first."""
        return [_record(row) for row in self.sql.rows("held_sessions", {"limit": limit})]

    def end(self, session: str, at: int) -> bool:
        """False when it had ended or is not known."""
        return self.sql.changed("end_session", {"id": session, "at": at})

    def pause(self, session: str, at: int) -> None:
        """The first open question stops its clock."""
        self.sql.run("pause_session", {"id": session, "at": at})

    def go_on(self, session: str, at: int) -> None:
        """The last open question lets it go on; one too many changes nothing."""
        self.sql.run("go_on_session", {"id": session, "at": at})

    def listing(
        self, agent: str | None, task: str | None, before: str | None, limit: int
    ) -> Sequence[SessionRecord]:
        """Newest first: ids begin with their time."""
        values = {"agent": agent, "task": task, "before": before, "limit": limit}
        return [_record(row) for row in self.sql.rows("list_sessions", values)]


def _record(row: Sequence[Any]) -> SessionRecord:
    lineage = tuple(row[10].split("/")) if row[10] else ()
    return SessionRecord(*(*row[:10], lineage, *row[11:]))
