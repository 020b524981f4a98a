"""The edges that are no store: the clock, a source of facts, a channel to people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from handrail.words.action import LostNews
    from handrail.words.budget import BudgetNews
    from handrail.words.delivery import Delivery
    from handrail.words.fact import Failed
    from handrail.words.restriction import Halt
    from handrail.words.session import HeldNews
    from handrail.words.sheet import Sheet


class Clock(Protocol):
    """The time now, in milliseconds since the epoch, UTC."""

    def __call__(self) -> int:
        """Read the clock."""


class FactSource(Protocol):
    """Where one fact comes from. May block; a failure is a ``Failed``, never an exception."""

    def __call__(self, given: Mapping[str, object]) -> object | Failed:
        """The fact's value for the given parameters."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a channel is to tell: a delivery, with the question, halt, budget, session or loss it is about."""

    delivery: Delivery
    link: str | None
    """The address of the page that shows it; None when no address of the server is known."""
    sheet: Sheet | None = None
    halt: Halt | None = None
    budget: BudgetNews | None = None
    held: HeldNews | None = None
    lost: LostNews | None = None
    reference: str | None = None
    """The reference of the earlier message about the same subject in this channel, which this one updates."""


class Channel(Protocol):
    """A way to people: Slack, mail, a pager. May block, up to a time limit of its own."""

    def tell(self, message: Message) -> str | None:
        """Send or update a message; what the channel calls it, for later updates.

        Raises:
            ChannelError: it could not be sent; ``again`` says whether trying later can help.
        """
