"""A server of a few lines that answers what a test says, also wrongly, late or not at all."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

import handrail

KEY = "hr_a_0193a5e2c4d8_0123456789abcdef"
TOKEN = "5d" * 16
Answer = tuple[int, Any] | None
"""A status and JSON, or bytes as they are; None breaks the connection off without a word."""


@dataclass
class Stub:
    """What was asked of it, and what it answers."""

    url: str = ""
    asked: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    special: dict[str, Callable[[dict[str, Any]], Answer]] = field(default_factory=dict)
    actions: dict[str, dict[str, Any]] = field(default_factory=dict)
    args: dict[str, bytes] = field(default_factory=dict)
    lease: int = 60_000

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        said = json.loads(body) if body else {}
        self.asked.append((method, path, said))
        self.raw.append(body)
        for start, act in self.special.items():
            if f"{method} {path}".startswith(start):
                return act(said)
        return self.usual(path, said, body)

    def usual(self, path: str, said: dict[str, Any], body: bytes) -> Answer:
        """Everything is allowed, and works."""
        if path == "tools":
            from handrail.policy.binding import binding

            found = binding(said["name"], said["schema"]).digest
            return 200, {"tool": said["name"], "binding": found, "accepted": True}
        if path == "sessions":
            return 201, {"id": "f" * 28, "agent": said["agent"], "token": "t", "task": said.get("task")}
        if path == "actions":
            self.args[said["id"]] = body.partition(b'"args":')[2]
            return 201, self.running(said)
        if path.endswith("/outcome"):
            self.actions[path.split("/")[1]]["state"] = said["state"]
            return 200, self.actions[path.split("/")[1]]
        if path.endswith("/beat"):
            return 200, {"lease_until": "2026-11-22T10:02:00.000Z", "halted": False}
        return 404, {"title": "Not Found", "status": 404, "detail": f"there is no {path}"}

    def action(self, said: dict[str, Any], state: str, **more: Any) -> dict[str, Any]:
        """An action as the server tells it."""
        found = {
            "id": said["id"],
            "agent": "support",
            "tool": said.get("tool", "note"),
            "session": "f" * 28,
            "task": None,
            "state": state,
            "decision": "allow",
            "enforced": "allow",
            "rung": "bounded",
            "steps": [],
            "digest": "d",
            "binding": said.get("binding", ""),
            "policy": "p",
            "proposed_at": "2026-11-22T10:00:00.000Z",
            "updated_at": "2026-11-22T10:00:00.000Z",
            "started_at": "2026-11-22T10:00:00.000Z",
            "amount": "12.50",
            "confidence": "0.9",
            **more,
        }
        self.actions[said["id"]] = found
        return found

    def running(self, said: dict[str, Any], args: Any = None) -> dict[str, Any]:
        """An action that may run now, with the arguments that were sent or others."""
        until = (
            f"2026-11-22T10:00:{self.lease / 1000:06.3f}Z" if self.lease < 60_000 else "2026-11-22T10:01:00Z"
        )
        run = {"token": TOKEN, "args": args or said.get("args", {}), "lease_until": until, "attempt": 1}
        return {**self.action(said, "running"), "told": "It may run now.", "run": run}

    def paths(self) -> list[str]:
        """What was asked, in order, without ids."""
        return [
            f"{method} {'/'.join(part for part in path.split('/') if len(part) != 28)}"
            for method, path, _ in self.asked
        ]


@pytest.fixture
def stub() -> Iterator[Stub]:
    """A server that says yes, unless a test tells it otherwise."""
    with running() as found:
        yield found


@contextmanager
def running(context: ssl.SSLContext | None = None) -> Iterator[Stub]:
    """Such a server, over TLS where a context for it is given."""
    found = Stub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            found.headers.append(dict(self.headers.items()))
            path = self.path.removeprefix("/api/v1/")
            answer = found.answer(self.command, path.partition("?")[0], body)
            if answer is None:
                self.close_connection = True
                return
            status, told = answer
            text = told if isinstance(told, bytes) else json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = _answer  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    found.url = f"http{'s' if context else ''}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def rail(stub: Stub) -> Iterator[handrail.Rail]:
    """A rail that talks to it."""
    with handrail.connect(stub.url, key=KEY) as opened:
        yield opened
