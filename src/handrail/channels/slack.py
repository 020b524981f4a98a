"""Slack as a channel: one message for each question, brought up to date when it is answered."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import WebClient

from handrail.channels.lines import title
from handrail.channels.slack_blocks import blocks, fallback
from handrail.words.approval import ApprovalState
from handrail.words.delivery import DeliveryKind
from handrail.words.errors import ChannelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from handrail.ports import Message

TIMEOUT = 10
"""Seconds that one call may take."""
EVENT = "handrail"
"""What Slack's metadata calls our messages."""
PAGE = 200
PAGES = 10
"""Pages of a channel's history in which a message is looked for that may have been sent."""
MINUTE = 60_000
HOPELESS = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_too_long", "no_text", "message_not_found"}
)
"""What Slack says of a message that it will never take. All else (a token, an invitation) people can mend."""
UNREADABLE = frozenset(
    {"missing_scope", "not_in_channel", "channel_not_found", "no_permission", "access_denied"}
)
"""What Slack says to an app that may post in a channel, and may not read it."""


def client(token: str, url: str) -> WebClient:
    """A client of Slack's API that never repeats a call by itself: a message could be there twice."""
    return WebClient(token=token, base_url=url, timeout=TIMEOUT, retry_handlers=[])


class Slack:
    """One channel of Slack, by name or id. References are ``CHANNEL_ID:TIMESTAMP``."""

    def __init__(self, token: str, channel: str, url: str) -> None:
        """Nothing is asked of Slack yet."""
        self._client = client(token, url)
        self._channel = channel

    def tell(self, message: Message) -> str | None:
        """Send or update a message; ``CHANNEL_ID:TIMESTAMP`` of it.

        Raises:
            ChannelError: Slack could not be reached, or refused it.
        """
        kind = message.delivery.kind
        with _translated():
            if kind is DeliveryKind.ANSWERED:
                return self._update(message)
            if kind in {DeliveryKind.OUTCOME, DeliveryKind.LIFTED}:
                return self._reply(message)
            found = self._sent_before(message)
            if found is not None or _over(message):
                return found
            return self._post(message, self._channel)

    def _post(self, message: Message, channel: str, thread: str | None = None) -> str:
        said = self._client.chat_postMessage(
            channel=channel,
            thread_ts=thread,
            text=fallback(title(message)),
            blocks=blocks(message),
            metadata={"event_type": EVENT, "event_payload": {"delivery": message.delivery.id}},
            unfurl_links=False,
            unfurl_media=False,
            parse="none",
        )
        return f"{said['channel']}:{said['ts']}"

    def _update(self, message: Message) -> str | None:
        if message.reference is None:
            return None
        channel, _, stamp = message.reference.partition(":")
        self._client.chat_update(
            channel=channel, ts=stamp, text=fallback(title(message)), blocks=blocks(message), parse="none"
        )
        return message.reference

    def _reply(self, message: Message) -> str | None:
        if message.reference is None:
            return None
        channel, _, stamp = message.reference.partition(":")
        if message.delivery.tries > 1:
            found = self._found(message, channel, self._client.conversations_replies, ts=stamp)
            if found is not None:
                return found
        return self._post(message, channel, stamp)

    def _sent_before(self, message: Message) -> str | None:
        """A message that an earlier try did send, though nobody lived to write it down."""
        if message.delivery.tries <= 1:
            return None
        channel = self._id()
        if channel is None:
            return None
        since = f"{(_begun(message) - MINUTE) / 1000:.6f}"
        return self._found(message, channel, self._client.conversations_history, oldest=since)

    def _found(self, message: Message, channel: str, pages: Any, **asked: Any) -> str | None:
        cursor: str | None = None
        for _ in range(PAGES):
            try:
                page = pages(channel=channel, cursor=cursor, limit=PAGE, include_all_metadata=True, **asked)
            except SlackApiError as error:
                if error.response.get("error") in UNREADABLE:
                    return None
                raise
            for each in page["messages"]:
                if _delivery_of(each) == message.delivery.id:
                    return f"{channel}:{each['ts']}"
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None
        return None

    def _id(self) -> str | None:
        """The channel's id: reading needs it, posting takes a name. None when it can't be found out."""
        if not self._channel.startswith("#"):
            return self._channel
        name, cursor = self._channel[1:], None
        for _ in range(PAGES):
            try:
                page = self._client.conversations_list(
                    cursor=cursor, limit=PAGE, exclude_archived=True, types="public_channel,private_channel"
                )
            except SlackApiError as error:
                if error.response.get("error") in UNREADABLE:
                    return None
                raise
            for each in page["channels"]:
                if each["name"] == name:
                    return str(each["id"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None
        return None


def _over(message: Message) -> bool:
    """Whether it asks for an answer that was given meanwhile."""
    sheet = message.sheet
    return sheet is not None and sheet.approval.state is not ApprovalState.OPEN


def _begun(message: Message) -> int:
    """Before when the message can't have been sent."""
    if message.sheet is not None:
        return message.sheet.approval.opened_at
    return message.halt.at if message.halt is not None else message.delivery.due_at - 60 * MINUTE


def _delivery_of(found: dict[str, Any]) -> object:
    metadata = found.get("metadata") or {}
    return (
        (metadata.get("event_payload") or {}).get("delivery") if metadata.get("event_type") == EVENT else None
    )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SlackApiError as error:
        why = str(error.response.get("error") or f"status {error.response.status_code}")
        raise ChannelError(f"Slack says {why}", again=why not in HOPELESS) from error
    except (SlackClientError, OSError, ValueError) as error:
        raise ChannelError(f"Slack can't be reached: {error}") from error
