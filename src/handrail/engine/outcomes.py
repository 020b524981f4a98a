"""What an agent is told when its action did not run: what happened, and what it can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.words.errors import Denied, Held, InProgress, NotRun, Shadowed, ToolFailed
from handrail.words.lifecycle import State
from handrail.words.verdict import Decision

if TYPE_CHECKING:
    from handrail.policy.model import Policy
    from handrail.words.action import Action
    from handrail.words.verdict import Verdict

DO = {
    State.DENIED: "Do not try the same call again; choose another way or hand the task to a person.",
    State.REJECTED: "Do not try the same call again; hand the task to a person.",
    State.EXPIRED: "You may ask once more later, or hand the task to a person.",
    State.CANCELLED: "You may propose it anew if it is still wanted.",
    State.SUPERSEDED: "A person changed it; look at the newer action.",
}
WAITS = "It stays approved: try again once that is lifted, and go on with other work meanwhile."
"""What to do about an approved action that a halt covers."""
ANSWERED = "a person answered: "
"""How the error of an action begins that a person answered with a text for the agent."""
DO_ANSWERED = "Go on as the answer says; propose a new call only if it asks for one."


def sentences(reasons: tuple[str, ...]) -> str:
    """Reasons as sentences, each with an end."""
    return " ".join(reason if reason.endswith((".", "!", "?")) else f"{reason}." for reason in reasons)


def denied(action: str, tool: str, verdict: Verdict, do: str = DO[State.DENIED]) -> Denied:
    """The gate refused."""
    why = sentences(verdict.reasons) or "It is not allowed."
    return Denied(f"{tool} was refused: {why} {do}", action, verdict)


def held(action: str, tool: str, verdict: Verdict, *, changed: bool = False) -> Held:
    """A person is asked; perhaps about what another person made of it."""
    why = sentences(verdict.reasons)
    what = f"{tool}, as a person changed it," if changed else tool
    sentence = (
        f"{what} waits for a person's answer (action {action}): {why} "
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


def ended(action: Action, policy: Policy | None = None) -> NotRun:
    """What became of an action that an equal proposal met, or that can't be resumed.

    The policy may have words of its own for what the agent is to do then.
    """
    if action.state is State.SHADOWED:
        return shadowed(action.id, action.tool, action.verdict)
    if action.state is State.HELD:
        return held(action.id, action.tool, action.verdict, changed=action.supersedes is not None)
    if action.state is State.DENIED:
        return denied(action.id, action.tool, action.verdict, _do(action, policy))
    if action.state in (State.RUNNING, State.UNKNOWN, State.WAITING):
        return InProgress(_in_progress(action), action.id, action.verdict)
    if action.state is State.FAILED:
        sentence = f"{action.tool} failed when it ran ({action.error}); it is not run again by itself."
        return ToolFailed(sentence, action.id, action.verdict)
    sentence = f"{action.tool} {_what(action)}. {_do(action, policy)}".strip()
    return Denied(sentence, action.id, action.verdict)


def _what(action: Action) -> str:
    if is_answered(action):
        return f"was not run: {action.error}"
    words: dict[State, str] = {
        State.REJECTED: "was rejected by a person",
        State.EXPIRED: "was not answered in time",
        State.CANCELLED: "was cancelled",
    }
    if action.state is State.EXPIRED and (action.approved or action.supersedes):
        words[State.EXPIRED] = "was approved, but not run in time"
    changed = "as a person changed it, " if action.supersedes else ""
    reason = f": {action.error}" if action.error else ""
    return changed + words.get(action.state, f"is {action.state}") + reason


def is_answered(action: Action) -> bool:
    """Whether a person told the agent something instead of letting it run."""
    return action.state is State.CANCELLED and (action.error or "").startswith(ANSWERED)


def _do(action: Action, policy: Policy | None) -> str:
    agent = policy.agents.get(action.agent) if policy else None
    word = "answered" if is_answered(action) else str(action.state)
    usual = DO_ANSWERED if is_answered(action) else DO.get(action.state, "")
    return agent.told_when.get(word, usual) if agent else usual


def stopped(action: Action) -> ToolFailed:
    """A halt cancelled it while it ran."""
    sentence = (
        f"{action.tool} was stopped by a halt while it ran (action {action.id}), and nobody knows how far it "
        "came. Do not repeat it; hand the task to a person."
    )
    return ToolFailed(sentence, action.id, action.verdict)


def _in_progress(action: Action) -> str:
    if action.state is State.UNKNOWN:
        return (
            f"{action.tool} was interrupted (action {action.id}) and nobody knows whether it took effect; "
            "do not repeat it, a person settles it."
        )
    return f"{action.tool} is running already (action {action.id}); do not repeat it."
