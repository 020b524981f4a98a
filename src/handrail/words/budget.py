"""Budgets as the store keeps them: room, raises, freezes, alerts and balances. Money is in nano-units."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from handrail.words.verdict import Charge

BUCKETS = 48
"""Into how many pieces a rolling window is cut."""
_SHORTEST_BUCKET = 1_000


class HoldState(StrEnum):
    """What became of an amount that was set aside."""

    HELD = "held"
    """Set aside: the work runs, or nobody has said yet that it ended."""
    SETTLED = "settled"
    """Spent, as much as was measured, or in full."""
    RELEASED = "released"
    """Provably unspent, and given back."""
    PRESUMED = "presumed"
    """Its holder was lost: counted as spent in full until somebody knows better."""


class Room(NamedTuple):
    """The value of the fact ``budget:<id>`` for one scope and window, in the budget's unit.

    ``used`` is set aside or spent, ``raised`` what the raises in force add to the limit. (Written as a list.)
    """

    used: int
    raised: int = 0


@dataclass(frozen=True, slots=True)
class Raise:
    """More room by a person's word, in the budget's unit. Times are milliseconds since the epoch, UTC.

    A top-up is for the window that began at ``window``; a raise for a while holds until ``until``. Without a
    ``scope`` it is for every scope of the budget.
    """

    id: str
    budget: str
    scope: str | None
    window: int | None
    until: int | None
    quantity: int
    person: str
    reason: str
    made_at: int
    ended_at: int | None = None


@dataclass(frozen=True, slots=True)
class Freeze:
    """A budget from which nothing more is spent until a person thaws it; since when (ms, UTC)."""

    budget: str
    person: str
    reason: str
    at: int


@dataclass(frozen=True, slots=True)
class BudgetAlert:
    """A budget's scope reached a percentage of its limit, for the first time in a window.

    ``used`` and ``limit`` (with the raises of that moment) are in the budget's unit; times are ms, UTC.
    """

    id: str
    budget: str
    scope: str
    window: int
    percent: int
    at: int
    used: int
    limit: int


@dataclass(frozen=True, slots=True)
class Balance:
    """One window of one scope, in the budget's unit: ``used`` is all, ``held`` the part not settled yet."""

    budget: str
    scope: str
    window: int
    used: int
    held: int
    raised: int


@dataclass(frozen=True, slots=True)
class Hold:
    """An amount that was set aside, by an action's attempt or a call of a model (``holder``), at ``at``."""

    holder: str
    attempt: int
    budget: str
    scope: str
    window: int
    unit: str
    quantity: int
    at: int


@dataclass(frozen=True, slots=True)
class Spender:
    """How much of a budget one agent spent with one tool, or one model, in the budget's unit."""

    agent: str
    tool: str
    quantity: int


@dataclass(frozen=True, slots=True)
class SpendingFilter:
    """Which spending is wanted, and by what: agent, tool, model, task or session.

    ``since`` and ``until`` (excluded) are ms, UTC: when it was set aside. Without a budget everything that
    any budget counts, once, and what calls of models cost that none counts; a scope is one of a budget's.
    """

    by: str
    since: int
    until: int
    budget: str | None = None
    scope: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Spent:
    """How much was spent for one agent, tool, model, task or session, in ``unit`` (money in nano-units).

    ``name`` is None for what has none: a call of a model has no tool. ``count`` are actions and calls.
    """

    name: str | None
    unit: str
    quantity: int
    count: int


@dataclass(frozen=True, slots=True)
class SpentIn:
    """How much of a budget was spent in one stretch of time that began at ``at`` (ms, UTC)."""

    at: int
    quantity: int
    count: int


@dataclass(frozen=True, slots=True)
class BudgetNews:
    """An alert as people are told of it: quantities, window and spenders in words. ``at`` is ms, UTC."""

    budget: str
    percent: int
    used: str
    limit: str
    at: int
    window: str = ""
    whose: str = ""
    renews: str = ""
    spenders: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """How much is used, of what, for whom."""
        of = " ".join(filter(None, (self.limit, self.window, f"({self.whose})" if self.whose else "")))
        return f"{self.used} of {of} are used or set aside"


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of one window that one process took, to charge from it without the window's row.

    ``quantity`` is in the budget's unit. Nothing is drawn from it after ``until`` (ms, UTC).
    """

    id: str
    owner: str
    budget: str
    scope: str
    window: int
    quantity: int
    until: int


class Drawn(NamedTuple):
    """A charge that is taken from the chunk with this id."""

    charge: Charge
    chunk: str


class Crossing(NamedTuple):
    """A window's use has reached a percentage of its limit that was not told yet."""

    budget: str
    scope: str
    window: int
    percent: int
    used: int
    limit: int


class Overrun(NamedTuple):
    """More was spent than was set aside: charged in full, and told."""

    budget: str
    scope: str
    window: int
    unit: str
    held: int
    spent: int


def bucket_width(rolling: int) -> int:
    """How long the pieces of a rolling window of ``rolling`` milliseconds are, in milliseconds."""
    return max(rolling // BUCKETS, _SHORTEST_BUCKET)


def oldest_bucket(window: int, rolling: int) -> int:
    """Of a rolling window's buckets only those that began after this (ms, UTC) have a part inside.

    ``window`` is the start of the newest bucket. A bucket counts whole as long as any part of it is inside.
    """
    return window - rolling - bucket_width(rolling)
