"""Budgets in the store: windows, what is set aside in them, more room, freezes and alerts.

Quantities are in the budget's unit (nano-units for money), times in milliseconds since the epoch, UTC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from handrail.words.budget import (
        Balance,
        BudgetAlert,
        Crossing,
        Hold,
        Overrun,
        Raise,
        Room,
        Spender,
        SpendingFilter,
        Spent,
        SpentIn,
    )
    from handrail.words.verdict import Charge


class Budgets(Protocol):
    """Windows and holds. A holder is the id of an action, or of a call of a model."""

    def room(self, budget: str, scope: str, window: int, rolling: int = 0) -> Room:
        """How much of a window is set aside or spent, and what raises in force add to its limit."""

    def reserve(
        self, holder: str, attempt: int, charges: Sequence[Charge], *, spent: bool = False
    ) -> Sequence[Crossing]:
        """Set aside every charge, or none; the percentages to be told that this has reached.

        ``spent`` counts them as spent at once: a trial's, which nobody settles.

        Raises:
            Overspent: one has no room, or chunks of its window must be closed first; the transaction must be
                rolled back, which leaving it by raising does.
            BadArguments: a quantity is negative, or the sum more than can be kept.
        """

    def crossings(self, charge: Charge) -> Sequence[Crossing]:
        """The percentages to be told that a window has reached, whatever charged it.

        What nobody took yet of the window's chunks does not count.
        """

    def settle(self, holder: str, attempt: int, spent: Mapping[str, int] | None = None) -> Sequence[Overrun]:
        """What was set aside, or presumed spent, is spent: as much as was measured of a unit, else in full.

        What was not spent is given back to the same window; more than was set aside is charged as it is. A
        second settlement changes nothing.

        Raises:
            BadArguments: an unknown unit, or a quantity that is negative or more than can be kept.
        """

    def release(self, holder: str, attempt: int) -> None:
        """What was set aside is provably unspent: give it back."""

    def presume(self, holder: str, attempt: int) -> None:
        """Its holder was lost: it counts as spent in full until somebody knows better."""

    def presumed(self, limit: int) -> Sequence[Hold]:
        """What is presumed spent, newest first."""

    def balances(self, budget: str, window: int, limit: int, rolling: int = 0) -> Sequence[Balance]:
        """The fullest scopes of a window, without those of trials."""

    def add_raise(self, more: Raise) -> None:
        """Give more room."""

    def end_raise(self, more: str, person: str, reason: str, at: int) -> bool:
        """End a raise; False when it was not in force."""

    def get_raise(self, more: str) -> Raise | None:
        """The raise with this id."""

    def raises(self, budget: str | None = None) -> Sequence[Raise]:
        """Raises that were not ended, of one budget or of all, newest first."""

    def freeze(self, freeze: str, budget: str, reason: str, person: str, at: int) -> bool:
        """Let nothing more be spent from a budget; False when it is frozen already."""

    def thaw(self, budget: str, reason: str, person: str, at: int) -> bool:
        """End a freeze; False when there is none."""

    def alert(self, alert: BudgetAlert) -> bool:
        """Write that a percentage was reached; False when that was told before in this window."""

    def get_alert(self, alert: str) -> BudgetAlert | None:
        """The alert with this id."""

    def alerts(self, budget: str | None, since: int, limit: int) -> Sequence[BudgetAlert]:
        """Alerts since then, newest first."""

    def spenders(
        self, budget: str, scope: str, window: int, limit: int, rolling: int = 0
    ) -> Sequence[Spender]:
        """Who spends most of one window."""

    def spending(self, wanted: SpendingFilter) -> Sequence[Spent]:
        """What was spent or is set aside, the most first; trials and what was given back are not in it."""

    def spending_in_time(
        self, budget: str, scope: str | None, since: int, until: int, width: int
    ) -> Sequence[SpentIn]:
        """The same of one budget in stretches of ``width`` milliseconds, in order; only those with any."""
