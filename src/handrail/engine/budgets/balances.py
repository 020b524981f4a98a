"""What is left of budgets, who spends, and when one ends at this pace: for pages, the API and the CLI."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from handrail.engine.budgets.projection import ends_at
from handrail.engine.budgets.views import EVERYBODY, same, scope_in, view_of, whose
from handrail.engine.questions.sentences import WITHIN
from handrail.policy.budgets.scope import MONEY, counted_by, scope_of
from handrail.policy.budgets.words import quantity_of
from handrail.words.budget import Balance, oldest_bucket
from handrail.words.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from handrail.engine.core import Engine
    from handrail.policy.compiled import Budget
    from handrail.policy.model import BudgetPolicy, Policy
    from handrail.ports import Transaction
    from handrail.words.budget import Freeze, Raise

FULLEST = 20
"""Scopes of one budget that are listed."""
MOST_NAMED = 1_000
"""… and among which a name is looked for."""
MOST_SHARE = 999


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """One window of one scope, exact and in words. Quantities are in the budget's unit, money in nano-units.

    ``limit`` is the policy's, ``raised`` what raises in force add to it, ``held`` the part of ``used`` that
    is set aside for what has not ended. Times are milliseconds since the epoch, UTC.
    """

    budget: str
    unit: str
    scope: str
    whose: str
    """For whom it counts, in words; empty for everybody."""
    window: int
    ends: int | None
    """When there is room again at the latest; None for never by itself."""
    used: int
    held: int
    limit: int
    raised: int
    alert_at: tuple[int, ...]
    used_words: str
    limit_words: str
    """With its window: "``used_words`` of ``limit_words``" is "$12.40 of $50.00 today"."""
    renews: str
    used_up_at: int | None
    """When it is used up, at this pace; None when that is after its end, or can't be told yet."""
    frozen: Freeze | None = None
    since: int = 0
    """From when on what was spent counts here; 0 for from the beginning."""

    @property
    def left(self) -> int:
        """What can still be spent."""
        return max(0, self.limit + self.raised - self.used)

    @property
    def share(self) -> int:
        """Per cent of the limit that are used, rounded up."""
        whole = self.limit + self.raised
        return 100 if whole <= 0 else min(MOST_SHARE, -(-100 * self.used // whole))


def balances(engine: Engine, budget: str | None = None, limit: int = FULLEST) -> Sequence[BudgetLine]:
    """Every budget of the policy as it stands now, its fullest scopes first; of one, or of all.

    Raises:
        NotFound: the policy has no such budget.
    """
    engine.refresh()
    if budget is not None:
        budget_named(engine.policy.policy, budget)
    return engine.store.read(lambda tx: lines(engine, tx, budget, limit))


def lines(engine: Engine, tx: Transaction, budget: str | None, limit: int) -> Sequence[BudgetLine]:
    """As ``balances``, in a transaction, by the policy and the freezes that are known here."""
    wanted = (each for each in engine.policy.policy.budgets if budget in (None, each.id))
    return [line for each in wanted for line in _lines(engine, tx, each, limit)]


def budget_named(policy: Policy, name: str) -> BudgetPolicy:
    """The budget with this id.

    Raises:
        NotFound: the policy has none.
    """
    found = next((each for each in policy.budgets if each.id == name), None)
    if found is None:
        known = ", ".join(each.id for each in policy.budgets) or "none"
        raise NotFound(f"the policy has no budget {name!r}; it has {known}")
    return found


def scope_called(engine: Engine, budget: str, name: str) -> str:
    """The scope that people call so: as its balance is listed, by the value alone, or in full.

    Raises:
        NotFound: the policy has no such budget.
        BadArguments: nothing of it is called so, or several are.
    """
    described = budget_named(engine.policy.policy, budget)
    listed = engine.store.read(lambda tx: lines(engine, tx, budget, MOST_NAMED))
    found = [line.scope for line in listed if line.whose == name]
    if len(found) == 1:
        return found[0]
    if found or name.startswith("[") or len(counted_by(described)) != 1:
        return scope_in(described, name)
    return scope_of(described, [name])


def raises(engine: Engine, budget: str | None = None) -> Sequence[Raise]:
    """Top-ups and raises that are in force: of windows that are not over, newest first."""
    now = engine.clock()
    known = {each.id: view_of(engine.policy.policy, each) for each in engine.policy.policy.budgets}

    def counts(more: Raise) -> bool:
        if more.window is None:
            return True
        return more.budget in known and more.window == known[more.budget].begins(now)

    found = engine.store.read(lambda tx: tx.budgets.raises(budget))
    return [more for more in found if counts(more)]


def _lines(engine: Engine, tx: Transaction, budget: BudgetPolicy, limit: int) -> Iterator[BudgetLine]:
    at = tx.now()
    view = view_of(engine.policy.policy, budget)
    window = view.begins(at)
    found = tx.budgets.balances(budget.id, window, limit, view.rolling)
    if not found:
        room = tx.budgets.room(budget.id, EVERYBODY, window, view.rolling)
        found = [Balance(budget.id, EVERYBODY, window, 0, 0, room.raised)]
    for each in found:
        yield _line(engine, budget, view, each, at)


def _line(engine: Engine, budget: BudgetPolicy, view: Budget, found: Balance, at: int) -> BudgetLine:
    whole, ends = view.limit + found.raised, view.ends(at)
    calendar = ends is not None and not view.rolling and found.window > 0
    return BudgetLine(
        budget=budget.id,
        unit=str(budget.unit),
        scope=found.scope,
        whose=whose(engine.policy.policy, budget, found.scope),
        window=found.window,
        ends=ends,
        used=found.used,
        held=found.held,
        limit=view.limit,
        raised=found.raised,
        alert_at=view.alert_at,
        used_words=quantity_of(view, found.used) if budget.unit in MONEY else f"{found.used:,}",
        limit_words=f"{quantity_of(view, whole)} {WITHIN[budget.per]}{same(budget)}",
        renews=view.renews(at),
        used_up_at=ends_at(found.window, ends, at, found.used, whole) if calendar and ends else None,
        frozen=engine.restrictions.frozen.get(budget.id),
        since=oldest_bucket(found.window, view.rolling) + 1 if view.rolling else found.window,
    )
