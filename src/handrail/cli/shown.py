"""Actions as a person, and as a program, gets to see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.journal.export import rfc3339
from handrail.words.money import from_nano

if TYPE_CHECKING:
    from handrail.words.action import Action


def why(action: Action) -> str:
    """Why it did not run alone; what went wrong, for one that ran."""
    return action.error or "; ".join(dict.fromkeys(action.verdict.reasons))


def when(at: int | None) -> str | None:
    """RFC 3339, for JSON."""
    return None if at is None else rfc3339(at)


def action_json(action: Action) -> dict[str, object]:
    """An action for programs: what the store knows, without its payload and its token."""
    verdict = action.verdict
    return {
        "id": action.id,
        "agent": action.agent,
        "tool": action.tool,
        "session": action.session,
        "task": action.task,
        "state": action.state,
        "decision": verdict.decision,
        "enforced": verdict.enforced,
        "reasons": verdict.reasons,
        "rung": action.rung.word,
        "confidence": action.confidence,
        "rationale": action.rationale,
        "amount": None if action.amount is None else from_nano(action.amount),
        "key": action.key,
        "by_hand": action.person,
        "attempt": action.attempt,
        "owner": action.owner,
        "error": action.error,
        "policy": action.policy,
        "digest": action.digest,
        "proposed_at": when(action.proposed_at),
        "started_at": when(action.started_at),
        "finished_at": when(action.finished_at),
        "expires_at": when(action.expires_at),
        "supersedes": action.supersedes,
        "superseded_by": action.superseded_by,
        "edited_by": action.edited_by,
        "standing": action.standing,
    }
