"""Slack for tests: a real HTTP server that speaks its Web API, keeps what it hears, and can fail or hang."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode

from slack_sdk.signature import SignatureVerifier
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

TEAM, SECRET, TOKEN = "T0TEAM", "signing-secret", "xoxb-test"
CHANNELS = {"#offers": "C0OFFERS", "#heads": "C0HEADS"}
SECONDS = 120.0
Call = tuple[str, dict[str, Any]]


class SlackStub:
    """One workspace. ``calls`` is what it was asked, ``messages`` what its channels show."""

    def __init__(self) -> None:
        """Listen on a free port."""
        self.calls: list[Call] = []
        self.messages: list[dict[str, Any]] = []
        self.responses: list[dict[str, Any]] = []
        self.views: list[dict[str, Any]] = []
        self.members: dict[str, dict[str, Any]] = {}
        self.failing: dict[str, str] = {}
        self.lost: set[str] = set()
        """Methods whose work is done, and whose answer never arrives."""
        self.hanging = threading.Event()
        self.let_go = threading.Event()
        self.sockets: list[ServerConnection] = []
        self.acks: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._stamp = int(time.time())
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._socket: Server = serve(self._connected, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._http.server_port}/api/"
        self._threads = [
            threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True),
            threading.Thread(target=self._socket.serve_forever, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Let go of everybody who hangs, and stop."""
        self.let_go.set()
        for connection in self.sockets:
            connection.close()
        self._socket.shutdown()
        self._http.shutdown()
        self._http.server_close()
        for thread in self._threads:
            thread.join()

    def member(self, user: str, email: str, **more: Any) -> None:
        """A member of the workspace with a confirmed address, unless ``more`` says otherwise."""
        profile = {"email": email}
        known = {"id": user, "team_id": TEAM, "is_email_confirmed": True, "profile": profile}
        self.members[user] = {**known, **more}

    def of(self, method: str) -> list[dict[str, Any]]:
        """What a method was asked, in order."""
        return [asked for name, asked in list(self.calls) if name == method]

    def until(self, holds: Callable[[], Any], seconds: float = SECONDS) -> Any:
        """Wait until something holds that calls change; what it gave."""
        with self._changed:
            assert self._changed.wait_for(holds, seconds), f"it never happened; calls: {self.calls[-5:]}"
            return holds()

    def posted(self, count: int = 1) -> dict[str, Any]:
        """The newest message, once there are so many."""
        found: dict[str, Any] = self.until(lambda: len(self.messages) >= count and self.messages[-1])
        return found

    def answer(self, method: str, asked: dict[str, Any]) -> dict[str, Any]:
        """What Slack says."""
        with self._changed:
            self.calls.append((method, asked))
            error = self.failing.get(method) or self.failing.get("*")
            said = {"ok": False, "error": error} if error else self._answer(method, asked)
            self._changed.notify_all()
            return said

    def respond(self, asked: dict[str, Any]) -> None:
        """Somebody used the address that came with a click."""
        with self._changed:
            self.responses.append(asked)
            self._changed.notify_all()

    def click(self, message: Mapping[str, Any], action: str, user: str, **more: Any) -> dict[str, Any]:
        """What Slack sends when somebody clicks a button of a message."""
        button = next(
            each
            for block in message["blocks"]
            if block["type"] == "actions"
            for each in block["elements"]
            if each["action_id"] == action
        )
        return {
            "type": "block_actions",
            "user": {"id": user, "team_id": TEAM},
            "team": {"id": TEAM},
            "channel": {"id": message["channel"]},
            "trigger_id": "trigger",
            "response_url": self.url.replace("/api/", "/respond/"),
            "actions": [{"type": "button", "block_id": "handrail", **button}],
            **more,
        }

    def submission(self, view: Mapping[str, Any], user: str, **values: str) -> dict[str, Any]:
        """What Slack sends when somebody submits a modal."""
        state = {
            name: {"value": {"type": "plain_text_input", "value": text}} for name, text in values.items()
        }
        return {
            "type": "view_submission",
            "user": {"id": user, "team_id": TEAM},
            "team": {"id": TEAM},
            "view": {**view, "id": "V1", "state": {"values": state}},
        }

    def command(self, text: str, user: str) -> dict[str, str]:
        """What Slack sends for ``/handrail text``."""
        return {
            "command": "/handrail",
            "text": text,
            "user_id": user,
            "team_id": TEAM,
            "channel_id": CHANNELS["#offers"],
            "response_url": self.url.replace("/api/", "/respond/"),
            "trigger_id": "trigger",
        }

    def push(self, kind: str, payload: Mapping[str, Any]) -> None:
        """Send something through the newest websocket."""
        self.until(lambda: self.sockets)
        envelope = {"type": kind, "envelope_id": f"E{len(self.acks)}", "payload": payload}
        self.sockets[-1].send(json.dumps({**envelope, "accepts_response_payload": True}))

    def _answer(self, method: str, asked: dict[str, Any]) -> dict[str, Any]:
        known = getattr(self, "_" + method.replace(".", "_").lower(), None)
        return {"ok": True, **known(asked)} if known else {"ok": False, "error": "unknown_method"}

    def _auth_test(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"team_id": TEAM, "user_id": "UBOT", "bot_id": "BBOT"}

    def _chat_postmessage(self, asked: dict[str, Any]) -> dict[str, Any]:
        wrong = wrong_with(asked["blocks"])
        if wrong:
            return {"ok": False, "error": "invalid_blocks", "needed": wrong}
        self._stamp += 1
        channel = CHANNELS.get(asked["channel"], asked["channel"])
        message = {**asked, "channel": channel, "ts": f"{self._stamp}.000100"}
        self.messages.append(message)
        return {"channel": channel, "ts": message["ts"]}

    def _chat_update(self, asked: dict[str, Any]) -> dict[str, Any]:
        for message in self.messages:
            if (message["channel"], message["ts"]) == (asked["channel"], asked["ts"]):
                message.update(asked)
                return {"channel": asked["channel"], "ts": asked["ts"]}
        return {"ok": False, "error": "message_not_found"}

    def _chat_postephemeral(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"message_ts": "1.0"}

    def _conversations_list(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"channels": [{"id": each, "name": name[1:]} for name, each in CHANNELS.items()]}

    def _conversations_history(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = [each for each in self.messages if not each.get("thread_ts")]
        return {"messages": [each for each in found if each["channel"] == asked["channel"]]}

    def _conversations_replies(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"messages": [each for each in self.messages if each.get("thread_ts") == asked["ts"]]}

    def _users_info(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = self.members.get(asked["user"])
        return {"user": found} if found else {"ok": False, "error": "user_not_found"}

    def _views_open(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.views.append(asked["view"])
        return {"view": asked["view"]}

    def _apps_connections_open(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"url": f"ws://127.0.0.1:{self._socket.socket.getsockname()[1]}/"}

    def _connected(self, connection: ServerConnection) -> None:
        connection.send(json.dumps({"type": "hello", "num_connections": 1}))
        with self._changed:
            self.sockets.append(connection)
            self._changed.notify_all()
        with suppress(ConnectionClosed):
            for text in connection:
                with self._changed:
                    self.acks.append(json.loads(text))
                    self._changed.notify_all()


def wrong_with(blocks: list[dict[str, Any]]) -> str | None:
    """Which of Slack's limits these blocks break; None when they break none."""
    if len(blocks) > 50:
        return "more than 50 blocks"
    for block in blocks:
        longest = {"header": 150, "section": 3_000}.get(block["type"])
        if longest and not 0 < len(block["text"]["text"]) <= longest:
            return f"{block['type']} of {len(block['text']['text'])} characters"
        if block["type"] == "actions" and any(len(each["value"]) > 2_000 for each in block["elements"]):
            return "a button carries too much"
    return None


def signed(body: str, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    """The headers with which Slack signs a body."""
    stamp = str(int(time.time() if at is None else at))
    signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body) or ""
    return {
        "x-slack-request-timestamp": stamp,
        "x-slack-signature": signature,
        "content-type": "application/x-www-form-urlencoded",
    }


def form(payload: Mapping[str, Any]) -> str:
    """A click or a modal as Slack's request body."""
    return urlencode({"payload": json.dumps(payload)})


@contextmanager
def slack() -> Iterator[SlackStub]:
    """A workspace, while the test runs."""
    stub = SlackStub()
    try:
        yield stub
    finally:
        stub.close()


def _handler(stub: SlackStub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = self._asked()
            if self.path.startswith("/respond/"):
                stub.respond(asked)
                return self._say({"ok": True})
            if stub.hanging.is_set():
                stub.let_go.wait(SECONDS)
            method = self.path.removeprefix("/api/")
            said = stub.answer(method, asked)
            if method in stub.lost:
                self.close_connection = True
                return None
            return self._say(said)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
            """Say nothing."""

        def _asked(self) -> dict[str, Any]:
            body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            if body.startswith("{"):
                found: dict[str, Any] = json.loads(body)
                return found
            return {name: _value(values[0]) for name, values in parse_qs(body).items()}

        def _say(self, said: dict[str, Any]) -> None:
            body = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            with suppress(BrokenPipeError):  # who asked may have been stopped, or have given up
                self.wfile.write(body)

    return Handler


def _value(text: str) -> Any:
    return json.loads(text) if text[:1] in {"{", "["} else text
