"""What an agent is told when its action did not run: what happened, and what it can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.words.errors import Denied, Held, InProgress, NotRun, Shadowed, ToolFailed
from handrail.words.lifecycle import State
from handrail.words.verdict import Decision

if TYPE_CHECKING:
    from handrail.words.action import Action
    from handrail.words.verdict import Verdict

DO = {
    State.DENIED: "Do not try the same call again; choose another way or hand the task to a person.",
    State.REJECTED: "Do not try the same call again; hand the task to a person.",
    State.EXPIRED: "You may ask once more later, or hand the task to a person.",
    State.CANCELLED: "You may propose it anew if it is still wanted.",
    State.SUPERSEDED: "A person changed it; look at the newer action.",
}


def sentences(reasons: tuple[str, ...]) -> str:
    """Reasons as sentences, each with an end."""
    return " ".join(reason if reason.endswith((".", "!", "?")) else f"{reason}." for reason in reasons)


def denied(action: str, tool: str, verdict: Verdict) -> Denied:
    """The gate refused."""
    why = sentences(verdict.reasons) or "It is not allowed."
    return Denied(f"{tool} was refused: {why} {DO[State.DENIED]}", action, verdict)


def held(action: str, tool: str, verdict: Verdict) -> Held:
    """A person is asked."""
    why = sentences(verdict.reasons)
    sentence = (
        f"{tool} waits for a person's answer (action {action}): {why} "
        "It has not run; go on with other work and check this action later, do not repeat the call."
    )
    return Held(sentence, action, verdict)


def shadowed(action: str, tool: str, verdict: Verdict) -> Shadowed:
    """The tool is on trial."""
    would = {Decision.ALLOW: "would have run", Decision.ASK: "would have asked a person"}
    sentence = (
        f"{tool} is on trial: the call was recorded and {would.get(verdict.decision, 'would not have run')}, "
        "but nothing was done. Go on as if it will be done by a person."
    )
    return Shadowed(sentence, action, verdict)


def ended(action: Action) -> NotRun:
    """What became of an action that an equal proposal met, or that can't be resumed."""
    if action.state is State.SHADOWED:
        return shadowed(action.id, action.tool, action.verdict)
    if action.state is State.HELD:
        return held(action.id, action.tool, action.verdict)
    if action.state is State.DENIED:
        return denied(action.id, action.tool, action.verdict)
    if action.state in (State.RUNNING, State.UNKNOWN, State.WAITING):
        return InProgress(_in_progress(action), action.id, action.verdict)
    if action.state is State.FAILED:
        sentence = f"{action.tool} failed when it ran ({action.error}); it is not run again by itself."
        return ToolFailed(sentence, action.id, action.verdict)
    words: dict[State, str] = {
        State.REJECTED: "was rejected by a person",
        State.EXPIRED: "was not answered in time",
        State.CANCELLED: "was cancelled",
    }
    if action.state is State.EXPIRED and action.approved:
        words[State.EXPIRED] = "was approved, but not run in time"
    reason = f": {action.error}" if action.error else ""
    what = words.get(action.state, f"is {action.state}")
    return Denied(
        f"{action.tool} {what}{reason}. {DO.get(action.state, '')}".strip(), action.id, action.verdict
    )


def _in_progress(action: Action) -> str:
    if action.state is State.UNKNOWN:
        return (
            f"{action.tool} was interrupted (action {action.id}) and nobody knows whether it took effect; "
            "do not repeat it, a person settles it."
        )
    return f"{action.tool} is running already (action {action.id}); do not repeat it."
