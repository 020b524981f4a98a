"""The desk's tools: each changes the company's books, or sends a real mail, and nothing more."""

from __future__ import annotations

import sqlite3
from email import message_from_bytes
from email.policy import default

import pytest

from handrail.demo.tools import Desk, Office
from tests.unit.demo.shop import Company


def test_a_refund_is_written_in_exact_cents(company: Company) -> None:
    company.desk.issue_refund("o-5001", 18.29, "two mugs broken")
    company.desk.issue_refund("o-5001", 0.29, "and a saucer")
    booked = company.ask("select amount_cents from refunds where order_id = 'o-5001' order by id")
    assert booked == [(1829,), (29,)]
    assert company.desk.find_order("o-5001")["refunded_cents"] == 1858


def test_a_refund_for_an_order_that_is_not_there_changes_nothing(company: Company) -> None:
    before = company.ask("select count(*) from refunds")
    with pytest.raises(sqlite3.IntegrityError):
        company.desk.issue_refund("o-9999", 18.0, "for nothing")
    assert company.ask("select count(*) from refunds") == before


def test_a_customer_is_found_by_address_with_what_an_agent_needs(company: Company) -> None:
    found = company.desk.find_customer("priya.raman@mailbox.example")
    assert (found["id"], found["tier"], found["subscriptions"]) == ("c-109", "small", ["Spice Box"])
    assert {order["id"] for order in found["orders"]} == {"o-5002", "o-5506", "o-5703"}


def test_who_is_not_in_the_books_is_not_found(company: Company) -> None:
    with pytest.raises(LookupError, match=r"no nobody@mailbox\.example"):
        company.desk.find_customer("nobody@mailbox.example")
    with pytest.raises(LookupError, match="o-1"):
        company.desk.find_order("o-1")


def test_an_order_shows_its_goods_and_its_note(company: Company) -> None:
    found = company.desk.find_order("o-5401")
    assert [line["sku"] for line in found["lines"]] == ["LDL-SS"]
    assert "SYSTEM NOTICE" in found["note"]


def test_a_reply_is_a_real_mail_and_marks_the_ticket_answered(company: Company) -> None:
    company.desk.send_reply(
        "t-101", "ewa.nowak@poczta.example", "Re: Kubki", "Dzień dobry, zwracamy 36,00 EUR."
    )
    [letter] = company.letters()
    message = message_from_bytes(letter, policy=default)
    assert message["to"] == "ewa.nowak@poczta.example"
    assert message["subject"] == "Re: Kubki"
    body = message.get_body()
    assert body is not None
    assert "Dzień dobry, zwracamy 36,00 EUR." in body.get_content()
    assert company.ask("select status from tickets where id = 't-101'") == [("answered",)]


def test_a_reply_to_a_ticket_that_is_not_there_sends_nothing(company: Company) -> None:
    with pytest.raises(LookupError, match="t-999"):
        company.desk.send_reply("t-999", "ewa.nowak@poczta.example", "Re: Kubki", "Hello")
    assert company.letters() == []


def test_a_mail_that_cannot_be_sent_leaves_the_books_as_they_were(company: Company) -> None:
    """The server is gone: the error says so, and the ticket is not marked as answered."""
    mute = Desk(Office(company.database, "127.0.0.1", 1))
    with pytest.raises(OSError, match="refused"):
        mute.send_reply("t-101", "ewa.nowak@poczta.example", "Re: Kubki", "Hello")
    assert company.ask("select status from tickets where id = 't-101'") == [("open",)]


def test_an_escalated_ticket_stays_with_people_when_it_is_answered(company: Company) -> None:
    company.desk.escalate_ticket("t-101", "head", "a claim")
    company.desk.send_reply("t-101", "ewa.nowak@poczta.example", "Re: Kubki", "Hello")
    assert company.ask("select team, status from tickets where id = 't-101'") == [("head", "with people")]
    assert company.ask("select note from ticket_notes") == [("a claim",)]


def test_a_ticket_is_filed(company: Company) -> None:
    company.desk.categorize_ticket("t-101", "legal", "high")
    assert company.ask("select category, priority from tickets where id = 't-101'") == [("legal", "high")]


def test_orders_are_cancelled_moved_and_sent_again(company: Company) -> None:
    company.desk.cancel_order("o-5606", "toast")
    company.desk.update_address("o-5601", "Biltstraat 44", "3572 BC", "Utrecht", "NL")
    company.desk.send_replacement("o-5703", "KNF-09", 1, "blunt")
    assert company.ask("select status, note from orders where id = 'o-5606'") == [
        ("cancelled", "ordered at 02:11 / cancelled: toast")
    ]
    assert company.ask("select street, city from orders where id = 'o-5601'") == [
        ("Biltstraat 44", "Utrecht")
    ]
    assert company.ask("select sku, quantity from replacements") == [("KNF-09", 1)]


def test_a_replacement_of_something_we_do_not_sell_is_an_error(company: Company) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        company.desk.send_replacement("o-5703", "UNICORN", 1, "please")


def test_vouchers_are_numbered(company: Company) -> None:
    assert "SORRY-001" in company.desk.give_voucher("c-109", 5.0, "late")
    assert "SORRY-002" in company.desk.give_voucher("c-101", 5.0, "late")


def test_an_offer_is_drafted_then_sent_with_its_terms(company: Company) -> None:
    offer = company.desk.draft_offer("c-108", "40 sets of plates", 5304.0, 15)
    assert company.letters() == []
    terms = {"payment_days": 30, "valid_days": 60}
    company.desk.send_offer(offer["offer_id"], "luca@osteriaferraris.example", 5304.0, 15, "Caro Luca", terms)
    [letter] = company.letters()
    assert b"Pay within 30 days, valid 60 days." in letter
    assert company.ask("select status, value_cents from offers") == [("sent", 530_400)]


def test_an_invoice_travels_as_an_attachment(company: Company) -> None:
    company.desk.send_invoice_copy("inv-801", "margarida@tascadasousa.example")
    [letter] = company.letters()
    [attached] = message_from_bytes(letter, policy=default).iter_attachments()
    assert attached.get_filename() == "inv-801.txt"
    assert "Invoice inv-801 for order o-5801" in attached.get_content()


def test_a_credit_note_is_booked(company: Company) -> None:
    company.desk.create_credit_note("inv-806", 99.0, "five pots")
    assert company.ask("select invoice_id, amount_cents from credit_notes") == [("inv-806", 9900)]


def test_a_subscription_ends_once(company: Company) -> None:
    company.desk.end_subscription("c-104", "cupboard is full")
    assert company.ask("select status from subscriptions where customer_id = 'c-104'") == [("ended",)]
    with pytest.raises(LookupError, match="c-104"):
        company.desk.end_subscription("c-104", "again")


def test_a_deleted_customer_takes_the_orders_along(company: Company) -> None:
    company.desk.delete_customer("c-149", "erasure")
    assert company.ask("select count(*) from orders where customer_id = 'c-149'") == [(0,)]


def test_the_export_would_really_send_every_address(company: Company) -> None:
    """The danger is real: without a rail, the whole list leaves the house."""
    company.desk.export_customers("m.vane@quickmail.example")
    [letter] = company.letters()
    [attached] = message_from_bytes(letter, policy=default).iter_attachments()
    [(customers,)] = company.ask("select count(*) from customers")
    assert len(attached.get_content().splitlines()) == customers + 1


def test_the_list_of_tools_is_every_public_method(company: Company) -> None:
    names = [tool.__name__ for tool in company.desk.tools()]
    assert len(names) == len(set(names)) == 17
    assert all(tool.__doc__ for tool in company.desk.tools())
