"""What passes of headers and paths, and in which words each API hears a refusal."""

from __future__ import annotations

import json

import pytest

from handrail.llm.headers import GUARD, key_of, to_client, to_upstream
from handrail.llm.routes import route_of, upstream_of
from handrail.llm.settings import Upstream
from handrail.llm.shapes import Refusal, body, event, headers
from handrail.meters.usage import Api

OPENAI = Upstream("openai", "https://api.openai.com/v1", "openai", "sk", "openai")
CLAUDE = Upstream("anthropic", "https://api.anthropic.com", "anthropic", "sk-ant", "anthropic")
GEMINI = Upstream("gemini", "https://g.example", "gemini", "g", "google")
LOCAL = Upstream("local", "http://127.0.0.1:8000/v1", "openai")


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ([(b"authorization", b"Bearer k")], "k"),
        ([(b"x-api-key", b"k")], "k"),
        ([(b"x-goog-api-key", b"k")], "k"),
        ([(b"x-api-key", b"k"), (b"authorization", b"Bearer k")], "k"),
        ([(b"x-api-key", b"k"), (b"authorization", b"Bearer other")], None),
        ([(b"accept", b"k")], None),
    ],
)
def test_the_key_is_found_wherever_a_client_sends_it(
    headers: list[tuple[bytes, bytes]], key: str | None
) -> None:
    assert key_of(headers) == key


@pytest.mark.parametrize(
    ("upstream", "sent"),
    [
        (OPENAI, [(b"authorization", b"Bearer sk")]),
        (CLAUDE, [(b"x-api-key", b"sk-ant")]),
        (GEMINI, [(b"x-goog-api-key", b"g")]),
        (LOCAL, []),
    ],
)
def test_each_upstream_gets_its_own_key_and_no_other(
    upstream: Upstream, sent: list[tuple[bytes, bytes]]
) -> None:
    came = [
        (b"authorization", b"Bearer ours"),
        (b"x-api-key", b"ours"),
        (b"cookie", b"a"),
        (b"accept", b"*/*"),
        (b"content-type", b"application/x-www-form-urlencoded"),
    ]
    made = to_upstream(came, upstream, b"host", 5)
    ends = [(b"content-type", b"application/json"), (b"content-length", b"5")]
    assert made == [(b"host", b"host"), (b"accept-encoding", b"identity"), (b"accept", b"*/*"), *sent, *ends]


def test_headers_of_an_answer_pass_but_for_those_of_its_connection() -> None:
    came = [
        (b"Content-Type", b"x"),
        (b"x-ratelimit-remaining", b"5"),
        (b"Connection", b"close, X-Hop"),
        (b"x-hop", b"1"),
        (b"transfer-encoding", b"chunked"),
        (b"set-cookie", b"a=b"),
        (b"strict-transport-security", b"max-age=1"),
        (b"content-length", b"7"),
    ]
    assert to_client(came, edited=False) == [
        (b"content-type", b"x"),
        (b"x-ratelimit-remaining", b"5"),
        (b"content-length", b"7"),
        *GUARD,
    ]
    assert (b"content-length", b"7") not in to_client(came, edited=True)


def test_paths_lead_behind_the_address_of_their_upstream() -> None:
    chat = route_of(OPENAI, "POST", "/llm/openai/v1/chat/completions", "")
    assert (chat.target, chat.api, chat.name) == ("/chat/completions", Api.CHAT, "chat/completions")
    message = route_of(CLAUDE, "POST", "/llm/anthropic/v1/messages", "beta=true")
    assert (message.target, message.api) == ("/v1/messages?beta=true", Api.MESSAGES)
    made = route_of(GEMINI, "POST", "/llm/gemini/v1beta/models/gemini-2.5-flash:generateContent", "key=ours")
    assert (made.target, made.model) == (
        "/v1beta/models/gemini-2.5-flash:generateContent",
        "gemini-2.5-flash",
    )
    assert made.stream is False
    listed = route_of(OPENAI, "GET", "/llm/openai/v1/models", "limit=5")
    assert (listed.target, listed.api) == ("/models?limit=5", None)


@pytest.mark.parametrize(
    "path",
    [
        "/llm/gemini/v1beta/models/../files:generateContent",
        "/llm/gemini/v1beta/models/a/b:generateContent",
        "/llm/gemini/v1beta/models/a:generateContent/x",
        "/llm/gemini/v1beta/models/a:generateContent\n",
        "/llm/gemini/v1/tunedModels/a:generateContent",
    ],
)
def test_no_path_leads_anywhere_else(path: str) -> None:
    with pytest.raises(Refusal, match="does not meter"):
        route_of(GEMINI, "POST", path, "")


def test_an_upstream_is_one_of_the_settings() -> None:
    known = {"openai": OPENAI}
    assert upstream_of(known, "/llm/openai/v1/models") is OPENAI
    assert upstream_of(known, "/llm/openai") is OPENAI
    assert upstream_of(known, "/llm/openai.evil/v1") is None
    assert upstream_of(known, "/llm/") is None


def test_a_refusal_speaks_each_apis_language_and_says_whether_to_try_again() -> None:
    empty = Refusal(402, "nothing left", "budget_exhausted", more={"budget": "all", "left": 0})
    one, other, third = (json.loads(body(api, empty)) for api in ("openai", "anthropic", "gemini"))
    assert one["error"]["type"] == "insufficient_quota"
    assert one["error"]["handrail"] == {"code": "budget_exhausted", "budget": "all", "left": 0}
    assert (other["type"], other["error"]["type"]) == ("error", "billing_error")
    assert (third["error"]["code"], third["error"]["status"]) == (402, "RESOURCE_EXHAUSTED")
    assert (b"x-should-retry", b"false") in headers(empty)
    assert (b"x-should-retry", b"true") in headers(Refusal(503, "later", "store", again=True))
    assert event("anthropic", empty).startswith(b"event: error\ndata: {")
    assert event("openai", empty).startswith(b"data: {")
