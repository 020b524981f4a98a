"""A provider's key that its upstream writes into an answer reaches neither the agent nor the store."""

from __future__ import annotations

import json
import threading
from typing import Any

import httpx
import pytest

from handrail.engine.models.prompts import prompt_of
from handrail.words.model_call import CallState
from tests.support import upstream_apis as apis
from tests.support.gateway import Front

KEYS = {"openai": "sk-of-the-provider", "anthropic": "sk-ant-of-the-provider", "gemini": "g-of-the-provider"}
SAID = [{"role": "user", "content": "hello"}]
ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "openai": ("/openai/v1/chat/completions", {"model": "gpt-5", "messages": SAID}),
    "anthropic": (
        "/anthropic/v1/messages",
        {"model": "claude-opus-5", "max_tokens": 20, "messages": SAID},
    ),
    "gemini": (
        "/gemini/v1beta/models/gemini-2.5-flash:generateContent",
        {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]},
    ),
}


def headed(answer: httpx.Response) -> str:
    return " ".join(f"{name}: {value}" for name, value in answer.headers.items())


def stored(gateway: Front) -> str:
    call = gateway.settled()
    _, found = gateway.engine.store.read(lambda tx: prompt_of(gateway.engine, tx, call.id))
    return f"{call.error} {found.response}"


@pytest.mark.parametrize("api", list(ASKED))
@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("status", [401, 500])
def test_an_error_that_holds_the_providers_key_passes_without_it(
    gateway: Front, api: str, status: int, *, zipped: bool
) -> None:
    gateway.up.behaves(status=status, echoes=True, zipped=zipped)
    path, body = ASKED[api]
    answer = gateway.http().post(path, json=body)
    assert KEYS[api] in gateway.up.asked[-1].credentials
    assert answer.status_code == status
    assert "[redacted]" in answer.json()["sent"]
    assert answer.json()["error"] == apis.error(api, status)["error"]
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert (answer.headers["retry-after"], answer.headers["x-request-id"]) == ("7", "req_1")
    kept = stored(gateway)
    assert "[redacted]" in kept
    for text in (answer.text, headed(answer), kept, gateway.log()):
        assert KEYS[api] not in text


@pytest.mark.parametrize("api", list(ASKED))
def test_an_error_without_the_key_passes_byte_for_byte(gateway: Front, api: str) -> None:
    gateway.up.behaves(status=401)
    path, body = ASKED[api]
    answer = gateway.http().post(path, json=body)
    assert answer.content == json.dumps(apis.error(api, 401)).encode()
    assert answer.headers["retry-after"] == "7"
    assert "upstream says no" in stored(gateway)


def test_an_error_that_breaks_off_keeps_its_status_and_costs_what_it_costs_whole(gateway: Front) -> None:
    gateway.up.behaves(status=400, echoes=True, dies="middle")
    path, body = ASKED["openai"]
    answer = gateway.http().post(path, json=body)
    assert answer.status_code == 400
    assert "did not come whole" in answer.json()["error"]["message"]
    assert KEYS["openai"] not in answer.text + stored(gateway)
    assert (gateway.settled().cost, gateway.settled().presumed) == (0, False)
    gateway.up.behaves(status=400)
    assert "upstream says no" in gateway.http().post(path, json=body).text
    assert (gateway.settled().cost, gateway.settled().presumed) == (0, False)


@pytest.mark.parametrize("echoes", [True, False])
def test_a_stream_loses_the_header_with_the_key_and_still_passes_as_it_comes(
    gateway: Front, *, echoes: bool
) -> None:
    goes_on = threading.Event()
    gateway.up.behaves(echoes=echoes, waits=goes_on)
    path, body = ASKED["openai"]
    asked = {**body, "stream": True, "stream_options": {"include_usage": True}}
    with gateway.http().stream("POST", path, json=asked) as answer:
        lines = answer.iter_lines()
        assert next(lines).startswith("data: "), "while the upstream still waits"
        goes_on.set()
        assert [line for line in lines if line][-1] == "data: [DONE]"
    assert KEYS["openai"] not in headed(answer)
    assert answer.headers["x-request-id"] == "req_1"
    assert gateway.settled().state is CallState.DONE


def test_a_list_of_models_hides_the_key_too(gateway: Front) -> None:
    gateway.up.behaves(status=500, echoes=True)
    refused = gateway.http().get("/openai/v1/models")
    assert (refused.status_code, refused.json()["sent"]) == (500, "Bearer [redacted]")
    assert KEYS["openai"] not in refused.text + headed(refused)
    gateway.up.behaves()
    assert gateway.http().get("/openai/v1/models").json()["data"]
