"""A small shop for tests of the command line: a policy, an application, and actions in every state."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import handrail
from handrail.engine.core import Engine

POLICY = """\
handrail: 1
currency: EUR

agents:
  support:
    may: [find_order, issue_refund, send_mail, close_account]

tools:
  find_order: {does: read}
  issue_refund: {does: pay, amount: args.amount, starts: bounded, at_most: bounded}
  send_mail: {does: send, starts: shadow, at_most: bounded}
  close_account: {does: delete, starts: suggest, at_most: suggest}

rules:
  - {id: big, tools: issue_refund, when: "amount > 100", ask: leads}
  - {id: huge, tools: issue_refund, when: "amount > 1000", deny: "Nobody refunds that much."}

checks:
  rude-words: {tools: issue_refund, in: args.reason, phrases: ["stupid"], if_not_ok: deny}

budgets:
  - {id: many, tools: issue_refund, actions: 50, per: day}

approvers:
  leads: {people: [ann, bea], need: 1, answer_within: 4 h, if_no_answer: reject}

data:
  redact: [args.card]
"""

DESK = """\
import handrail

rail = handrail.connect("handrail.yaml")


@rail.tool
def issue_refund(order_id: str, amount: float, reason: str = "", card: str = "") -> str:
    with open("refunds.txt", "a") as file:
        file.write(f"{order_id} {amount}\\n")
    return f"refunded {amount}"


@rail.tool
async def find_order(order_id: str) -> dict:
    return {"order_id": order_id, "total": 12.5}


@rail.tool
def send_mail(to: str) -> str:
    raise handrail.NotDone("the mail server is away")


@rail.tool
def close_account(customer: str) -> str:
    raise RuntimeError("the line broke")
"""


@dataclass(frozen=True, slots=True)
class Shop:
    """The folder of one shop, with its policy and its application."""

    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / "handrail.db"

    @contextmanager
    def desk(self, database: str | None = None) -> Iterator[Desk]:
        """The shop's agent at work."""
        with handrail.connect(self.folder / "handrail.yaml", database=database) as rail:
            yield Desk(rail)


class Desk:
    """The agent's side: tools that return at once."""

    def __init__(self, rail: handrail.Rail) -> None:
        self.rail = rail

        @rail.tool
        def issue_refund(order_id: str, amount: float, reason: str = "", card: str = "") -> str:
            return f"refunded {amount} for {order_id}"

        @rail.tool
        def send_mail(to: str) -> str:
            return f"sent to {to}"

        @rail.tool
        def close_account(customer: str) -> str:
            return f"closed {customer}"

        self._refund, self._mail, self._close = issue_refund, send_mail, close_account

    @property
    def engine(self) -> Engine:
        return self.rail._engine

    def refund(self, amount: float, task: str = "ticket-1", **more: str) -> str | handrail.NotRun:
        """Refund; what came of it, or why nothing did."""
        _next_millisecond()
        with self.rail.session("support", task), self.rail.about(0.9, "the photo shows damage"):
            try:
                return self._refund("o-17", amount, **more)
            except handrail.NotRun as error:
                return error

    def held(self, amount: float = 500.0, **more: str) -> str:
        """The id of an action that waits for an answer."""
        found = self.refund(amount, **more)
        assert isinstance(found, handrail.Held)
        return found.action_id

    def mail(self, to: str) -> str | handrail.NotRun:
        _next_millisecond()
        with self.rail.session("support", "ticket-2"):
            try:
                return self._mail(to)
            except handrail.NotRun as error:
                return error

    def close_account(self, customer: str) -> str | handrail.NotRun:
        _next_millisecond()
        with self.rail.session("support", "ticket-3"):
            try:
                return self._close(customer)
            except handrail.NotRun as error:
                return error


def _next_millisecond() -> None:
    """Ids sort by the millisecond: tests that look at an order give each action one of its own."""
    now = time.time_ns() // 1_000_000
    while time.time_ns() // 1_000_000 == now:
        pass


def opened(folder: Path) -> Shop:
    """A shop in `folder`, with no store yet."""
    (folder / "handrail.yaml").write_text(POLICY, encoding="utf-8")
    (folder / "desk.py").write_text(DESK, encoding="utf-8")
    return Shop(folder)
