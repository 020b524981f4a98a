"""The recheck of an approved action: facts, policy, budgets and deadlines may all have changed meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

import handrail
from handrail.engine.jobs import anything_due, expire
from handrail.words.approval import ApprovalState
from handrail.words.entry import Kind
from handrail.words.lifecycle import State
from tests.integration.engine.conftest import Open
from tests.support.rail import HEAD, LEAD, POLICY, Desk

FACTS = """
handrail: 1
agents:
  support: {may: [refund]}
tools:
  refund: {does: pay, amount: args.amount, starts: bounded, at_most: bounded}
facts:
  customer: {python: "builtins:dict", with: {order: args.order}}
rules:
  - {id: banned, tools: refund, when: 'customer.tier == "banned"', deny: "This customer is banned."}
  - {id: vip, tools: refund, when: 'customer.tier == "vip"', ask: heads}
  - {id: big, tools: refund, when: "amount > 100", ask: leads}
budgets:
  - {id: daily, tools: refund, actions: 2, per: day}
approvers:
  leads: {people: [lead@example.com], need: 1, answer_within: 4 h, if_no_answer: reject}
  heads: {people: [head@example.com], need: 1, answer_within: 1 day, if_no_answer: reject}
"""


class Shop:
    """A desk whose policy has a fact, with the fact's value to change and the refunds that were made."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.tier: object = "small"
        self.asked: list[str] = []
        self.effects: list[tuple[str, float]] = []

        @desk.rail.fact("customer")
        def customer(order: str) -> dict[str, object]:
            self.asked.append(order)
            if isinstance(self.tier, Exception):
                raise self.tier
            return {"tier": self.tier}

        @desk.rail.tool
        def refund(order: str, amount: float) -> str:
            self.effects.append((order, amount))
            return "ok"

        self.refund = refund

    def held(self, amount: float = 150) -> str:
        """The id of an action that waits for the leads."""
        with self.desk.rail.session("support", "t"), pytest.raises(handrail.Held) as held:
            self.refund("o-1", amount)
        return held.value.action_id


@pytest.fixture
def shop(store_url: str, open_desk: Open) -> Shop:
    """A shop over each store."""
    return Shop(open_desk(store_url, FACTS))


def test_facts_are_asked_afresh_and_a_deny_wins_over_the_approval(shop: Shop) -> None:
    action = shop.held()
    shop.desk.vote(action)
    shop.tier = "banned"
    with pytest.raises(handrail.Denied, match="This customer is banned"):
        shop.desk.rail.resume(action)
    assert shop.asked == ["o-1", "o-1"]
    assert shop.effects == []
    assert shop.desk.action(action).state is State.DENIED
    assert shop.desk.kinds(action)[-1] is Kind.REDECIDED
    with pytest.raises(handrail.Denied):
        shop.desk.rail.resume(action)


def test_unchanged_facts_let_the_approved_action_run(shop: Shop) -> None:
    action = shop.held()
    shop.desk.vote(action)
    assert shop.desk.rail.resume(action) == "ok"
    assert shop.effects == [("o-1", 150.0)]


def test_a_new_ask_holds_again_and_the_old_answer_stays_good(shop: Shop) -> None:
    action = shop.held()
    shop.desk.vote(action)
    shop.tier = "vip"
    with pytest.raises(handrail.Held):
        shop.desk.rail.resume(action)
    question = shop.desk.question(action)
    assert question.state is ApprovalState.OPEN
    assert [seat.audience for seat in question.seats] == ["heads"]
    with pytest.raises(handrail.Refused, match="not among those who are asked"):
        shop.desk.vote(action, LEAD)
    shop.desk.vote(action, HEAD)
    assert shop.desk.rail.resume(action) == "ok"
    assert len(shop.effects) == 1
    assert shop.desk.kinds(action).count(Kind.ASKED) == 2


def test_a_fact_that_fails_at_the_recheck_denies_where_a_deny_rule_reads_it(shop: Shop) -> None:
    action = shop.held()
    shop.desk.vote(action)
    shop.tier = RuntimeError("the shop's database is gone")
    with pytest.raises(handrail.Denied):
        shop.desk.rail.resume(action)
    assert shop.effects == []


@pytest.mark.parametrize("value", [float("nan"), object(), b"x", "\ud800"])
def test_a_fact_that_is_no_plain_value_fails_and_never_lets_an_action_pass(shop: Shop, value: object) -> None:
    shop.tier = value
    with shop.desk.rail.session("support"), pytest.raises(handrail.Denied):
        shop.refund("o-1", 1)
    shop.tier = "small"
    with shop.desk.rail.session("support"):
        assert shop.refund("o-1", 1) == "ok"


def test_a_policy_that_was_changed_in_between_judges_the_recheck(shop: Shop) -> None:
    action = shop.held()
    shop.desk.vote(action)
    before = shop.desk.action(action).policy
    stricter = FACTS.replace(
        "rules:\n", 'rules:\n  - {id: cap, tools: refund, when: "amount > 120", deny: "Cap."}\n'
    )
    shop.desk.activate(stricter)
    with pytest.raises(handrail.Denied, match=r"Cap\."):
        shop.desk.rail.resume(action)
    assert shop.desk.action(action).policy != before
    assert shop.effects == []


def test_a_changed_rule_asks_anew_because_its_text_was_not_what_was_answered(shop: Shop) -> None:
    action = shop.held()
    shop.desk.vote(action)
    shop.desk.activate(FACTS.replace("amount > 100", "amount > 50"))
    with pytest.raises(handrail.Held):
        shop.desk.rail.resume(action)
    shop.desk.vote(action)
    assert shop.desk.rail.resume(action) == "ok"


def test_a_policy_change_elsewhere_leaves_the_answer_good(shop: Shop) -> None:
    action = shop.held()
    shop.desk.vote(action)
    shop.desk.activate(FACTS.replace("1 day, if", "2 days, if"))
    assert shop.desk.rail.resume(action) == "ok"
    assert shop.desk.action(action).policy == shop.desk.app.engine.policy.digest


def test_a_tool_that_the_new_policy_takes_away_is_denied_at_the_recheck(shop: Shop) -> None:
    action = shop.held()
    shop.desk.vote(action)
    shop.desk.activate(FACTS.replace("may: [refund]", "may: []"))
    with pytest.raises(handrail.Denied, match="may not use"):
        shop.desk.rail.resume(action)


def test_a_budget_that_is_used_up_while_a_person_thinks_denies_the_recheck(shop: Shop) -> None:
    action = shop.held()
    assert shop.desk.used() == 0
    with shop.desk.rail.session("support", "t"):
        shop.refund("o-2", 1)
        shop.refund("o-3", 1)
    shop.desk.vote(action)
    with pytest.raises(handrail.Denied, match="2 of 2 actions"):
        shop.desk.rail.resume(action)
    assert [order for order, _ in shop.effects] == ["o-2", "o-3"]
    assert shop.desk.used() == 2


def test_an_approved_action_that_is_not_run_in_time_never_runs(shop: Shop) -> None:
    action = shop.held()
    shop.desk.vote(action)
    assert not anything_due(shop.desk.app.engine)
    shop.desk.sql("update actions set expires_at = 1 where state = 'approved'")
    with pytest.raises(handrail.Denied, match="its time to run is over"):
        shop.desk.rail.resume(action)
    assert anything_due(shop.desk.app.engine)
    assert expire(shop.desk.app.engine) == 1
    assert shop.desk.action(action).state is State.EXPIRED
    with pytest.raises(handrail.Denied, match="was approved, but not run in time"):
        shop.desk.rail.resume(action)
    assert shop.desk.kinds(action)[-1] is Kind.EXPIRED
    assert shop.effects == []


def test_an_answer_whose_time_is_over_is_not_renewed_by_another_question(shop: Shop) -> None:
    action = shop.held()
    shop.desk.vote(action)
    shop.desk.sql("update actions set expires_at = 1 where state = 'approved'")
    shop.tier = "vip"
    with pytest.raises(handrail.Denied, match="its time to run is over"):
        shop.desk.rail.resume(action)
    assert shop.desk.kinds(action).count(Kind.ASKED) == 1


def test_an_equal_proposal_runs_what_was_approved(shop: Shop) -> None:
    with shop.desk.rail.session("support", "t"):
        with pytest.raises(handrail.Held) as held:
            shop.refund("o-1", 150)
        shop.desk.vote(held.value.action_id)
        assert shop.refund("o-1", 150) == "ok"
    assert [action.id for action in shop.desk.actions()] == [held.value.action_id]


def test_a_tool_demoted_to_trial_after_the_answer_does_not_run(desk: Desk) -> None:
    from handrail.engine.restrict import set_rung
    from handrail.words.level import Rung

    ran: list[Any] = []

    @desk.rail.tool
    def refund(order: str, amount: float, reason: str = "") -> None:
        ran.append(order)

    with desk.rail.session("support"), pytest.raises(handrail.Held) as held:
        refund("o-1", 150)
    desk.vote(held.value.action_id)
    set_rung(desk.app.engine, "support", "refund", Rung.SHADOW, "odd", "ops")
    with pytest.raises(handrail.Denied, match="on trial"):
        desk.rail.resume(held.value.action_id)
    assert ran == []


def test_the_policy_that_was_first_stays_until_another_is_activated(store_url: str, open_desk: Open) -> None:
    desk = open_desk(store_url)
    first = desk.app.engine.policy.digest
    desk.activate(POLICY.replace("actions: 3", "actions: 4"))
    assert desk.app.engine.policy.digest != first
    assert desk.kinds().count(Kind.POLICY_ACTIVATED) == 2


def test_a_verdict_by_a_policy_that_another_thread_is_just_replacing_is_made_anew(shop: Shop) -> None:
    """Between two looks of one verdict the restrictions may be newer than the policy."""
    engine = shop.desk.app.engine
    old = engine.policy
    shop.desk.activate(FACTS.replace("amount > 100", "amount > 50"))
    engine.policy = old
    with shop.desk.rail.session("support"), pytest.raises(handrail.Held):
        shop.refund("o-1", 75)
    [action] = shop.desk.actions()
    assert action.policy == engine.policy.digest != old.digest


def test_only_a_store_without_a_policy_takes_a_first_one(store_url: str, open_desk: Open) -> None:
    from handrail.engine.restrict import activate_first
    from handrail.policy.load import load

    desk = open_desk(store_url)
    other = load(POLICY + "# other\n", "handrail.yaml")
    assert not activate_first(desk.app.engine, other, "handrail", "the first policy of this store")
    assert desk.app.engine.policy.digest != other.digest
    assert desk.kinds() == [Kind.POLICY_ACTIVATED]
    desk.sql("delete from activations")
    assert activate_first(desk.app.engine, other, "handrail", "the first policy of this store")
    assert desk.app.engine.policy.digest == other.digest
