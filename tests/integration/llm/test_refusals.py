"""What is not forwarded, in the words of each API's own errors; each beside the same call that is."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

import anthropic
import openai
import pytest

from handrail.engine.budgets.changes import freeze, thaw
from handrail.engine.identity.keys import revoke_key
from handrail.engine.restrict import halt, lift
from handrail.words.model_call import CallState
from handrail.words.person import KeyKind
from tests.support.gateway import AGENT, Front
from tests.support.server import make_key

CHAT: dict[str, Any] = {"model": "gpt-5", "messages": [{"role": "user", "content": "hello"}]}
MESSAGE: dict[str, Any] = {"model": "claude-opus-5", "max_tokens": 20, "messages": CHAT["messages"]}


def forwarded(gateway: Front, path: str = "/openai/v1/chat/completions", **more: Any) -> bool:
    """Whether the twin of a refused call is."""
    gateway.up.asked.clear()
    body = MESSAGE if "anthropic" in path else CHAT
    answer = gateway.http().post(path, json={**body, **more})
    assert answer.status_code == 200, answer.text
    return len(gateway.up.asked) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/openai/v1/completions"),
        ("POST", "/openai/v1/audio/speech"),
        ("POST", "/openai/v1/batches"),
        ("POST", "/openai/v1/files"),
        ("GET", "/openai/v1/responses/resp_1"),
        ("POST", "/openai/v1/chat/completions/"),
        ("POST", "/openai/v1/../v1/files"),
        ("POST", "/openai/v1/messages"),
        ("DELETE", "/openai/v1/models/ft:gpt-4o"),
        ("POST", "/anthropic/v1/messages/batches"),
        ("POST", "/anthropic/v1/complete"),
        ("POST", "/gemini/v1beta/models/gemini-2.5-flash:embedContent"),
        ("POST", "/gemini/v1beta/cachedContents"),
        ("POST", "/nowhere/v1/chat/completions"),
        ("POST", "/openai"),
    ],
)
def test_a_route_that_is_not_metered_is_refused_by_its_name(gateway: Front, method: str, path: str) -> None:
    answer = gateway.http().request(method, path, json=CHAT)
    assert answer.status_code == 404
    assert "forwarded" in answer.text or "no such upstream" in answer.text
    assert gateway.up.asked == []
    assert forwarded(gateway)


def test_refusals_are_what_each_client_raises(gateway: Front) -> None:
    with pytest.raises(openai.NotFoundError, match="does not meter POST /v1/audio/speech"):
        gateway.openai().audio.speech.create(model="tts-1", voice="alloy", input="x")
    with pytest.raises(anthropic.NotFoundError, match="does not meter"):
        gateway.anthropic().messages.batches.list()
    answer = gateway.http().post("/gemini/v1beta/models/x:embedContent", json={})
    assert answer.json()["error"]["status"] == "NOT_FOUND"


@pytest.mark.parametrize("key", ["", "hr_a_nothing_nothing", "sk-of-the-provider"])
def test_only_a_key_of_ours_that_works_gets_in(gateway: Front, key: str) -> None:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    for path, shape in (("/openai/v1/chat/completions", "type"), ("/anthropic/v1/messages", "type")):
        answer = gateway.http(None, **headers).post(path, json=CHAT)
        assert answer.status_code == 401
        assert answer.json()["error"][shape] == "authentication_error"
    assert gateway.up.asked == []
    assert forwarded(gateway)


def test_two_keys_that_differ_are_none(gateway: Front) -> None:
    both = gateway.http(AGENT, **{"x-api-key": gateway.keys["other"]})
    assert both.post("/openai/v1/chat/completions", json=CHAT).status_code == 401
    same = gateway.http(AGENT, **{"x-api-key": gateway.keys[AGENT]})
    assert same.post("/openai/v1/chat/completions", json=CHAT).status_code == 200


def test_a_key_of_a_service_and_a_revoked_one_get_nothing(gateway: Front) -> None:
    service = make_key(gateway.engine, AGENT, KeyKind.SERVICE)
    agent = make_key(gateway.engine, AGENT)
    path = "/openai/v1/chat/completions"
    assert gateway.http(None, authorization=f"Bearer {service}").post(path, json=CHAT).status_code == 403
    client = gateway.http(None, authorization=f"Bearer {agent}")
    assert client.post(path, json=CHAT).status_code == 200
    revoke_key(gateway.engine, agent.split("_")[2], "admin@example.com", "lost")
    assert client.post(path, json=CHAT).status_code == 401


def test_a_session_is_proven_by_its_token(gateway: Front) -> None:
    with gateway.served.with_key(AGENT) as api:
        session = api.post("/api/v1/sessions", json={"agent": AGENT, "task": "ticket-17"}).json()
    path = "/openai/v1/chat/completions"
    wrong = gateway.http(**{"x-handrail-session": f"{session['id']}:wrong"}).post(path, json=CHAT)
    assert wrong.status_code == 403
    assert "X-Handrail-Session" in wrong.json()["error"]["message"]
    right = gateway.http(**{"x-handrail-session": f"{session['id']}:{session['token']}"})
    assert right.post(path, json=CHAT).status_code == 200
    call = gateway.settled()
    assert (call.session, call.task) == (session["id"], "ticket-17")
    foreign = gateway.http("other", **{"x-handrail-session": f"{session['id']}:{session['token']}"})
    assert foreign.post(path, json=CHAT).status_code == 403


def test_a_key_that_opens_no_sessions_needs_one(gateway: Front) -> None:
    bound = make_key(gateway.engine, AGENT, opens_sessions=False)
    path = "/openai/v1/chat/completions"
    refused = gateway.http(None, authorization=f"Bearer {bound}").post(path, json=CHAT)
    assert refused.status_code == 403
    assert "sessions that a service opens" in refused.text


def test_a_model_that_the_policy_does_not_name_for_this_agent_is_refused(gateway: Front) -> None:
    with pytest.raises(openai.PermissionDeniedError, match="lets no agent call the model openai:o3"):
        gateway.openai().chat.completions.create(**{**CHAT, "model": "o3"})
    with pytest.raises(anthropic.PermissionDeniedError, match="does not let other call"):
        gateway.anthropic("other").messages.create(**MESSAGE)
    assert gateway.up.asked == []
    assert forwarded(gateway, "/anthropic/v1/messages")


def test_a_model_without_a_price_is_refused(gateway: Front) -> None:
    with pytest.raises(openai.PermissionDeniedError, match="nobody knows what nobody-priced-this costs"):
        gateway.openai().chat.completions.create(**{**CHAT, "model": "nobody-priced-this"})
    assert gateway.up.asked == []
    assert forwarded(gateway)


def test_a_field_is_refused_by_its_name_and_place(gateway: Front) -> None:
    with pytest.raises(openai.BadRequestError, match="web_search_options") as refused:
        gateway.openai().chat.completions.create(**CHAT, web_search_options={})
    assert refused.value.param == "web_search_options"
    with pytest.raises(anthropic.BadRequestError, match=r"tools\[0\].type"):
        gateway.anthropic().messages.create(
            **MESSAGE, tools=[{"type": "code_execution_20250825", "name": "code_execution"}]
        )
    assert gateway.up.asked == []
    assert forwarded(gateway)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"model": "gpt-5", "model": "o3", "messages": []}',
        b'{"model": "gpt-5", "messages": [{"role": "user", "role": "system"}]}',
        b'{"model": "gpt-5", "messages": [], "n": 1e400}',
    ],
)
def test_a_body_that_may_be_read_in_two_ways_is_refused(gateway: Front, body: bytes) -> None:
    answer = gateway.http().post("/openai/v1/chat/completions", content=body)
    assert answer.status_code == 400
    assert gateway.up.asked == []
    assert forwarded(gateway)


def test_a_body_in_another_encoding_or_too_large_is_refused(gateway: Front) -> None:
    path = "/openai/v1/chat/completions"
    zipped = gateway.http(**{"content-encoding": "gzip"}).post(path, content=b"x")
    assert zipped.status_code == 400
    large = gateway.http().post(path, content=b"x" * (33 * 1024 * 1024))
    assert large.status_code == 413
    assert gateway.up.asked == []
    big = {**CHAT, "messages": [{"role": "user", "content": "x" * 3_000_000}]}
    assert gateway.http().post(path, json=big).status_code == 200


@pytest.mark.parametrize("said", ["application/json", "application/x-www-form-urlencoded"])
def test_what_was_read_as_json_is_sent_as_json_whatever_the_client_calls_it(
    gateway: Front, said: str
) -> None:
    # as a form it would ask another model for a hundred answers
    body = {**CHAT, "metadata": {"a": "&model=o3&n=100&b="}}
    path = "/openai/v1/chat/completions"
    answer = gateway.http(**{"content-type": said}).post(path, content=json.dumps(body))
    assert answer.status_code == 200, answer.text
    [asked] = gateway.up.asked
    assert asked.headers["content-type"] == "application/json"
    assert asked.json["model"] == "gpt-5"


def test_no_browser_takes_an_answer_for_a_page_of_ours(gateway: Front) -> None:
    good = gateway.http().get("/openai/v1/models")
    bad = gateway.http().get("/openai/v1/files")
    assert (good.status_code, bad.status_code) == (200, 404)
    for answer in (good, bad):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]


def test_a_key_in_an_address_counts_only_where_clients_send_it_so(gateway: Front) -> None:
    key = gateway.keys[AGENT]
    assert gateway.http(None).get(f"/openai/v1/models?key={key}").status_code == 401
    assert gateway.http(None).get(f"/gemini/v1beta/models?key={key}").status_code == 200


def test_a_stranger_sends_no_large_body(gateway: Front) -> None:
    url = f"{gateway.served.here}/llm/openai/v1/chat/completions"
    with socket.create_connection(("127.0.0.1", gateway.served.port)) as stranger:
        stranger.sendall(b"POST %s HTTP/1.1\r\nhost: x\r\ncontent-length: 9000000\r\n\r\n" % url.encode())
        assert stranger.recv(100).startswith(b"HTTP/1.1 401"), "before a byte of it was sent"


def test_a_frozen_budget_refuses_until_a_person_thaws_it(gateway: Front) -> None:
    freeze(gateway.engine, "small", "admin@example.com", "looking into it")
    with pytest.raises(openai.PermissionDeniedError, match="was frozen by admin") as refused:
        gateway.openai("other").chat.completions.create(**CHAT)
    assert isinstance(refused.value.body, dict)
    assert refused.value.body["code"] == "budget_frozen"
    assert forwarded(gateway), "others have their own budget"
    thaw(gateway.engine, "small", "admin@example.com", "all is well")
    assert gateway.openai("other").chat.completions.create(**CHAT)


def test_a_query_passes_only_where_it_is_known(gateway: Front) -> None:
    answer = gateway.http().post("/openai/v1/chat/completions?timeout=1", json=CHAT)
    assert answer.status_code == 400
    assert "timeout" in answer.text
    stream = "/gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent"
    assert gateway.http().post(stream, json={"contents": []}).status_code == 400
    assert gateway.up.asked == []
    assert forwarded(gateway, "/anthropic/v1/messages?beta=true")


def test_a_halt_refuses_at_once_and_cuts_off_what_runs(gateway: Front) -> None:
    goes_on = threading.Event()
    gateway.up.behaves(writes=50, waits=goes_on)
    with gateway.http("other").stream(
        "POST", "/openai/v1/chat/completions", json={**CHAT, "stream": True}
    ) as answer:
        lines = answer.iter_lines()
        assert next(lines).startswith("data: ")
        found, _ = halt(gateway.engine, "enough", "admin@example.com", agent="other")
        rest = [line for line in lines if line.startswith("data: ")]
        goes_on.set()
    assert json.loads(rest[-1].removeprefix("data: "))["error"]["handrail"]["code"] == "halted"
    call = gateway.settled()
    assert (call.state, call.presumed, call.cost) == (CallState.FAILED, True, call.bound_cost)
    with pytest.raises(openai.PermissionDeniedError, match="enough"):
        gateway.openai("other").chat.completions.create(**CHAT)
    lift(gateway.engine, found, "admin@example.com", "done")
    gateway.up.behaves()
    assert gateway.openai("other").chat.completions.create(**CHAT)
