"""Whatever becomes of a call, its budget holds: what is not provably unspent counts, and no call is free."""

from __future__ import annotations

import threading
from typing import Any

import anthropic
import httpx
import openai
import pytest

from handrail.words.model_call import CallState, ModelCall
from handrail.words.money import NANO
from tests.support.gateway import AGENT, Front
from tests.support.processes import until

PATH = "/local/v1/chat/completions"
MOCK: dict[str, Any] = {"model": "mock", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 20}
COST = NANO // 1_000
"""One token that ``mock`` writes."""


def ended(gateway: Front, state: CallState, cost: int, *, presumed: bool) -> ModelCall:
    """The newest call, which ended like this."""
    call = gateway.settled()
    assert (call.state, call.cost, call.presumed) == (state, cost, presumed), call
    return call


@pytest.fixture
def client(gateway: Front) -> httpx.Client:
    return gateway.http()


def test_a_whole_answer_settles_at_what_it_used(gateway: Front, client: httpx.Client) -> None:
    assert client.post(PATH, json=MOCK).status_code == 200
    call = ended(gateway, CallState.DONE, 5 * COST, presumed=False)
    assert call.bound_cost == 20 * COST


USAGES: list[Any] = [
    "none",
    {},
    {"prompt_tokens": 1, "completion_tokens": -1},
    {"prompt_tokens": "1", "completion_tokens": 1},
    {"prompt_tokens": 0, "completion_tokens": 0},
    {"prompt_tokens": 5, "completion_tokens": 0},
    [],
    17,
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("usage", USAGES)
def test_without_a_usage_that_can_be_true_a_call_is_presumed_spent(
    gateway: Front, client: httpx.Client, usage: object, *, stream: bool
) -> None:
    gateway.up.behaves(usage=usage)
    assert client.post(PATH, json={**MOCK, "stream": stream}).status_code == 200
    ended(gateway, CallState.DONE, 20 * COST, presumed=True)


def test_what_is_used_beyond_the_bound_is_charged_as_it_is(gateway: Front, client: httpx.Client) -> None:
    gateway.up.behaves(usage={"prompt_tokens": 3, "completion_tokens": 30})
    assert client.post(PATH, json=MOCK).status_code == 200
    ended(gateway, CallState.DONE, 30 * COST, presumed=False)


@pytest.mark.parametrize("status", [400, 401, 404, 413, 422, 429])
def test_an_upstream_that_refuses_is_passed_on_and_costs_nothing(
    gateway: Front, client: httpx.Client, status: int
) -> None:
    gateway.up.behaves(status=status)
    answer = client.post(PATH, json=MOCK)
    assert answer.status_code == status
    assert answer.json() == {
        "error": {"message": "upstream says no", "type": "x", "param": None, "code": "its_own"}
    }
    assert (answer.headers["retry-after"], answer.headers["x-request-id"]) == ("7", "req_1")
    ended(gateway, CallState.FAILED, 0, presumed=False)


@pytest.mark.parametrize("status", [408, 500, 503, 529])
def test_an_upstream_that_fails_may_have_worked_and_is_presumed_spent(
    gateway: Front, client: httpx.Client, status: int
) -> None:
    gateway.up.behaves(status=status)
    assert client.post(PATH, json=MOCK).status_code == status
    ended(gateway, CallState.FAILED, 20 * COST, presumed=True)


def test_anthropics_own_errors_reach_its_client(gateway: Front) -> None:
    gateway.up.behaves(status=400)
    with pytest.raises(anthropic.BadRequestError, match="upstream says no"):
        gateway.anthropic().messages.create(
            model="claude-opus-5", max_tokens=9, messages=[{"role": "user", "content": "x"}]
        )


def test_an_upstream_that_can_not_be_reached_costs_nothing(gateway: Front, client: httpx.Client) -> None:
    answer = client.post("/gone/v1/chat/completions", json=MOCK)
    assert answer.status_code == 502
    assert "Nothing was spent" in answer.json()["error"]["message"]
    assert answer.headers["x-should-retry"] == "true"
    call = ended(gateway, CallState.FAILED, 0, presumed=False)
    assert "can't be reached" in (call.error or "")


@pytest.mark.parametrize("stream", [False, True])
def test_an_upstream_that_dies_before_its_answer_is_presumed_spent(
    gateway: Front, client: httpx.Client, *, stream: bool
) -> None:
    gateway.up.behaves(dies="early")
    answer = client.post(PATH, json={**MOCK, "stream": stream})
    assert answer.status_code == 502
    assert "presumed spent" in answer.json()["error"]["message"]
    assert answer.headers["x-should-retry"] == "false", "trying again would spend again"
    ended(gateway, CallState.FAILED, 20 * COST, presumed=True)


def test_an_upstream_that_dies_in_a_stream_is_told_in_the_stream(gateway: Front) -> None:
    gateway.up.behaves(dies="middle", writes=10)
    with pytest.raises(openai.APIError, match="broke the connection"):
        list(gateway.openai(name="local").chat.completions.create(**MOCK, stream=True))
    ended(gateway, CallState.FAILED, 20 * COST, presumed=True)


def test_an_upstream_that_dies_in_an_answer_breaks_it_off(gateway: Front, client: httpx.Client) -> None:
    gateway.up.behaves(dies="middle")
    with pytest.raises(httpx.RemoteProtocolError):
        client.post(PATH, json=MOCK)
    ended(gateway, CallState.FAILED, 20 * COST, presumed=True)


def test_a_client_that_hangs_up_in_a_stream_ends_the_upstream_and_pays_the_bound(
    gateway: Front, client: httpx.Client
) -> None:
    goes_on = threading.Event()
    gateway.up.behaves(writes=10_000, waits=goes_on)
    with client.stream("POST", PATH, json={**MOCK, "stream": True, "max_tokens": 20_000}) as answer:
        assert next(answer.iter_lines()).startswith("data: ")
    call = ended(gateway, CallState.FAILED, 20_000 * COST, presumed=True)
    assert call.error == "the client hung up"
    goes_on.set()
    assert gateway.up.left.wait(60), "the connection to the upstream is closed"


def test_a_client_that_hangs_up_before_the_answer_pays_the_bound(gateway: Front) -> None:
    goes_on = threading.Event()
    gateway.up.behaves(waits=goes_on)
    impatient = httpx.Client(
        base_url=f"{gateway.served.here}/llm",
        headers={"authorization": f"Bearer {gateway.keys[AGENT]}"},
        timeout=httpx.Timeout(60, read=1.0),
    )
    with impatient, pytest.raises(httpx.ReadTimeout):
        impatient.post(PATH, json=MOCK)
    ended(gateway, CallState.FAILED, 20 * COST, presumed=True)
    goes_on.set()


def test_an_upstream_is_not_followed_elsewhere(gateway: Front, client: httpx.Client) -> None:
    gateway.up.behaves(redirects="http://169.254.169.254/latest")
    answer = client.post(PATH, json=MOCK)
    assert answer.status_code == 502
    assert "location" not in answer.headers
    assert len(gateway.up.asked) == 1
    ended(gateway, CallState.FAILED, 20 * COST, presumed=True)


def test_a_budget_lowers_what_may_be_written_to_what_it_can_pay_and_then_refuses(gateway: Front) -> None:
    gateway.up.behaves(writes=9_000)
    client = gateway.openai("other", name="local")
    long: dict[str, Any] = {**MOCK, "max_tokens": 9_000}
    assert client.chat.completions.create(**long)
    gateway.settled()
    assert gateway.up.asked[-1].json["max_tokens"] == 9_000
    assert client.chat.completions.create(**long)
    gateway.settled()
    assert gateway.up.asked[-1].json["max_tokens"] == 1_000, "a dollar was left"
    with pytest.raises(openai.APIStatusError, match="budget small") as refused:
        client.chat.completions.create(**long)
    assert refused.value.status_code == 402
    assert isinstance(refused.value.body, dict)
    assert refused.value.body["code"] == "budget_exhausted"
    told = refused.value.body["handrail"]
    assert (told["budget"], told["left"], told["limit"]) == ("small", 0, 10 * NANO)
    assert told["renews"]
    assert len(gateway.up.asked) == 2
    assert gateway.up.billed == 10_000
    other = gateway.http("other").post(
        "/gemini/v1beta/models/gemini-2.5-flash:generateContent", json={"contents": []}
    )
    assert other.status_code == 402
    assert other.json()["error"]["status"] == "RESOURCE_EXHAUSTED"
    assert gateway.openai(name="local").chat.completions.create(**MOCK), "others have their own budget"


def test_a_limit_that_nobody_named_is_put_in_and_reaches_the_upstream(gateway: Front) -> None:
    said = {"model": "mock", "messages": MOCK["messages"]}
    assert gateway.http().post(PATH, json=said).status_code == 200
    assert gateway.up.asked[-1].json["max_tokens"] == 16_384
    gateway.settled()
    assert (
        gateway.http().post("/openai/v1/chat/completions", json={**said, "model": "gpt-5"}).status_code == 200
    )
    assert gateway.up.asked[-1].json["max_completion_tokens"] == 16_384


def test_what_a_call_gives_back_is_there_for_the_next_one(gateway: Front) -> None:
    """A budget that can just pay the bound of one call pays for one after the other."""
    client = gateway.http()
    whole = {**MOCK, "max_tokens": 900_000}
    for _ in range(5):
        assert client.post(PATH, json=whole).status_code == 200
        assert gateway.up.asked[-1].json["max_tokens"] > 600_000
    until(lambda: all(call.state is not CallState.RUNNING for call in gateway.calls()))


@pytest.mark.parametrize("tier", [None, "auto", "priority"])
def test_a_tier_that_the_upstream_may_choose_is_bounded_by_the_dearest_and_charged_as_it_was(
    gateway: Front, tier: str | None
) -> None:
    asked = {"model": "gpt-5", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 1_000}
    named = {} if tier is None else {"service_tier": tier}
    for each in (named, {"service_tier": "default"}):
        assert gateway.http().post("/openai/v1/chat/completions", json={**asked, **each}).status_code == 200
        gateway.settled()
    standard, chosen = gateway.calls()[:2]
    assert 1.9 < chosen.bound_cost / standard.bound_cost < 2.1
    assert (chosen.cost or 0) < 1.05 * (standard.cost or 0), "the upstream said: default"
    assert (chosen.presumed, standard.presumed) == (False, False)
