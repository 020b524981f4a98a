"""A server that is told to stop settles what it carries, and leaves nothing running behind."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from handrail.words.model_call import CallState
from tests.support.gateway import AGENT, front
from tests.support.processes import until

STREAM: dict[str, Any] = {
    "model": "mock",
    "max_tokens": 50,
    "stream": True,
    "messages": [{"role": "user", "content": "hi"}],
}


def test_a_stream_that_outlasts_the_grace_is_settled_at_its_bound(tmp_path: Path) -> None:
    goes_on = threading.Event()
    with front(tmp_path, HANDRAIL_GRACE="0.5") as gateway:
        gateway.up.behaves(writes=50, waits=goes_on)
        with gateway.http().stream("POST", "/local/v1/chat/completions", json=STREAM) as answer:
            lines = answer.iter_lines()
            assert next(lines).startswith("data: ")
            assert gateway.served.stop() == 0
            with pytest.raises(httpx.TransportError):
                list(lines)
        goes_on.set()
        call = gateway.calls()[0]
    assert call.agent == AGENT
    assert (call.state, call.presumed, call.cost) == (CallState.FAILED, True, call.bound_cost)


def test_a_stream_that_ends_within_the_grace_is_whole(tmp_path: Path) -> None:
    goes_on = threading.Event()
    with front(tmp_path) as gateway:
        gateway.up.behaves(writes=50, waits=goes_on)
        with gateway.http().stream("POST", "/local/v1/chat/completions", json=STREAM) as answer:
            lines = answer.iter_lines()
            assert next(lines).startswith("data: ")
            gateway.served.process.terminate()
            until(lambda: _refused(gateway.served.here))
            goes_on.set()
            assert [line for line in lines if line][-1] == "data: [DONE]"
        assert gateway.served.process.wait(60) == 0
        call = gateway.calls()[0]
    assert (call.state, call.presumed) == (CallState.DONE, False)


def _refused(url: str) -> bool:
    try:
        return httpx.get(f"{url}/ready").status_code == httpx.codes.SERVICE_UNAVAILABLE
    except httpx.TransportError:
        return True
