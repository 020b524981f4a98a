"""The store and its transactions.

Everything a store does happens inside ``Store.write`` or ``Store.read``: the engine hands over a piece of
work, the store runs it in one transaction. Work must not do anything but talk to the transaction it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from handrail.ports.budget_chunks import BudgetChunks
    from handrail.ports.budgets import Budgets
    from handrail.ports.commits import Commit
    from handrail.ports.models import ModelCalls, Prompts
    from handrail.ports.overview import Overview
    from handrail.ports.parts import Actions, Approvals, Journal, RestrictionsPart
    from handrail.ports.people_parts import Deliveries, Keys, People, Sessions, Standings, Toolbox
    from handrail.ports.tables import Tables
    from handrail.words.entry import StoredEntry
    from handrail.words.query import EntryFilter
    from handrail.words.seal import Head, Leaf

T = TypeVar("T")


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
    def budget_chunks(self) -> BudgetChunks:
        """The chunks of hot budgets."""

    @property
    def journal(self) -> Journal:
        """The journal."""

    @property
    def restrictions(self) -> RestrictionsPart:
        """The restrictions."""

    @property
    def people(self) -> People:
        """The people."""

    @property
    def keys(self) -> Keys:
        """The keys of programs."""

    @property
    def sessions(self) -> Sessions:
        """The sessions."""

    @property
    def standings(self) -> Standings:
        """The standing approvals."""

    @property
    def deliveries(self) -> Deliveries:
        """The deliveries."""

    @property
    def toolbox(self) -> Toolbox:
        """The schemas of tools that run elsewhere."""

    @property
    def model_calls(self) -> ModelCalls:
        """The calls of models."""

    @property
    def prompts(self) -> Prompts:
        """What was asked of models and answered."""

    @property
    def overview(self) -> Overview:
        """The numbers that pages show."""

    @property
    def tables(self) -> Tables:
        """The tables as a whole, for a restore."""

    def now(self) -> int:
        """The database's clock, in milliseconds since the epoch, UTC."""


class Store(Protocol):
    """Where everything durable lives."""

    @property
    def leases(self) -> bool:
        """Whether processes should take chunks of hot budgets: each commit of its own waits for a disk."""

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

    def news(self) -> News:
        """Hear of commits of any process, from now on; of a heartbeat or a seal perhaps not.

        News is only ever a reason to look: who relies on it looks now and then anyway.
        """

    def close(self) -> None:
        """Let go of every connection."""


class News(Protocol):
    """Hears that something was committed; not what."""

    def wait(self, timeout: float) -> bool:
        """Whether there was news since the last call, after at most ``timeout`` seconds."""

    def close(self) -> None:
        """Stop listening; a ``wait`` in another thread returns False."""


class AuditStreams(Protocol):
    """What verification and backups read, each in its order, in one snapshot. Close it when done."""

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

    def schema(self) -> int:
        """The version of the store's schema."""

    def columns(self, table: str) -> Sequence[str]:
        """The columns of a table that a backup keeps; none for a table that is not there."""

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[Sequence[object]]:
        """Every row of a table."""

    def close(self) -> None:
        """End the snapshot."""
