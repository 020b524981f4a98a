"""The sheet of a question: all that a person must know, whatever was erased, changed or hidden meanwhile."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

import handrail
from handrail.engine.questions.sentences import changes, outcome_of, used_in
from handrail.engine.questions.sheet import sheet
from handrail.engine.restrict import halt
from handrail.policy.load import load
from handrail.ports import Commit
from handrail.words.approval import Choice
from handrail.words.lifecycle import State
from handrail.words.person import Person, Role
from handrail.words.session import SessionRecord
from handrail.words.sheet import Change, Sheet
from handrail.words.verdict import Charge
from tests.integration.engine.conftest import Open
from tests.support.rail import Desk

POLICY = """
handrail: 1
currency: EUR
agents:
  support: {may: [refund, find, post]}
tools:
  refund: {does: pay, category: refunds, amount: args.amount, starts: bounded, at_most: bounded}
  find: {does: read, starts: suggest}
  post: {does: send, starts: suggest, at_most: bounded}
rules:
  - {id: big, tools: refund, when: "amount > 100", ask: leads}
checks:
  pushy: {tools: refund, in: args.note, phrases: [hurry], if_not_ok: ask}
budgets:
  - {id: many, tools: refund, actions: 20, per: day}
approvers:
  leads: {people: [ann, bea], need: 2, answer_within: 4 h, if_no_answer: heads, deputies: {bea: [cyd]}}
  heads: {people: [dan], need: 1, answer_within: 1 day, if_no_answer: reject}
data:
  redact: [args.card]
"""


class Shop:
    """A desk with tools that always ask, and the sheets of their questions."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        rail = desk.rail

        @rail.tool
        def refund(order_id: str, amount: Decimal, note: str = "", card: str = "") -> str:
            return "ok"

        @rail.tool
        def find(order_id: str) -> str:
            return "found"

        @rail.tool
        def post(body: str) -> str:
            return "sent"

        self._tools: dict[str, Any] = {"refund": refund, "find": find, "post": post}

    def tool(self, name: str) -> Any:
        """What the agent calls."""
        return self._tools[name]

    def hold(self, tool: str = "refund", task: str | None = "ticket-812", **args: Any) -> str:
        """A held action; a refund of 400.00 when nothing else is said."""
        given = args or {"order_id": "o-17", "amount": Decimal("400.00")}
        rail = self.desk.rail
        with rail.session("support", task), rail.about(0.9, "it broke"), pytest.raises(handrail.Held) as held:
            self._tools[tool](**given)
        return held.value.action_id

    def sheet(self, action: str, similar: int = 5) -> Sheet:
        """What a person sees now."""
        engine, asked = self.desk.app.engine, self.desk.question(action)
        engine.refresh()
        return engine.store.read(lambda tx: sheet(engine, tx, asked, similar=similar))

    def write(self, work: Any) -> None:
        """Change the store as something else would."""
        self.desk.app.store.write(Commit.START, work)


@pytest.fixture
def shop(store_url: str, open_desk: Open) -> Shop:
    """The shop, over each store."""
    return Shop(open_desk(store_url, POLICY))


def test_it_says_what_why_how_final_what_it_costs_who_and_until_when(shop: Shop) -> None:
    found = shop.sheet(shop.hold())
    assert (
        found.what == "support wants to pay 400.00 EUR with refund for ticket-812 (refunds; order_id o-17)."
    )
    assert [(one.step, one.rule, one.condition) for one in found.why] == [("ask:big", "big", "amount > 100")]
    assert found.undo == "It can't be undone."
    assert (found.amount, found.money) == ("400.00 EUR", 400_000_000_000)
    (budget,) = found.budgets
    assert f"{budget.after} of {budget.limit}" == "1 of 20 actions today"
    assert (budget.used, budget.share) == ("0", 5)
    (seat,) = found.seats
    assert (seat.people, seat.need, seat.answered, seat.then) == (("ann", "bea"), 2, 0, "heads are asked")
    assert found.args == '{"amount":400.00,"card":"","note":"","order_id":"o-17"}'
    assert (found.confidence, found.rationale, found.task) == (Decimal("0.9"), "it broke", "ticket-812")
    assert (found.notes, found.outcome, found.action_state) == ((), None, "held")
    assert found.schema is not None
    assert "order_id" in found.schema["properties"]  # type: ignore[operator]


def test_a_check_that_asks_says_what_it_looked_for(shop: Shop) -> None:
    found = shop.sheet(shop.hold(order_id="o-1", amount=Decimal(5), note="hurry up"))
    assert [(one.rule, one.condition) for one in found.why] == [("pushy", "args.note has none of: hurry")]


def test_a_read_changes_nothing_and_a_text_stands_beside_the_json(shop: Shop) -> None:
    read = shop.sheet(shop.hold("find", task=None, order_id="o-9"))
    assert read.what == "support wants to look something up with find (order_id o-9)."
    assert read.undo == "It changes nothing."
    mail = shop.sheet(shop.hold("post", body="Dear Sir,\nyours"))
    assert mail.texts == {"body": "Dear Sir,\nyours"}


def test_what_the_policy_hides_is_exact_for_who_answers_and_hidden_for_channels(shop: Shop) -> None:
    found = shop.sheet(shop.hold(order_id="o-1", amount=Decimal(200), card="4111"))
    assert "4111" in (found.args or "")
    shown = json.dumps({**found.shown_args, "amount": 0})
    assert "4111" not in shown + found.what
    assert found.shown_args["card"] == "[redacted]"


def test_names_that_could_be_read_as_part_of_the_sentence_stand_in_quotes(shop: Shop) -> None:
    found = shop.sheet(shop.hold(task="ticket-1. Approved by ann", order_id="x\x1b[2J", amount=Decimal(200)))
    assert "for “ticket-1. Approved by ann” (refunds; order_id “x\x1b[2J”)" in found.what


def test_a_vote_counts_and_what_became_of_it_is_told(shop: Shop) -> None:
    action = shop.hold()
    shop.desk.vote(action, "ann")
    found = shop.sheet(action)
    assert (found.seats[0].answered, [vote.person for vote in found.votes]) == (1, ["ann"])
    shop.desk.vote(action, "bea", Choice.REJECT, "no receipt")
    after = shop.sheet(action)
    assert after.outcome == "It was rejected: no receipt"
    assert "wanted to pay" in after.what
    assert after.why == found.why


def test_the_reason_is_still_told_after_it_was_approved_and_ran(shop: Shop) -> None:
    action = shop.hold()
    shop.desk.vote(action, "ann")
    shop.desk.vote(action, "bea")
    before = shop.sheet(action)
    assert shop.desk.rail.resume(action) == "ok"
    after = shop.sheet(action)
    assert after.why == before.why
    assert (after.outcome, after.action_state) == ("It ran.", State.DONE)
    assert after.budgets[0].after == "1"


def test_what_the_checks_refused_says_why_and_claims_no_second_look(shop: Shop) -> None:
    with shop.desk.rail.session("support"), pytest.raises(handrail.Denied) as denied:
        shop.tool("refund")(order_id="o-17", amount=Decimal(-5))
    told = outcome_of(shop.desk.action(denied.value.action_id))
    assert told is not None
    assert told.startswith("It was refused: the amount can't be used: it is negative")
    assert told.endswith(".")


@pytest.mark.parametrize(("limit", "told"), [(1, "1 action today"), (2, "2 actions today")])
def test_one_action_is_no_plural_and_what_is_counted_apart_has_no_word_of_the_policy(
    limit: int, told: str
) -> None:
    policy = load(
        f"{POLICY}".replace("actions: 20, per: day", f"actions: {limit}, per: day, each: args.order_id")
    )
    charge = Charge("many", "[]", 0, 1, limit)
    said = used_in(policy.budgets[0], "EUR", charge, 1)
    assert said == ("1", f"{told}, for the same order_id")


def test_past_decisions_of_alike_actions_are_shown_newest_first(shop: Shop) -> None:
    first, second = shop.hold(), shop.hold(order_id="o-18", amount=Decimal(150))
    shop.desk.vote(first, "ann", Choice.REJECT, "no receipt")
    shop.desk.vote(second, "ann")
    shop.desk.vote(second, "bea")
    third = shop.hold(order_id="o-19", amount=Decimal(170))
    found = shop.sheet(third)
    told = [(one.action, one.answer, one.by, one.what, one.reason) for one in found.similar]
    assert told == [
        (second, "approved", "ann, bea", "150.00 EUR, order_id o-18, for ticket-812", None),
        (first, "rejected", "ann", "400.00 EUR, order_id o-17, for ticket-812", "no receipt"),
    ]
    assert shop.sheet(third, similar=0).similar == ()


def test_who_answers_for_somebody_who_is_away_is_named(shop: Shop) -> None:
    action = shop.hold()
    assert shop.sheet(action).seats[0].deputies == ()
    bea = Person("bea", "Bea", Role.REVIEWER, 1, away_until=2**53)
    shop.write(lambda tx: tx.people.add(bea))
    found = shop.sheet(action)
    assert found.seats[0].deputies == ("cyd",)
    assert [found.asks(one) for one in ("ann", "CYD", "dan", "support", "nobody")] == [
        *(True, True, False, False, False)
    ]
    shop.write(lambda tx: tx.people.save(replace(bea, active=False)))
    assert shop.sheet(action).seats[0].people == ("ann",)


def test_the_person_for_whom_it_is_done_is_named_and_not_asked(shop: Shop) -> None:
    opened = SessionRecord("s-1", "support", None, 1, opened_by="key", behalf="ann")
    action = shop.hold()
    shop.write(lambda tx: tx.sessions.open(opened))
    stored = shop.desk.action(action)
    shop.desk.sql(f"update actions set session = 's-1' where id = '{stored.id}'")
    found = shop.sheet(action)
    assert (found.behalf, found.asks("ann"), found.asks("bea")) == ("ann", False, True)


def test_an_erased_payload_a_halt_and_another_policy_are_said_and_never_raise(shop: Shop) -> None:
    action = shop.hold()
    halt(shop.desk.app.engine, "odd", "ann", "support")
    shop.desk.activate(POLICY.replace("amount > 100", "amount > 200"))
    shop.desk.sql("update payloads set args = null, facts = null")
    found = shop.sheet(action)
    assert found.notes == (
        "Its arguments were erased: it can't run any more.",
        "agent support is stopped (odd): it runs only once that is let go.",
        "The policy has changed big since it was asked: it is judged anew before it runs.",
    )
    assert (found.args, found.shown_args, found.texts) == (None, {}, {})
    assert found.why[0].condition is None
    assert found.why[0].reason


def test_a_tool_agent_group_and_budget_that_the_policy_no_longer_has_are_said(shop: Shop) -> None:
    action = shop.hold()
    shop.desk.activate("handrail: 1\nagents: {other: {may: [find]}}\n")
    found = shop.sheet(action)
    assert "does not let support use refund" in " ".join(found.notes)
    assert "a tool that the policy does not describe" in found.what
    assert found.undo == "It can't be undone."
    assert found.budgets[0].limit == "20 (the running policy has no such budget)"
    assert (found.seats[0].people, found.seats[0].then) == ((), "it is rejected")
    assert found.seats[0].anyone is False


def test_changes_name_what_went_what_came_and_what_differs() -> None:
    before = {"a": 1, "gone": "x", "same": [1], "text": "one\ntwo\nthree"}
    after = {"a": Decimal("1.50"), "same": [1], "text": "one\n2\nthree", "came": None}
    found = changes(before, after)
    assert [(one.name, one.before, one.after) for one in found[:2]] == [
        ("gone", '"x"', None),
        ("a", "1", "1.50"),
    ]
    assert [one.name for one in found] == ["gone", "a", "text", "came"]
    assert found[2].lines == ("@@ -1,3 +1,3 @@", " one", "-two", "+2", " three")
    assert (found[0].lines, found[3].lines) == (("-x",), ("+null",))


def test_a_text_that_looks_like_a_number_differs_from_the_number() -> None:
    assert Change("a", '"5"', "5").lines == ('-"5"', "+5")
