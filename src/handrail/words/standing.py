"""Standing approvals: a person's answer to the next few questions of one kind, within limits, until then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handrail.words.verdict import Ask


@dataclass(frozen=True, slots=True)
class Standing:
    """It answers exactly these asks of one agent's tool, while ``when`` holds, some is left, and in time.

    Times are milliseconds since the epoch, UTC; money nano-units. It is never wider than its author may
    approve: an author who left a group, or a rule that changed, ends it.
    """

    id: str
    agent: str
    tool: str
    asks: frozenset[Ask]
    when: str | None
    """A condition in the policy's expressions; what the agent says of itself is refused in it."""
    left: int
    """How many more actions it lets run; counted down in the claim."""
    amount_left: int | None
    """How much more money they may move in all, in nano-units; None when the tool moves none."""
    expires_at: int
    person: str
    verified: bool
    reason: str
    made_at: int
    revoked_at: int | None = None
    revoked_by: str | None = None
