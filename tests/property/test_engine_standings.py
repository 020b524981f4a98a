"""Whatever people, policies and money do meanwhile, a standing approval lets no more run."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handrail.engine.questions.standings import asks_of, make_standing, revoke_standing
from handrail.words.entry import Kind
from handrail.words.errors import Conflict, Held, PolicyError, Refused
from handrail.words.lifecycle import State
from handrail.words.standing import Standing
from tests.integration.engine.asking import account, refund
from tests.support.rail import HEAD, LEAD, POLICY, SECOND, Desk, opened

UNIT = 1_000_000_000
DAY = 86_400_000
CHANGED = POLICY.replace("amount > 100", "amount > 99")
WITHOUT_LEAD = POLICY.replace(
    "leads: {people: [lead@example.com, second@example.com]", f"leads: {{people: [{SECOND}]"
)
CONDITIONS = [None, "amount < 300", "args.order == 'b'", "args.reason == 'legal' || amount > 200"]

CALLS = st.tuples(
    st.just("call"),
    st.sampled_from([50, 150, 250, 350]),
    st.sampled_from(["a", "b"]),
    st.sampled_from(["", "legal"]),
)
MADE = st.tuples(
    st.just("make"),
    st.integers(1, 3),
    st.sampled_from([150, 400, 900]),
    st.sampled_from(CONDITIONS),
    st.sampled_from([LEAD, HEAD]),
)
CHANGES = st.tuples(st.sampled_from(["revoke", "close", "open", "changed", "without lead", "as before"]))
WIDE = st.tuples(
    st.just("make"),
    st.integers(2, 4),
    st.just(900),
    st.sampled_from([None, None, *CONDITIONS]),
    st.just(LEAD),
)
STEPS = st.lists(st.one_of(CALLS, CALLS, CALLS, CALLS, MADE, WIDE, CHANGES), min_size=8, max_size=20)


class World:
    """A desk, what was made on it, and what the model says may still run."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.made: dict[str, tuple[Standing, str | None]] = {}
        self.revoked: set[str] = set()
        self.closed = False
        self.policy = POLICY
        self.orders = 0

    def step(self, what: str, *more: Any) -> None:
        if what == "call":
            self.call(*more)
        elif what == "make":
            self.make(*more)
        elif what == "revoke" and (left := sorted(self.made.keys() - self.revoked)):
            self.revoked.add(left[0])
            with suppress(Conflict):
                revoke_standing(self.desk.app.engine, left[0], SECOND)
        elif what in {"close", "open"}:
            self.closed = what == "close"
            account(self.desk, LEAD)
            account(self.desk, LEAD, active=not self.closed)
        elif what in {"changed", "without lead", "as before"}:
            self.policy = {"changed": CHANGED, "without lead": WITHOUT_LEAD, "as before": POLICY}[what]
            self.desk.activate(self.policy)

    def make(self, actions: int, amount: int, when: str | None, person: str) -> None:
        engine = self.desk.app.engine
        engine.refresh()
        known = asks_of(engine.policy.policy, "refund")
        asks = frozenset({known["ask:big" if person == LEAD else "ask:legal"]})
        until = self.desk.app.store.read(lambda tx: tx.now()) + DAY
        with suppress(Refused, PolicyError):
            made = make_standing(
                engine,
                agent="support",
                tool="refund",
                asks=asks,
                when=when,
                actions=actions,
                amount=amount * UNIT,
                expires_at=until,
                person=person,
                reason="a recall",
                verified=False,
            )
            assert not (person == LEAD and (self.closed or self.policy is WITHOUT_LEAD))
            self.made[made.id] = (made, self.policy)

    def call(self, amount: int, order: str, reason: str) -> None:
        self.orders += 1
        with suppress(Held):
            refund(self.desk, amount, reason, session=f"s-{self.orders}", order=order)
        action = self.desk.actions()[-1]
        asked = {"ask:big"} if amount > 100 else set()
        asked |= {"ask:legal"} if reason == "legal" else set()
        if not asked:
            assert (action.state, action.standing) == (State.DONE, None)
        elif action.state is not State.HELD:
            self.was_covered(action.standing, asked, order, amount, reason)

    def was_covered(
        self, standing: str | None, asked: set[str], order: str, amount: int, reason: str
    ) -> None:
        assert standing is not None
        made, policy = self.made[standing]
        assert standing not in self.revoked
        assert asked <= {ask.step for ask in made.asks}
        if made.person == LEAD:
            assert not self.closed
            assert self.policy is not WITHOUT_LEAD
            assert (policy is CHANGED) == (self.policy is CHANGED)
        held = {
            None: True,
            CONDITIONS[1]: amount < 300,
            CONDITIONS[2]: order == "b",
            CONDITIONS[3]: reason == "legal" or amount > 200,
        }
        assert held[made.when]

    def was_never_exceeded(self) -> None:
        used: Counter[str] = Counter()
        moved: defaultdict[str, int] = defaultdict(int)
        amounts = {action.id: action.amount or 0 for action in self.desk.actions()}
        for entry in self.desk.entries():
            if entry.kind is Kind.STANDING_USED:
                standing = json.loads(entry.body)["standing"]
                used[standing] += 1
                moved[standing] += amounts[entry.action or ""]
        for standing, (made, _) in self.made.items():
            now = self.desk.app.store.read(lambda tx, known=standing: tx.standings.get(known))  # type: ignore[misc]
            assert now is not None
            assert (now.left, now.amount_left) == (
                made.left - used[standing],
                (made.amount_left or 0) - moved[standing],
            )
            assert now.left >= 0
            assert (now.amount_left or 0) >= 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=STEPS)
def test_a_standing_approval_is_never_wider_than_it_was_made(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[Any, ...]]
) -> None:
    folder: Path = tmp_path_factory.mktemp("standing")
    with opened(folder, "memory:", keeper=False) as desk:
        world = World(desk)
        for step in [("make", 3, 900, None, LEAD), *steps]:
            world.step(*step)
        world.was_never_exceeded()
