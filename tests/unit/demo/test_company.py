"""The demo's data: enough of it, varied, and nothing in it that points nowhere."""

from __future__ import annotations

import inspect
from collections import Counter
from datetime import UTC, datetime
from typing import get_args

import pytest

from handrail.demo.company import Ticket, build, rows, tickets
from handrail.demo.people import answers
from handrail.demo.tools import Category, Desk
from tests.unit.demo.shop import Company

INBOX = tickets()


def test_the_inbox_has_at_least_120_tickets_no_two_alike() -> None:
    assert len(INBOX) >= 120
    for part in ("id", "slug", "body"):
        assert len({getattr(ticket, part) for ticket in INBOX}) == len(INBOX), part


def test_the_inbox_is_the_same_every_time() -> None:
    assert tickets() == INBOX


def test_the_tickets_are_varied() -> None:
    by_category = Counter(ticket.category for ticket in INBOX)
    assert set(by_category) == set(get_args(Category))
    assert max(by_category.values()) < len(INBOX) / 2
    languages = {row["id"]: row["language"] for row in rows("customers.csv")}
    assert len({languages[ticket.customer] for ticket in INBOX}) >= 6
    assert len({ticket.customer for ticket in INBOX}) >= 50


def test_every_hour_of_the_day_is_mixed() -> None:
    """Any fifteen tickets in a row have at least four different categories."""
    for start in range(len(INBOX) - 15):
        assert len({ticket.category for ticket in INBOX[start : start + 15]}) >= 4


def test_every_customer_order_and_product_that_is_named_exists() -> None:
    customers = {row["id"] for row in rows("customers.csv")}
    orders = {row["id"] for row in rows("orders.csv")}
    products = {row["sku"] for row in rows("products.csv")}
    invoices = {row["id"] for row in rows("invoices.csv")}
    for ticket in INBOX:
        assert ticket.customer in customers, ticket.slug
        assert ticket.order is None or ticket.order in orders, ticket.slug
        for step in ticket.steps:
            assert step.args.get("sku", "KNF-20") in products, ticket.slug
            assert step.args.get("invoice_id", "inv-801") in invoices, ticket.slug
            assert step.args.get("customer_id", "c-101") in customers, ticket.slug


def test_every_order_costs_its_lines_and_the_shipping(company: Company) -> None:
    """Shipping is 4.90 below 75 euro."""
    wrong = company.ask(
        "select o.id from orders o join order_lines l on l.order_id = o.id join products p using (sku)"
        " group by o.id having o.total_cents !="
        " sum(p.price_cents * l.quantity)"
        " + (case when sum(p.price_cents * l.quantity) < 7500 then 490 else 0 end)"
    )
    assert wrong == []


@pytest.mark.parametrize("ticket", INBOX, ids=lambda ticket: ticket.slug)
def test_every_scripted_call_fits_its_tool(ticket: Ticket) -> None:
    """With what the agent knows of the ticket, each call binds to the tool's parameters."""
    known = {"ticket_id", "customer_id", "order_id", "to", "offer_id"}
    for step in ticket.steps:
        parameters = inspect.signature(getattr(Desk, step.tool)).parameters
        given = dict.fromkeys(known & set(parameters)) | dict(step.args)
        inspect.signature(getattr(Desk, step.tool)).bind(None, **given)
        assert step.why
        assert 1 <= step.times <= 40


def test_the_agent_is_sometimes_wrong_and_sometimes_unsure() -> None:
    assert sum(ticket.sees != ticket.category for ticket in INBOX) >= 3
    doubts = [step.sure for ticket in INBOX for step in ticket.steps if step.sure < 0.85]
    assert len(doubts) >= 5


def test_the_people_answer_to_tickets_that_exist_and_leave_most_questions_open() -> None:
    answered = answers(INBOX)
    by_id = {ticket.id: ticket for ticket in INBOX}
    assert 10 <= len(answered) <= 20
    assert {True, False} == {answer.approve for answer in answered}
    for answer in answered:
        ticket = by_id[answer.ticket]
        assert answer.tool in {step.tool for step in ticket.steps} | {"send_reply"}, ticket.slug


def test_an_answer_to_an_unknown_ticket_is_an_error() -> None:
    with pytest.raises(KeyError, match="bakery-mixer"):
        answers(ticket for ticket in INBOX if ticket.slug != "bakery-mixer")


def test_the_database_holds_the_whole_inbox_and_its_books(company: Company) -> None:
    assert company.ask("select count(*) from tickets") == [(len(INBOX),)]
    assert company.ask("select distinct tier from customers order by 1") == [
        ("medium",),
        ("small",),
        ("vip",),
    ]
    assert company.ask("pragma foreign_key_check") == []
    [(note,)] = company.ask("select note from orders where id = 'o-5401'")
    assert "4,000" in note


def test_a_database_that_is_already_there_is_not_built_over(company: Company) -> None:
    with pytest.raises(Exception, match="already exists"):
        build(company.database, INBOX, datetime(2026, 11, 20, tzinfo=UTC))
    assert company.ask("select count(*) from tickets") == [(len(INBOX),)]
