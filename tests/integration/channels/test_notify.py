"""Everything else than Slack, through Apprise: real web hooks and real mail, told once and as plain text."""

from __future__ import annotations

import email
import json
import queue
import socket
import threading
from collections.abc import Iterator
from email import policy as rules
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from handrail.channels import Channels, ChannelSettings
from handrail.ports import Message
from handrail.words.action import LostNews
from handrail.words.approval import ApprovalState
from handrail.words.delivery import DeliveryKind
from handrail.words.errors import ChannelError
from handrail.words.restriction import Halt
from handrail.words.session import HeldNews
from tests.support.sheets import HOSTILE, delivery, sheet

# Apprise loads every kind of service at once, and one of them asks for a module that Python is to drop.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
LINK = "https://handrail.example.com/questions/q1"


class Hook:
    """A web hook that keeps what it hears, and can refuse or hang."""

    def __init__(self) -> None:
        self.heard: queue.Queue[dict[str, Any]] = queue.Queue()
        self.status = 200
        self.hanging, self.let_go = False, threading.Event()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if hook.hanging:
                    hook.let_go.wait(30)
                hook.heard.put(json.loads(body))
                self.send_response(hook.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"json://127.0.0.1:{self.server.server_port}/"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.let_go.set()
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.close()


class Box:
    """A mail box."""

    def __init__(self) -> None:
        self.mails: queue.Queue[EmailMessage] = queue.Queue()

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        self.mails.put(email.message_from_bytes(content, policy=rules.default))
        return "250 OK"


@pytest.fixture
def box() -> Iterator[tuple[Box, str]]:
    made = Box()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(made, hostname="127.0.0.1", port=port)
    controller.start()
    yield made, f"mailto://127.0.0.1:{port}?from=handrail@example.com&to=lead@example.com"
    controller.stop()


def tell(url: str, message: Message) -> str | None:
    """Tell it through the channel ``notify:on-call``."""
    return Channels(ChannelSettings(notify={"on_call": url}))("notify:on-call").tell(message)


def test_a_question_arrives_as_text_with_its_link(hook: Hook) -> None:
    assert tell(hook.url, Message(delivery(), LINK, sheet())) is None
    heard = hook.heard.get(timeout=120)
    assert heard["title"].startswith("Question: support wants to pay")
    assert LINK in heard["message"]
    for part in ("Way back: It can't be undone.", "Why it asks", "Arguments:", '"amount": 500'):
        assert part in heard["message"]
    assert heard["type"] == "warning"


def test_what_an_agent_writes_stays_text_in_a_mail(box: tuple[Box, str]) -> None:
    made, url = box
    tell(url, Message(delivery(), LINK, sheet(rationale=HOSTILE, what=f"{HOSTILE}\nBcc: evil@example.com")))
    mail = made.mails.get(timeout=120)
    assert mail["Bcc"] is None
    assert "\n" not in str(mail["Subject"])
    page = mail.get_body(("html",))
    if page is not None:
        assert "<script>" not in page.get_content()
        assert "&lt;script&gt;" in page.get_content()
    plain = mail.get_body(("plain",))
    assert page is not None or plain is not None


def test_nobody_is_called_who_is_not_asked(hook: Hook) -> None:
    tell(hook.url, Message(delivery(), LINK, sheet(rationale="@everyone <@U1> @here look")))
    message = hook.heard.get(timeout=120)["message"]
    assert "@everyone" not in message
    assert "<@U1>" not in message


def test_a_halt_arrives_with_its_reason(hook: Hook) -> None:
    halt = Halt("h1", "support", None, "strange refunds", "ops@example.com", 0)
    tell(hook.url, Message(delivery(DeliveryKind.HALTED), LINK, halt=halt))
    heard = hook.heard.get(timeout=120)
    assert heard["title"] == "Stopped: agent support"
    assert "strange refunds" in heard["message"]


def test_a_held_session_arrives_with_whose_it_is_and_why(hook: Hook) -> None:
    held = HeldNews("s-1", "support", "t-7", "note was called 11 times", "the loop breaker")
    tell(hook.url, Message(delivery(DeliveryKind.SESSION_HELD), LINK, held=held))
    heard = hook.heard.get(timeout=10)
    assert heard["title"] == "Held: a session of support"
    assert "note was called 11 times (the loop breaker)" in heard["message"]


def test_a_loss_arrives_with_what_was_to_be_done(hook: Hook) -> None:
    lost = LostNews(("support wanted to pay 400.00 USD.",), 1)
    tell(hook.url, Message(delivery(DeliveryKind.LOST), LINK, lost=lost))
    heard = hook.heard.get(timeout=120)
    assert heard["title"] == "Nobody knows how an action ended"
    assert "support wanted to pay 400.00 USD." in heard["message"]


def test_what_can_not_be_changed_is_told_once(hook: Hook) -> None:
    for kind in (DeliveryKind.ANSWERED, DeliveryKind.OUTCOME):
        assert tell(hook.url, Message(delivery(kind), LINK, sheet(state=ApprovalState.APPROVED))) is None
    assert tell(hook.url, Message(delivery(tries=2), LINK, sheet(state=ApprovalState.REJECTED))) is None
    assert hook.heard.empty()


def test_a_service_that_refuses_is_tried_again(hook: Hook) -> None:
    hook.status = 503
    with pytest.raises(ChannelError, match=r"notify:on-call.*HANDRAIL_NOTIFY_ON_CALL$") as refused:
        tell(hook.url, Message(delivery(), LINK, sheet()))
    assert refused.value.again


def test_a_service_that_hangs_is_left_after_ten_seconds(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handrail.channels.notify.TIMEOUT", 0.5)
    hook.hanging = True
    with pytest.raises(ChannelError, match="did not take it: no answer within"):
        tell(hook.url, Message(delivery(), LINK, sheet()))


def test_an_address_that_is_none_says_so_without_showing_it() -> None:
    with pytest.raises(ChannelError, match="notify:on-call") as refused:
        tell("nosuch://secret-token", Message(delivery(), LINK, sheet()))
    assert not refused.value.again
    assert "secret-token" not in str(refused.value)
