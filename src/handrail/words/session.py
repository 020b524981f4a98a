"""Sessions as the store keeps them: one run of an agent for one piece of business, and who opened it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One session. Times are milliseconds since the epoch, UTC.

    While questions are open its clock stands still: ``expires_at`` moves on by the time that people thought.
    """

    id: str
    agent: str
    task: str | None
    opened_at: int
    opened_by: str | None = None
    """The key that opened it; None for one that an embedded rail opened."""
    behalf: str | None = None
    """The person for whom the agent works in it: who may not answer the questions that it raises."""
    expires_at: int | None = None
    questions: int = 0
    """Open questions of this session."""
    paused_at: int | None = None
    """Since when its clock stands still."""
    ended_at: int | None = None
    lineage: tuple[str, ...] = ()
    """The sessions inside which it was opened, from the first one down; empty for one that stands alone."""
    held_at: int | None = None
    """Since when it is held: nothing of it is proposed, started or forwarded until a person releases it."""
    held_reason: str | None = None
    released_at: int | None = None
    """When a person released it last: what repeated before that no longer counts."""
    error: str | None = None
    """The error that came last, how often in a row, and since when: what the loop breaker looks at."""
    errors: int = 0
    errors_since: int | None = None

    @property
    def root(self) -> str:
        """The session whose budget this one spends: the first of its lineage, or itself."""
        return self.lineage[0] if self.lineage else self.id

    def over(self, at: int) -> bool:
        """Whether it has ended at this time, on a clock that stands still while people think."""
        if self.ended_at is not None:
            return True
        now = at if self.paused_at is None else self.paused_at
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, slots=True)
class HeldNews:
    """A session that was held, for people: whose, for which task, why, and by whom (or the loop breaker)."""

    session: str
    agent: str
    task: str | None
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a session has proposed lately: calls in all, and calls equal to one of them."""

    calls: int
    same: int
