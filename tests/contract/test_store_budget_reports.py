"""The store's contract for what pages read of budgets: balances, and who spends what, when."""

from __future__ import annotations

from dataclasses import replace

from handrail.ports import Store, Transaction
from handrail.words.budget import Balance, Spender, SpendingFilter, Spent, SpentIn, bucket_width
from handrail.words.model_call import CallState
from handrail.words.verdict import Charge
from tests.contract.model_things import model_call
from tests.contract.test_store_budget_money import COST, DAY, ROLLING, give, more, reserve, settle
from tests.contract.things import AT, SOON, action, add, new_id, running, write


def test_balances_tell_the_fullest_scopes_with_what_is_held_and_raised(store: Store) -> None:
    """Without trials, of this window only; a window that rolls as a whole. What runs holds."""
    task = replace(COST, scope='["task","t"]', quantity=500)
    done = reserve(store, task, replace(COST, window=AT + DAY), replace(COST, scope='["shadow"]'))
    settle(store, done)
    acting, call = add(store, running()), model_call()
    write(store, lambda tx: tx.model_calls.add(call))
    reserve(store, replace(task, quantity=20), COST, holder=acting.id)
    give(store, more(scope='["task","t"]', quantity=7))
    assert store.read(lambda tx: tx.budgets.balances("testing", AT, 9)) == [
        Balance("testing", '["task","t"]', AT, 520, 20, 7),
        Balance("testing", "[]", AT, 400, 400, 0),
    ]
    assert len(store.read(lambda tx: tx.budgets.balances("testing", AT, 1))) == 1
    rolling = replace(ROLLING, budget="rolling")
    later = replace(rolling, window=rolling.window + bucket_width(DAY), quantity=1)
    reserve(store, rolling, holder=call.id)
    reserve(store, later)
    assert store.read(lambda tx: tx.budgets.balances("rolling", later.window, 9, DAY)) == [
        Balance("rolling", "[]", later.window, 401, 400, 0)
    ]


def spent_by(store: Store, by: str, budget: str | None = None) -> list[Spent]:
    wanted = SpendingFilter(by, 0, SOON, budget)
    return list(store.read(lambda tx: tx.budgets.spending(wanted)))


def test_spending_is_told_by_who_what_and_when(store: Store) -> None:
    """Actions by their tool, calls by their model; what was given back and trials are not in it."""
    acting = add(store, running(agent="support", tool="send_offer", task="t-1"))
    call = model_call(agent="research", upstream="openai", model="gpt-5", task="t-2")
    write(store, lambda tx: tx.model_calls.add(call))
    reserve(store, COST, replace(COST, budget="all"), holder=acting.id)
    reserve(store, replace(COST, budget="all", quantity=300), holder=call.id)
    settle(store, call.id, cost=100)
    write(store, lambda tx: tx.budgets.release(reserve_in(tx, COST), 1))
    reserve(store, replace(COST, scope='["shadow"]'), holder=add(store, action()).id)
    assert spent_by(store, "agent") == [Spent("support", "cost", 400, 1), Spent("research", "cost", 100, 1)]
    assert spent_by(store, "tool") == [Spent("send_offer", "cost", 400, 1), Spent(None, "cost", 100, 1)]
    assert spent_by(store, "model", "all") == [
        Spent(None, "cost", 400, 1),
        Spent("openai:gpt-5", "cost", 100, 1),
    ]
    assert spent_by(store, "task", "testing") == [Spent("t-1", "cost", 400, 1)]
    spenders = store.read(lambda tx: tx.budgets.spenders("all", "[]", AT, 9))
    assert spenders == [Spender("support", "send_offer", 400), Spender("research", "openai:gpt-5", 100)]


def test_what_models_cost_is_told_also_where_no_budget_counts_it(store: Store) -> None:
    """At its bound as long as it runs; what was given back, and what a budget counts, not once more."""
    free = model_call(agent="research", bound_cost=70)
    done = model_call(agent="research", bound_cost=700)
    unspent, counted = model_call(agent="research"), model_call(agent="research", bound_cost=400)

    def work(tx: Transaction) -> None:
        for each in (free, done, unspent, counted):
            tx.model_calls.add(each)
        assert tx.model_calls.finish(replace(done, state=CallState.DONE, ended_at=SOON, cost=5))
        assert tx.model_calls.finish(replace(unspent, state=CallState.FAILED, ended_at=SOON, cost=0))

    write(store, work)
    reserve(store, COST, holder=counted.id)
    settle(store, counted.id, cost=100)
    assert spent_by(store, "agent") == [Spent("research", "cost", 70 + 5 + 100, 3)]
    assert spent_by(store, "model") == [Spent("openai:gpt-5-mini", "cost", 175, 3)]
    assert spent_by(store, "agent", "testing") == [Spent("research", "cost", 100, 1)]


def reserve_in(tx: Transaction, charge: Charge) -> str:
    known = new_id()
    tx.budgets.reserve(known, 1, [charge])
    return known


def test_spending_in_time_falls_into_stretches(store: Store) -> None:
    """By when it was set aside, by the database's clock."""
    reserve(store, COST)
    reserve(store, replace(COST, quantity=100))
    now = store.read(lambda tx: tx.now())
    since = now - 3 * DAY
    (found,) = store.read(lambda tx: tx.budgets.spending_in_time("testing", None, since, now + DAY, 2 * DAY))
    assert found == SpentIn(since + 2 * DAY, 500, 2)
    assert store.read(lambda tx: tx.budgets.spending_in_time("testing", None, 0, since, DAY)) == []
