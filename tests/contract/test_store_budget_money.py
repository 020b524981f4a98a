"""The store's contract for measured spending, more room, freezes, alerts and windows that roll."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from handrail.ports import Store, Transaction
from handrail.words.budget import (
    BudgetAlert,
    Crossing,
    Overrun,
    Raise,
    Room,
    bucket_width,
)
from handrail.words.errors import BadArguments, Overspent
from handrail.words.money import LARGEST
from handrail.words.verdict import Charge
from tests.contract.conftest import Opener
from tests.contract.things import AT, SOON, new_id, restrict, write

COST = Charge("testing", "[]", AT, 400, 1_000, "cost")
TOKENS = Charge("words", "[]", AT, 50, 1_000, "tokens")
DAY = 86_400_000


def room(store: Store, charge: Charge) -> Room:
    return store.read(lambda tx: tx.budgets.room(charge.budget, charge.scope, charge.window, charge.rolling))


def reserve(store: Store, *charges: Charge, holder: str = "") -> str:
    """Reserve for some holder; its id."""
    known = holder or new_id()
    write(store, lambda tx: tx.budgets.reserve(known, 1, charges))
    return known


def settle(store: Store, holder: str, **spent: int) -> list[Overrun]:
    return list(write(store, lambda tx: tx.budgets.settle(holder, 1, spent or None)))


def more(**changes: object) -> Raise:
    plain = Raise(new_id(), "testing", None, AT, None, 500, "ann", "a big case", AT)
    return replace(plain, **changes)  # type: ignore[arg-type]


def give(store: Store, given: Raise) -> Raise:
    write(store, lambda tx: tx.budgets.add_raise(given))
    return given


def test_what_was_measured_is_spent_and_the_rest_comes_back(store: Store) -> None:
    """By unit: what nobody measured is spent in full. A second settlement changes nothing."""
    known = reserve(store, COST, TOKENS, replace(COST, budget="amounts", unit="amount"))
    assert settle(store, known, cost=150) == []
    assert settle(store, known, cost=1, tokens=1) == []
    assert [room(store, each).used for each in (COST, TOKENS)] == [150, 50]
    assert room(store, replace(COST, budget="amounts")).used == 400


def test_nothing_measured_means_nothing_spent_only_where_zero_was_measured(store: Store) -> None:
    """Zero is a measurement, and no measurement is not zero."""
    settle(store, reserve(store, COST), cost=0)
    assert room(store, COST).used == 0
    settle(store, reserve(store, COST))
    assert room(store, COST).used == 400


def test_more_than_was_set_aside_is_charged_as_it_is_and_told(store: Store) -> None:
    """Also beyond the limit: it was spent. Then nothing has room."""
    known = reserve(store, COST)
    assert settle(store, known, cost=1_700) == [Overrun("testing", "[]", AT, "cost", 400, 1_700)]
    assert room(store, COST).used == 1_700
    with pytest.raises(Overspent):
        reserve(store, replace(COST, quantity=0))


def test_an_overrun_stops_at_what_a_window_can_hold(store: Store) -> None:
    """Windows and holds agree even then."""
    first, second = reserve(store, COST), reserve(store, COST)
    settle(store, first, cost=LARGEST)
    assert settle(store, second, cost=LARGEST) == []
    assert room(store, COST).used == LARGEST


@pytest.mark.parametrize("spent", [{"cost": -1}, {"cost": LARGEST + 1}, {"money": 1}])
def test_a_measurement_that_is_none_is_refused(store: Store, spent: dict[str, int]) -> None:
    """And what was set aside stays so."""
    known = reserve(store, COST)
    with pytest.raises(BadArguments, match=r"expected what was spent by unit"):
        settle(store, known, **spent)
    assert room(store, COST).used == 400


def test_a_negative_charge_is_refused(store: Store) -> None:
    """It would make room."""
    with pytest.raises(BadArguments, match="less than nothing"):
        reserve(store, replace(COST, quantity=-1))


def test_what_was_presumed_spent_counts_until_a_true_report_says_what_it_was(store: Store) -> None:
    """Once: presuming what is settled changes nothing."""
    known = reserve(store, COST)
    for _ in range(2):
        write(store, lambda tx: tx.budgets.presume(known, 1))
    assert room(store, COST).used == 400
    (listed,) = store.read(lambda tx: tx.budgets.presumed(9))
    assert (listed.holder, listed.budget, listed.unit, listed.quantity) == (known, "testing", "cost", 400)
    settle(store, known, cost=30)
    write(store, lambda tx: tx.budgets.presume(known, 1))
    assert room(store, COST).used == 30
    assert store.read(lambda tx: tx.budgets.presumed(9)) == []


def test_what_was_presumed_spent_and_provably_was_not_comes_back(store: Store) -> None:
    """The tool's own process says so, late."""
    known = reserve(store, COST)
    write(store, lambda tx: tx.budgets.presume(known, 1))
    for _ in range(2):
        write(store, lambda tx: tx.budgets.release(known, 1))
    assert room(store, COST).used == 0


def test_a_trials_charge_is_spent_at_once(store: Store) -> None:
    """Nobody settles it, and it is not set aside for ever."""
    trial = replace(COST, scope='["shadow"]')
    write(store, lambda tx: tx.budgets.reserve(new_id(), 1, [trial], spent=True))
    assert room(store, trial).used == 400
    assert store.read(lambda tx: tx.budgets.balances("testing", AT, 9)) == []


def test_a_top_up_gives_room_in_its_window_only(store: Store) -> None:
    """And the limit is tested with it where it is reserved."""
    give(store, more())
    for window, places in ((AT, 3), (AT + DAY, 2)):
        charge = replace(COST, window=window)
        assert room(store, charge).raised == (500 if places == 3 else 0)
        for _ in range(places):
            reserve(store, charge)
        with pytest.raises(Overspent):
            reserve(store, charge)


def test_a_raise_ends_with_its_time(store: Store) -> None:
    """By the database's clock: one whose time is over gives nothing."""
    give(store, more(window=None, until=SOON))
    give(store, more(window=None, until=AT))
    assert room(store, COST).raised == room(store, replace(COST, window=AT + DAY)).raised == 500


def test_a_raise_for_one_scope_is_for_no_other(store: Store) -> None:
    """One without a scope is for each."""
    other = replace(COST, scope='["task","t"]')
    give(store, more(scope='["task","t"]'))
    give(store, more(quantity=1))
    assert (room(store, COST).raised, room(store, other).raised) == (1, 501)


def test_a_raise_that_was_ended_gives_nothing_more_and_every_copy_is_stale(store: Store) -> None:
    """Once; giving one makes no copy stale."""
    before = store.read(lambda tx: tx.restrictions.generation())
    given = give(store, more())
    assert store.read(lambda tx: tx.restrictions.generation()) == before
    assert [each.id for each in store.read(lambda tx: tx.budgets.raises("testing"))] == [given.id]
    assert restrict(store, lambda tx: tx.budgets.end_raise(given.id, "ann", "over", AT + 1))
    assert not restrict(store, lambda tx: tx.budgets.end_raise(given.id, "ann", "over", AT + 1))
    assert store.read(lambda tx: tx.restrictions.generation()) > before
    assert room(store, COST).raised == 0
    ended = store.read(lambda tx: tx.budgets.get_raise(given.id))
    assert ended is not None
    assert ended.ended_at == AT + 1


def test_a_soft_charge_goes_beyond_the_limit(store: Store) -> None:
    """A person said yes; the next plain one has no room."""
    reserve(store, replace(COST, quantity=5_000, soft=True), TOKENS)
    assert (room(store, COST).used, room(store, TOKENS).used) == (5_000, 50)
    with pytest.raises(Overspent):
        reserve(store, replace(COST, quantity=1))


def test_a_soft_charge_that_no_window_can_hold_is_refused_clearly(store: Store) -> None:
    """Not by a database's overflow, and nothing of it stays."""
    huge = replace(COST, quantity=LARGEST, soft=True)
    reserve(store, huge)
    with pytest.raises(BadArguments, match="more than can be kept"):
        reserve(store, TOKENS, huge)
    assert room(store, TOKENS).used == 0


def test_limits_at_the_end_of_the_numbers_are_exact(store: Store) -> None:
    """No sum runs over."""
    full = replace(COST, quantity=LARGEST, limit=LARGEST)
    reserve(store, replace(full, quantity=LARGEST - 1))
    with pytest.raises(Overspent):
        reserve(store, replace(full, quantity=2))
    reserve(store, replace(full, quantity=1))
    assert room(store, full).used == LARGEST


def test_a_freeze_is_a_restriction_and_thaws(store: Store) -> None:
    """It is there once, with who and why, and makes every copy stale."""

    def frozen() -> object:
        return store.read(lambda tx: tx.restrictions.read())

    before = frozen()
    assert restrict(store, lambda tx: tx.budgets.freeze(new_id(), "testing", "odd", "ann", AT))
    assert not restrict(store, lambda tx: tx.budgets.freeze(new_id(), "testing", "odd", "bob", AT))
    during = store.read(lambda tx: tx.restrictions.read())
    assert {each.budget: (each.person, each.reason) for each in during.frozen.values()} == {
        "testing": ("ann", "odd")
    }
    assert restrict(store, lambda tx: tx.budgets.thaw("testing", "fine", "ann", AT + 1))
    assert not restrict(store, lambda tx: tx.budgets.thaw("testing", "fine", "ann", AT + 1))
    after = store.read(lambda tx: tx.restrictions.read())
    assert after.frozen == {}
    assert after.generation > during.generation
    assert before != during
    assert restrict(store, lambda tx: tx.budgets.freeze(new_id(), "testing", "again", "bob", AT + 2))


def test_a_percentage_is_told_once_in_a_window(store: Store) -> None:
    """Also when what was set aside came back and is taken anew; another window begins anew."""
    charge = replace(COST, quantity=260, alert_at=(25, 50, 90))

    def reached(window: int = AT) -> list[int]:
        def work(tx: Transaction) -> list[int]:
            found = tx.budgets.reserve(new_id(), 1, [replace(charge, window=window)])
            return [each.percent for each in found if tx.budgets.alert(alert(each))]

        return write(store, work)

    assert reached() == [25]
    assert reached() == [50]
    assert reached() == []
    assert reached(AT + DAY) == [25]
    told = store.read(lambda tx: tx.budgets.alerts("testing", 0, 9))
    assert [(each.window, each.percent, each.used, each.limit) for each in reversed(told)] == [
        (AT, 25, 260, 1_000),
        (AT, 50, 520, 1_000),
        (AT + DAY, 25, 260, 1_000),
    ]
    assert store.read(lambda tx: tx.budgets.get_alert(told[0].id)) == told[0]


def alert(found: Crossing) -> BudgetAlert:
    return BudgetAlert(
        new_id(), found.budget, found.scope, found.window, found.percent, AT, found.used, found.limit
    )


def test_one_charge_may_reach_several_percentages_and_raises_count(store: Store) -> None:
    """Of the limit that is in force at that moment."""
    give(store, more(quantity=1_000))
    charge = replace(COST, quantity=1_000, alert_at=(25, 50, 51))
    found = write(store, lambda tx: tx.budgets.reserve(new_id(), 1, [charge]))
    assert [(each.percent, each.used, each.limit) for each in found] == [
        (25, 1_000, 2_000),
        (50, 1_000, 2_000),
    ]


def test_an_alert_that_is_there_is_not_written_again(store: Store) -> None:
    """Its window, scope and percentage are a key, whatever else it says."""
    one = BudgetAlert(new_id(), "testing", "[]", AT, 50, AT, 500, 1_000)
    assert write(store, lambda tx: tx.budgets.alert(one))
    assert not write(store, lambda tx: tx.budgets.alert(replace(one, id=new_id(), used=600)))
    assert write(store, lambda tx: tx.budgets.alert(replace(one, id=new_id(), scope='["task","t"]')))


ROLLING = replace(COST, rolling=DAY, window=AT // bucket_width(DAY) * bucket_width(DAY))


def test_a_rolling_window_counts_all_that_has_a_part_inside(store: Store) -> None:
    """And forgets a bucket when the last of it is outside."""
    width = bucket_width(DAY)
    reserve(store, ROLLING)
    reserve(store, replace(ROLLING, window=ROLLING.window + width))
    for later in (2 * width, DAY):
        with pytest.raises(Overspent):
            reserve(store, replace(ROLLING, window=ROLLING.window + later))
    assert room(store, replace(ROLLING, window=ROLLING.window + DAY)).used == 800
    late = replace(ROLLING, window=ROLLING.window + DAY + width)
    assert room(store, late).used == 400
    reserve(store, late)


def test_a_clock_that_is_behind_counts_what_others_spent_ahead_of_it(store: Store) -> None:
    """Else two machines could fill one window twice."""
    reserve(store, replace(ROLLING, window=ROLLING.window + bucket_width(DAY), quantity=900))
    with pytest.raises(Overspent):
        reserve(store, replace(ROLLING, quantity=101))
    reserve(store, replace(ROLLING, quantity=100))


@pytest.mark.parametrize("later", [0, bucket_width(DAY)])
def test_of_two_who_fill_a_rolling_window_at_once_one_is_refused(opener: Opener, later: int) -> None:
    """Who waited for the other's turn counts what the other took, in the same bucket or in another one."""
    mine, others = opener(), opener()
    inside, go_on = threading.Event(), threading.Event()
    half = replace(ROLLING, quantity=600)

    def slow(tx: Transaction) -> None:
        tx.budgets.reserve("mine", 1, [half])
        inside.set()
        assert go_on.wait(20)

    with ThreadPoolExecutor() as pool:
        first = pool.submit(write, mine, slow)
        assert inside.wait(20)
        second = pool.submit(reserve, others, replace(half, window=half.window + later))
        with pytest.raises(TimeoutError):
            second.result(timeout=0.2)
        go_on.set()
        first.result(20)
        with pytest.raises(Overspent):
            second.result(20)
    assert room(mine, half).used == 600
    reserve(others, replace(half, quantity=400))


def test_a_rolling_window_gives_back_and_is_raised(store: Store) -> None:
    """To the bucket that it came from."""
    known = reserve(store, ROLLING)
    later = replace(ROLLING, window=ROLLING.window + bucket_width(DAY))
    settle(store, known, cost=1)
    assert room(store, later).used == 1
    give(store, more(window=None, until=SOON, quantity=1))
    reserve(store, replace(later, quantity=1_000))
    with pytest.raises(Overspent):
        reserve(store, replace(later, quantity=1))


def test_a_rolling_window_tells_a_percentage_once_as_long_as_it_is_inside(store: Store) -> None:
    """Not again with each new bucket."""
    charge = replace(ROLLING, quantity=600, alert_at=(50,))

    def reached(later: int, quantity: int) -> list[int]:
        def work(tx: Transaction) -> list[int]:
            one = replace(charge, window=charge.window + later, quantity=quantity)
            found = tx.budgets.reserve(new_id(), 1, [one])
            return [each.percent for each in found if tx.budgets.alert(alert(each))]

        return write(store, work)

    assert reached(0, 600) == [50]
    assert reached(bucket_width(DAY), 1) == []
    assert reached(DAY + 2 * bucket_width(DAY), 600) == [50]
