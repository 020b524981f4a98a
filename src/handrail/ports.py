"""The edges of Handrail as Protocols: what the engine needs of a store, a clock and a source of facts.

Everything a store does happens inside ``Store.write`` or ``Store.read``: the engine hands over a piece of
work, the store runs it in one transaction. Work must not do anything but talk to the transaction it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from handrail.words.action import Action, Proposal
    from handrail.words.approval import Approval, Seat, Vote
    from handrail.words.entry import Entry, StoredEntry
    from handrail.words.fact import Failed
    from handrail.words.lifecycle import State
    from handrail.words.payload import Payload
    from handrail.words.query import ActionFilter, EntryFilter
    from handrail.words.restriction import Activation, Restrictions
    from handrail.words.seal import Head, Leaf
    from handrail.words.verdict import Ask, Charge, Verdict

T = TypeVar("T")


class Commit(StrEnum):
    """Every commit that the engine makes, by name: each is a point at which a process may be killed."""

    START = "start"
    ACTIVATE = "activate"
    PROPOSE = "propose"
    RECHECK = "recheck"
    SETTLE = "settle"
    BEAT = "beat"
    REAP = "reap"
    EXPIRE = "expire"
    VOTE = "vote"
    HALT = "halt"
    LIFT = "lift"
    GRANT = "grant"
    RESOLVE = "resolve"
    SEAL = "seal"


class Clock(Protocol):
    """The time now, in milliseconds since the epoch, UTC."""

    def __call__(self) -> int:
        """Read the clock."""


class FactSource(Protocol):
    """Where one fact comes from. May block; a failure is a ``Failed``, never an exception."""

    def __call__(self, given: Mapping[str, object]) -> object | Failed:
        """The fact's value for the given parameters."""


class Actions(Protocol):
    """Actions and their payloads."""

    def add(self, action: Action, payload: Payload) -> bool:
        """Store a new action in the state it carries, with what executes; False when its key is taken."""

    def get(self, action: str) -> Action | None:
        """The action with this id."""

    def payload(self, action: str) -> Payload | None:
        """What executes, the facts used and the output; None when there is none or it was erased."""

    def twin(self, proposal: Proposal, *, shadow: bool) -> str | None:
        """The id of the action that this proposal repeats: by its key, or an equal one that is still open."""

    def claim(self, action: Action, verdict: Verdict, at: int) -> int | None:
        """An allowed or approved action to running, if still so; the attempt's number, or None if not."""

    def finish(self, action: str, token: str, state: State, at: int, error: str | None) -> int | None:
        """The holder of ``token`` settles a running or unknown action; the attempt's number, or None."""

    def move(self, action: str, expected: State, target: State, at: int, error: str | None = None) -> bool:
        """Compare-and-set the state. Raises ``IllegalMove`` for a move that the life cycle does not have."""

    def approve(self, action: str, asks: frozenset[Ask], at: int, expires_at: int | None) -> bool:
        """A held action was approved: exactly these asks, until then."""

    def judge_again(self, action: str, verdict: Verdict, target: State, at: int) -> bool:
        """A recheck ended in ``held`` or ``denied``."""

    def set_output(self, action: str, output: str | None) -> None:
        """Keep what the tool returned, as JSON text."""

    def beat(self, action: str, token: str, lease_until: int) -> bool:
        """Extend the lease of a running action; False when it is no longer ours."""

    def lapse(self, at: int, limit: int) -> Sequence[str]:
        """Mark running actions whose lease has ended as unknown; their ids."""

    def expire_approved(self, at: int, limit: int) -> Sequence[str]:
        """Mark approved actions that nobody ran in time as expired; their ids."""

    def anything_due(self, at: int) -> bool:
        """Whether a lease, an approved action's time or a question's time is over."""

    def listing(self, wanted: ActionFilter) -> Sequence[Action]:
        """Newest first."""

    def running(self) -> Sequence[Action]:
        """Every action that is running now."""

    def find(self, suffix: str) -> Sequence[str]:
        """Ids that end with ``suffix``; two at most, enough to see that it is not unique."""

    def open_session(self, session: str, agent: str, task: str | None, at: int) -> bool:
        """Remember a session; False when it was known."""


class Approvals(Protocol):
    """Questions to people, and their answers."""

    def add(self, approval: Approval) -> None:
        """Open a question."""

    def get(self, approval: str) -> Approval | None:
        """The question with this id."""

    def lock(self, approval: str) -> Approval | None:
        """The question, locked until the end of the transaction."""

    def of(self, action: str) -> Approval | None:
        """The newest question about an action."""

    def listing(self, state: str | None, limit: int) -> Sequence[Approval]:
        """Oldest first."""

    def find(self, suffix: str) -> Sequence[str]:
        """Ids of open questions whose own or whose action's id ends with ``suffix``; two at most."""

    def votes(self, approval: str) -> Sequence[Vote]:
        """Every answer so far."""

    def vote(self, vote: Vote) -> bool:
        """Write one answer; False when this person has answered already."""

    def close(self, approval: str, state: str, at: int, reason: str | None) -> bool:
        """End an open question; False when somebody was faster."""

    def due(self, at: int, limit: int) -> Sequence[str]:
        """Open questions of which a seat's time is over."""

    def escalate(self, approval: str, seat: Seat) -> None:
        """Give a seat to the next group."""


class Budgets(Protocol):
    """Windows and holds. Quantities are in the budget's unit (nano-units for money)."""

    def used(self, budget: str, scope: str, window: int) -> int:
        """How much of a window is set aside or spent."""

    def reserve(self, action: str, attempt: int, charges: Sequence[Charge]) -> None:
        """Set aside every charge.

        Raises:
            Overspent: one has no room; the transaction must be rolled back, which leaving it by raising does.
        """

    def settle(self, action: str, attempt: int) -> None:
        """What was set aside is spent."""

    def release(self, action: str, attempt: int) -> None:
        """What was set aside is provably unspent: give it back."""


class Journal(Protocol):
    """The append-only journal and its seal."""

    def append(self, entries: Sequence[Entry]) -> None:
        """Write entries, in the transaction of what they tell."""

    def of(self, action: str) -> Sequence[StoredEntry]:
        """Every entry of one action, in order."""

    def newest(self, wanted: EntryFilter) -> Sequence[StoredEntry]:
        """Newest first."""

    def after(self, seq: int, limit: int) -> Sequence[StoredEntry]:
        """Entries with a greater number, in order."""

    def lock_sealer(self) -> bool:
        """Become the only sealer until the end of the transaction; False when there is one."""

    def last_head(self) -> Head | None:
        """The newest seal."""

    def unsealed(self, head: Head | None, limit: int) -> Sequence[tuple[StoredEntry, int]]:
        """Entries that may be sealed next, in sealing order, each with its transaction's number."""

    def seal(self, head: Head, leaves: Sequence[Leaf]) -> None:
        """Write leaves and their head. Raises ``Conflict`` when another sealer was faster."""


class RestrictionsPart(Protocol):
    """Halts, grants and the active policy."""

    def generation(self) -> int:
        """The number that grows with every restriction; one cheap read."""

    def read(self) -> Restrictions:
        """Everything that restricts now."""

    def halt(self, halt: str, agent: str | None, tool: str | None, reason: str, person: str, at: int) -> None:
        """Throw the kill switch."""

    def lift(self, halt: str, reason: str, person: str, at: int) -> bool:
        """End a halt; False when it was not in force."""

    def grant(self, agent: str, tool: str, rung: str, reason: str, person: str, at: int) -> None:
        """Set a rung by hand, marked as an override."""

    def add_policy(self, digest: str, name: str, files: Mapping[str, str], at: int) -> None:
        """Keep a policy version by its digest."""

    def policy(self, digest: str) -> tuple[str, Mapping[str, str]] | None:
        """The name and files of a policy version."""

    def activate(self, digest: str, person: str, reason: str, at: int) -> None:
        """Make a stored version the running one."""

    def activations(self, limit: int) -> Sequence[Activation]:
        """When which version became the running one, newest first."""

    def meta(self, name: str) -> str | None:
        """A setting of the store itself, such as the key of the digests."""

    def set_meta(self, name: str, value: str) -> None:
        """Write a setting once; a second write changes nothing."""


class Transaction(Protocol):
    """One transaction, by its parts."""

    @property
    def actions(self) -> Actions:
        """The actions."""

    @property
    def approvals(self) -> Approvals:
        """The approvals."""

    @property
    def budgets(self) -> Budgets:
        """The budgets."""

    @property
    def journal(self) -> Journal:
        """The journal."""

    @property
    def restrictions(self) -> RestrictionsPart:
        """The restrictions."""

    def now(self) -> int:
        """The database's clock, in milliseconds since the epoch, UTC."""


class Store(Protocol):
    """Where everything durable lives."""

    def write(self, commit: Commit, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` in one durable transaction, under the shared side of the restriction lock.

        An exception in ``work`` rolls everything back and is raised here. ``work`` may be run again after an
        interrupt rolled it back, so it must change nothing but the transaction; it is never written twice.

        Raises:
            StoreError: the store is locked, full, read-only or gone; nothing was written, unless the error
                says that the commit's outcome is not known.
        """

    def restrict(self, commit: Commit, work: Callable[[Transaction], T]) -> T:
        """As ``write``, under the exclusive side of the restriction lock: no claim is in flight meanwhile."""

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` on one consistent snapshot; it must not write."""

    def audit(self) -> AuditStreams:
        """The journal and its seal as streams, for verification."""

    def close(self) -> None:
        """Let go of every connection."""


class AuditStreams(Protocol):
    """What verification reads, each in its order, in one snapshot. Close it when done."""

    def heads(self) -> Iterator[Head]:
        """Every seal by size."""

    def leaves(self) -> Iterator[Leaf]:
        """Every leaf by index."""

    def entries(self) -> Iterator[tuple[StoredEntry, bool]]:
        """Every entry by number, with whether its place is inside the sealed part."""

    def by_action(self, wanted: EntryFilter, first: str, last: str) -> Iterator[StoredEntry]:
        """Every entry about the actions with ids from ``first`` to ``last``, action by action.

        Of ``wanted`` counts what all entries of an action share: action, agent, tool, session and task.
        """

    def close(self) -> None:
        """End the snapshot."""
