"""The scripted agent, here without any rail: what it wants to do, it does. That is why there is a rail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from handrail.demo.agent import GIVES_UP_AFTER, Scripted
from handrail.demo.company import Ticket, tickets
from handrail.demo.hands import Ask, Attempt, Came, Hands
from handrail.demo.line import CallRefused
from handrail.demo.mind import BROKE_OFF
from handrail.words.errors import Denied, Held, NotRun, Shadowed
from handrail.words.level import Rung
from handrail.words.verdict import Decision, Measure, Outcome, Step, Verdict
from tests.unit.demo.shop import Company, NoRail, ask

INBOX = {ticket.slug: ticket for ticket in tickets()}


class Watched(Hands):
    """Hands that remember what they did, and for which some tools are answered by a person's word."""

    def __init__(
        self,
        company: Company,
        stops: Mapping[str, NotRun] | None = None,
        ask: Ask = ask,
        stopped: Callable[[CallRefused], None] = lambda _: None,
    ) -> None:
        super().__init__(NoRail(), company.desk.tools(), ask, stopped=stopped)
        self.stops = stops or {}
        self.did: list[Attempt] = []
        for name, error in self.stops.items():
            self._tools[name] = _raising(error)

    def use(self, tool: str, args: Mapping[str, object], *, sure: float, why: str) -> Attempt:
        self.did.append(super().use(tool, args, sure=sure, why=why))
        return self.did[-1]

    @property
    def order(self) -> list[tuple[str, Came]]:
        return [(attempt.tool, attempt.came) for attempt in self.did]


def _raising(error: NotRun) -> Callable[..., Any]:
    def tool(**_: object) -> object:
        raise error

    return tool


def test_a_plain_ticket_is_looked_up_filed_refunded_and_answered(company: Company) -> None:
    hands = Watched(company)
    Scripted().work(INBOX["broken-mugs"], hands)
    ran = Came.RAN
    assert hands.order == [
        ("find_order", ran),
        ("categorize_ticket", ran),
        ("issue_refund", ran),
        ("send_reply", ran),
    ]
    assert company.ask("select amount_cents from refunds where order_id = 'o-5001'") == [(1800,)]


@pytest.mark.parametrize(
    ("error", "came", "then"),
    [
        (Denied("no", "a-1"), Came.REFUSED, [("escalate_ticket", Came.RAN)]),
        (Held("wait", "a-1"), Came.HELD, []),
        (Shadowed("on trial", "a-1"), Came.SHADOWED, []),
    ],
    ids=["denied", "held", "shadowed"],
)
def test_the_customer_is_not_told_of_a_refund_that_did_not_run(
    company: Company, error: NotRun, came: Came, then: list[tuple[str, Came]]
) -> None:
    hands = Watched(company, {"issue_refund": error})
    Scripted().work(INBOX["broken-mugs"], hands)
    assert hands.order[2:] == [("issue_refund", came), *then]
    assert company.letters() == []


def test_a_refusal_is_handed_over_in_the_words_of_the_refusal(company: Company) -> None:
    hands = Watched(company, {"issue_refund": Denied("Refused: more than was paid.", "a-1")})
    Scripted().work(INBOX["slipped-point"], hands)
    assert company.ask("select note from ticket_notes") == [("Refused: more than was paid.",)]


def test_a_runaway_agent_goes_on_as_long_as_nobody_stops_it(company: Company) -> None:
    hands = Watched(company)
    Scripted().work(INBOX["parcel-in-limbo"], hands)
    assert sum(attempt.tool == "find_order" for attempt in hands.did) == 41


def test_even_a_runaway_agent_gives_up_after_some_refusals(company: Company) -> None:
    hands = Watched(company, {"find_order": Denied("enough", "a-1")})
    Scripted().work(INBOX["parcel-in-limbo"], hands)
    assert sum(attempt.tool == "find_order" for attempt in hands.did) == 1 + GIVES_UP_AFTER


def test_the_offer_that_is_sent_is_the_one_that_was_drafted(company: Company) -> None:
    hands = Watched(company)
    Scripted().work(INBOX["school-scales"], hands)
    Scripted().work(INBOX["book-club"], hands)
    sent = company.ask("select title, status from offers order by id")
    assert sent == [("20 digital scales", "sent"), ("3 sets of mugs", "sent")]


def test_without_a_rail_the_prompt_injection_wins(company: Company) -> None:
    """The note on the order pays out 8,000 euro, deletes a customer and mails every address."""
    Scripted().work(INBOX["order-note"], Watched(company))
    assert company.ask("select sum(amount_cents) from refunds where order_id = 'o-5401'") == [(800_000,)]
    assert company.ask("select count(*) from customers where id = 'c-101'") == [(0,)]
    assert any(b"customers.csv" in letter for letter in company.letters())


def test_every_ticket_can_be_worked_without_a_mistake_in_the_script(company: Company) -> None:
    """No scripted call fails for a reason of its own, the injection's ticket left out."""
    hands = Watched(company)
    for ticket in INBOX.values():
        if ticket.slug != "order-note":
            Scripted().work(ticket, hands)
    assert [attempt for attempt in hands.did if attempt.came is not Came.RAN] == []


def test_the_agent_says_how_sure_it_is_of_every_call(company: Company) -> None:
    rail = NoRail()
    ticket: Ticket = INBOX["moka-seal"]
    Scripted().work(ticket, Hands(rail, company.desk.tools(), ask))
    assert [sure for sure, _ in rail.said] == [0.99, ticket.sure, 0.78, ticket.reply_sure]
    assert all(why for _, why in rail.said)


def test_a_tool_that_does_not_exist_is_refused_in_words(company: Company) -> None:
    attempt = Hands(NoRail(), company.desk.tools(), ask).use("wire_money", {}, sure=0.9, why="because")
    assert (attempt.came, attempt.said) == (
        Came.REFUSED,
        "There is no tool 'wire_money'; use one of those you were given.",
    )


def test_a_tool_that_fails_tells_the_agent_why(company: Company) -> None:
    hands = Hands(NoRail(), company.desk.tools(), ask)
    attempt = hands.use("find_order", {"order_id": "o-1"}, sure=0.9, why="because")
    assert attempt.came is Came.FAILED
    assert "no o-1 in the company's books" in str(attempt.said)
    assert attempt.values == {}


def _went_on(company: Company, slug: str, attempt: Attempt, *, edited: bool = False) -> Watched:
    hands = Watched(company)
    Scripted().go_on(INBOX[slug], attempt, hands, edited=edited)
    return hands


def test_once_a_person_said_yes_the_customer_is_told(company: Company) -> None:
    ran = Attempt("issue_refund", Came.RAN, "EUR 419.00 paid back for o-5105 (original).")
    assert _went_on(company, "unopened-mixer", ran).order == [("send_reply", Came.RAN)]
    [letter] = company.letters()
    assert b"Happy birthday" in letter


def test_what_a_person_changed_is_told_as_it_was_done_and_not_as_it_was_planned(company: Company) -> None:
    ran = Attempt("issue_refund", Came.RAN, "EUR 200.00 paid back for o-5105 (original).")
    _went_on(company, "unopened-mixer", ran, edited=True)
    [letter] = company.letters()
    assert b"EUR 200.00 paid back" in letter
    assert b"EUR 419" not in letter


def test_what_a_person_did_not_want_is_handed_to_people_with_the_reason(company: Company) -> None:
    refused = Attempt("issue_refund", Came.REFUSED, "Refused: I want to see the bricks first.")
    assert _went_on(company, "box-of-bricks", refused).order == [("escalate_ticket", Came.RAN)]
    assert company.ask("select note from ticket_notes") == [("Refused: I want to see the bricks first.",)]


def test_a_mail_that_a_person_let_through_is_not_followed_by_another_one(company: Company) -> None:
    ran = Attempt("send_reply", Came.RAN, "Answered.")
    assert _went_on(company, "rude", ran).order == []


def test_a_call_that_waits_is_told_to_whoever_follows_it(company: Company) -> None:
    held: list[Attempt] = []
    hands = Hands(NoRail(), [_named("issue_refund", Held("wait", "a-7"))], ask, held=held.append)
    hands.use("issue_refund", {}, sure=0.9, why="because")
    assert [(each.tool, each.action) for each in held] == [("issue_refund", "a-7")]
    assert hands.resume("issue_refund", "a-7").said == "a-7 ran"


STEPS = {
    "halted": Step(Measure.HALT, Outcome.DENY, reason="stopped"),
    "refused by a rule": Step(Measure.DENY, Outcome.DENY, reason="no"),
}


@pytest.mark.parametrize(("step", "tries"), [("halted", 2), ("refused by a rule", 1)])
def test_only_what_the_kill_switch_refused_is_tried_again_once_it_is_lifted(step: str, tries: int) -> None:
    verdict = Verdict(Decision.DENY, Decision.DENY, Rung.BOUNDED, (STEPS[step],), "")
    tried: list[str] = []
    lifted = iter([True, False])

    def find_order(order_id: str) -> None:
        tried.append(order_id)
        raise Denied("no", "a-1", verdict)

    hands = Hands(NoRail(), [find_order], ask, halted=lambda: next(lifted))
    assert hands.use("find_order", {"order_id": "o-1"}, sure=0.9, why="because").came is Came.REFUSED
    assert tried == ["o-1"] * tries


class Limited:
    """A gateway that lets some calls through and refuses the others."""

    def __init__(self, room: int, refusal: CallRefused) -> None:
        self.room, self.refusal = room, refusal
        self.asked: list[int] = []
        """How many messages each call had."""

    def __call__(self, path: str, body: Mapping[str, Any], **headers: str) -> Any:
        self.asked.append(len(body.get("messages", ())))
        if len(self.asked) > self.room:
            raise self.refusal
        return ask(path, body, **headers)


FULL = CallRefused("€0.09 of €0.10 are used.", "budget_exhausted")
HALTED = CallRefused("Everything is stopped.", "halted")


@pytest.mark.parametrize(
    ("room", "order"),
    [
        (0, ["find_order", "escalate_ticket"]),
        (1, ["find_order", "categorize_ticket", "issue_refund", "escalate_ticket"]),
        (2, ["find_order", "categorize_ticket", "issue_refund", "send_reply"]),
    ],
    ids=["nothing is read", "nothing is written", "all of it"],
)
def test_a_call_that_no_budget_can_pay_ends_in_a_hand_over(
    company: Company, room: int, order: list[str]
) -> None:
    limited, told = Limited(room, FULL), list[CallRefused]()
    hands = Watched(company, ask=limited, stopped=told.append)
    Scripted().work(INBOX["broken-mugs"], hands)
    assert hands.order == [(tool, Came.RAN) for tool in order]
    notes = company.ask("select note from ticket_notes")
    assert (told, notes) == (([FULL], [(str(FULL),)]) if room < 2 else ([], []))


def test_an_answer_that_is_never_good_enough_is_written_until_there_is_no_room(company: Company) -> None:
    """Each draft carries all drafts before it, so each costs more than the one before."""
    limited = Limited(12, FULL)
    hands = Watched(company, ask=limited)
    Scripted().work(INBOX["haiku"], hands)
    assert [tool for tool, _ in hands.order] == ["find_customer", "categorize_ticket", "escalate_ticket"]
    assert limited.asked == list(range(2, 28, 2))
    assert company.letters() == []
    endless = Watched(company)
    Scripted().work(INBOX["haiku"], endless)
    assert endless.order[-1] == ("send_reply", Came.RAN)


def test_an_answer_that_broke_off_is_not_sent(company: Company) -> None:
    def short(path: str, body: Mapping[str, Any], **headers: str) -> Any:
        return ask(path, {**body, "max_tokens": 12}, **headers)

    hands = Watched(company, ask=short)
    Scripted().work(INBOX["broken-mugs"], hands)
    assert hands.order[-1] == ("escalate_ticket", Came.RAN)
    assert company.letters() == []
    assert company.ask("select note from ticket_notes") == [(BROKE_OFF,)]


def test_under_a_halt_a_model_is_asked_again_once_it_is_lifted(company: Company) -> None:
    lifted = iter([True, True, False])
    limited = Limited(0, HALTED)
    hands = Hands(NoRail(), company.desk.tools(), limited, halted=lambda: next(lifted))
    with pytest.raises(CallRefused, match="Everything is stopped"):
        hands.ask("shop/v1/chat/completions", {})
    assert len(limited.asked) == 3
    full = Limited(0, FULL)
    with pytest.raises(CallRefused, match="are used"):
        Hands(NoRail(), company.desk.tools(), full, halted=lambda: True).ask("shop/v1/chat/completions", {})
    assert len(full.asked) == 1


def _named(name: str, error: NotRun) -> Callable[..., Any]:
    tool = _raising(error)
    tool.__name__ = name
    return tool
