"""The scripted agent, here without any rail: what it wants to do, it does. That is why there is a rail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from handrail.demo.agent import GIVES_UP_AFTER, Scripted
from handrail.demo.company import Ticket, tickets
from handrail.demo.hands import Attempt, Came, Hands
from handrail.words.errors import Denied, Held, NotRun, Shadowed
from tests.unit.demo.shop import Company, NoRail

INBOX = {ticket.slug: ticket for ticket in tickets()}


class Watched(Hands):
    """Hands that remember what they did, and for which some tools are answered by a person's word."""

    def __init__(self, company: Company, stops: Mapping[str, NotRun] | None = None) -> None:
        super().__init__(NoRail(), company.desk.tools())
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
    Scripted().work(ticket, Hands(rail, company.desk.tools()))
    assert [sure for sure, _ in rail.said] == [0.99, ticket.sure, 0.78, ticket.reply_sure]
    assert all(why for _, why in rail.said)


def test_a_tool_that_does_not_exist_is_refused_in_words(company: Company) -> None:
    attempt = Hands(NoRail(), company.desk.tools()).use("wire_money", {}, sure=0.9, why="because")
    assert (attempt.came, attempt.said) == (
        Came.REFUSED,
        "There is no tool 'wire_money'; use one of those you were given.",
    )


def test_a_tool_that_fails_tells_the_agent_why(company: Company) -> None:
    hands = Hands(NoRail(), company.desk.tools())
    attempt = hands.use("find_order", {"order_id": "o-1"}, sure=0.9, why="because")
    assert attempt.came is Came.FAILED
    assert "no o-1 in the company's books" in str(attempt.said)
    assert attempt.values == {}
