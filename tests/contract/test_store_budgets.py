"""The store's contract for budgets: all or nothing, never over a limit, given back exactly once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handrail.ports import Store, Transaction
from handrail.words.errors import Overspent
from handrail.words.verdict import Charge
from tests.contract.conftest import Opener
from tests.contract.things import AT, PAYLOAD, add, new_id, running, write

MAILS = Charge("mails", "agent=support", AT, 1, 3)
MONEY = Charge("refunds", "customer=c-1", AT, 200, 500)


def used(store: Store, charge: Charge) -> int:
    return store.read(lambda tx: tx.budgets.room(charge.budget, charge.scope, charge.window).used)


def reserve(store: Store, charges: Sequence[Charge], attempt: int = 1) -> str:
    """Reserve for a new action; its id."""
    new = add(store, running())
    write(store, lambda tx: tx.budgets.reserve(new.id, attempt, charges))
    return new.id


def test_an_untouched_window_is_empty(store: Store) -> None:
    """Nothing is set aside before the first claim."""
    assert used(store, MAILS) == 0


def test_a_window_fills_up_to_its_limit_and_no_further(store: Store) -> None:
    """The limit itself is still allowed; what was refused leaves nothing."""
    for _ in range(3):
        reserve(store, [MAILS])
    assert used(store, MAILS) == 3
    with pytest.raises(Overspent) as refused:
        reserve(store, [MAILS])
    assert refused.value.budget == "mails"
    assert used(store, MAILS) == 3


def test_the_first_charge_of_a_window_is_held_to_the_limit_too(store: Store) -> None:
    """A new window is no way round it."""
    with pytest.raises(Overspent):
        reserve(store, [replace(MONEY, quantity=501)])
    assert used(store, MONEY) == 0
    reserve(store, [replace(MONEY, quantity=500)])
    assert used(store, MONEY) == 500


def test_every_charge_is_reserved_or_none(store: Store) -> None:
    """The second budget has no room: the first is not touched, and nothing else of the transaction stays."""
    new = running()

    def work(tx: Transaction) -> None:
        tx.actions.add(new, PAYLOAD)
        tx.budgets.reserve(new.id, 1, [MAILS, replace(MONEY, quantity=501)])

    with pytest.raises(Overspent):
        write(store, work)
    assert (used(store, MAILS), used(store, MONEY)) == (0, 0)
    assert store.read(lambda tx: tx.actions.get(new.id)) is None


@pytest.mark.parametrize(
    "other", [{"budget": "x"}, {"scope": "agent=sales"}, {"window": AT + 3_600_000}, {"window": 0}]
)
def test_other_windows_are_other_rows(store: Store, other: dict[str, object]) -> None:
    """By budget, scope and start."""
    reserve(store, [MAILS])
    assert used(store, replace(MAILS, **other)) == 0  # type: ignore[arg-type]


def test_what_is_settled_stays_spent(store: Store) -> None:
    """Twice is as once, and it can't be given back any more."""
    known = reserve(store, [MAILS, MONEY])
    for _ in range(2):
        write(store, lambda tx: tx.budgets.settle(known, 1))
    write(store, lambda tx: tx.budgets.release(known, 1))
    assert (used(store, MAILS), used(store, MONEY)) == (1, 200)


def test_what_is_released_comes_back_once(store: Store) -> None:
    """To exactly the windows that it came from; it can't be settled any more."""
    reserve(store, [MAILS, MONEY])
    known = reserve(store, [MAILS, MONEY])
    for _ in range(2):
        write(store, lambda tx: tx.budgets.release(known, 1))
    write(store, lambda tx: tx.budgets.settle(known, 1))
    assert (used(store, MAILS), used(store, MONEY)) == (1, 200)


def test_of_two_who_release_at_once_one_gives_back(opener: Opener) -> None:
    """The second saw the hold before the first had committed, and finds it released."""
    mine, others = opener(), opener()
    reserve(mine, [MAILS])
    known = reserve(mine, [MAILS])
    inside, go_on = threading.Event(), threading.Event()

    def slow(tx: Transaction) -> None:
        tx.budgets.release(known, 1)
        inside.set()
        assert go_on.wait(120)

    with ThreadPoolExecutor() as pool:
        first = pool.submit(write, mine, slow)
        assert inside.wait(120)
        second = pool.submit(write, others, lambda tx: tx.budgets.release(known, 1))
        with pytest.raises(TimeoutError):
            second.result(timeout=0.2)
        go_on.set()
        first.result(120)
        second.result(120)
    assert used(mine, MAILS) == 1


def test_an_attempt_has_its_own_holds(store: Store) -> None:
    """Releasing the second leaves the first alone."""
    known = reserve(store, [MAILS])
    write(store, lambda tx: tx.budgets.reserve(known, 2, [MAILS]))
    write(store, lambda tx: tx.budgets.release(known, 2))
    assert used(store, MAILS) == 1
    write(store, lambda tx: tx.budgets.release(known, 1))
    assert used(store, MAILS) == 0


def test_settling_what_was_never_reserved_does_nothing(store: Store) -> None:
    """As with an action without budgets."""
    write(store, lambda tx: tx.budgets.settle(new_id(), 1))
    write(store, lambda tx: tx.budgets.release(new_id(), 1))
    assert used(store, MAILS) == 0


def test_no_charges_are_no_work(store: Store) -> None:
    """An action without budgets reserves nothing."""
    reserve(store, [])


def test_racing_claims_never_exceed_a_limit(store: Store) -> None:
    """Four threads want twelve places of five, with two budgets in opposite orders: five get one."""
    charges = [replace(MAILS, limit=5), replace(MONEY, quantity=1)]
    actions = [add(store, running()).id for _ in range(12)]
    refused: list[str] = []
    start = threading.Barrier(4)

    def claim(mine: list[str], order: list[Charge]) -> None:
        start.wait()
        for known in mine:
            try:
                write(store, lambda tx: tx.budgets.reserve(known, 1, order))  # noqa: B023 - runs at once
            except Overspent:
                refused.append(known)

    threads = [
        threading.Thread(target=claim, args=(actions[place::4], charges[:: 1 if place % 2 else -1]))
        for place in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (used(store, charges[0]), used(store, charges[1]), len(refused)) == (5, 5, 7)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["reserve", "settle", "release"])), max_size=12))
def test_any_order_of_reserving_settling_and_releasing_adds_up(
    store: Store, steps: list[tuple[int, str]]
) -> None:
    """A window holds exactly the quantities that are held or settled, as a plain dictionary says."""
    charge = replace(MONEY, scope=new_id(), limit=9)
    model: dict[int, tuple[str, int]] = {}
    actions = {number: add(store, running()).id for number in {number for number, _ in steps}}
    for number, step in steps:
        known, quantity = actions[number], number + 1
        if step == "reserve" and number not in model:
            fits = sum(size for state, size in model.values() if state != "released") + quantity <= 9
            one = [replace(charge, quantity=quantity)]
            if fits:
                write(store, lambda tx: tx.budgets.reserve(known, 1, one))  # noqa: B023 - runs at once
                model[number] = ("held", quantity)
            else:
                with pytest.raises(Overspent):
                    write(store, lambda tx: tx.budgets.reserve(known, 1, one))  # noqa: B023 - runs at once
        elif step != "reserve":
            act = step
            write(store, lambda tx: getattr(tx.budgets, act)(known, 1))  # noqa: B023 - runs at once
            if model.get(number, ("", 0))[0] == "held":
                model[number] = ("settled" if step == "settle" else "released", quantity)
        assert used(store, charge) == sum(size for state, size in model.values() if state != "released")
