"""Entries: one event each of the append-only journal, with redacted values and salted digests."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Every event that the journal tells of."""

    POLICY_ACTIVATED = "policy_activated"
    SESSION_OPENED = "session_opened"
    PROPOSED = "proposed"
    DECIDED = "decided"
    REDECIDED = "redecided"
    ASKED = "asked"
    VOTED = "voted"
    ESCALATED = "escalated"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    EDITED = "edited"
    ANSWERED = "answered"
    RESUMED = "resumed"
    STANDING_MADE = "standing_made"
    STANDING_USED = "standing_used"
    STANDING_REVOKED = "standing_revoked"
    INTENDED = "intended"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SETTLED = "settled"
    HALTED = "halted"
    LIFTED = "lifted"
    BUDGET_ALERT = "budget_alert"
    BUDGET_OVERRUN = "budget_overrun"
    BUDGET_RAISED = "budget_raised"
    BUDGET_RAISE_ENDED = "budget_raise_ended"
    BUDGET_FROZEN = "budget_frozen"
    BUDGET_THAWED = "budget_thawed"
    PROMOTED = "promoted"
    DEMOTED = "demoted"
    SESSION_ENDED = "session_ended"
    SESSION_HELD = "session_held"
    SESSION_RELEASED = "session_released"
    TOOL_REGISTERED = "tool_registered"
    TOOL_ACCEPTED = "tool_accepted"
    PERSON_INVITED = "person_invited"
    PERSON_CHANGED = "person_changed"
    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    KEY_MADE = "key_made"
    KEY_REVOKED = "key_revoked"
    MODEL_ASKED = "model_asked"
    MODEL_DONE = "model_done"
    MODEL_FAILED = "model_failed"
    MODEL_PRESUMED = "model_presumed"
    MODEL_REFUSED = "model_refused"
    ERASED = "erased"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class Entry:
    """One event. ``at`` is in milliseconds since the epoch, UTC; ``body`` is canonical JSON, redacted."""

    kind: Kind
    at: int
    body: bytes
    action: str | None = None
    agent: str | None = None
    tool: str | None = None
    session: str | None = None
    task: str | None = None


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry with the number that the store gave it, and its place in the sealed log once it has one."""

    seq: int
    entry: Entry
    leaf: int | None = None
