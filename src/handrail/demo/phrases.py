"""Actions in plain words: what an agent wanted, and what was done."""

from __future__ import annotations

from collections.abc import Mapping

PLAIN: Mapping[str, tuple[str, str]] = {
    "find_customer": ("looked the customer up", "look the customer up"),
    "find_order": ("looked the order up", "look {order_id} up"),
    "categorize_ticket": ("filed as {category}", "file it as {category}"),
    "escalate_ticket": ("handed to {team}", "hand it to {team}"),
    "send_reply": ("answered", "answer {to}"),
    "issue_refund": ("paid back {amount}", "pay back {amount} for {order_id}"),
    "give_voucher": ("gave a voucher of {value}", "give a voucher of {value}"),
    "cancel_order": ("cancelled {order_id}", "cancel {order_id}"),
    "update_address": ("moved {order_id} to {city}", "send {order_id} to {city}, {country}"),
    "send_replacement": ("sent {quantity} x {sku} again", "send {quantity} x {sku} again"),
    "send_invoice_copy": ("mailed a copy of {invoice_id}", "mail {invoice_id} to {to}"),
    "create_credit_note": ("credited {amount} on {invoice_id}", "credit {amount} on {invoice_id}"),
    "draft_offer": ("drafted {title}", "draft {title}"),
    "send_offer": ("sent an offer of {deal_value}", "send an offer of {deal_value} to {to}"),
    "end_subscription": ("ended the subscription", "end the subscription"),
    "delete_customer": ("deleted {customer_id}", "delete customer {customer_id}"),
    "export_customers": ("mailed all addresses", "mail all addresses to {to}"),
}
"""For each tool: what was done, and what was wanted."""
USUAL_METHOD = "original"
MONEY = frozenset({"amount", "value", "deal_value"})


class _Spoken(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "…"


def done(tool: str, args: Mapping[str, object]) -> str:
    """What was done."""
    return _say(tool, args, 0)


def wanted(tool: str, args: Mapping[str, object]) -> str:
    """What the agent wanted to do."""
    method = args.get("method", USUAL_METHOD)
    way = "" if method == USUAL_METHOD else f" by {str(method).replace('_', ' ')}"
    return _say(tool, args, 1) + way


def euros(nano: int) -> str:
    """An amount in nano-units, in whole cents."""
    return f"€{nano / 1_000_000_000:,.2f}"


def _say(tool: str, args: Mapping[str, object], form: int) -> str:
    pattern = PLAIN.get(tool, (f"called {tool}", f"call {tool}"))[form]
    return pattern.format_map(_Spoken({name: _word(name, value) for name, value in args.items()}))


def _word(name: str, value: object) -> str:
    if name in MONEY and isinstance(value, int | float):
        return f"€{value:,.2f}"
    return str(value)
