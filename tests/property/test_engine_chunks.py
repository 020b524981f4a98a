"""Several processes charge a budget from chunks, are killed, stopped and limited: the sums are a model's.

The processes are engines of one store that share nothing else; each has its own chunks and notes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handrail.app import operator
from handrail.engine.budgets import chunks as budget_chunks
from handrail.engine.budgets.changes import end_raise, freeze, raise_until, thaw, top_up
from handrail.engine.budgets.chunks import Chunks
from handrail.engine.budgets.holds import release_holds, reserve_holds, settle_holds
from handrail.engine.budgets.leases import close, close_own, reclaim, tend
from handrail.engine.claim import Stale
from handrail.engine.core import Engine
from handrail.engine.ids import new_id
from handrail.engine.restrict import activate
from handrail.policy.load import load
from handrail.ports import Commit, Store, Transaction
from handrail.store.memory import MemoryStore
from handrail.store.parts import budget_chunks as parts
from handrail.store.postgres import PostgresStore
from handrail.words.errors import Overspent
from handrail.words.verdict import Charge
from tests.property.chunk_model import PERCENTS, SCOPES, Clock, Held, Holder, Model

PROCESSES = 3
LIMITS = (120, 90, 60)
FAR = 4_000_000_000_000
TRIES = 5
POLICY = """
handrail: 1
agents: {{support: {{may: [pay]}}}}
tools: {{pay: {{does: pay, starts: bounded, at_most: bounded}}}}
budgets: [{{id: {budget}, tools: pay, actions: {limit}, per: total, alert_at: [50%, 90%]}}]
"""
WHO = st.integers(0, PROCESSES - 1)
PICK = st.integers(0, 99)
WHERE = st.sampled_from([SCOPES[0], SCOPES[0], SCOPES[1]])
BURST = st.tuples(
    st.just("burst"), st.tuples(WHO, WHERE, st.lists(st.integers(0, 4), min_size=4, max_size=12))
)
STEPS = st.one_of(
    *[BURST] * 12,
    st.tuples(st.just("claim"), st.tuples(WHO, WHERE, st.integers(1, 40))),
    st.tuples(st.just("rest"), st.tuples(WHO, WHERE, st.none())),
    st.tuples(st.just("settle"), st.tuples(WHO, PICK, st.none() | st.integers(0, 9))),
    st.tuples(st.just("release"), st.tuples(WHO, PICK, st.none())),
    st.tuples(st.just("lose"), st.tuples(WHO, PICK, st.none())),
    st.tuples(st.just("crash"), st.tuples(WHO, st.none(), st.none())),
    st.tuples(st.just("abort"), st.tuples(WHO, WHERE, st.integers(1, 4))),
    st.tuples(st.just("stop"), st.tuples(WHO, st.none(), st.none())),
    st.tuples(st.just("lapse"), st.tuples(WHO, WHERE, st.none())),
    st.tuples(st.just("wait"), st.tuples(WHO, st.none(), st.none())),
    st.tuples(st.just("freeze"), st.tuples(WHO, WHO, st.integers(1, 4))),
    st.tuples(st.just("limit"), st.tuples(WHO, st.sampled_from(LIMITS), st.none())),
    st.tuples(st.just("top_up"), st.tuples(WHO, st.integers(1, 90), st.none())),
    st.tuples(st.just("raise_until"), st.tuples(WHO, st.integers(1, 90), st.none())),
    st.tuples(st.just("end_raise"), st.tuples(WHO, PICK, st.none())),
)
Step = tuple[str, tuple[int, Any, Any]]


class Run:
    """One example: the processes and the model take the same steps."""

    def __init__(self, store: Store) -> None:
        self.store, self.budget = store, f"b-{new_id()}"
        self.clock = Clock()
        self.model = Model(LIMITS[0])
        self.engines = [self.begun()]
        self.do_limit(0, LIMITS[0], None)
        self.engines += [self.begun() for _ in range(1, PROCESSES)]

    def begun(self) -> Engine:
        """A new process."""
        engine = operator(self.store)
        engine.chunks = Chunks(self.clock)
        engine.refresh()
        return engine

    def do_claim(self, who: int, scope: str, quantity: int) -> None:
        """It starts exactly if the model says that there is room."""
        model, holder = self.model, Holder(new_id())
        fits = not model.frozen and model.used[scope] + quantity <= model.most
        assert self.claimed(self.engines[who], holder, scope, quantity) is fits
        if fits:
            model.used[scope] += quantity
            model.held[holder.id] = Held(scope, quantity)
        self.alerts(scope)
        if fits:
            assert not model.reached(scope), model

    def claimed(
        self, engine: Engine, holder: Holder, scope: str, quantity: int, *, abort: bool = False
    ) -> bool:
        """As an action is claimed: whether it starts."""
        assert engine.chunks is not None
        for _ in range(TRIES):
            seen, limit = engine.restrictions, engine.policy.policy.budgets[0].limit
            if engine.chunks.wanted:
                tend(engine)
            charge = Charge(self.budget, scope, 0, quantity, int(limit), alert_at=PERCENTS)

            def work(tx: Transaction, seen: Any = seen, charge: Charge = charge) -> bool:
                if tx.restrictions.generation() != seen.generation:
                    raise Stale("as a claim does")
                if self.budget in seen.frozen:
                    return False
                reserve_holds(engine, tx, holder, [charge], tx.now(), generation=seen.generation)
                if abort:
                    raise ZeroDivisionError
                return True

            try:
                return engine.store.write(Commit.PROPOSE, work)
            except Stale:
                engine.refresh()
            except Overspent as full:
                reclaim(engine, full)
        return False

    def do_burst(self, who: int, scope: str, quantities: list[int]) -> None:
        """Many at one moment, which makes the window hot."""
        for quantity in quantities:
            self.do_claim(who, scope, quantity)

    def do_rest(self, who: int, scope: str, _: None) -> None:
        """Everything that is left, in one: nobody's chunk keeps any of it; and then one more."""
        left = self.model.most - self.model.used[scope]
        if left > 0:
            self.do_claim(who, scope, left)
        self.do_claim(who, scope, 1)

    def do_abort(self, who: int, scope: str, quantity: int) -> None:
        """A claim that breaks off after it has set aside: nothing of it happened."""
        if self.model.frozen or self.model.used[scope] + quantity > self.model.most:
            return
        with pytest.raises(ZeroDivisionError):
            self.claimed(self.engines[who], Holder(new_id()), scope, quantity, abort=True)

    def do_settle(self, who: int, pick: int, spent: int | None) -> None:
        """For what was measured, or in full; in any process."""
        if (found := self.picked(pick)) is None:
            return
        holder, held = found
        measured = None if spent is None else {"actions": spent}
        engine = self.engines[who]
        engine.refresh()
        if not held.over:
            self.model.used[held.scope] += 0 if spent is None else spent - held.quantity
        held.over = True
        self.write(lambda tx: settle_holds(engine, tx, Holder(holder), measured, tx.now()))
        self.alerts(held.scope)

    def do_release(self, who: int, pick: int, _: None) -> None:
        """It comes back."""
        if (found := self.picked(pick)) is None:
            return
        holder, held = found
        if not held.over:
            self.model.used[held.scope] -= held.quantity
        held.over = True
        self.write(lambda tx: release_holds(self.engines[who], tx, holder, 1))

    def do_lose(self, _: int, pick: int, __: None) -> None:
        """Its process was lost: it counts in full, and may still be settled."""
        if (found := self.picked(pick)) is not None:
            self.write(lambda tx: tx.budgets.presume(found[0], 1))

    def do_crash(self, who: int, *_: None) -> None:
        """Killed: what it knew is gone, its chunks stay open."""
        self.engines[who] = self.begun()

    def do_stop(self, who: int, *_: None) -> None:
        """It ends in good order."""
        close_own(self.engines[who])
        self.alerts(*SCOPES)
        self.engines[who] = self.begun()

    def do_lapse(self, who: int, scope: str, _: None) -> None:
        """Somebody closes what others left, or still draw from."""
        close(self.engines[who], self.store.read(lambda tx: tx.budget_chunks.open(self.budget, scope, 0)))
        self.alerts(*SCOPES)

    def do_wait(self, who: int, *_: None) -> None:
        """Time goes by, and what nobody needs is closed."""
        self.clock.now += budget_chunks.USABLE
        tend(self.engines[who])
        self.alerts(*SCOPES)

    def do_freeze(self, who: int, other: int, quantity: int) -> None:
        """Nobody else is told, and nothing starts until it is thawed."""
        freeze(self.engines[who], self.budget, "ann@example.com", "odd")
        self.model.frozen = True
        self.do_claim(other, SCOPES[0], quantity)
        thaw(self.engines[who], self.budget, "ann@example.com", "well")
        self.model.frozen = False

    def do_limit(self, who: int, limit: int, _: None) -> None:
        """Another version of the policy; nobody else is told."""
        text = POLICY.format(budget=self.budget, limit=limit)
        activate(self.engines[who], load(text, "handrail.yaml"), "ann@example.com", "another limit")
        self.model.limit = limit

    def do_top_up(self, who: int, quantity: int, _: None) -> None:
        made = top_up(self.engines[who], self.budget, quantity, "ann@example.com", "more")
        self.model.raises[made.id] = quantity

    def do_raise_until(self, who: int, quantity: int, _: None) -> None:
        made = raise_until(self.engines[who], self.budget, quantity, FAR, "ann@example.com", "more")
        self.model.raises[made.id] = quantity

    def do_end_raise(self, who: int, pick: int, _: None) -> None:
        if self.model.raises:
            known = sorted(self.model.raises)[pick % len(self.model.raises)]
            end_raise(self.engines[who], known, "ann@example.com", "over")
            del self.model.raises[known]

    def picked(self, pick: int) -> tuple[str, Held] | None:
        if not self.model.held:
            return None
        known = sorted(self.model.held)[pick % len(self.model.held)]
        return known, self.model.held[known]

    def write(self, work: Callable[[Transaction], None]) -> None:
        self.store.write(Commit.SETTLE, work)

    def alerts(self, *scopes: str) -> None:
        """What was told since the last look is true now, to the unit, and was not told before."""
        for scope in scopes:
            found = [
                each
                for each in self.store.read(lambda tx: tx.budgets.alerts(self.budget, 0, 99))
                if each.scope == scope and each.percent not in self.model.told[scope]
            ]
            due = self.model.reached(scope)
            for alert in found:
                assert alert.percent in due, (alert, self.model)
                assert (alert.used, alert.limit) == (self.model.used[scope], self.model.most)
            self.model.told[scope] |= {alert.percent for alert in found}

    def agrees(self) -> None:
        """What people read is the model's, however much is left in chunks."""
        for scope, used in self.model.used.items():
            found = self.store.read(lambda tx, s=scope: tx.budgets.room(self.budget, s, 0))  # type: ignore[misc]
            assert found.used == used, (scope, self.model)

    def ends(self) -> None:
        """Once every chunk is closed the windows are the sums of their holds."""
        for scope in SCOPES:
            self.do_lapse(0, scope, None)
        self.agrees()
        for known in list(self.model.raises):
            end_raise(self.engines[0], known, "ann@example.com", "over")


@pytest.fixture(scope="module")
def memory() -> Iterator[Store]:
    store = MemoryStore()
    yield store
    store.close()


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """One store for all examples: each has a budget of its own."""
    if request.param == "memory":
        yield request.getfixturevalue("memory")
        return
    opened = PostgresStore(request.getfixturevalue("postgres_database"))
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def soon_hot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks after two charges, and of half of what is left, so that a few steps meet many of them."""
    monkeypatch.setattr(budget_chunks, "OFTEN", 2)
    monkeypatch.setattr(budget_chunks, "SEVERAL", 1)
    monkeypatch.setattr(parts, "PART", 2)
    monkeypatch.setattr(budget_chunks, "AGAIN", -1.0)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, min_size=5, max_size=25))
def test_any_order_of_everything_is_exact_with_chunks(store: Store, steps: list[Step]) -> None:
    """Refused is exactly what has no room, told exactly what was reached, at the moment when it was."""
    run = Run(store)
    for step, (who, what, how) in steps:
        getattr(run, f"do_{step}")(who, what, how)
        run.agrees()
    run.ends()


@pytest.mark.parametrize("seed", range(8))
def test_a_window_is_filled_to_its_last_unit_and_every_percentage_is_told_as_it_is_reached(
    store: Store, seed: int
) -> None:
    """Long walks around the marks, which few random orders reach: more is taken than given back."""
    run, dice = Run(store), random.Random(seed)
    while run.model.used[SCOPES[0]] < run.model.most or not run.model.told[SCOPES[0]] >= {90}:
        who = dice.randrange(PROCESSES)
        run.do_burst(who, SCOPES[0], [dice.choice([1, 1, 1, 2, 3, 9]) for _ in range(dice.randint(1, 6))])
        if dice.random() < 0.3:
            run.do_settle(who, dice.randrange(999), dice.randint(0, 6))
        if dice.random() < 0.1:
            run.do_release(who, dice.randrange(999), None)
        run.agrees()
    run.ends()


def test_a_percentage_is_told_by_the_claim_that_reaches_it_also_from_a_chunk(store: Store) -> None:
    """Another process fills the window up to there, but for one."""
    run = Run(store)
    run.do_burst(0, SCOPES[0], [1] * 6)
    run.do_claim(1, SCOPES[0], 60 - 6 - 1)
    assert run.model.told[SCOPES[0]] == set()
    run.do_claim(0, SCOPES[0], 1)
    assert run.model.told[SCOPES[0]] == {50}
    run.ends()


def test_a_lower_limit_and_the_end_of_a_raise_end_what_was_taken_before(store: Store) -> None:
    """The process that holds the chunk is told by nobody; the twin draws from it until then."""
    run = Run(store)
    for step, given_ in (("limit", 60), ("end_raise", 0)):
        run.do_raise_until(1, 90, None)
        run.do_burst(0, SCOPES[0], [1] * 9)
        while run.model.used[SCOPES[0]] < 60:
            run.do_claim(0, SCOPES[0], 4)
        if step == "limit":
            run.do_end_raise(1, 0, None)
        getattr(run, f"do_{step}")(1, given_, None)
        assert run.store.read(lambda tx: tx.budget_chunks.open(run.budget, SCOPES[0], 0))
        run.do_claim(0, SCOPES[0], 1)
        assert run.model.used[SCOPES[0]] >= run.model.most
        run.agrees()
    run.ends()


def test_such_an_order_does_charge_chunks(store: Store) -> None:
    """The twin: the property above is not kept by everybody charging the window."""
    run = Run(store)
    for who in (0, 1):
        run.do_burst(who, SCOPES[0], [1, 2, 3, 2, 1])
    opened = run.store.read(lambda tx: tx.budget_chunks.open(run.budget, SCOPES[0], 0))
    assert len(opened) == 2
    run.agrees()
    run.do_rest(2, SCOPES[0], None)
    run.ends()
