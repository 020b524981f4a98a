"""The story of an action: from what an agent asked for to what became of it, as the journal tells it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import msgspec

from handrail.engine.door import thaw
from handrail.engine.questions.sentences import outcome_of, undo_of, what
from handrail.journal.told import summary
from handrail.words.errors import NotFound
from handrail.words.money import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from handrail.engine.core import Engine
    from handrail.ports import Transaction
    from handrail.words.action import Action
    from handrail.words.approval import Approval
    from handrail.words.entry import Kind, StoredEntry
    from handrail.words.payload import Payload
    from handrail.words.session import SessionRecord

_decode = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode


@dataclass(frozen=True, slots=True)
class Told:
    """One entry of the story; ``body`` is redacted, as the journal is."""

    seq: int
    at: int
    kind: Kind
    summary: str
    body: Mapping[str, Any]

    @property
    def steps(self) -> Sequence[tuple[str, str, str, str, str]]:
        """What the gate found, step by step: measure, outcome, rule, reason, audience."""
        steps: Sequence[tuple[str, str, str, str, str]] = self.body.get("steps", ())
        return steps


@dataclass(frozen=True, slots=True)
class Story:
    """An action with everything that is known of it, oldest first."""

    action: Action
    what: str
    outcome: str | None
    undo: str
    amount: str | None
    cost: str | None
    session: SessionRecord | None
    questions: tuple[Approval, ...]
    told: tuple[Told, ...]
    payload: Payload | None
    """What ran, exactly; None for people who may only look on, and once it was erased."""

    @property
    def took(self) -> int | None:
        """Milliseconds from its start to its end."""
        began, ended = self.action.started_at, self.action.finished_at
        return None if began is None or ended is None else max(0, ended - began)


def story(engine: Engine, tx: Transaction, action_id: str, *, exact: bool) -> Story:
    """The story of an action; ``exact`` for people who may answer questions: they see what really ran.

    Raises:
        NotFound: there is no such action.
    """
    action = tx.actions.get(action_id)
    if action is None:
        raise NotFound(f"there is no action {action_id}")
    policy, payload = engine.policy.policy, tx.actions.payload(action_id)
    args = thaw(payload.args.encode()) if payload and payload.args is not None else {}
    redacted = cast("Mapping[str, object]", engine.recorder.shown("args", args))
    return Story(
        action=action,
        what=what(policy, action, redacted),
        outcome=outcome_of(action),
        undo=undo_of(policy, action.tool),
        amount=None if action.amount is None else shown(action.amount, policy.currency),
        cost=None if action.cost is None else shown(action.cost, policy.currency),
        session=tx.sessions.get(action.session),
        questions=tuple(tx.approvals.about(action_id)),
        told=tuple(told(each) for each in tx.journal.of(action_id)),
        payload=payload if exact else None,
    )


def told(stored: StoredEntry) -> Told:
    """An entry as the story and the log tell it."""
    entry = stored.entry
    return Told(stored.seq, entry.at, entry.kind, summary(entry), _decode(entry.body))
