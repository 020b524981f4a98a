"""The desk's real tools: each acts on the company's SQLite file, or sends a real mail over SMTP.

They know nothing of the rail. What they refuse is what any tool would: an order that is not
there. Whether the agent *may* is the policy's business.
"""

from __future__ import annotations

import csv
import io
import smtplib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import make_msgid
from pathlib import Path
from typing import Any, Literal

from handrail.demo.company import NAME

SENDER = "Copper & Thyme <desk@copperandthyme.example>"

Category = Literal[
    "refund", "shipping", "order", "offer", "invoice", "legal", "termination", "product", "complaint", "other"
]
Priority = Literal["low", "normal", "high"]
Team = Literal["support", "sales", "head"]


@dataclass(frozen=True, slots=True)
class Office:
    """Where the tools work: the company's database, and the SMTP server that takes its mail."""

    database: Path
    smtp_host: str
    smtp_port: int

    @contextmanager
    def db(self) -> Iterator[sqlite3.Connection]:
        """One transaction on the company's database: committed at the end, rolled back on an error."""
        with closing(sqlite3.connect(self.database, timeout=10)) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute("pragma foreign_keys = on")
            connection.execute("pragma synchronous = normal")
            with connection:
                yield connection

    def mail(self, to: str, subject: str, body: str, attachment: tuple[str, str] | None = None) -> None:
        """Send one message; ``attachment`` is a file name and its text."""
        message = EmailMessage(policy=SMTP_POLICY)
        message["From"], message["To"], message["Subject"] = SENDER, to, subject
        message["Message-ID"] = make_msgid(domain="copperandthyme.example")
        message.set_content(f"{body}\n\n-- \n{NAME}, kitchenware, Cork\n")
        if attachment:
            message.add_attachment(attachment[1], filename=attachment[0])
        with smtplib.SMTP(self.smtp_host, self.smtp_port, timeout=10) as server:
            server.send_message(message)


class Desk:
    """The tools as one object, so that they share the office. Each public method is one tool."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def tools(self) -> list[Callable[..., Any]]:
        """Every tool, in the order of this class."""
        names = [name for name in vars(type(self)) if not name.startswith("_") and name != "tools"]
        return [getattr(self, name) for name in names]

    def find_customer(self, email: str) -> dict[str, Any]:
        """Look a customer up by mail address: name, tier, address, running subscription, latest orders."""
        with self._office.db() as db:
            customer = _one(db, "select * from customers where email = ?", email)
            orders = (
                "select id, status, placed_at from orders"
                " where customer_id = ? order by placed_at desc limit 5"
            )
            plan = "select plan from subscriptions where customer_id = ? and status = 'running'"
            latest = [dict(row) for row in db.execute(orders, (customer["id"],))]
            plans = [row["plan"] for row in db.execute(plan, (customer["id"],))]
        return {**customer, "orders": latest, "subscriptions": plans}

    def find_order(self, order_id: str) -> dict[str, Any]:
        """Look an order up: whose it is, its status, goods, total, refunds and note."""
        with self._office.db() as db:
            order = _one(db, "select * from orders where id = ?", order_id)
            order["lines"] = [
                dict(row)
                for row in db.execute(
                    "select sku, name, quantity, price_cents from order_lines join products using (sku)"
                    " where order_id = ?",
                    (order_id,),
                )
            ]
            paid_back = "select coalesce(sum(amount_cents), 0) as cents from refunds where order_id = ?"
            order["refunded_cents"] = _one(db, paid_back, order_id)["cents"]
        return order

    def categorize_ticket(self, ticket_id: str, category: Category, priority: Priority = "normal") -> str:
        """File a ticket under a category and a priority."""
        with self._office.db() as db:
            _change(
                db,
                "update tickets set category = ?, priority = ? where id = ?",
                (category, priority, ticket_id),
            )
        return f"{ticket_id} is filed under {category}."

    def escalate_ticket(self, ticket_id: str, team: Team, note: str) -> str:
        """Hand a ticket to people (support, sales, or the head of the shop) with a note that says why."""
        with self._office.db() as db:
            _change(db, "update tickets set team = ?, status = 'with people' where id = ?", (team, ticket_id))
            db.execute("insert into ticket_notes (ticket_id, note) values (?, ?)", (ticket_id, note))
        return f"{ticket_id} is with {team} now."

    def send_reply(self, ticket_id: str, to: str, subject: str, body: str) -> str:
        """Answer a ticket by mail."""
        with self._office.db() as db:
            answered = "case when status = 'open' then 'answered' else status end"
            _change(db, f"update tickets set status = {answered} where id = ?", (ticket_id,))  # noqa: S608 -- no input
            _log_mail(db, ticket_id, to, subject)
            self._office.mail(to, subject, body)
        return f"Answered {ticket_id} to {to}."

    def issue_refund(self, order_id: str, amount: float, reason: str, method: str = "original") -> str:
        """Pay money (EUR) back for an order, the way it was paid unless ``method`` says otherwise."""
        with self._office.db() as db:
            db.execute(
                "insert into refunds (order_id, amount_cents, reason, made_at)"
                " values (?, ?, ?, datetime('now'))",
                (order_id, _cents(amount), reason),
            )
        return f"EUR {amount:.2f} paid back for {order_id} ({method})."

    def give_voucher(self, customer_id: str, value: float, reason: str) -> str:
        """Give a customer a voucher (EUR) for the next order."""
        with self._office.db() as db:
            number = _one(db, "select count(*) as n from vouchers")["n"]
            code = f"SORRY-{number + 1:03d}"
            db.execute("insert into vouchers values (?, ?, ?, ?)", (code, customer_id, _cents(value), reason))
        return f"Voucher {code} over EUR {value:.2f} for {customer_id}."

    def cancel_order(self, order_id: str, reason: str) -> str:
        """Cancel an order."""
        with self._office.db() as db:
            _change(
                db,
                "update orders set status = 'cancelled', note = note || ' / cancelled: ' || ? where id = ?",
                (reason, order_id),
            )
        return f"{order_id} is cancelled."

    def update_address(self, order_id: str, street: str, postcode: str, city: str, country: str) -> str:
        """Change where an order is sent; ``country`` is its two-letter code."""
        with self._office.db() as db:
            _change(
                db,
                "update orders set street = ?, postcode = ?, city = ?, country = ? where id = ?",
                (street, postcode, city, country, order_id),
            )
        return f"{order_id} goes to {street}, {postcode} {city}, {country}."

    def send_replacement(self, order_id: str, sku: str, quantity: int, reason: str) -> str:
        """Send goods of an order anew, for free."""
        with self._office.db() as db:
            db.execute(
                "insert into replacements (order_id, sku, quantity, reason) values (?, ?, ?, ?)",
                (order_id, sku, quantity, reason),
            )
        return f"{quantity} x {sku} is sent again for {order_id}."

    def send_invoice_copy(self, invoice_id: str, to: str) -> str:
        """Mail a copy of an invoice."""
        with self._office.db() as db:
            invoice = _one(
                db,
                "select i.*, c.name from invoices i join orders o on o.id = i.order_id"
                " join customers c on c.id = o.customer_id where i.id = ?",
                invoice_id,
            )
            subject = f"Your invoice {invoice_id}"
            _log_mail(db, None, to, subject)
            self._office.mail(
                to, subject, "The invoice is attached.", (f"{invoice_id}.txt", _invoice(invoice))
            )
        return f"Copy of {invoice_id} mailed to {to}."

    def create_credit_note(self, invoice_id: str, amount: float, reason: str) -> str:
        """Credit an amount (EUR) of an invoice."""
        with self._office.db() as db:
            db.execute(
                "insert into credit_notes (invoice_id, amount_cents, reason) values (?, ?, ?)",
                (invoice_id, _cents(amount), reason),
            )
        return f"Credit note of EUR {amount:.2f} on {invoice_id}."

    def draft_offer(
        self, customer_id: str, title: str, deal_value: float, discount_percent: int
    ) -> dict[str, Any]:
        """Draft an offer (EUR, after discount). Nothing is sent; gives the offer's id."""
        with self._office.db() as db:
            offer = db.execute(
                "insert into offers (customer_id, title, value_cents, discount_percent, status)"
                " values (?, ?, ?, ?, 'draft') returning id",
                (customer_id, title, _cents(deal_value), discount_percent),
            ).fetchone()
        return {"offer_id": offer["id"], "title": title, "deal_value": deal_value}

    def send_offer(
        self,
        offer_id: int,
        to: str,
        deal_value: float,
        discount_percent: int,
        body: str,
        terms: dict[str, int],
    ) -> str:
        """Mail a drafted offer (EUR), which binds us; ``terms`` are ``payment_days`` and ``valid_days``."""
        with self._office.db() as db:
            _change(db, "update offers set status = 'sent' where id = ?", (offer_id,))
            title = _one(db, "select title from offers where id = ?", offer_id)["title"]
            text = f"{body}\n\nPay within {terms['payment_days']} days, valid {terms['valid_days']} days."
            _log_mail(db, None, to, f"Our offer: {title}")
            self._office.mail(to, f"Our offer: {title}", text)
        return f"Offer {offer_id} over EUR {deal_value:.2f} (-{discount_percent} %) sent to {to}."

    def end_subscription(self, customer_id: str, reason: str) -> str:
        """End a customer's running subscription."""
        with self._office.db() as db:
            _change(
                db,
                "update subscriptions set status = 'ended', reason = ?"
                " where status = 'running' and customer_id = ?",
                (reason, customer_id),
            )
        return f"The subscription of {customer_id} is ended."

    def delete_customer(self, customer_id: str, reason: str) -> str:
        """Delete a customer and everything that hangs on it, for good."""
        with self._office.db() as db:
            _change(db, "delete from customers where id = ?", (customer_id,))
        return f"{customer_id} is deleted: {reason}."

    def export_customers(self, to: str) -> str:
        """Mail the whole list of customers with their addresses."""
        with self._office.db() as db:
            listed = [dict(row) for row in db.execute("select * from customers")]
        text = io.StringIO()
        writer = csv.DictWriter(text, fieldnames=list(listed[0]))
        writer.writeheader()
        writer.writerows(listed)
        self._office.mail(to, "Customers", "The list is attached.", ("customers.csv", text.getvalue()))
        return f"{len(listed)} customers mailed to {to}."


def _one(db: sqlite3.Connection, sql: str, *values: object) -> dict[str, Any]:
    row = db.execute(sql, values).fetchone()
    if row is None:
        raise LookupError(f"There is no {', '.join(map(str, values))} in the company's books.")
    return dict(row)


def _change(db: sqlite3.Connection, sql: str, values: tuple[object, ...]) -> None:
    if db.execute(sql, values).rowcount == 0:
        raise LookupError(f"Nothing in the company's books matches {values[-1]}.")


def _log_mail(db: sqlite3.Connection, ticket_id: str | None, to: str, subject: str) -> None:
    db.execute(
        "insert into mails (ticket_id, recipient, subject, sent_at) values (?, ?, ?, datetime('now'))",
        (ticket_id, to, subject),
    )


def _cents(amount: float) -> int:
    return int(Decimal(repr(amount)) * 100)


def _invoice(invoice: dict[str, Any]) -> str:
    return (
        f"{NAME}\nInvoice {invoice['id']} for order {invoice['order_id']}\n{invoice['name']}\n"
        f"Total EUR {invoice['total_cents'] / 100:.2f}, {invoice['status']}\n"
    )
