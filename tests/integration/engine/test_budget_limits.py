"""Soft limits end to end: a budget that asks, one that pauses, and a hard one that nothing ever exceeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

import handrail
from handrail.engine.budgets.changes import freeze, thaw, top_up
from handrail.engine.budgets.pauses import go_on
from handrail.engine.jobs import expire
from handrail.engine.questions.sheet import sheet
from handrail.engine.questions.standings import asks_of, make_standing
from handrail.words.approval import ApprovalState, Choice
from handrail.words.entry import Kind
from handrail.words.errors import Refused
from handrail.words.lifecycle import State
from handrail.words.money import NANO
from tests.integration.engine.conftest import Open
from tests.support.rail import HEAD, LEAD, Desk

DAY = 86_400_000
HEADER = """
handrail: 1
agents:
  support: {may: [refund]}
tools:
  refund: {does: pay, amount: args.amount, starts: bounded, at_most: bounded}
approvers:
  leads: {people: [lead@example.com], need: 1, answer_within: 4 h, if_no_answer: reject}
  heads: {people: [head@example.com], need: 1, answer_within: 1 day, if_no_answer: reject}
"""
ASKS = f"""{HEADER}
budgets:
  - {{id: daily, tools: refund, amount: 100, per: day, at_limit: {{ask: heads}}}}
"""
PAUSES = ASKS.replace("ask: heads", "pause: heads")
HARD = "  - {id: hard, tools: refund, amount: 150, per: total}\n"


class Till:
    """A desk with one tool, and what was paid with it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.paid: list[int] = []

        @desk.rail.tool
        def refund(amount: int) -> str:
            self.paid.append(amount)
            return "ok"

        self.refund = refund

    def pay(self, *amounts: int) -> None:
        """Refunds that run at once."""
        with self.desk.rail.session("support", "t"):
            for amount in amounts:
                self.refund(amount)

    def held(self, amount: int) -> str:
        """The id of a refund that waits."""
        with self.desk.rail.session("support", "t"), pytest.raises(handrail.Held) as held:
            self.refund(amount)
        return held.value.action_id

    def state(self, action: str) -> State:
        """Where an action stands."""
        return self.desk.action(action).state

    def tomorrow(self) -> None:
        """Every window so far belongs to yesterday."""
        self.desk.sql(f"update budget_windows set starts_at = starts_at - {DAY} where starts_at > 0")

    def go_on(self) -> int:
        """Run the job."""
        return go_on(self.desk.app.engine)


@pytest.fixture
def asking(store_url: str, open_desk: Open) -> Till:
    """A till whose budget asks."""
    return Till(open_desk(store_url, ASKS))


@pytest.fixture
def pausing(store_url: str, open_desk: Open) -> Till:
    """A till whose budget pauses."""
    return Till(open_desk(store_url, PAUSES))


def test_over_a_soft_limit_people_are_asked_and_a_yes_lets_exactly_this_one_exceed_it(asking: Till) -> None:
    asking.pay(90)
    action = asking.held(20)
    assert asking.state(action) is State.HELD
    assert [seat.group for seat in asking.desk.question(action).seats] == ["heads"]
    asking.desk.vote(action, HEAD)
    assert asking.desk.rail.resume(action) == "ok"
    assert asking.paid == [90, 20]
    assert asking.desk.used() == 110 * NANO
    assert asking.state(asking.held(1)) is State.HELD


def test_the_question_says_which_budget_how_much_over_and_when_it_renews(asking: Till) -> None:
    asking.pay(90)
    action = asking.held(20)
    engine = asking.desk.app.engine
    question = asking.desk.question(action)
    (why,) = engine.store.read(lambda tx: sheet(engine, tx, question)).why
    said, _, then = why.reason.partition("; it renews at ")
    assert said == "$90 of $100 of the budget daily are used and this takes $20"
    assert then.endswith("(UTC); a yes lets this one exceed it by $10")
    assert why.condition == "at most $100 today"


def test_a_no_lets_nothing_exceed_and_costs_nothing(asking: Till) -> None:
    asking.pay(90)
    action = asking.held(20)
    asking.desk.vote(action, HEAD, Choice.REJECT, "not today")
    with pytest.raises(handrail.HandrailError):
        asking.desk.rail.resume(action)
    assert (asking.paid, asking.desk.used()) == ([90], 90 * NANO)


def test_only_the_group_that_the_budget_names_may_let_it_exceed(asking: Till) -> None:
    asking.pay(100)
    action = asking.held(1)
    with pytest.raises(Refused, match="not among those who are asked: heads"):
        asking.desk.vote(action, LEAD)
    asking.desk.vote(action, HEAD)
    assert asking.state(action) is State.APPROVED


def test_leave_to_exceed_one_budget_exceeds_no_other(store_url: str, open_desk: Open) -> None:
    till = Till(open_desk(store_url, ASKS + HARD))
    till.pay(90)
    first, second = till.held(50), till.held(50)
    for action in (first, second):
        till.desk.vote(action, HEAD)
    assert till.desk.rail.resume(first) == "ok"
    with pytest.raises(handrail.Denied, match=r"\$140 of \$150 of the budget hard are used"):
        till.desk.rail.resume(second)
    assert till.paid == [90, 50]


def test_an_approval_that_found_room_meanwhile_is_counted_like_any_other(asking: Till) -> None:
    asking.pay(90)
    action = asking.held(20)
    asking.desk.vote(action, HEAD)
    asking.tomorrow()
    asking.desk.rail.resume(action)
    assert [row[0] for row in asking.desk.sql("select used from budget_windows order by starts_at")][-1:] == [
        20 * NANO
    ]


def test_a_limit_that_was_lowered_since_asks_anew(asking: Till) -> None:
    asking.pay(90)
    action = asking.held(20)
    asking.desk.vote(action, HEAD)
    asking.desk.activate(ASKS.replace("amount: 100", "amount: 95"))
    with pytest.raises(handrail.Held):
        asking.desk.rail.resume(action)
    assert asking.paid == [90]


def _standing(till: Till, asks: Sequence[str]) -> None:
    engine = till.desk.app.engine
    known = asks_of(engine.policy.policy, "refund")
    make_standing(
        engine,
        agent="support",
        tool="refund",
        asks=frozenset(known[step] for step in asks),
        when=None,
        actions=5,
        amount=1_000 * NANO,
        expires_at=engine.clock() + DAY,
        person=HEAD,
        reason="Known damage",
        verified=False,
    )


def test_a_standing_approval_lets_a_budget_exceed_only_when_it_names_it(
    store_url: str, open_desk: Open
) -> None:
    rule = 'rules: [{id: big, tools: refund, when: "amount > 40", ask: heads}]\n'
    till = Till(open_desk(store_url, ASKS + rule))
    _standing(till, ["ask:big"])
    till.pay(90)
    till.held(50)
    assert till.paid == [90]
    _standing(till, ["ask:big", "budget:daily"])
    till.pay(50)
    assert (till.paid, till.desk.used()) == ([90, 50], 140 * NANO)


def test_what_is_paused_goes_on_by_itself_when_its_window_renews(pausing: Till) -> None:
    pausing.pay(90)
    action = pausing.held(20)
    assert pausing.go_on() == 0
    pausing.tomorrow()
    assert pausing.go_on() == 1
    question = pausing.desk.question(action)
    assert (question.state, question.reason) == (
        ApprovalState.RESUMED,
        "there is room in the budget daily again",
    )
    assert pausing.desk.kinds(action).count(Kind.RESUMED) == 1
    assert pausing.desk.rail.resume(action) == "ok"
    assert pausing.paid == [90, 20]


def test_what_is_paused_says_that_it_waits_and_a_person_may_let_it_exceed_all_the_same(
    pausing: Till,
) -> None:
    pausing.pay(90)
    action = pausing.held(20)
    reason = pausing.desk.action(action).verdict.reasons[0]
    assert reason.endswith(
        "a yes lets this one exceed it by $10; without an answer it goes on by itself once there is room"
    )
    pausing.desk.vote(action, HEAD)
    assert pausing.desk.rail.resume(action) == "ok"
    assert pausing.desk.used() == 110 * NANO


def test_what_is_paused_goes_on_when_a_person_tops_the_budget_up_and_only_as_much_as_fits(
    pausing: Till,
) -> None:
    pausing.pay(90)
    first, second, third = (pausing.held(amount) for amount in (20, 30, 15))
    top_up(pausing.desk.app.engine, "daily", 35 * NANO, HEAD, "A busy day")
    # the second does not fit beside the first; the third, which does, is not kept back by it
    assert pausing.go_on() == 2
    assert [pausing.state(one) for one in (first, second, third)] == [
        State.APPROVED,
        State.HELD,
        State.APPROVED,
    ]
    # what may start already counts as spent for those that wait
    assert pausing.go_on() == 0
    assert [pausing.desk.rail.resume(one) for one in (first, third)] == ["ok", "ok"]
    assert pausing.desk.used() == 125 * NANO


def test_going_on_is_no_leave_to_exceed(pausing: Till) -> None:
    pausing.pay(90)
    action = pausing.held(20)
    pausing.tomorrow()
    assert pausing.go_on() == 1
    pausing.pay(95)
    with pytest.raises(handrail.Held):
        pausing.desk.rail.resume(action)
    assert pausing.paid == [90, 95]
    assert pausing.desk.question(action).state is ApprovalState.OPEN


def test_a_frozen_budget_lets_nothing_go_on_and_refuses_until_it_is_thawed(pausing: Till) -> None:
    engine = pausing.desk.app.engine
    pausing.pay(90)
    action = pausing.held(20)
    freeze(engine, "daily", HEAD, "Something is odd")
    pausing.tomorrow()
    assert pausing.go_on() == 0
    with (
        pausing.desk.rail.session("support", "t"),
        pytest.raises(handrail.Denied, match=rf"daily was frozen by {HEAD}, .*: Something is odd"),
    ):
        pausing.refund(1)
    thaw(engine, "daily", HEAD, "All is well")
    assert pausing.go_on() == 1
    assert pausing.desk.rail.resume(action) == "ok"


def test_what_waits_for_people_too_does_not_go_on_by_itself(store_url: str, open_desk: Open) -> None:
    rule = 'rules: [{id: big, tools: refund, when: "amount > 40", ask: leads}]\n'
    till = Till(open_desk(store_url, PAUSES + rule))
    till.pay(40, 40)
    action = till.held(50)
    till.tomorrow()
    assert till.go_on() == 0
    assert till.state(action) is State.HELD


def test_what_is_paused_is_waited_for_until_its_window_is_over_and_then_as_long_as_the_group_has(
    pausing: Till,
) -> None:
    pausing.pay(100)
    action = pausing.held(1)
    (seat,) = pausing.desk.question(action).seats
    midnight = (pausing.desk.app.engine.clock() // DAY + 1) * DAY
    assert seat.expires_at == midnight + DAY
    pausing.desk.sql("update seats set expires_at = 1")
    expire(pausing.desk.app.engine)
    assert pausing.state(action) is State.EXPIRED


def test_an_asking_budget_keeps_the_groups_own_time_and_never_goes_on_by_itself(asking: Till) -> None:
    asking.pay(100)
    action = asking.held(1)
    (seat,) = asking.desk.question(action).seats
    assert seat.expires_at is not None
    assert seat.expires_at <= asking.desk.app.engine.clock() + DAY
    asking.tomorrow()
    assert asking.go_on() == 0
    assert asking.state(action) is State.HELD


def test_each_over_a_week_catches_ten_refunds_of_99(store_url: str, open_desk: Open) -> None:
    each = "budgets: [{id: each, tools: refund, amount: 200, per: week, each: args.customer}]\n"
    desk = open_desk(store_url, HEADER + each)
    paid: list[tuple[str, int]] = []

    @desk.rail.tool
    def refund(customer: str, amount: int) -> str:
        paid.append((customer, amount))
        return "ok"

    with desk.rail.session("support", "t"):
        for _ in range(2):
            assert refund("c-1", 99) == "ok"
        for _ in range(8):
            with pytest.raises(handrail.Denied, match=r"\$198 of \$200 of the budget each are used"):
                refund("c-1", 99)
    with desk.rail.session("support", "t"):
        assert refund("c-2", 99) == "ok"
    assert paid == [("c-1", 99), ("c-1", 99), ("c-2", 99)]


def test_a_number_and_its_text_are_one_customer(store_url: str, open_desk: Open) -> None:
    each = "budgets: [{id: each, tools: refund, amount: 200, per: week, each: args.customer}]\n"
    desk = open_desk(store_url, HEADER + each)

    @desk.rail.tool
    def refund(customer: float | str, amount: int) -> str:
        return f"{customer}: {amount}"

    with desk.rail.session("support", "t"):
        assert refund("17", 150) == "17: 150"
        for same in (17, 17.0, "17"):
            with pytest.raises(handrail.Denied, match=r"\$150 of \$200 of the budget each are used"):
                refund(same, 99)
        assert refund(17, 50) == "17.0: 50"
        assert refund(18, 150) == "18.0: 150"


def test_a_budget_of_the_cost_of_tools_counts_what_running_them_costs(
    store_url: str, open_desk: Open
) -> None:
    text = HEADER.replace("amount: args.amount,", "cost: args.amount * 0.003,")
    desk = open_desk(store_url, text + "budgets: [{id: c, cost: 0.01, per: 24h, tools: refund}]\n")
    till = Till(desk)
    till.pay(2, 1)
    with desk.rail.session("support", "t"), pytest.raises(handrail.Denied, match=r"\$0.009 of \$0.01"):
        till.refund(1)
    assert desk.used() == 9_000_000


def test_held_and_rejected_and_expired_actions_cost_nothing(pausing: Till) -> None:
    pausing.pay(100)
    for _ in range(3):
        pausing.held(50)
    assert pausing.desk.used() == 100 * NANO


def test_an_agent_that_waits_is_woken_when_somebody_tops_the_budget_up(
    tmp_path: Path, open_desk: Open
) -> None:
    till = Till(open_desk(f"sqlite:///{tmp_path / 'handrail.db'}", PAUSES, keeper=True))
    till.pay(90)
    action = till.held(20)
    top_up(till.desk.app.engine, "daily", 10 * NANO, HEAD, "A busy day")
    assert till.desk.rail.wait(action, timeout=60).state is State.APPROVED
    assert till.desk.rail.resume(action) == "ok"
    assert till.paid == [90, 20]
