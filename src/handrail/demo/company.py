"""Copper & Thyme, the demo company: its data files read, its SQLite database built, its inbox filled."""

from __future__ import annotations

import csv
import sqlite3
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

NAME = "Copper & Thyme"
FREE_SHIPPING_FROM = 7_500
SHIPPING = 490


@dataclass(frozen=True, slots=True)
class Step:
    """One call that the scripted agent wants to make, ``times`` times, as sure of it as ``sure`` (0 to 1)."""

    tool: str
    args: Mapping[str, object]
    sure: float
    why: str
    times: int


@dataclass(frozen=True, slots=True)
class Ticket:
    """One mail to the desk, and what the scripted agent makes of it.

    ``category`` is what a person would file it under, ``sees`` what the agent does; now and then they differ.
    """

    id: str
    slug: str
    agent: str
    customer: str
    email: str
    order: str | None
    subject: str
    body: str
    category: str
    sees: str
    sure: float
    steps: tuple[Step, ...]
    reply: str | None
    reply_sure: float
    reply_why: str
    drafts: int
    """How often it writes its answer until it is content, and ``doubt`` is why it is not before."""
    doubt: str
    show: bool


def data(*names: str) -> Traversable:
    """A file or folder of the demo's data."""
    return files("handrail.demo").joinpath("data", *names)


def rows(name: str) -> list[dict[str, str]]:
    """The rows of one CSV file of the demo's data, each by its header."""
    with data(name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def tickets() -> tuple[Ticket, ...]:
    """The whole inbox, oldest first: the themes mixed evenly, so that any hour of it is varied."""
    emails = {row["id"]: row["email"] for row in rows("customers.csv")}
    mixed = sorted(_raw_tickets(), key=lambda found: found[:2])
    return tuple(
        _ticket(f"t-{number}", raw, emails[str(raw["from"])])
        for number, (_, _, raw) in enumerate(mixed, start=101)
    )


def _raw_tickets() -> Iterator[tuple[float, str, dict[str, object]]]:
    for theme in data("tickets").iterdir():
        if not theme.name.endswith(".toml"):
            continue
        content = tomllib.loads(theme.read_text(encoding="utf-8"))
        listed = content.pop("ticket")
        for index, raw in enumerate(listed):
            yield (index + 0.5) / len(listed), theme.name, {**content, **raw}


def _ticket(number: str, raw: Mapping[str, object], email: str) -> Ticket:
    category = str(raw["category"])
    steps = raw.get("does", [])
    if not isinstance(steps, list):
        raise TypeError(f"ticket {raw['slug']}: does must be a list of calls")
    return Ticket(
        id=number,
        slug=str(raw["slug"]),
        agent=str(raw.get("agent", "desk")),
        customer=str(raw["from"]),
        email=email,
        order=_text(raw.get("order")),
        subject=str(raw["subject"]),
        body=str(raw["body"]),
        category=category,
        sees=str(raw.get("sees", category)),
        sure=_share(raw["sure"]),
        steps=tuple(_step(step) for step in steps),
        reply=_text(raw.get("reply")),
        reply_sure=_share(raw.get("reply_sure", 0.94)),
        reply_why=str(raw.get("reply_why", "Tells the customer what was done, and nothing else.")),
        drafts=int(str(raw.get("drafts", 1))),
        doubt=str(raw.get("doubt", "")),
        show=bool(raw.get("show", False)),
    )


def _step(raw: Mapping[str, object]) -> Step:
    args = raw["args"]
    if not isinstance(args, Mapping):
        raise TypeError(f"{raw['tool']}: args must be a table")
    return Step(str(raw["tool"]), args, _share(raw["sure"]), str(raw["why"]), int(str(raw.get("times", 1))))


def _text(raw: object) -> str | None:
    return None if raw is None else str(raw)


def _share(raw: object) -> float:
    share = float(str(raw))
    if not 0 <= share <= 1:
        raise ValueError(f"how sure the agent is must be between 0 and 1, not {share}")
    return share


def build(path: Path, inbox: tuple[Ticket, ...], now: datetime) -> None:
    """Write the company's database at ``path``, with ``inbox`` as the mail of the day before ``now``.

    Raises:
        sqlite3.Error: the file can't be written, or the data breaks the schema.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("pragma journal_mode = wal")
        db.execute("pragma foreign_keys = on")
        db.executescript("begin;" + data("schema.sql").read_text(encoding="utf-8"))
        _add_customers(db)
        _add_orders(db, now)
        _add_money(db, now)
        _add_tickets(db, inbox, now)
        db.execute("commit")


def tidy(path: Path) -> None:
    """Bring everything into the one file of the database, so that it can be copied or looked into."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("pragma wal_checkpoint(truncate)")


def _add_customers(db: sqlite3.Connection) -> None:
    customers = rows("customers.csv")
    db.executemany(
        "insert into customers"
        " values (:id, :name, :email, :tier, :street, :postcode, :city, :country, :language)",
        customers,
    )
    db.executemany(
        "insert into subscriptions (customer_id, plan, status) values (?, 'Spice Box', 'running')",
        [(row["id"],) for row in customers if row["spice_box"] == "yes"],
    )
    db.executemany("insert into products values (:sku, :name, :price_cents)", rows("products.csv"))


def _add_orders(db: sqlite3.Connection, now: datetime) -> None:
    price = dict(db.execute("select sku, price_cents from products"))
    for row in rows("orders.csv"):
        lines = dict(_line(item) for item in row["items"].split())
        goods = sum(price[sku] * quantity for sku, quantity in lines.items())
        shipping = 0 if goods >= FREE_SHIPPING_FROM else SHIPPING
        db.execute(
            "insert into orders select ?, id, ?, ?, ?, ?, street, postcode, city, country"
            " from customers where id = ?",
            (row["id"], _ago(now, row), row["status"], goods + shipping, row["note"], row["customer"]),
        )
        db.executemany(
            "insert into order_lines values (?, ?, ?)",
            [(row["id"], sku, quantity) for sku, quantity in lines.items()],
        )


def _line(item: str) -> tuple[str, int]:
    sku, _, quantity = item.partition("*")
    return sku, int(quantity or 1)


def _add_money(db: sqlite3.Connection, now: datetime) -> None:
    db.executemany(
        "insert into refunds (order_id, amount_cents, reason, made_at) values (?, ?, ?, ?)",
        [(row["order"], row["amount_cents"], row["reason"], _ago(now, row)) for row in rows("refunds.csv")],
    )
    for row in rows("invoices.csv"):
        db.execute(
            "insert into invoices select ?, id, ?, ?, total_cents from orders where id = ?",
            (row["id"], _ago(now, row), row["status"], row["order"]),
        )


def _add_tickets(db: sqlite3.Connection, inbox: tuple[Ticket, ...], now: datetime) -> None:
    apart = timedelta(hours=24) / max(1, len(inbox))
    for index, ticket in enumerate(inbox):
        received = now - apart * (len(inbox) - index)
        db.execute(
            "insert into tickets (id, customer_id, order_id, received_at, subject, body)"
            " values (?, ?, ?, ?, ?, ?)",
            (ticket.id, ticket.customer, ticket.order, _stamp(received), ticket.subject, ticket.body),
        )


def _ago(now: datetime, row: Mapping[str, str]) -> str:
    return _stamp(now - timedelta(days=int(row["days_ago"])))


def _stamp(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M:%S")
