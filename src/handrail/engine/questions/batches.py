"""Batches: one answer to several questions, each by itself: what one can't take, the others don't feel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.engine.questions.votes import vote
from handrail.words.errors import HandrailError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.engine.core import Engine
    from handrail.words.approval import Approval, Choice

Answered = tuple[str, "Approval | HandrailError"]
"""A question's id, with how it stands then or why it could not be answered."""


def vote_many(
    engine: Engine,
    items: Sequence[tuple[str, str | None]],
    person: str,
    choice: Choice,
    reason: str | None = None,
    *,
    verified: bool,
) -> list[Answered]:
    """Vote on each question in a transaction of its own; ``items`` are ids, each with the digest seen."""
    return [
        (approval, _one(engine, approval, seen, person, choice, reason, verified=verified))
        for approval, seen in dict(items).items()
    ]


def _one(
    engine: Engine,
    approval: str,
    seen: str | None,
    person: str,
    choice: Choice,
    reason: str | None,
    *,
    verified: bool,
) -> Approval | HandrailError:
    try:
        return vote(engine, approval, person, choice, reason, verified=verified, seen=seen)
    except HandrailError as error:
        return error
