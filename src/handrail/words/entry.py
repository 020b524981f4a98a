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
    INTENDED = "intended"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SETTLED = "settled"
    HALTED = "halted"
    LIFTED = "lifted"
    PROMOTED = "promoted"
    DEMOTED = "demoted"


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
