"""What models are told: who they are, the mail, and what is wanted of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from handrail.demo.company import Ticket, data

READ = "Read this mail. Answer as JSON: its category, and from 0 to 1 how sure you are of it."
REPLY = "Write the answer to the customer."
DECIDED = "Tell the customer what was decided instead of what you had planned: "
"""Followed by what was done."""


def system(told: Iterable[str] = ()) -> str:
    """The system prompt; ``told`` are the policy's lines for it."""
    return "\n".join([data("role.txt").read_text(encoding="utf-8"), *told])


def mail(ticket: Ticket) -> str:
    """A ticket as a model reads it."""
    about = f"Order: {ticket.order}\n" if ticket.order else ""
    return (
        f"Ticket: {ticket.id}\nFrom: {ticket.email} (customer {ticket.customer})\n{about}"
        f"Subject: {ticket.subject}\n\n{ticket.body}"
    )


def wanted(tool: str) -> str:
    """What is wanted before a mail is sent with a tool."""
    return f"Write the mail that {tool} is to send."


def after(came: Sequence[str], wish: str) -> str:
    """A wish, after what came of the calls until then."""
    lines = "".join(f"- {each}\n" for each in came)
    return f"What came of your calls:\n{lines}\n{wish}" if came else wish
