"""The server's word about an action that does not run here, as the error that an embedded rail raises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.engine.outcomes import ended
from handrail.words.errors import Denied, Held, InProgress, NotRun, Shadowed, ToolFailed
from handrail.words.lifecycle import State

if TYPE_CHECKING:
    from handrail.remote.wire import Answer

KINDS: dict[State, type[NotRun]] = {
    State.HELD: Held,
    State.SHADOWED: Shadowed,
    State.RUNNING: InProgress,
    State.WAITING: InProgress,
    State.UNKNOWN: InProgress,
    State.FAILED: ToolFailed,
}


def error_of(answer: Answer) -> NotRun:
    """What to raise: the server's sentence for the agent, or where it has none our own."""
    action = answer.action
    if answer.told is None:
        return ended(action)
    return KINDS.get(action.state, Denied)(answer.told, action.id, action.verdict)
