"""No sequence of calls, answers, pauses, top-ups and new windows makes an action run past a hard limit."""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handrail.engine.budgets.changes import freeze, thaw, top_up
from handrail.engine.budgets.pauses import go_on
from handrail.words.approval import Choice
from handrail.words.errors import HandrailError
from handrail.words.lifecycle import State
from handrail.words.money import NANO
from tests.support.rail import HEAD, Desk, opened

DAY = 86_400_000
HARD, EACH, SOFT, PAUSE = 300, 120, 100, 60
POLICY = f"""
handrail: 1
agents: {{support: {{may: [pay]}}}}
tools:
  pay: {{does: pay, amount: args.amount, starts: bounded, at_most: bounded}}
budgets:
  - {{id: hard, tools: pay, amount: {HARD}, per: total}}
  - {{id: each, tools: pay, amount: {EACH}, per: total, each: args.customer}}
  - {{id: soft, tools: pay, amount: {SOFT}, per: day, at_limit: {{ask: heads}}}}
  - {{id: pause, tools: pay, amount: {PAUSE}, per: day, at_limit: {{pause: heads}}}}
approvers:
  heads: {{people: [{HEAD}], need: 1, answer_within: 1 day, if_no_answer: reject}}
"""
PICKED = st.integers(0, 5)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), st.sampled_from([1, 20, 50, 70, 130]), st.sampled_from(["a", "b"])),
        st.tuples(st.just("yes"), PICKED, st.none()),
        st.tuples(st.just("no"), PICKED, st.none()),
        st.tuples(st.just("resume"), PICKED, st.none()),
        st.tuples(st.just("go on"), st.none(), st.none()),
        st.tuples(st.just("tomorrow"), st.none(), st.none()),
        st.tuples(st.just("top up"), st.sampled_from([10, 90]), st.sampled_from(["soft", "pause"])),
        st.tuples(st.just("freeze"), st.none(), st.sampled_from(["soft", "hard"])),
        st.tuples(st.just("thaw"), st.none(), st.sampled_from(["soft", "hard"])),
    ),
    min_size=4,
    max_size=24,
)


@dataclass
class Run:
    """One sequence: what was paid to whom, and what may be exceeded because a person said so."""

    desk: Desk
    paid: Counter[str] = field(default_factory=Counter)
    frozen: set[str] = field(default_factory=set)
    today: int = 0
    room: Counter[str] = field(default_factory=Counter)
    allowed: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """A tool that notes what it was called with, and what that exceeded."""

        @self.desk.rail.tool
        def pay(amount: int, customer: str) -> str:
            self.paid[customer] += amount
            self.today += amount
            if self.frozen:
                self.wrong.append("it ran although a budget that covers it is frozen")
            action = self.desk.actions(State.RUNNING)[-1].id
            for budget, limit in (("soft", SOFT), ("pause", PAUSE)):
                if self.today > limit + self.room[budget] and action not in self.allowed:
                    self.wrong.append(f"{budget} was exceeded and nobody allowed it")
            return "ok"

        self.pay = pay

    def step(self, what: str, how: Any, where: Any) -> None:
        """Do one thing; what is refused is refused."""
        with suppress(HandrailError):
            getattr(self, f"do_{what.replace(' ', '_')}")(how, where)

    def do_pay(self, amount: int, customer: str) -> None:
        with self.desk.rail.session("support", "t"):
            self.pay(amount, customer)

    def do_yes(self, place: int, _: None) -> None:
        if (action := self._of(State.HELD, place)) is not None:
            self.desk.vote(action, HEAD)
            self.allowed.add(action)

    def do_no(self, place: int, _: None) -> None:
        if (action := self._of(State.HELD, place)) is not None:
            self.desk.vote(action, HEAD, Choice.REJECT, "no")

    def do_resume(self, place: int, _: None) -> None:
        if (action := self._of(State.APPROVED, place)) is not None:
            self.desk.rail.resume(action)

    def do_go_on(self, *_: None) -> None:
        go_on(self.desk.app.engine)

    def do_tomorrow(self, *_: None) -> None:
        self.desk.sql(f"update budget_windows set starts_at = starts_at - {DAY} where starts_at > 0")
        self.desk.sql(f"update budget_raises set starts_at = starts_at - {DAY} where starts_at > 0")
        self.today = 0
        self.room.clear()

    def do_top_up(self, quantity: int, budget: str) -> None:
        top_up(self.desk.app.engine, budget, quantity * NANO, HEAD, "more")
        self.room[budget] += quantity

    def do_freeze(self, _: None, budget: str) -> None:
        freeze(self.desk.app.engine, budget, HEAD, "odd")
        self.frozen.add(budget)

    def do_thaw(self, _: None, budget: str) -> None:
        thaw(self.desk.app.engine, budget, HEAD, "well")
        self.frozen.discard(budget)

    def _of(self, state: State, place: int) -> str | None:
        found = self.desk.actions(state)
        return found[place % len(found)].id if found else None

    def holds(self) -> None:
        """What must be true after every step."""
        assert sum(self.paid.values()) <= HARD
        assert max(self.paid.values(), default=0) <= EACH
        counted = dict(self.desk.sql("select budget, sum(used) from budget_windows group by budget"))
        assert set(counted.values()) <= {sum(self.paid.values()) * NANO}
        assert self.wrong == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_no_sequence_makes_an_action_run_past_a_hard_limit_or_past_a_soft_one_unasked(
    steps: list[tuple[str, Any, Any]],
) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        opened(Path(folder), "memory:", POLICY, keeper=False) as desk,
    ):
        run = Run(desk)
        for what, how, where in steps:
            run.step(what, how, where)
            run.holds()


def test_such_a_sequence_pays_asks_pauses_and_goes_on(tmp_path: Path) -> None:
    """The twin: the property above is not kept by nothing ever running."""
    with opened(tmp_path, "memory:", POLICY, keeper=False) as desk:
        run = Run(desk)
        for step in (
            ("pay", 50, "a"),
            ("pay", 20, "b"),
            ("yes", 0, None),
            ("resume", 0, None),
            ("pay", 20, "a"),
            ("tomorrow", None, None),
            ("go on", None, None),
            ("resume", 0, None),
        ):
            run.step(*step)
            run.holds()
        assert run.paid == {"a": 70, "b": 20}
