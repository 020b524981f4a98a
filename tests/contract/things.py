"""Actions, questions and entries for the store's tests: plausible, short, and different each time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import count as numbers
from typing import Any, TypeVar

from handrail.ports import Commit, Store, Transaction
from handrail.words.action import Action, Proposal
from handrail.words.approval import Approval, ApprovalState, Choice, Seat, Vote
from handrail.words.entry import Entry, Kind
from handrail.words.level import Rung
from handrail.words.lifecycle import State
from handrail.words.payload import Payload
from handrail.words.query import ActionFilter
from handrail.words.seal import Head, Leaf
from handrail.words.verdict import Ask, Charge, Decision, Measure, Outcome, Step, Verdict

T = TypeVar("T")
AT = 1_700_000_000_000
SOON = 4_000_000_000_000
ASK = Ask("ask:big-refund", "d" * 64, "support-leads")
STEPS = (
    Step(Measure.HALT, Outcome.PASS),
    Step(Measure.ASK, Outcome.ASK, "big-refund", "More than 100.", "support-leads", "d" * 64),
)
VERDICT = Verdict(
    Decision.ASK,
    Decision.ASK,
    Rung.BOUNDED,
    STEPS,
    "p" * 64,
    40_000_000_000,
    (Charge("mails", "agent=support", AT, 1, 20),),
)
PAYLOAD = Payload('{"amount":40.0}', '{"tier":"small"}', "5" * 32)
_numbers = numbers(1)


def write(store: Store, work: Callable[[Transaction], T]) -> T:
    """Any write."""
    return store.write(Commit.PROPOSE, work)


def restrict(store: Store, work: Callable[[Transaction], T]) -> T:
    """Any restriction."""
    return store.restrict(Commit.HALT, work)


def new_id() -> str:
    """Ids that sort by when they were made, as the engine's do."""
    return f"{next(_numbers):028x}"


def action(**changes: Any) -> Action:
    """A held action of support's."""
    plain = Action(
        id=new_id(),
        agent="support",
        tool="issue_refund",
        session="session-1",
        task="ticket-812",
        state=State.HELD,
        digest="e" * 64,
        binding="f" * 64,
        policy=VERDICT.policy,
        rung=VERDICT.rung,
        verdict=VERDICT,
        proposed_at=AT,
        updated_at=AT,
        confidence=Decimal("0.9"),
        rationale="photo shows damage",
        amount=40_000_000_000,
    )
    return replace(plain, **changes)


def running(**changes: Any) -> Action:
    """An action that is claimed as it is proposed."""
    claimed = {"attempt": 1, "token": "token", "owner": "host:1", "lease_until": SOON, "started_at": AT}
    return action(state=State.RUNNING, **{**claimed, **changes})


def proposal_of(known: Action, **changes: Any) -> Proposal:
    """The same call once more."""
    again = Proposal(
        id=new_id(),
        agent=known.agent,
        tool=known.tool,
        session=known.session,
        task=known.task,
        payload=b"{}",
        args={},
        digest=known.digest,
        binding=known.binding,
        key=known.key,
    )
    return replace(again, **changes)


def add(store: Store, new: Action, payload: Payload = PAYLOAD) -> Action:
    """Store it."""
    assert write(store, lambda tx: tx.actions.add(new, payload))
    return new


def count(store: Store) -> int:
    """How many actions there are."""
    return len(store.read(lambda tx: tx.actions.listing(ActionFilter(limit=999))))


def fill(store: Store) -> None:
    """Write until it fails: an action and its entry in each transaction."""
    for _ in range(2000):
        add(store, action(rationale="x" * 10_000))


def state_of(store: Store, known: Action) -> State:
    """Where it stands now."""
    found = store.read(lambda tx: tx.actions.get(known.id))
    assert found is not None
    return found.state


def entry(kind: Kind = Kind.DECIDED, body: bytes = b"{}", **changes: Any) -> Entry:
    """An entry."""
    return replace(Entry(kind, AT, body), **changes)


def approval_for(known: Action, **changes: Any) -> Approval:
    """A question with two seats."""
    seats = (
        Seat("heads", "heads", 1, SOON, "reject"),
        Seat("support-leads", "support-leads", 2, AT + 1000, "heads"),
    )
    plain = Approval(new_id(), known.id, known.digest, frozenset({ASK}), seats, ApprovalState.OPEN, AT)
    return replace(plain, **changes)


def vote_on(approval: Approval, person: str = "lead@example.com", **changes: Any) -> Vote:
    """An answer."""
    return replace(Vote(approval.id, person, Choice.APPROVE, "looks right", verified=True, at=AT), **changes)


def seal_all(tx: Transaction) -> int:
    """Seal what can be sealed, with hashes that only a test would use."""
    head = tx.journal.last_head()
    found = tx.journal.unsealed(head, 1000)
    if not found:
        return 0
    size = head.size if head else 0
    leaves = [
        Leaf(size + place, stored.seq, bytes([place % 256]) * 32) for place, (stored, _) in enumerate(found)
    ]
    last, xid = found[-1]
    tx.journal.seal(Head(size + len(leaves), b"r" * 32, b"f" * 40, xid, last.seq, AT), leaves)
    return len(leaves)
