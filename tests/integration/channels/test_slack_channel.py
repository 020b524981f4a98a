"""Slack as a channel: one message a question, changed and continued, found again instead of sent twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from handrail.channels import Channels, ChannelSettings
from handrail.ports import Channel, Message
from handrail.words.approval import ApprovalState
from handrail.words.delivery import DeliveryKind
from handrail.words.errors import ChannelError
from handrail.words.restriction import Halt
from tests.support.sheets import AT, HOSTILE, delivery, sheet
from tests.support.slack import TOKEN, SlackStub, slack

LINK = "https://handrail.example.com/questions/q1"
APPROVED = sheet(ApprovalState.APPROVED, action_state="done", outcome="It ran.")


@pytest.fixture
def stub() -> Iterator[SlackStub]:
    with slack() as made:
        yield made


@pytest.fixture
def channel(stub: SlackStub) -> Channel:
    return Channels(ChannelSettings(slack_token=TOKEN, slack_url=stub.url))("slack:#offers")


def test_a_question_is_posted_updated_and_continued_in_its_thread(stub: SlackStub, channel: Channel) -> None:
    reference = channel.tell(Message(delivery(), LINK, sheet()))
    assert reference == f"C0OFFERS:{stub.messages[0]['ts']}"
    channel.tell(Message(delivery(DeliveryKind.ANSWERED), LINK, APPROVED, reference=reference))
    channel.tell(Message(delivery(DeliveryKind.OUTCOME), LINK, APPROVED, reference=reference))
    question, reply = stub.messages
    assert "Approved" in question["text"]
    assert reply["thread_ts"] == question["ts"]
    assert reply["blocks"][0]["text"]["text"] == "Done: It ran."


def test_the_text_of_a_notification_holds_no_markup(stub: SlackStub, channel: Channel) -> None:
    channel.tell(Message(delivery(), LINK, sheet(what=HOSTILE)))
    assert "<" not in stub.messages[0]["text"]
    assert stub.messages[0]["parse"] == "none"


@pytest.mark.parametrize("kind", [DeliveryKind.ASKED, DeliveryKind.OUTCOME])
def test_a_second_try_finds_what_the_first_one_sent(
    stub: SlackStub, channel: Channel, kind: DeliveryKind
) -> None:
    reference = channel.tell(Message(delivery(), LINK, sheet())) if kind is DeliveryKind.OUTCOME else None
    first = channel.tell(Message(delivery(kind), LINK, sheet(), reference=reference))
    count = len(stub.messages)
    assert channel.tell(Message(delivery(kind, tries=2), LINK, sheet(), reference=reference)) == first
    assert len(stub.messages) == count


def test_a_second_try_that_finds_nothing_sends(stub: SlackStub, channel: Channel) -> None:
    assert channel.tell(Message(delivery(tries=2), LINK, sheet())) is not None
    assert len(stub.messages) == 1


def test_a_second_try_asks_nobody_for_what_was_answered_meanwhile(stub: SlackStub, channel: Channel) -> None:
    assert channel.tell(Message(delivery(tries=2), LINK, APPROVED)) is None
    assert stub.messages == []


def test_an_app_that_may_not_read_would_rather_say_it_twice(stub: SlackStub, channel: Channel) -> None:
    stub.failing["conversations.history"] = "missing_scope"
    assert channel.tell(Message(delivery(tries=2), LINK, sheet())) is not None


def test_what_can_not_be_read_now_is_not_sent_blindly(stub: SlackStub, channel: Channel) -> None:
    stub.failing["conversations.history"] = "internal_error"
    with pytest.raises(ChannelError, match="internal_error"):
        channel.tell(Message(delivery(tries=2), LINK, sheet()))
    assert stub.messages == []


def test_a_halt_and_its_end_stand_in_one_thread(stub: SlackStub, channel: Channel) -> None:
    halt = Halt("h1", None, "refund", "strange", "ops@example.com", AT)
    reference = channel.tell(Message(delivery(DeliveryKind.HALTED), None, halt=halt))
    channel.tell(Message(delivery(DeliveryKind.LIFTED), None, halt=halt, reference=reference))
    assert stub.messages[1]["thread_ts"] == stub.messages[0]["ts"]
    assert "tool refund goes on." in str(stub.messages[1]["blocks"])


@pytest.mark.parametrize(
    ("error", "again"),
    [("invalid_auth", True), ("not_in_channel", True), ("ratelimited", True), ("invalid_blocks", False)],
)
def test_what_people_or_time_can_mend_is_tried_again(
    stub: SlackStub, channel: Channel, error: str, *, again: bool
) -> None:
    stub.failing["chat.postMessage"] = error
    with pytest.raises(ChannelError, match=error) as refused:
        channel.tell(Message(delivery(), LINK, sheet()))
    assert refused.value.again is again


def test_a_slack_that_can_not_be_reached_is_tried_again() -> None:
    gone = Channels(ChannelSettings(slack_token=TOKEN, slack_url="http://127.0.0.1:9/api/"))("slack:#offers")
    with pytest.raises(ChannelError, match="can't be reached") as refused:
        gone.tell(Message(delivery(), LINK, sheet()))
    assert refused.value.again
