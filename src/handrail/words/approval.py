"""Approvals and votes: a held action's question to people, and one person's answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handrail.words.verdict import Ask


class ApprovalState(StrEnum):
    """Where a question stands."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    """A person edited the action: another question, or none, took its place."""
    ANSWERED = "answered"
    """A person told the agent something instead; the action does not run."""
    RESUMED = "resumed"
    """Nobody needed to answer: there was room in the budget again, and the action went on."""


class Choice(StrEnum):
    """What a person answers."""

    APPROVE = "approve"
    REJECT = "reject"
    EDIT = "edit"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Seat:
    """One audience of a question: which group must answer, how many of it, and until when.

    ``group`` is who is asked now; it differs from ``audience`` once the question was escalated.
    Times are milliseconds since the epoch, UTC.
    """

    audience: str
    group: str
    need: int
    expires_at: int | None
    if_no_answer: str


@dataclass(frozen=True, slots=True)
class Approval:
    """A question about exactly one action: one digest and one set of asks."""

    id: str
    action: str
    digest: str
    asks: frozenset[Ask]
    seats: tuple[Seat, ...]
    state: ApprovalState
    opened_at: int
    closed_at: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's answer to one question. ``verified`` says whether the person proved who they are."""

    approval: str
    person: str
    choice: Choice
    reason: str | None
    verified: bool
    at: int
