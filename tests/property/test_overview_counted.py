"""What is kept of the overview's numbers from look to look is what a count of everything gives."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handrail.engine import jobs
from handrail.engine.cancel import cancel
from handrail.engine.questions.edits import edit
from handrail.engine.views.counted import HOUR, LARGE, MANY, SMALL, STRETCH, Counted, Counts
from handrail.engine.views.overview import Kept, overview
from handrail.ports import Store, Transaction
from handrail.store.memory import MemoryStore
from handrail.words.approval import Choice
from handrail.words.errors import HandrailError
from handrail.words.lifecycle import State
from tests.contract.things import PAYLOAD, action, entry, write
from tests.support.rail import LEAD, SECOND, Desk, opened

DAY = 24 * HOUR
NOON = 1_700_000_000_000 // DAY * DAY + DAY // 2

CALLS = st.tuples(
    st.just("refund"),
    st.sampled_from([10, 250, 250, 5000]),
    st.sampled_from(["", "fail", "lost", "lost and found"]),
)
WIPES = st.tuples(st.just("wipe"))
ANSWERS = st.tuples(st.sampled_from(["approve", "reject", "edit", "cancel", "resume", "late"]))
STEPS = st.lists(st.one_of(CALLS, CALLS, WIPES, ANSWERS, ANSWERS), min_size=4, max_size=14)


class World:
    """A desk with its tools, and numbers that are kept."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.kept = desk, Kept()

        @desk.rail.tool
        def refund(amount: int, reason: str) -> str:
            if reason.startswith("lost"):
                desk.sql("update actions set lease_until = 1 where state = 'running'")
                assert jobs.reap(desk.app.engine) == 1
                self.look()
            if reason in {"fail", "lost"}:
                raise OSError(reason)
            return f"{amount} {reason}"

        @desk.rail.tool
        def wipe(table: str) -> str:
            return table

        self.tools: dict[str, Callable[..., str]] = {"refund": refund, "wipe": wipe}

    def step(self, what: str, *more: Any) -> None:
        """Whatever becomes of it."""
        with suppress(HandrailError, OSError):
            if what in self.tools:
                given = dict(zip(("amount", "reason"), more, strict=True)) if more else {"table": "x"}
                with self.desk.rail.session(agent="support", task="t"):
                    self.tools[what](**given)
            else:
                self.change(what)
        self.look()

    def look(self) -> None:
        """The numbers that were kept beside those of a count of everything."""
        assert numbers(self.desk, self.kept) == numbers(self.desk, None)

    def change(self, what: str) -> None:
        """Something becomes of an action that was there before."""
        engine = self.desk.app.engine
        asked = [each.id for each in self.desk.actions(State.HELD)]
        waits = asked + [each.id for each in self.desk.actions(State.APPROVED)]
        if what == "late":
            self.desk.sql("update seats set expires_at = 1")
            self.desk.sql("update actions set expires_at = 1 where state = 'approved'")
            jobs.expire(engine)
        elif asked and what in {"approve", "reject"}:
            self.desk.vote(asked[0], LEAD, Choice(what), "no")
        elif asked and what == "edit":
            less = {"amount": 20, "reason": ""}
            edit(engine, self.desk.question(asked[-1]).id, LEAD, less, "less", verified=False)
        elif waits and what == "cancel":
            cancel(engine, waits[-1], SECOND, "not needed")
        elif waits and what == "resume":
            self.desk.rail.resume(waits[-1])


def numbers(desk: Desk, kept: Kept | None) -> Any:
    """What the overview tells of today, of each tool, of each hour, and of what is asked."""
    found = overview(desk.app.engine, kept)
    return found.day, found.agents, found.hours, found.asked


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=STEPS)
def test_whatever_becomes_of_actions_the_numbers_are_those_of_a_count_of_everything(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[Any, ...]]
) -> None:
    with opened(tmp_path_factory.mktemp("counted"), "memory:", keeper=False) as desk:
        world = World(desk)
        for step in steps:
            world.step(*step)


MINUTES = st.integers(-DAY // 60_000, DAY // 60_000)
ENDS = st.sampled_from([State.APPROVED, State.REJECTED, State.EXPIRED, State.CANCELLED])
PROPOSED = st.tuples(st.just("propose"), MINUTES, st.sampled_from(["find", "offer"]))
MOVED = st.tuples(st.just("move"), st.integers(0, 30), ENDS)
SEEN = st.tuples(st.just("look"), st.integers(-24, 24), st.sampled_from([0, 0, 1, 19, 23 * 4 + 1]))
WAITED = st.tuples(st.just("wait"), st.sampled_from([0, 1, 5, 9, 9, 9, 11]))
MOMENTS = st.lists(st.one_of(PROPOSED, PROPOSED, MOVED, SEEN, WAITED), min_size=4, max_size=25)


class Past:
    """Actions of two days around noon, and numbers that are kept."""

    def __init__(self, store: Store) -> None:
        self.store, self.kept, self.held = store, Counted(), list[str]()
        self.now = NOON

    def propose(self, minutes: int, tool: str) -> None:
        """An action of that time, and the entry that tells of it."""
        at = NOON + minutes * 60_000
        new = action(id=f"{at:012x}{len(self.held):016x}", tool=tool, proposed_at=at)

        def work(tx: Transaction) -> None:
            tx.actions.add(new, PAYLOAD)
            tx.journal.append([entry(action=new.id)])

        write(self.store, work)
        self.held.append(new.id)

    def move(self, place: int, end: State) -> None:
        """Something becomes of one of them, where it still may."""
        if not self.held:
            return
        known = self.held[place % len(self.held)]

        def work(tx: Transaction) -> None:
            if tx.actions.move(known, State.HELD, end, NOON):
                tx.journal.append([entry(action=known)])

        write(self.store, work)

    def wait(self, minutes: int) -> None:
        """Time goes by, and somebody looks."""
        self.now += minutes * 60_000
        self.look(-12, 0)

    def look(self, hour: int, quarters: int) -> None:
        """The kept numbers of a day whose zone's midnight lies so many quarters of an hour later."""
        since = NOON + hour * HOUR
        midnight = since + quarters * STRETCH

        def counts(kept: Counted) -> Counts:
            with kept.turn:
                return self.store.read(lambda tx: kept.read(self.at(tx), midnight, since))

        assert counts(self.kept) == counts(Counted())

    def at(self, tx: Transaction) -> Transaction:
        """The transaction, as if it were that time."""
        return cast("Transaction", SimpleNamespace(now=lambda: self.now, overview=tx.overview))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(moments=MOMENTS)
def test_however_days_and_hours_go_on_the_numbers_are_those_of_a_count_of_everything(
    moments: list[tuple[Any, ...]],
) -> None:
    store = MemoryStore()
    past = Past(store)
    for what, *more in moments:
        getattr(past, what)(*more)
    for hour in range(-1, 25):
        past.look(hour, 4)
        past.propose(60 * hour, "find")
    store.close()


@pytest.mark.parametrize("count", [MANY - 1, 3 * MANY])
def test_few_and_many_changes_at_once_are_counted_alike_in_bundles_of_both_sizes(
    count: int,
) -> None:
    """What is new is kept in small bundles; as it ages, in large ones."""
    store = MemoryStore()
    past = Past(store)
    for minutes in range(-count, 1):
        past.propose(minutes, "find")
    past.look(-12, 0)
    sizes = {len(each) for each in past.kept._bundles}
    assert sizes == {LARGE, SMALL}
    for each in range(count):
        past.move(each, State.REJECTED)
        past.propose(0, "offer")
    for _ in range(4):
        past.wait(9)
    assert {len(each) for each in past.kept._bundles} == {LARGE}
    store.close()


def test_what_could_not_be_read_to_its_end_is_counted_anew() -> None:
    """Half of a change is no number."""
    store = MemoryStore()
    past = Past(store)
    past.propose(0, "find")
    past.look(0, 0)
    past.propose(1, "find")

    def half(tx: Transaction) -> None:
        known = SimpleNamespace(mark=tx.overview.mark, told_of=tx.overview.told_of)
        past.kept.read(cast("Transaction", SimpleNamespace(now=tx.now, overview=known)), NOON, NOON)

    with pytest.raises(AttributeError, match="tallies"):
        store.read(half)
    past.look(0, 0)
    store.close()
