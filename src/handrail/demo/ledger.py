"""What happened, as the journal's store has it: every fact and number that the demo prints is read here."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from handrail.ports import Store, Transaction
from handrail.words.action import Action
from handrail.words.approval import Approval, ApprovalState, Choice
from handrail.words.entry import Kind
from handrail.words.errors import NotFound
from handrail.words.lifecycle import State
from handrail.words.model_call import CallFilter, ModelCall
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
    CHANGED = "changed by a person"
    REFUSED = "refused"
    TRIAL = "on trial, not run"
    FAILED = "failed"


_FATES = {
    State.HELD: Fate.ASKED,
    State.APPROVED: Fate.YES,
    State.REJECTED: Fate.NO,
    State.EXPIRED: Fate.NO,
    State.CANCELLED: Fate.NO,
    State.SUPERSEDED: Fate.CHANGED,
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


@dataclass(frozen=True, slots=True)
class Said:
    """What a person answered, and why."""

    person: str
    choice: Choice
    why: str


def said(store: Store, action: str) -> Said | None:
    """The last answer to the questions about an action; None when nobody gave one."""

    def work(tx: Transaction) -> Said | None:
        votes = [vote for each in tx.approvals.about(action) for vote in tx.approvals.votes(each.id)]
        last = max(votes, key=lambda vote: vote.at, default=None)
        return None if last is None else Said(last.person, last.choice, last.reason or "")

    return store.read(work)


def waiting(store: Store, most: int) -> Sequence[Approval]:
    """The questions that wait for people, oldest first, at most so many."""
    return store.read(lambda tx: tx.approvals.listing(ApprovalState.OPEN.value, most))


@dataclass(frozen=True, slots=True)
class Asked:
    """How many calls of models there were, and what they cost by upstream, in nano-units."""

    calls: int
    costs: Mapping[str, int]


def asked(store: Store) -> Asked:
    """Every call of a model in the store."""
    found = store.read(lambda tx: list(_calls(tx)))
    costs = Counter[str]()
    for each in found:
        costs[each.upstream] += each.cost or 0
    return Asked(len(found), costs)


def _calls(tx: Transaction) -> Iterator[ModelCall]:
    before: str | None = None
    while page := tx.model_calls.listing(CallFilter(before=before, limit=PAGE)):
        yield from page
        before = page[-1].id


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
