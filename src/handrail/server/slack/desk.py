"""What every handler of the Slack app has at hand: who clicked, what they saw, and how they are told."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackApiError, SlackClientError

from handrail.channels.slack import client as slack_client
from handrail.channels.slack_blocks import SEEN
from handrail.channels.texts import escaped, shown
from handrail.engine.core import logger
from handrail.engine.questions.sheet import sheet
from handrail.server.slack.people import Member, Register, member_of
from handrail.words.errors import Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from handrail.engine.core import Engine
    from handrail.server.slack.settings import SlackSettings
    from handrail.words.approval import Approval
    from handrail.words.person import Person, Role
    from handrail.words.sheet import Sheet

WORKERS = 8
LONGEST = 1_500
"""Characters that Slack tells one person at most."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A question as its button showed it: its id, and the first digits of what it was about."""

    approval: str
    digits: str
    channel: str

    def __str__(self) -> str:
        """As a modal carries it."""
        return json.dumps([self.approval, self.digits, self.channel])

    @classmethod
    def of_value(cls, value: str, channel: str) -> Seen:
        """From a button."""
        approval, _, digits = value.partition(":")
        return cls(approval, digits, channel)

    @classmethod
    def of_modal(cls, text: str) -> Seen:
        """From a modal."""
        return cls(*json.loads(text))


class Desk:
    """One server's Slack: the engine, a client, and who is who."""

    def __init__(self, engine: Engine, settings: SlackSettings, url: str) -> None:
        """Nothing is asked of Slack yet. ``url`` is the address of the server."""
        self.engine, self.settings, self.url = engine, settings, url
        self.client = slack_client(settings.token, settings.url)
        self.register = Register(engine, self.client, match_email=settings.match_email)
        self.pool = ThreadPoolExecutor(WORKERS, "handrail-slack")

    def person(self, body: Mapping[str, Any], needs: Role) -> Person:
        """Who sent this, with at least this role.

        Raises:
            Refused: Handrail does not know them, or not well enough.
        """
        return self.register.person(member_of(body), needs)

    def sheet(self, seen: Seen) -> Sheet:
        """The question as it stands.

        Raises:
            NotFound: there is none.
            Conflict: it is not what the button showed.
        """
        self.engine.catch_up()

        def work(tx: Any) -> Sheet:
            return sheet(self.engine, tx, self._approval(tx.approvals.get(seen.approval), seen), similar=0)

        return self.engine.store.read(work)

    def digest(self, seen: Seen) -> str:
        """The whole digest that the button's digits begin.

        Raises:
            NotFound: there is no such question.
            Conflict: the button showed something else.
        """
        found = self.engine.store.read(lambda tx: tx.approvals.get(seen.approval))
        return self._approval(found, seen).digest

    def link(self, seen: Seen) -> str:
        """Where the question can be opened."""
        return f"{self.url}/questions/{seen.approval}"

    def tell(self, channel: str, member: Member, text: str) -> None:
        """Tell one person in a channel something that nobody else sees. What can't be told is logged."""
        try:
            self.client.chat_postEphemeral(channel=channel, user=member.user, **told(text))
        except (SlackApiError, SlackClientError, OSError) as error:
            logger.warning("Slack could not tell %s what became of their click: %s", member, error)

    def _approval(self, found: Approval | None, seen: Seen) -> Approval:
        if found is None:
            raise NotFound("there is no such question any more")
        if len(seen.digits) != SEEN or not found.digest.startswith(seen.digits):
            raise Conflict("this message shows something else than the question is about; open the question")
        return found


def told(text: str) -> dict[str, Any]:
    """A sentence for one person, in which Slack reads no markup."""
    plain = shown(text, LONGEST)
    block = {"type": "section", "text": {"type": "plain_text", "text": plain, "emoji": False}}
    return {"text": escaped(plain), "blocks": [block]}


def ephemeral(respond: Callable[..., Any], text: str) -> None:
    """Answer a click or a command so that only who made it sees it. What can't be told is logged."""
    try:
        respond(response_type="ephemeral", replace_original=False, **told(text))
    except (SlackClientError, OSError) as error:
        logger.warning("Slack could not tell what became of a click: %s", error)
