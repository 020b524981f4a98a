"""The scripted agent: it does what its script says, the same way every time, mistakes included."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping

from handrail.demo.company import Step, Ticket
from handrail.demo.hands import Attempt, Came, Hands
from handrail.demo.line import ModelFailed
from handrail.demo.mind import Mind
from handrail.demo.tools import Desk

GIVES_UP_AFTER = 3
"""Refusals of the same call before even a stubborn agent stops."""
MAILS = frozenset({"send_reply", "send_offer"})
"""Tools that are themselves what the customer hears."""


class Scripted:
    """Looks the customer up, files the ticket, does what the script says, then answers or hands over."""

    name = "a script (set OPENAI_API_KEY or ANTHROPIC_API_KEY for a real model)"

    def __init__(self, told: Mapping[str, Iterable[str]] | None = None) -> None:
        """``told`` are the policy's lines for each agent's system prompt."""
        self._told = told or {}

    def work(self, ticket: Ticket, hands: Hands) -> None:
        """Work on one ticket; must be called inside a session for it."""
        mind = self._mind(ticket, hands)
        try:
            known = look_up(ticket, hands, mind)
            came = [self._step(step, known, hands, mind) for step in ticket.steps]
            finish(ticket, came, hands, mind)
        except ModelFailed as stopped:
            hand_over(ticket, stopped, hands)

    def go_on(self, ticket: Ticket, attempt: Attempt, hands: Hands, *, edited: bool) -> None:
        """Go on once people have answered a question; must be called inside a session for the ticket.

        ``edited``: what ran is not what the agent asked for, so its own reply would be wrong.
        """
        mind = self._mind(ticket, hands)
        try:
            if attempt.came in {Came.REFUSED, Came.FAILED}:
                hand_over(ticket, attempt.said, hands)
            elif attempt.came is not Came.RAN or attempt.tool in MAILS:
                return
            elif edited:
                answer_customer(ticket, hands, mind.decided(attempt.said))
            elif ticket.reply is not None:
                answer_customer(ticket, hands, mind.reply([attempt]))
        except ModelFailed as stopped:
            hand_over(ticket, stopped, hands)

    def _mind(self, ticket: Ticket, hands: Hands) -> Mind:
        return Mind(ticket, self._told.get(ticket.agent, ()), hands)

    def _step(self, step: Step, known: dict[str, object], hands: Hands, mind: Mind) -> Attempt:
        refused = 0
        attempt = Attempt(step.tool, Came.FAILED, "nothing was tried")
        for _ in range(step.times):
            words = {"body": mind.mail(step.tool)} if "body" in step.args else {}
            args = {**_known_of(step.tool, known), **step.args, **words}
            attempt = hands.use(step.tool, args, sure=step.sure, why=step.why)
            known.update(attempt.values)
            refused += attempt.came is Came.REFUSED
            if refused == GIVES_UP_AFTER:
                break
        return attempt


def look_up(ticket: Ticket, hands: Hands, mind: Mind) -> dict[str, object]:
    """Find the order or the customer, read the mail and file it; gives what is known then.

    Raises:
        ModelFailed: the mail could not be read.
    """
    if ticket.order:
        hands.use("find_order", {"order_id": ticket.order}, sure=0.99, why="The mail is about this order.")
    else:
        hands.use("find_customer", {"email": ticket.email}, sure=0.99, why="Who is writing?")
    category, sure = mind.read()
    filed = {"ticket_id": ticket.id, "category": category}
    hands.use("categorize_ticket", filed, sure=sure, why=f"The mail reads like {category}.")
    return {
        "ticket_id": ticket.id,
        "customer_id": ticket.customer,
        "order_id": ticket.order,
        "to": ticket.email,
    }


def finish(ticket: Ticket, came: list[Attempt], hands: Hands, mind: Mind) -> None:
    """Answer if all was done; hand over to people if something was refused; else wait for them.

    Raises:
        ModelFailed: the answer could not be written.
    """
    refused = next((each for each in came if each.came in {Came.REFUSED, Came.FAILED}), None)
    if refused is not None:
        hand_over(ticket, refused.said, hands)
    elif ticket.reply is not None and all(attempt.came is Came.RAN for attempt in came):
        answer_customer(ticket, hands, mind.reply(came))


def hand_over(ticket: Ticket, said: object, hands: Hands) -> None:
    """Tell people what could not be done, in the words that the agent was given."""
    args = {"ticket_id": ticket.id, "team": "support", "note": str(said)}
    hands.use("escalate_ticket", args, sure=0.95, why="I may not do this, so a person should look at it.")


def answer_customer(ticket: Ticket, hands: Hands, body: str) -> None:
    """Send a reply."""
    args = {"ticket_id": ticket.id, "to": ticket.email, "subject": f"Re: {ticket.subject}", "body": body}
    hands.use("send_reply", args, sure=ticket.reply_sure, why=ticket.reply_why)


def _known_of(tool: str, known: Mapping[str, object]) -> dict[str, object]:
    """What the agent needs not be told for this tool: the ticket, the customer, the order, the address."""
    wanted = inspect.signature(getattr(Desk, tool)).parameters
    return {name: value for name, value in known.items() if name in wanted and value is not None}
