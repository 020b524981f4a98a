"""What happened, as the journal's store has it: every fact and number that the demo prints is read here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from handrail.ports import Store, Transaction
from handrail.words.action import Action
from handrail.words.approval import Approval, ApprovalState
from handrail.words.entry import Kind
from handrail.words.errors import NotFound
from handrail.words.lifecycle import State
from handrail.words.query import ActionFilter
from handrail.words.verdict import Decision, Outcome, Step

PAGE = 200


class Fate(StrEnum):
    """What became of an action, in the words of people who do not program."""

    ALONE = "ran alone"
    AFTER_YES = "ran after a yes"
    ASKED = "asks a person"
    YES = "approved, not run yet"
    NO = "a person said no"
    REFUSED = "refused"
    TRIAL = "on trial, not run"
    FAILED = "failed"


_FATES = {
    State.HELD: Fate.ASKED,
    State.APPROVED: Fate.YES,
    State.REJECTED: Fate.NO,
    State.EXPIRED: Fate.NO,
    State.DENIED: Fate.REFUSED,
    State.SHADOWED: Fate.TRIAL,
}

_WOULD = {
    Decision.ALLOW: "It would have run alone.",
    Decision.ASK: "It would have asked.",
    Decision.DENY: "It would have been refused.",
    Decision.SHADOW: "",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One action: what was asked for, what became of it, and why."""

    action: str
    ticket: str
    agent: str
    tool: str
    rung: str
    args: Mapping[str, object]
    fate: Fate
    why: tuple[str, ...]
    rules: tuple[str, ...]
    amount: int | None
    """Money that it moves, or would have moved, in nano-units."""
    seq: int
    """The number of its first entry: the order in which things were asked for."""


def of_ticket(store: Store, ticket: str) -> list[Row]:
    """Every action for one ticket, oldest first."""
    return store.read(lambda tx: _rows(tx, ticket))


def everything(store: Store) -> list[Row]:
    """Every action in the store, oldest first."""
    return store.read(lambda tx: _rows(tx, None))


def one(store: Store, action: str) -> Row:
    """One action as it stands now.

    Raises:
        NotFound: there is no such action.
    """

    def work(tx: Transaction) -> Row:
        found = tx.actions.get(action)
        if found is None:
            raise NotFound(f"there is no action {action}")
        return _row(tx, found)

    return store.read(work)


def question(store: Store, action: str) -> Approval | None:
    """The open question about an action."""
    found = store.read(lambda tx: tx.approvals.of(action))
    return found if found is not None and found.state is ApprovalState.OPEN else None


def _listed(tx: Transaction, ticket: str | None) -> Iterator[Action]:
    before: str | None = None
    while page := tx.actions.listing(ActionFilter(task=ticket, before=before, limit=PAGE)):
        yield from page
        before = page[-1].id


def _rows(tx: Transaction, ticket: str | None) -> list[Row]:
    return sorted((_row(tx, action) for action in _listed(tx, ticket)), key=lambda row: row.seq)


def _row(tx: Transaction, action: Action) -> Row:
    decisive = _decisive(action)
    seq, args = _proposed(tx, action.id)
    return Row(
        action=action.id,
        ticket=action.task or "",
        agent=action.agent,
        tool=action.tool,
        rung=action.rung.word,
        args=args,
        fate=_fate(action),
        why=_why(action, decisive),
        rules=tuple(dict.fromkeys(step.rule or str(step.measure) for step in decisive)),
        amount=action.amount,
        seq=seq,
    )


def _fate(action: Action) -> Fate:
    if action.state is State.DONE:
        return Fate.AFTER_YES if action.approved else Fate.ALONE
    return _FATES.get(action.state, Fate.FAILED)


def _decisive(action: Action) -> list[Step]:
    """The steps that kept the action from running alone; none for one that ran alone."""
    denied = [step for step in action.verdict.steps if step.outcome is Outcome.DENY]
    return denied or [step for step in action.verdict.steps if step.outcome is Outcome.ASK]


def _why(action: Action, decisive: list[Step]) -> tuple[str, ...]:
    said = tuple(dict.fromkeys(step.reason for step in decisive))
    return (_WOULD[action.verdict.decision], *said) if action.state is State.SHADOWED else said


def _proposed(tx: Transaction, action: str) -> tuple[int, Mapping[str, object]]:
    """The number of the entry that tells of the proposal, and the arguments as it has them: redacted."""
    for stored in tx.journal.of(action):
        if stored.entry.kind is Kind.PROPOSED:
            found = json.loads(stored.entry.body).get("input", {})
            return stored.seq, found if isinstance(found, dict) else {}
    return 0, {}
