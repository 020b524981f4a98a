"""The parts of a transaction that the road of an action needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from handrail.words.action import Action, Proposal
    from handrail.words.approval import Approval, Seat, Vote
    from handrail.words.entry import Entry, StoredEntry
    from handrail.words.lifecycle import State
    from handrail.words.payload import Payload
    from handrail.words.query import ActionFilter, EntryFilter
    from handrail.words.restriction import Activation, Restrictions
    from handrail.words.seal import Head, Leaf
    from handrail.words.verdict import Ask, Verdict


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

    def as_many_held(self, agent: str, count: int) -> bool:
        """Whether at least ``count`` (from 1) actions of an agent wait for people."""

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

    def in_session(self, session: str, after: str, limit: int) -> Sequence[Action]:
        """Actions of a session, oldest first; ``after`` is the id of the last one seen, empty for none."""

    def running(self) -> Sequence[Action]:
        """Every action that is running now."""

    def find(self, suffix: str) -> Sequence[str]:
        """Ids that end with ``suffix``; two at most, enough to see that it is not unique."""

    def supersede(self, action: str, by: str, at: int) -> bool:
        """A held action was edited into ``by``; False when it is no longer held."""

    def approved(self, tools: Sequence[str], limit: int) -> Sequence[str]:
        """Approved or allowed actions of these tools whose time has not come to an end, oldest first."""

    def similar(self, action: Action, limit: int) -> Sequence[Action]:
        """Actions of the same agent and tool that people answered, newest first, without this one."""

    def erasable(self, before: int, limit: int) -> Sequence[str]:
        """Actions that ended before then and still have a payload, oldest first."""

    def erase(self, actions: Sequence[str]) -> None:
        """Erase the payloads of these actions."""


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

    def about(self, action: str) -> Sequence[Approval]:
        """Every question about an action, oldest first."""

    def listing(self, state: str | None, limit: int, after: str | None = None) -> Sequence[Approval]:
        """Oldest first; ``after`` is the id of the last one seen."""

    def neighbours(self, approval: Approval) -> tuple[str | None, str | None]:
        """The open questions that were put just before and just after this one."""

    def waiting(
        self, groups: Sequence[str], person: str, limit: int, after: str | None = None, *, asked: bool
    ) -> Sequence[Approval]:
        """Open ones with a seat of one of the groups, not yet answered by this person; else all others.

        Oldest first; ``after`` is the id of the last one seen.
        """

    def waiting_beside(
        self, approval: Approval, groups: Sequence[str], person: str
    ) -> tuple[str | None, str | None]:
        """Of those that wait for this person, the one put just before this one and the one just after."""

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

    def settled(self, after: str | None, limit: int) -> Sequence[tuple[str, StoredEntry]]:
        """Entries that nothing can come before any more, each with its cursor, in an order that stays.

        ``after`` is the cursor of the last one seen; None begins at the first entry.
        """

    def newest_cursor(self) -> str | None:
        """The cursor of the newest settled entry, to begin a stream at now."""

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
