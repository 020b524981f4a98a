"""The scripted agent: it does what its script says, the same way every time, mistakes included."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

from handrail.demo.company import Step, Ticket
from handrail.demo.hands import Attempt, Came, Hands
from handrail.demo.tools import Desk

GIVES_UP_AFTER = 3
"""Refusals of the same call before even a stubborn agent stops."""


class Scripted:
    """Looks the customer up, files the ticket, does what the script says, then answers or hands over."""

    name = "a script (set OPENAI_API_KEY or ANTHROPIC_API_KEY for a real model)"

    def work(self, ticket: Ticket, hands: Hands) -> None:
        """Work on one ticket; must be called inside a session for it."""
        known = look_up(ticket, hands)
        came = [self._step(step, known, hands) for step in ticket.steps]
        finish(ticket, came, hands)

    def _step(self, step: Step, known: dict[str, object], hands: Hands) -> Attempt:
        refused = 0
        attempt = Attempt(step.tool, Came.FAILED, "nothing was tried")
        for _ in range(step.times):
            args = {**_known_of(step.tool, known), **step.args}
            attempt = hands.use(step.tool, args, sure=step.sure, why=step.why)
            known.update(attempt.values)
            refused += attempt.came is Came.REFUSED
            if refused == GIVES_UP_AFTER:
                break
        return attempt


def look_up(ticket: Ticket, hands: Hands) -> dict[str, object]:
    """Find the order or the customer, and file the ticket; gives what is known then."""
    if ticket.order:
        hands.use("find_order", {"order_id": ticket.order}, sure=0.99, why="The mail is about this order.")
    else:
        hands.use("find_customer", {"email": ticket.email}, sure=0.99, why="Who is writing?")
    filed = {"ticket_id": ticket.id, "category": ticket.sees}
    hands.use("categorize_ticket", filed, sure=ticket.sure, why=f"The mail reads like {ticket.sees}.")
    return {
        "ticket_id": ticket.id,
        "customer_id": ticket.customer,
        "order_id": ticket.order,
        "to": ticket.email,
    }


def finish(ticket: Ticket, came: list[Attempt], hands: Hands) -> None:
    """Answer if all was done; hand over to people if something was refused; else wait for them."""
    if any(attempt.came in {Came.REFUSED, Came.FAILED} for attempt in came):
        hand_over(ticket, came, hands)
    elif ticket.reply is not None and all(attempt.came is Came.RAN for attempt in came):
        answer_customer(ticket, hands)


def hand_over(ticket: Ticket, came: list[Attempt], hands: Hands) -> None:
    """Tell people what could not be done, in the words that the agent was given."""
    said = next(a.said for a in came if a.came in {Came.REFUSED, Came.FAILED})
    args = {"ticket_id": ticket.id, "team": "support", "note": str(said)}
    hands.use("escalate_ticket", args, sure=0.95, why="I may not do this, so a person should look at it.")


def answer_customer(ticket: Ticket, hands: Hands) -> None:
    """Send the reply that the script has."""
    args = {
        "ticket_id": ticket.id,
        "to": ticket.email,
        "subject": f"Re: {ticket.subject}",
        "body": ticket.reply,
    }
    hands.use("send_reply", args, sure=ticket.reply_sure, why=ticket.reply_why)


def _known_of(tool: str, known: Mapping[str, object]) -> dict[str, object]:
    """What the agent needs not be told for this tool: the ticket, the customer, the order, the address."""
    wanted = inspect.signature(getattr(Desk, tool)).parameters
    return {name: value for name, value in known.items() if name in wanted and value is not None}
