"""What people do about budgets, what they are told, and what becomes of money when things go wrong."""

from __future__ import annotations

import json

import pytest

import handrail
from handrail.engine.budgets.balances import balances, raises, scope_called
from handrail.engine.budgets.changes import end_raise, freeze, raise_until, thaw, top_up
from handrail.engine.deliveries.messages import message
from handrail.engine.jobs import reap
from handrail.engine.settle import resolve
from handrail.ports import Transaction
from handrail.words.budget import BudgetNews
from handrail.words.delivery import Delivery, DeliveryKind
from handrail.words.entry import Kind
from handrail.words.errors import BadArguments, Conflict, NotFound, Refused
from handrail.words.lifecycle import State
from handrail.words.money import LARGEST, NANO
from tests.integration.engine.conftest import Open
from tests.support.rail import Desk

POLICY = """
handrail: 1
agents:
  support: {may: [refund]}
  sales: {may: [refund]}
tools:
  refund: {does: pay, amount: args.amount, starts: bounded, at_most: bounded}
budgets:
  - {id: refunds, tools: refund, amount: 100, per: day, alert_at: [50%, 90%]}
  - {id: each, tools: refund, amount: 80, per: week, each: args.customer}
approvers:
  heads:
    {people: [head@example.com], need: 1, answer_within: 1 day, if_no_answer: reject, via: ["notify:oncall"]}
alerts: {to: [heads]}
data: {redact: [args.customer]}
"""
OPS = "ops@example.com"


class Till:
    """A desk with one tool."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.engine = desk.app.engine
        self.error: BaseException | None = None

        @desk.rail.tool
        def refund(amount: int, customer: str) -> str:
            if self.error is not None:
                raise self.error
            return "ok"

        self.refund = refund

    def pay(self, amount: int, customer: str = "c-1", agent: str = "support") -> None:
        with self.desk.rail.session(agent, "t"):
            self.refund(amount=amount, customer=customer)

    def refused(self, amount: int, customer: str = "c-1") -> str:
        with pytest.raises(handrail.Denied) as denied:
            self.pay(amount, customer)
        return str(denied.value)

    def used(self) -> int:
        """How much of the day's budget is used, in nano-units."""
        return balances(self.engine, "refunds")[0].used

    def alerts(self) -> list[BudgetNews]:
        """What every planned message would say, in order."""

        def work(tx: Transaction) -> list[BudgetNews]:
            found = [each for each in tx.deliveries.listing(None, 99) if each.kind is DeliveryKind.BUDGET]
            return [news(tx, each) for each in reversed(found)]

        def news(tx: Transaction, planned: Delivery) -> BudgetNews:
            told = message(self.engine, tx, planned, "https://rail.example.com")
            assert told.link == "https://rail.example.com/budgets"
            assert told.budget is not None
            return told.budget

        return self.desk.app.store.read(work)


@pytest.fixture
def till(store_url: str, open_desk: Open) -> Till:
    """A till over each store."""
    return Till(open_desk(store_url, POLICY))


def test_a_top_up_lets_more_run_and_is_told_with_its_reason(till: Till) -> None:
    till.pay(60)
    assert "$60 of $100 of the budget refunds are used" in till.refused(41, "c-2")
    given = top_up(till.engine, "refunds", 10 * NANO, OPS, "a recall")
    till.pay(50, "c-2")
    till.refused(1, "c-3")
    assert [each.id for each in raises(till.engine, "refunds")] == [given.id]
    (entry,) = [each for each in till.desk.entries() if each.kind is Kind.BUDGET_RAISED]
    assert json.loads(entry.body) | {"person": OPS, "reason": "a recall"} == json.loads(entry.body)


def test_a_raise_ends_when_a_person_ends_it_and_what_was_spent_stays_spent(till: Till) -> None:
    until = till.engine.clock() + 3_600_000
    given = raise_until(till.engine, "refunds", 20 * NANO, until, OPS, "a fair")
    till.pay(70)
    till.pay(40, "c-2")
    end_raise(till.engine, given.id, OPS, "it was over early")
    assert "$110 of $100" in till.refused(1, "c-3")
    with pytest.raises(NotFound):
        end_raise(till.engine, given.id, OPS, "again")
    assert raises(till.engine) == []
    assert Kind.BUDGET_RAISE_ENDED in till.desk.kinds()


def test_a_raise_for_one_scope_is_not_for_another(till: Till) -> None:
    top_up(till.engine, "each", 10 * NANO, OPS, "a regular", scope='["each","c-1"]')
    till.pay(85)
    till.refused(85, "c-2")


@pytest.mark.parametrize("budget", ["each", "refunds"])
@pytest.mark.parametrize("scope", ["c-1", "", '["each"]', '["task","c-1"]', '["each",["c-1"]]', "[" * 9_000])
def test_more_room_for_what_a_budget_never_counts_is_refused(till: Till, budget: str, scope: str) -> None:
    with pytest.raises(BadArguments, match=f"no scope of the budget {budget}; "):
        top_up(till.engine, budget, 10 * NANO, OPS, "a regular", scope=scope)
    with pytest.raises(BadArguments, match="no scope"):
        raise_until(till.engine, budget, 10 * NANO, LARGEST, OPS, "a regular", scope=scope)
    assert raises(till.engine) == []


def test_a_scope_in_another_spelling_is_the_one_that_is_counted(till: Till) -> None:
    made = top_up(till.engine, "each", 10 * NANO, OPS, "a regular", scope='[ "each", "c-\\u0031" ]')
    assert made.scope == '["each","c-1"]'
    till.pay(85)
    assert top_up(till.engine, "refunds", 1, OPS, "more", scope="[]").scope == "[]"


def test_a_scope_is_found_by_the_name_that_people_read(till: Till) -> None:
    till.pay(5, "c-1")
    till.engine.refresh()
    for name in ("c-1", '["each","c-1"]'):
        assert scope_called(till.engine, "each", name) == '["each","c-1"]'
    assert scope_called(till.engine, "each", "new one") == '["each","new one"]'
    with pytest.raises(BadArguments, match="name none"):
        scope_called(till.engine, "refunds", "c-1")


@pytest.mark.parametrize("quantity", [0, -1, LARGEST])
def test_more_room_that_is_none_or_too_much_is_refused(till: Till, quantity: int) -> None:
    with pytest.raises(Refused):
        top_up(till.engine, "refunds", quantity, OPS, "why not")
    assert raises(till.engine) == []
    top_up(till.engine, "refunds", 1, OPS, "why not")


def test_more_room_needs_a_reason_a_known_budget_and_a_time_to_come(till: Till) -> None:
    with pytest.raises(Refused, match="needs a reason"):
        top_up(till.engine, "refunds", 1, OPS, " ")
    with pytest.raises(NotFound, match="no budget 'refund'; it has refunds, each"):
        top_up(till.engine, "refund", 1, OPS, "a typing error")
    with pytest.raises(Refused, match="over already"):
        raise_until(till.engine, "refunds", 1, 1, OPS, "too late")


def test_a_frozen_budget_refuses_everything_until_a_person_thaws_it(till: Till) -> None:
    till.pay(1)
    freeze(till.engine, "refunds", OPS, "odd numbers")
    assert (
        "the budget refunds was frozen by ops@example.com, until a person thaws it: odd numbers"
        in till.refused(1)
    )
    with pytest.raises(Conflict):
        freeze(till.engine, "refunds", OPS, "again")
    assert [each.frozen.reason for each in balances(till.engine, "refunds") if each.frozen] == ["odd numbers"]
    thaw(till.engine, "refunds", OPS, "all is well")
    with pytest.raises(NotFound):
        thaw(till.engine, "refunds", OPS, "again")
    till.pay(1)
    assert till.used() == 2 * NANO
    told = [kind for kind in till.desk.kinds() if kind in {Kind.BUDGET_FROZEN, Kind.BUDGET_THAWED}]
    assert told == [Kind.BUDGET_FROZEN, Kind.BUDGET_THAWED]


def test_a_freeze_by_plain_sql_counts_at_once(till: Till) -> None:
    till.pay(1)
    if till.desk.url.startswith("postgresql"):
        till.desk.sql("select handrail.freeze_budget('refunds', 'by hand', 'ann')")
    else:
        till.desk.sql(
            "insert into budget_freezes (id, budget, reason, person, at) "
            "values ('x', 'refunds', 'by hand', 'ann', 1)"
        )
    assert "frozen by ann, until a person thaws it: by hand" in till.refused(1)
    thaw(till.engine, "refunds", OPS, "well")
    till.pay(1)


def test_people_hear_of_each_percentage_once_with_who_spends_most(till: Till) -> None:
    till.pay(30)
    till.pay(20, "c-2", "sales")
    till.pay(20, "c-3")
    till.pay(22, "c-4", "sales")
    fifty, ninety = till.alerts()
    assert (fifty.budget, fifty.percent, fifty.used, fifty.limit) == ("refunds", 50, "$50", "$100")
    assert fifty.told == "$50 of $100 today are used or set aside"
    assert ninety.percent == 90
    assert ninety.spenders == ("support with refund: $50", "sales with refund: $42")
    assert ninety.renews.startswith("it renews at ")
    bodies = [json.loads(each.body) for each in till.desk.entries() if each.kind is Kind.BUDGET_ALERT]
    assert [(body["budget"], body["percent"], body["used"]) for body in bodies] == [
        ("refunds", 50, 50 * NANO),
        ("refunds", 90, 92 * NANO),
    ]


def test_what_is_not_reached_is_not_told(till: Till) -> None:
    """The twin of the alerts above."""
    till.pay(49)
    assert till.alerts() == []


def test_a_refused_action_and_a_trial_reach_nothing(store_url: str, open_desk: Open) -> None:
    till = Till(open_desk(store_url, POLICY.replace("starts: bounded", "starts: shadow")))
    with pytest.raises(handrail.Shadowed):
        till.pay(60)
    till.refused(100_000)
    assert till.alerts() == []
    assert till.used() == 0


def test_of_a_scope_that_the_policy_hides_the_value_is_not_told(till: Till) -> None:
    till.pay(60, "secret@example.com")
    line = balances(till.engine, "each")[0]
    assert (line.whose, line.used_words, line.limit_words) == (
        "[redacted]",
        "$60",
        "$80 this week, for the same customer",
    )
    assert b"secret@example.com" not in b"".join(each.body for each in till.desk.entries())


def test_an_action_whose_process_was_lost_is_presumed_spent_until_a_person_settles_it(till: Till) -> None:
    """A person who knows that nothing was done gives the money back."""
    for done in (False, True):
        action = lost(till, 10)
        assert till.used() == 10 * NANO
        (held,) = till.desk.app.store.read(lambda tx: tx.budgets.presumed(9))[:1]
        assert (held.holder, held.unit) == (action, "amount")
        resolve(till.engine, action, State.FAILED, OPS, "the bank says so", nothing_done=not done)
        assert till.used() == (10 * NANO if done else 0)
        assert till.desk.app.store.read(lambda tx: tx.budgets.presumed(9)) == []
    assert till.desk.verified().ok


def test_what_is_done_can_not_have_done_nothing(till: Till) -> None:
    action = lost(till, 10)
    with pytest.raises(BadArguments, match="goes with failed only"):
        resolve(till.engine, action, State.DONE, OPS, "seen", nothing_done=True)
    resolve(till.engine, action, State.DONE, OPS, "seen")


def lost(till: Till, amount: int) -> str:
    """An action that runs in no process any more."""
    till.pay(amount)
    action = till.desk.actions()[-1].id
    till.desk.sql(
        f"update actions set state = 'running', lease_until = 1, owner = 'lost' where id = '{action}'"
    )
    till.desk.sql(f"update holds set state = 'held', spent = null where holder = '{action}'")
    assert reap(till.engine) == 1
    return action


def test_money_comes_back_only_where_the_tool_provably_did_nothing(till: Till) -> None:
    till.error = handrail.NotDone("the bank is closed")
    with pytest.raises(handrail.NotDone):
        till.pay(10)
    assert till.used() == 0
    till.error = ValueError("the line broke")
    with pytest.raises(ValueError, match="line broke"):
        till.pay(10)
    assert till.used() == 10 * NANO


def test_balances_tell_every_budget_also_one_that_nobody_touched(till: Till) -> None:
    top_up(till.engine, "refunds", 5 * NANO, OPS, "more")
    first, second = balances(till.engine)
    assert (first.budget, first.used, first.limit, first.raised, first.left, first.share) == (
        "refunds",
        0,
        100 * NANO,
        5 * NANO,
        105 * NANO,
        0,
    )
    assert (second.budget, second.unit, second.limit_words) == (
        "each",
        "amount",
        "$80 this week, for the same customer",
    )
    with pytest.raises(NotFound):
        balances(till.engine, "nothing")
