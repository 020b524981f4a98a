"""An agent on the other side of the API, as a program without our library is; and people beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

REFUND = {
    "type": "object",
    "properties": {"order": {"type": "string"}, "amount": {"type": "number"}, "reason": {"type": "string"}},
    "required": ["order", "amount"],
    "additionalProperties": False,
}
V1 = "/api/v1"
SMALL, ASKS, HUGE = 5, 500, 5_000
"""Amounts that the tests' policy lets run, asks about and refuses."""


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent with a key, a registered tool and a session. ``client`` may be pointed at another server."""

    client: httpx.Client
    binding: str
    session: Mapping[str, Any]

    def propose(self, amount: float = SMALL, order: str = "o-1", **more: Any) -> httpx.Response:
        """Ask for a refund."""
        body = {
            "session": self.session["id"],
            "session_token": self.session["token"],
            "tool": "refund",
            "args": {"order": order, "amount": amount, "reason": "late"},
            "binding": self.binding,
        }
        return self.client.post(f"{V1}/actions", json=body | more)

    def proposed(self, amount: float = SMALL, order: str = "o-1", **more: Any) -> dict[str, Any]:
        """The action that was made of it."""
        return found(self.propose(amount, order, **more), 201)

    def action(self, action: str, wait: float = 0) -> dict[str, Any]:
        """The action as it stands, once it is not held, or after ``wait`` seconds."""
        return found(self.client.get(f"{V1}/actions/{action}", params={"wait": wait}))

    def start(self, action: str) -> httpx.Response:
        """Start an approved action."""
        return self.client.post(f"{V1}/actions/{action}/start")

    def report(self, action: Mapping[str, Any], **said: Any) -> httpx.Response:
        """Report the outcome of an action that was started."""
        body = {"token": action["run"]["token"], "state": "done", **said}
        return self.client.post(f"{V1}/actions/{action['id']}/outcome", json=body)


def agent(client: httpx.Client, task: str | None = "t-1", schema: Mapping[str, Any] = REFUND) -> Agent:
    """An agent that has registered its tool and opened a session."""
    tool = found(client.post(f"{V1}/tools", json={"name": "refund", "schema": schema}))
    session = found(client.post(f"{V1}/sessions", json={"task": task}), 201)
    return Agent(client, tool["binding"], session)


def found(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
    """What an answer says, which must have this status."""
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


def question(client: httpx.Client, action: str) -> dict[str, Any]:
    """The open question about an action, as a person sees it in the list."""
    items = found(client.get(f"{V1}/approvals", params={"limit": 200}))["items"]
    return next(each for each in items if each["action"] == action)


def vote(client: httpx.Client, action: str, choice: str = "approve", **more: Any) -> httpx.Response:
    """Answer the open question about an action."""
    asked = question(client, action)
    body = {"choice": choice, "seen": asked["seen"], **more}
    return client.post(f"{V1}/approvals/{asked['id']}/vote", json=body)


@dataclass(frozen=True, slots=True)
class Sent:
    """One server-sent event."""

    id: str
    kind: str
    entry: Mapping[str, Any]


def events(lines: Iterator[str]) -> Iterator[Sent]:
    """The events of a stream."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
            continue
        if "data" in fields:
            yield Sent(fields.get("id", ""), fields.get("event", ""), json.loads(fields["data"]))
        fields = {}
