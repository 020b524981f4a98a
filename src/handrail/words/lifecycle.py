"""The life cycle of an action as one table: the stores make their guards from it, the engine drives it."""

from __future__ import annotations

from enum import StrEnum

from handrail.words.errors import IllegalMove


class State(StrEnum):
    """Where an action stands between its proposal and its end."""

    PROPOSED = "proposed"
    DENIED = "denied"
    SHADOWED = "shadowed"
    HELD = "held"
    ALLOWED = "allowed"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    UNDOING = "undoing"
    UNDONE = "undone"
    PARTLY_UNDONE = "partly_undone"
    UNDO_FAILED = "undo_failed"
    REDOING = "redoing"


S = State
MOVES: dict[State, frozenset[State]] = {
    S.PROPOSED: frozenset({S.DENIED, S.SHADOWED, S.HELD, S.ALLOWED}),
    S.HELD: frozenset({S.APPROVED, S.REJECTED, S.EXPIRED, S.CANCELLED, S.SUPERSEDED}),
    S.ALLOWED: frozenset({S.RUNNING, S.WAITING, S.HELD, S.DENIED, S.EXPIRED, S.CANCELLED}),
    S.APPROVED: frozenset({S.RUNNING, S.WAITING, S.HELD, S.DENIED, S.EXPIRED, S.CANCELLED}),
    S.WAITING: frozenset({S.RUNNING, S.CANCELLED}),
    S.RUNNING: frozenset({S.DONE, S.FAILED, S.UNKNOWN}),
    S.UNKNOWN: frozenset({S.DONE, S.FAILED, S.UNDOING}),
    S.DONE: frozenset({S.UNDOING}),
    S.FAILED: frozenset({S.UNDOING}),
    S.UNDOING: frozenset({S.UNDONE, S.PARTLY_UNDONE, S.UNDO_FAILED}),
    S.UNDONE: frozenset({S.REDOING}),
    S.REDOING: frozenset({S.DONE}),
    S.DENIED: frozenset(),
    S.SHADOWED: frozenset(),
    S.REJECTED: frozenset(),
    S.EXPIRED: frozenset(),
    S.CANCELLED: frozenset(),
    S.SUPERSEDED: frozenset(),
    S.PARTLY_UNDONE: frozenset(),
    S.UNDO_FAILED: frozenset(),
}
"""Every state with the states that may follow it; anything else is refused."""

OPEN = frozenset({S.HELD, S.ALLOWED, S.APPROVED, S.WAITING})
"""States in which an equal proposal joins this action instead of making a new one."""

RAN = frozenset({S.RUNNING, S.DONE, S.FAILED, S.UNKNOWN, S.UNDOING, S.UNDONE, S.PARTLY_UNDONE, S.UNDO_FAILED})
"""States after a claim: the tool was, or may have been, called."""

ENDED = frozenset(state for state, after in MOVES.items() if not after) | {S.DONE, S.FAILED, S.UNDONE}
"""States in which nobody waits for anything more."""


def sources(target: State) -> tuple[State, ...]:
    """The states from which ``target`` may be reached, for the guard of a compare-and-set."""
    return tuple(state for state, after in MOVES.items() if target in after)


def move(current: State, target: State) -> State:
    """The state after the move.

    Raises:
        IllegalMove: the table does not allow it.
    """
    if target not in MOVES[current]:
        allowed = ", ".join(sorted(MOVES[current])) or "nothing: it has ended"
        raise IllegalMove(f"an action that is {current} can't become {target}; it can become {allowed}")
    return target
