"""Chunks in every store: a window holds what was taken of it, and gets back to the unit what nobody used."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from handrail.ports import Store, Transaction
from handrail.store.postgres import PostgresStore
from handrail.words.budget import Chunk, Drawn, Raise
from handrail.words.errors import Overspent
from handrail.words.verdict import Charge
from tests.contract.conftest import Opener
from tests.contract.things import AT, SOON, new_id, write

LIMIT = 1_000
LIFE = 60_000


def charge(quantity: int = 5, **changes: object) -> Charge:
    return replace(Charge("hot", "[]", AT, quantity, LIMIT, "cost"), **changes)  # type: ignore[arg-type]


def reserve(store: Store, holder: str, *charges: Charge) -> None:
    write(store, lambda tx: tx.budgets.reserve(holder, 1, charges))


def lease(store: Store, wanted: Charge, most: int = 50, least: int = 1, life: int = LIFE) -> Chunk | None:
    return write(store, lambda tx: tx.budget_chunks.lease(new_id(), "me", wanted, most, least, life))


def leased(store: Store, most: int = 50) -> Chunk:
    """A chunk of a window that somebody charged with 5 before."""
    reserve(store, new_id(), charge())
    found = lease(store, charge(), most)
    assert found is not None
    return found


def draw(store: Store, holder: str, chunk: str, quantity: int) -> bool:
    """Whether it could be taken."""
    drawn = Drawn(charge(quantity), chunk)
    return not write(store, lambda tx: tx.budget_chunks.draw(holder, 1, [drawn]))


def close(store: Store, chunk: str) -> Chunk | None:
    return write(store, lambda tx: tx.budget_chunks.close(chunk))


def used(store: Store) -> int:
    """As people read it."""
    return store.read(lambda tx: tx.budgets.room("hot", "[]", AT)).used


def fits(store: Store, quantity: int) -> bool:
    """Whether so much is free at the window's row; nothing is charged."""

    class NotReally(Exception):
        pass

    def work(tx: Transaction) -> None:
        tx.budgets.reserve("probe", 1, [charge(quantity)])
        raise NotReally

    try:
        write(store, work)
    except NotReally:
        return True
    except Overspent:
        return False
    raise AssertionError("it was to be rolled back")


def test_a_chunk_takes_room_from_the_window_and_is_not_used(store: Store) -> None:
    """Nobody else can charge it; people and messages don't count it."""
    chunk = leased(store, 50)
    assert (chunk.budget, chunk.scope, chunk.window, chunk.quantity) == ("hot", "[]", AT, 50)
    assert used(store) == 5
    (balance,) = store.read(lambda tx: tx.budgets.balances("hot", AT, 5))
    assert balance.used == 5
    assert fits(store, LIMIT - 55)
    assert not fits(store, LIMIT - 54)


def test_what_is_drawn_counts_and_the_rest_comes_back(store: Store) -> None:
    """Held, settled in full, settled for less, released, presumed: each for what it came to."""
    chunk = leased(store, 60)
    for holder in ("held", "full", "less", "back", "lost"):
        assert draw(store, holder, chunk.id, 10)
    assert used(store) == 55
    write(store, lambda tx: tx.budgets.settle("full", 1))
    write(store, lambda tx: tx.budgets.settle("less", 1, {"cost": 3}))
    write(store, lambda tx: tx.budgets.release("back", 1))
    write(store, lambda tx: tx.budgets.presume("lost", 1))
    assert used(store) == 5 + 10 + 10 + 3 + 10
    assert close(store, chunk.id) == chunk
    assert used(store) == 38
    assert fits(store, LIMIT - 38)
    assert not fits(store, LIMIT - 37)
    write(store, lambda tx: tx.budgets.settle("held", 1, {"cost": 4}))
    write(store, lambda tx: tx.budgets.release("lost", 1))
    assert used(store) == 5 + 4 + 10 + 3
    assert fits(store, LIMIT - 22)
    assert not fits(store, LIMIT - 21)


def test_a_chunk_that_was_closed_gives_nothing_more(store: Store) -> None:
    """Neither to who draws nor to who closes it again; the twin is drawn before."""
    chunk = leased(store)
    assert draw(store, "before", chunk.id, 5)
    assert close(store, chunk.id) == chunk
    assert not draw(store, "after", chunk.id, 5)
    assert close(store, chunk.id) is None
    assert used(store) == 10


def test_nothing_is_drawn_after_its_time(store: Store) -> None:
    """By the database's clock; whoever looks finds it then."""
    reserve(store, new_id(), charge())
    late = lease(store, charge(), life=-1)
    assert late is not None
    assert not draw(store, "late", late.id, 5)
    chunk = lease(store, charge())
    assert chunk is not None
    assert draw(store, "in time", chunk.id, 5)
    assert store.read(lambda tx: tx.budget_chunks.lapsed(late.until + 1, 9)) == [late.id]
    assert store.read(lambda tx: tx.budget_chunks.lapsed(late.until, 9)) == []
    assert store.read(lambda tx: tx.budget_chunks.open("hot", "[]", AT)) == sorted([late.id, chunk.id])
    assert store.read(lambda tx: tx.budget_chunks.open("hot", "[]", AT + 1)) == []


def test_more_than_was_drawn_is_charged_to_the_window_at_once(store: Store) -> None:
    """It is an overrun as any other, and ends the chunks of the window: the limit may be passed."""
    chunk = leased(store)
    assert draw(store, "h", chunk.id, 5)
    (overrun,) = write(store, lambda tx: tx.budgets.settle("h", 1, {"cost": 25}))
    assert (overrun.held, overrun.spent) == (5, 25)
    assert used(store) == 30
    assert not draw(store, "more", chunk.id, 5)
    close(store, chunk.id)
    assert used(store) == 30
    assert fits(store, LIMIT - 30)
    assert not fits(store, LIMIT - 29)


def test_a_chunk_is_a_small_part_of_what_is_left(store: Store) -> None:
    """So everybody charges the row where little is left, and the limit is met exactly."""
    reserve(store, new_id(), charge(LIMIT - 80))
    assert lease(store, charge(), 50, 11) is None
    small = lease(store, charge(), 50, 10)
    assert small is not None
    assert small.quantity == 10
    close(store, small.id)
    assert used(store) == LIMIT - 80


def test_a_window_that_nobody_charged_gives_no_chunk(store: Store) -> None:
    """There is no row to lock, and no need."""
    assert lease(store, charge()) is None
    reserve(store, new_id(), charge())
    assert lease(store, charge()) is not None


def test_a_chunk_counts_raises_and_ends_with_the_first_of_them(store: Store) -> None:
    """A raise for a while that ends takes its room from everybody at that moment."""
    more = Raise(new_id(), "hot", None, None, SOON, 9_000, "ann", "more", AT)
    write(store, lambda tx: tx.budgets.add_raise(more))
    reserve(store, new_id(), charge())
    big = lease(store, charge(), 1_200)
    assert big is not None
    assert big.quantity == 1_200
    long = lease(store, charge(), life=SOON)
    assert long is not None
    assert long.until == SOON


def test_no_chunk_reaches_over_a_percentage_that_was_not_told(store: Store) -> None:
    """Once it was told, the next one is the mark."""
    alerting = charge(5, alert_at=(50, 90))
    reserve(store, new_id(), charge(480))
    assert lease(store, alerting, 50, 3) is None
    assert lease(store, charge(), 50, 3) is not None


def test_an_alert_never_comes_early_nor_is_it_passed_over(store: Store) -> None:
    """Who would reach a percentage with what is left in chunks has them closed first, and looks again."""
    chunk = leased(store, 100)
    alerting = charge(400, alert_at=(50,))
    with pytest.raises(Overspent) as full:
        reserve(store, "h", alerting)
    assert (full.value.budget, full.value.scope, full.value.window) == ("hot", "[]", AT)
    assert used(store) == 5
    close(store, chunk.id)
    assert write(store, lambda tx: tx.budgets.reserve("h", 1, [alerting])) == []
    (reached,) = write(store, lambda tx: tx.budgets.reserve("i", 1, [replace(alerting, quantity=95)]))
    assert (reached.percent, reached.used, reached.limit) == (50, 500, LIMIT)


def test_what_people_let_exceed_waits_for_open_chunks(store: Store) -> None:
    """Nothing may be drawn after the limit was passed: the chunks are closed first."""
    chunk = leased(store)
    with pytest.raises(Overspent):
        reserve(store, "h", charge(5 * LIMIT, soft=True))
    close(store, chunk.id)
    reserve(store, "h", charge(5 * LIMIT, soft=True))
    assert used(store) == 5 + 5 * LIMIT


def test_a_claim_that_rolls_back_leaves_its_chunk_whole(store: Store) -> None:
    """The hold is not there, so closing gives all of it back."""
    chunk = leased(store)

    def work(tx: Transaction) -> None:
        assert not tx.budget_chunks.draw("h", 1, [Drawn(charge(5), chunk.id)])
        raise Overspent("another", "[]", AT)

    with pytest.raises(Overspent):
        write(store, work)
    close(store, chunk.id)
    assert used(store) == 5


def test_who_closes_waits_for_who_draws(postgres_opener: Opener) -> None:
    """A claim in flight is counted, and one that comes after finds the chunk gone."""
    one, other = postgres_opener(), postgres_opener()
    assert isinstance(one, PostgresStore)
    chunk = leased(one)
    drawn, go_on = threading.Event(), threading.Event()

    def claim(tx: Transaction) -> None:
        assert not tx.budget_chunks.draw("slow", 1, [Drawn(charge(7), chunk.id)])
        drawn.set()
        assert go_on.wait(30)

    claiming = threading.Thread(target=write, args=(one, claim))
    closing = threading.Thread(target=close, args=(other, chunk.id))
    claiming.start()
    assert drawn.wait(30)
    closing.start()
    with one._settings.connect() as watcher:
        waits = (
            b"select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like 'delete%'"
        )
        while watcher.execute(waits).fetchone() == (0,):
            assert closing.is_alive()
    go_on.set()
    claiming.join()
    closing.join()
    assert used(one) == 12
    assert fits(one, LIMIT - 12)
    assert not draw(one, "late", chunk.id, 1)
