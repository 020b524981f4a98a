"""The gateway as an application, driven by hand: what no real client can time exactly."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from handrail.app import App, open_app
from handrail.engine.models.calls import ModelGate
from handrail.llm.door import Door
from handrail.llm.gateway import Gateway
from handrail.llm.settings import LlmSettings, Upstream
from handrail.server.auth.keys import KeyRing
from handrail.words.model_call import CallFilter, CallState, ModelCall
from tests.support.gateway import AGENT, POLICY
from tests.support.server import make_key
from tests.support.upstream import Upstream as Stub
from tests.support.upstream import upstream

BODY = json.dumps(
    {"model": "mock", "max_tokens": 20, "messages": [{"role": "user", "content": "hi"}]}
).encode()


class Driven:
    """A gateway in this process."""

    def __init__(self, app: App, stub: Stub) -> None:
        engine = app.engine
        self.app, self.stub, self.key = app, stub, make_key(engine, AGENT)
        self.may = True
        local = {"local": Upstream("local", f"{stub.url}/v1", "openai")}
        door = Door(KeyRing(engine).find, lambda _: self.may, lambda _: self.may, lambda _: True)
        self.gateway = Gateway(engine, ModelGate(engine), door, LlmSettings(local))

    async def ask(self, *, goes: bool) -> list[dict[str, Any]]:
        """One call; whoever ``goes`` hangs up as soon as the body is sent. What the gateway answered."""
        sent: list[dict[str, Any]] = []
        came = [{"type": "http.request", "body": BODY, "more_body": False}]
        stays = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if came:
                return came.pop()
            if not goes:
                await stays.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/llm/local/v1/chat/completions",
            "query_string": b"",
            "headers": [(b"authorization", f"Bearer {self.key}".encode()), (b"content-length", b"90")],
            "client": ("192.0.2.1", 1),
        }
        await self.gateway(scope, receive, send)
        return sent

    @property
    def last(self) -> ModelCall:
        """The newest call."""
        return self.app.store.read(lambda tx: tx.model_calls.listing(CallFilter(limit=1)))[0]


@pytest.fixture
async def driven(tmp_path: Path) -> AsyncIterator[Driven]:
    path = tmp_path / "handrail.yaml"
    path.write_text(POLICY, "utf-8")
    with upstream() as stub:
        app = open_app(path)
        found = Driven(app, stub)
        yield found
        await found.gateway.close()
        app.close()


async def test_for_whoever_hung_up_while_it_was_claimed_nothing_is_forwarded(driven: Driven) -> None:
    assert await driven.ask(goes=True) == []
    assert driven.stub.asked == []
    assert (driven.last.state, driven.last.cost, driven.last.presumed) == (CallState.FAILED, 0, False)
    stayed = await driven.ask(goes=False)
    assert stayed[0]["status"] == 200
    assert len(driven.stub.asked) == 1
    assert (driven.last.state, driven.last.presumed) == (CallState.DONE, False)


async def test_whoever_asks_too_often_waits(driven: Driven) -> None:
    driven.may = False
    refused = await driven.ask(goes=False)
    assert refused[0]["status"] == 429
    assert (b"retry-after", b"1") in refused[0]["headers"]
    driven.may = True
    assert (await driven.ask(goes=False))[0]["status"] == 200
