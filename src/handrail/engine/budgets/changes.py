"""What people do about budgets: give more room, for a window or a while, and freeze one. Each with a reason.

More room counts from its commit on. What takes room away (ending a raise, freezing) is done under the
exclusive side of the restriction lock: when it returns, nothing is reserved any more that it forbids.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.engine import record
from handrail.engine.budgets.balances import budget_named
from handrail.engine.budgets.views import scope_in, view_of
from handrail.engine.ids import new_id
from handrail.engine.texts import name_of, reason_of
from handrail.ports import Commit
from handrail.words.budget import Raise
from handrail.words.entry import Kind
from handrail.words.errors import Conflict, NotFound, Refused
from handrail.words.money import LARGEST

if TYPE_CHECKING:
    from collections.abc import Callable

    from handrail.engine.core import Engine
    from handrail.policy.model import BudgetPolicy
    from handrail.ports import Transaction


def top_up(
    engine: Engine, budget: str, quantity: int, person: str, reason: str, scope: str | None = None
) -> Raise:
    """More room in the window that runs now; in every scope of it, or in one.

    ``quantity`` is in the budget's unit, money in nano-units. A window that rolls has it for its own length.

    Raises:
        NotFound: the policy has no such budget.
        BadArguments: the budget counts nothing by such a scope.
        Refused: no reason is given, the quantity is not above zero, or the sum is more than can be kept.
    """
    engine.refresh()
    described = budget_named(engine.policy.policy, budget)
    view, only = view_of(engine.policy.policy, described), _only(described, scope)

    def made(tx: Transaction) -> Raise:
        at = tx.now()
        window, until = (None, at + view.rolling) if view.rolling else (view.begins(at), None)
        return Raise(new_id(), budget, only, window, until, quantity, person, reason, at)

    return _raised(engine, budget, quantity, person, reason, made)


def raise_until(
    engine: Engine, budget: str, quantity: int, until: int, person: str, reason: str, scope: str | None = None
) -> Raise:
    """More room in every window until a time (ms, UTC); in every scope, or in one.

    Raises:
        NotFound: the policy has no such budget.
        BadArguments: the budget counts nothing by such a scope.
        Refused: no reason is given, the quantity is not above zero, the sum is more than can be kept, or the
            time is over.
    """
    engine.refresh()
    only = _only(budget_named(engine.policy.policy, budget), scope)

    def made(tx: Transaction) -> Raise:
        at = tx.now()
        if until <= at:
            raise Refused("this raise would be over already; give a time that is still to come")
        return Raise(new_id(), budget, only, None, until, quantity, person, reason, at)

    return _raised(engine, budget, quantity, person, reason, made)


def end_raise(engine: Engine, raise_id: str, person: str, reason: str) -> None:
    """End a top-up or a raise before its time. What was spent of it stays spent.

    Raises:
        NotFound: it is not in force.
        Refused: no reason is given.
    """
    _needs(person, reason, "ending a raise")

    def work(tx: Transaction) -> None:
        at = tx.now()
        more = tx.budgets.get_raise(raise_id)
        if more is None or not tx.budgets.end_raise(raise_id, person, reason, at):
            raise NotFound(f"there is no raise {raise_id} in force")
        body = {"raise": raise_id, "budget": more.budget, "quantity": more.quantity}
        tx.journal.append([record.plain(Kind.BUDGET_RAISE_ENDED, at, **body, person=person, reason=reason)])

    engine.store.restrict(Commit.BUDGET, work)
    engine.stir()


def freeze(engine: Engine, budget: str, person: str, reason: str) -> None:
    """Let nothing more be spent from a budget: what it covers is refused until a person thaws it.

    Actions that run go on and are settled; calls of models are cut off. When this returns nothing that it
    covers starts, anywhere. It needs no policy to be read: a budget of an older or newer version can be
    frozen, too.

    Raises:
        Conflict: it is frozen already.
        Refused: no reason is given.
        BadArguments: the budget's name is empty or can't be kept.
    """
    _needs(person, reason, "a freeze")
    name_of(budget, "the budget")

    def work(tx: Transaction) -> None:
        at = tx.now()
        if not tx.budgets.freeze(new_id(), budget, reason, person, at):
            raise Conflict(f"the budget {budget} is frozen already")
        tx.journal.append([record.plain(Kind.BUDGET_FROZEN, at, budget=budget, person=person, reason=reason)])

    engine.store.restrict(Commit.BUDGET, work)
    engine.stir()


def thaw(engine: Engine, budget: str, person: str, reason: str) -> None:
    """Let a frozen budget be spent from again.

    Raises:
        NotFound: it is not frozen.
        Refused: no reason is given.
    """
    _needs(person, reason, "thawing")

    def work(tx: Transaction) -> None:
        at = tx.now()
        if not tx.budgets.thaw(budget, reason, person, at):
            raise NotFound(f"the budget {budget} is not frozen")
        tx.journal.append([record.plain(Kind.BUDGET_THAWED, at, budget=budget, person=person, reason=reason)])

    engine.store.restrict(Commit.BUDGET, work)
    engine.stir()


def _raised(
    engine: Engine,
    budget: str,
    quantity: int,
    person: str,
    reason: str,
    made: Callable[[Transaction], Raise],
) -> Raise:
    _needs(person, reason, "more room")
    if quantity <= 0:
        raise Refused(
            "more room must be more than nothing; to take room away, change the policy or freeze it"
        )
    view = view_of(engine.policy.policy, budget_named(engine.policy.policy, budget))

    def work(tx: Transaction) -> Raise:
        more = made(tx)
        together = sum(each.quantity for each in tx.budgets.raises(budget))
        if view.limit + together + quantity > LARGEST:
            raise Refused(f"the budget {budget} would be larger than can be kept")
        tx.budgets.add_raise(more)
        body = {
            "raise": more.id,
            "budget": budget,
            "quantity": quantity,
            "unit": str(view.unit),
            "window": more.window,
            "until": more.until,
            "for": "every scope" if more.scope is None else "one scope",
        }
        entry = record.plain(Kind.BUDGET_RAISED, more.made_at, **body, person=person, reason=reason)
        tx.journal.append([entry])
        return more

    found = engine.store.write(Commit.BUDGET, work)
    engine.stir()
    return found


def _only(budget: BudgetPolicy, scope: str | None) -> str | None:
    return None if scope is None else scope_in(budget, scope)


def _needs(person: str, reason: str, what: str) -> None:
    name_of(person, "the person")
    if not reason_of(reason, "the reason").strip():
        raise Refused(f"{what} needs a reason: it stays in the journal")
