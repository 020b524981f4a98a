"""Deliveries: what is to be told through a channel, once, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DeliveryKind(StrEnum):
    """What a delivery tells."""

    ASKED = "asked"
    """A question is open."""
    ANSWERED = "answered"
    """A question was answered, has expired or was taken back: the message about it is brought up to date."""
    OUTCOME = "outcome"
    """What became of the action after it was answered."""
    HALTED = "halted"
    LIFTED = "lifted"
    SESSION_HELD = "session_held"
    """A session is held."""
    LOST = "lost"
    """A process fell silent while actions ran: nobody knows how they ended."""
    BUDGET = "budget"
    """A budget has reached a percentage of its limit."""
    TEST = "test"


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    DUE = "due"
    SENDING = "sending"
    SENT = "sent"
    GAVE_UP = "gave_up"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one channel (``slack:#offers``, ``notify:oncall``). Unique by kind, subject and channel.

    ``subject`` is the id of an approval, an action, a halt, the holding of a session, a loss or a budget's
    alert. Times are milliseconds since the epoch, UTC.
    """

    id: str
    kind: DeliveryKind
    subject: str
    channel: str
    state: DeliveryState
    due_at: int
    tries: int = 0
    lease_until: int | None = None
    reference: str | None = None
    """What the channel calls its message, to bring it up to date later; the channel's own text."""
    error: str | None = None
    sent_at: int | None = None
