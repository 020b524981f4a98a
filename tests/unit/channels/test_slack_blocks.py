"""Slack's blocks: everything that helps to answer, within Slack's limits, and no markup of anybody's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handrail.channels.slack_blocks import ANSWER, APPROVE, EDIT, OPEN, REJECT, blocks, fallback
from handrail.ports import Message
from handrail.words.action import LostNews
from handrail.words.approval import ApprovalState, Choice, Vote
from handrail.words.budget import BudgetNews
from handrail.words.delivery import DeliveryKind
from handrail.words.restriction import Halt
from handrail.words.session import HeldNews
from handrail.words.sheet import Because, BudgetAfter, Change, Similar
from tests.support.sheets import AT, HOSTILE, delivery, sheet
from tests.support.slack import wrong_with

LINK = "https://handrail.example.com/questions/q1"


def texts(found: Any) -> list[str]:
    """Every text in some blocks."""
    if isinstance(found, dict):
        own = [found["text"]] if isinstance(found.get("text"), str) else []
        return own + [each for value in found.values() for each in texts(value)]
    return [each for item in found for each in texts(item)] if isinstance(found, list) else []


def buttons(found: list[dict[str, Any]]) -> list[str]:
    return [each["action_id"] for block in found if block["type"] == "actions" for each in block["elements"]]


@pytest.mark.parametrize(
    "told",
    [
        "support wants to pay 500.00 USD",
        "ticket-1",
        "Large refunds need a lead.",
        "It can't be undone.",
        "500.00 USD",
        "600.00 USD of 1,000.00 USD (60%)",
        "The parcel was late.",
        "leads, 1 yes needed until",
        "then heads are asked",
        "90 % sure",
        '"amount": 500',
        "0123456789ab",
    ],
)
def test_the_message_tells_what_helps_to_answer(told: str) -> None:
    assert any(told in text for text in texts(blocks(Message(delivery(), LINK, sheet()))))


def test_the_facts_that_were_looked_up_and_past_reasons_are_told_as_the_policy_hides_them() -> None:
    facts = {"customer": {"tier": "small", "days": 9}, "card": "[redacted]", "orders": [{"id": 1}]}
    past = Similar("a0", AT, "rejected", "lead@example.com", "20.00 USD", "No receipt.")
    asked = sheet(shown_facts=facts, facts={"card": "4111"}, similar=(past,))
    found = texts(blocks(Message(delivery(), LINK, asked)))
    whole = "".join(found)
    assert "Looked up: customer: tier small, days 9\n" in whole
    assert "Looked up: card: [redacted]\n" in whole
    assert 'Looked up: orders: [{"id":1}]\n' in whole
    assert "rejected by lead@example.com: 20.00 USD (No receipt.)" in whole
    assert "4111" not in whole


def test_a_rule_is_named_and_where_a_tool_stands_is_not() -> None:
    why = (Because("ask:big", "big", "Too much."), Because("level:suggest", "suggest", "a person decides."))
    whole = "".join(texts(blocks(Message(delivery(), LINK, sheet(why=why)))))
    assert "Too much. (big)" in whole
    assert "a person decides.\n" in whole
    assert "suggest" not in whole


def test_an_open_question_has_its_buttons_and_they_carry_nothing_but_what_was_seen() -> None:
    found = blocks(Message(delivery(), LINK, sheet()))
    assert buttons(found) == [APPROVE, EDIT, REJECT, ANSWER, OPEN]
    values = {each["value"] for block in found if block["type"] == "actions" for each in block["elements"]}
    assert values == {"q1:0123456789abcdef", "q1"}


@pytest.mark.parametrize(
    "long",
    [
        {"shown_args": {"body": "x" * 2_800, "then": "wipe everything"}},
        {"shown_args": {"body": "\u202e" * 500}},
        {"why": tuple(Because("ask", f"rule{number}", "It asks.") for number in range(30))},
    ],
)
def test_what_a_message_can_not_show_whole_is_not_approved_with_a_click(long: dict[str, Any]) -> None:
    found = blocks(Message(delivery(), LINK, sheet(**long)))
    assert buttons(found) == [EDIT, REJECT, ANSWER, OPEN]
    assert any("to approve it, open the question" in text for text in texts(found))
    whole = blocks(Message(delivery(), LINK, sheet(shown_args={"body": "x" * 2_700})))
    assert buttons(whole) == [APPROVE, EDIT, REJECT, ANSWER, OPEN]


def test_an_answered_question_has_only_its_link_and_says_who_answered() -> None:
    vote = Vote("q1", "lead@example.com", Choice.APPROVE, None, verified=True, at=AT)
    found = blocks(Message(delivery(), LINK, sheet(ApprovalState.APPROVED, votes=(vote,))))
    assert buttons(found) == [OPEN]
    assert "Approved by lead@example.com" in texts(found)
    assert not any("heads are asked" in text for text in texts(found))


def test_no_text_of_an_agent_stands_where_slack_reads_markup() -> None:
    hostile = sheet(
        what=HOSTILE,
        agent=HOSTILE,
        task=HOSTILE,
        rationale=HOSTILE,
        amount=HOSTILE,
        shown_args={HOSTILE: HOSTILE},
        why=(Because(HOSTILE, HOSTILE, HOSTILE),),
        shown_changes=(Change(HOSTILE, HOSTILE, HOSTILE),),
    )
    found = blocks(Message(delivery(), LINK, hostile))
    whole = json.dumps(found, ensure_ascii=False)
    assert "mrkdwn" not in whole
    assert {"link", "user", "usergroup", "broadcast", "emoji", "channel"}.isdisjoint(kinds(found))
    assert "\u202e" not in whole
    assert any("<!channel> *bold*" in text for text in texts(found))
    assert "<" not in fallback(HOSTILE)
    assert all(button["url"] == LINK for button in found[-1]["elements"] if "url" in button)


def kinds(found: Any) -> set[str]:
    if isinstance(found, dict):
        return {found.get("type", "")} | {kind for value in found.values() for kind in kinds(value)}
    return {kind for item in found for kind in kinds(item)} if isinstance(found, list) else set()


def test_the_largest_question_stays_within_slacks_limits() -> None:
    long = "x" * 100_000
    largest = sheet(
        what=long,
        task=long,
        rationale=long,
        shown_args={f"argument{number}": long for number in range(100)},
        why=tuple(Because("ask", f"rule{number}", long) for number in range(200)),
        budgets=tuple(BudgetAfter(f"b{number}", "1", "2", "3", 66) for number in range(200)),
    )
    found = blocks(Message(delivery(), LINK, largest))
    assert wrong_with(found) is None
    assert max(len(text) for text in texts(found)) <= 3_000
    assert sum(len(text) for text in texts(found)) < 16_000
    assert any(text.endswith("… open the question") for text in texts(found))


def test_the_smallest_question_has_no_empty_text() -> None:
    smallest = sheet(what="", shown_args={}, why=(), budgets=(), seats=(), rationale=None, confidence=None)
    found = blocks(Message(delivery(), None, smallest))
    assert wrong_with(found) is None
    assert all(texts(found))


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (DeliveryKind.HALTED, "agent support was stopped by ops@example.com: strange refunds"),
        (DeliveryKind.LIFTED, "agent support goes on."),
    ],
)
def test_a_halt_says_what_is_stopped_and_why(kind: DeliveryKind, told: str) -> None:
    halt = Halt("h1", "support", None, "strange refunds", "ops@example.com", AT)
    assert told in texts(blocks(Message(delivery(kind), None, halt=halt)))


def test_a_held_session_says_whose_it_is_why_and_what_to_do() -> None:
    held = HeldNews("s-1", "support", None, "note was called 11 times", "the loop breaker")
    told = "\n".join(texts(blocks(Message(delivery(DeliveryKind.SESSION_HELD), None, held=held))))
    assert "Held: a session of support" in told
    assert "note was called 11 times (the loop breaker)" in told
    assert "until a person releases it" in told


@pytest.mark.parametrize(
    ("count", "title", "more"),
    [(1, "Nobody knows how an action ended", False), (7, "Nobody knows how 7 actions ended", True)],
)
def test_a_loss_says_what_was_to_be_done_and_what_to_do(count: int, title: str, *, more: bool) -> None:
    lost = LostNews(("support wanted to pay 400.00 USD.",), count)
    told = "\n".join(texts(blocks(Message(delivery(DeliveryKind.LOST), None, lost=lost))))
    assert title in told
    assert "support wanted to pay 400.00 USD." in told
    assert "say on its page whether it took effect" in told
    assert ("6 more" in told) is more


def test_an_outcome_is_one_sentence_and_a_test_says_that_it_is_one() -> None:
    done = sheet(ApprovalState.APPROVED, action_state="done", outcome="It ran.")
    assert texts(blocks(Message(delivery(DeliveryKind.OUTCOME), None, done))) == ["Done: It ran."]
    assert "test" in texts(blocks(Message(delivery(DeliveryKind.TEST), None)))[0]


NEWS = BudgetNews(
    "testing",
    75,
    "$37.60",
    "$50",
    AT,
    "today",
    "task T-1",
    "it renews at 2026-11-24 00:00 (UTC)",
    ("support with send_offer: $30", "sales with send_offer: $7.60"),
)


def test_a_budget_says_how_much_of_what_when_it_renews_and_who_spends_most() -> None:
    message = Message(delivery(DeliveryKind.BUDGET), "https://rail.example.com/budgets", budget=NEWS)
    found = "".join(texts(blocks(message)))
    for told in (
        "Budget testing: 75% reached",
        "$37.60 of $50 today (task T-1) are used or set aside",
        "it renews at 2026-11-24 00:00 (UTC)",
        "support with send_offer: $30; sales with send_offer: $7.60",
    ):
        assert told in found


def test_a_budget_of_which_little_is_known_says_that_little() -> None:
    bare = BudgetNews("gone", 50, "5", "10", AT)
    found = "".join(texts(blocks(Message(delivery(DeliveryKind.BUDGET), None, budget=bare))))
    assert "5 of 10 are used or set aside" in found
    assert "Most is spent by" not in found
