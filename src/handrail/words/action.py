"""Actions: one proposed call of one tool, with its arguments frozen at the door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from handrail.words.level import Rung
    from handrail.words.lifecycle import State
    from handrail.words.verdict import Ask, Verdict


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an agent asks for. ``payload`` is the canonical bytes that execute, ``args`` decoded from them.

    ``refusal`` is set instead of a payload when the arguments could not be frozen; the gate denies it.
    """

    id: str
    agent: str
    tool: str
    session: str
    task: str | None
    payload: bytes
    args: Mapping[str, object]
    digest: str
    binding: str
    confidence: Decimal | None = None
    rationale: str | None = None
    key: str | None = None
    refusal: str | None = None
    via: str | None = None
    """The key with which it came over the network: once that has ended, no claim starts anything for it."""
    lineage: tuple[str, ...] = ()
    """The sessions inside which its own was opened, from the first one down."""


@dataclass(frozen=True, slots=True)
class Action:
    """An action as the store keeps it. Times are milliseconds since the epoch, UTC; money nano-units."""

    id: str
    agent: str
    tool: str
    session: str
    task: str | None
    state: State
    digest: str
    binding: str
    policy: str
    rung: Rung
    verdict: Verdict
    proposed_at: int
    updated_at: int
    confidence: Decimal | None = None
    rationale: str | None = None
    key: str | None = None
    shadow: bool = False
    person: str | None = None
    """Who ran it by hand; None for an agent's action."""
    approved: frozenset[Ask] = frozenset()
    attempt: int = 0
    token: str | None = None
    owner: str | None = None
    lease_until: int | None = None
    started_at: int | None = None
    finished_at: int | None = None
    expires_at: int | None = None
    """Until when an approved action may be started."""
    error: str | None = None
    amount: int | None = None
    cost: int | None = None
    superseded_by: str | None = None
    supersedes: str | None = None
    """The action that a person edited into this one."""
    edited_by: str | None = None
    standing: str | None = None
    """The standing approval that let it run without a question of its own."""


@dataclass(frozen=True, slots=True)
class LostNews:
    """Actions whose process fell silent, for people: what the first were to do, and how many they are."""

    what: tuple[str, ...]
    count: int
