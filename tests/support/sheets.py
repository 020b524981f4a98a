"""Sheets and deliveries for tests of what shows them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from handrail.words.approval import Approval, ApprovalState, Seat
from handrail.words.delivery import Delivery, DeliveryKind, DeliveryState
from handrail.words.sheet import Because, BudgetAfter, SeatView, Sheet
from handrail.words.verdict import Ask

HOSTILE = (
    '<script>alert(1)</script> <!channel> *bold* <https://evil.example|Approve> `x` :boom: "\u202e" {{x}}'
)
DIGEST = "0123456789abcdef" * 4
AT = 1_795_000_000_000


def sheet(state: ApprovalState = ApprovalState.OPEN, **more: Any) -> Sheet:
    """A question about a refund; ``more`` replaces any of its fields."""
    seats = (Seat("leads", "leads", 1, AT + 3_600_000, "heads"),)
    asks = frozenset({Ask("rule", "digest", "leads")})
    approval = Approval("q1", "a1", DIGEST, asks, seats, state, AT)
    fields: dict[str, Any] = {
        "approval": approval,
        "what": "support wants to pay 500.00 USD with refund for ticket-1.",
        "agent": "support",
        "tool": "refund",
        "task": "ticket-1",
        "session": "s1",
        "behalf": None,
        "does": "pay",
        "why": (Because("ask", "big", "Large refunds need a lead."),),
        "undo": "It can't be undone.",
        "amount": "500.00 USD",
        "budgets": (BudgetAfter("refunds", "100.00 USD", "600.00 USD", "1,000.00 USD", 60),),
        "args": '{"amount":500,"reason":"late"}',
        "shown_args": {"amount": 500, "reason": "late"},
        "changes": (),
        "facts": {},
        "shown_facts": {},
        "confidence": Decimal("0.9"),
        "rationale": "The parcel was late.",
        "seats": (SeatView("leads", ("lead@example.com",), (), 1, 0, AT + 3_600_000, "heads are asked"),),
        "votes": (),
        "similar": (),
        "digest": DIGEST,
        "action_state": "held",
        "outcome": None,
        "schema": None,
    }
    return Sheet(**{**fields, **more})


def delivery(
    kind: DeliveryKind = DeliveryKind.ASKED, tries: int = 1, channel: str = "slack:#offers"
) -> Delivery:
    """A delivery about that question."""
    return Delivery("d1", kind, "q1", channel, DeliveryState.SENDING, AT, tries, AT + 60_000)
