"""The real clients of OpenAI and Anthropic with a meter in their way: every call is claimed and settled."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import anthropic
import openai
import pytest

import handrail
from handrail.words.entry import Kind
from handrail.words.model_call import CallState
from tests.support.metered import DOLLAR, HELLO, calls, claude, gpt, kept, only, spent
from tests.support.rail import Desk
from tests.support.upstream import Upstream

LONG: Any = {"role": "user", "content": "and again " * 300_000}


def test_a_chat_is_claimed_forwarded_with_a_limit_and_settled_at_what_it_used(
    desk: Desk, up: Upstream
) -> None:
    client = gpt(desk, up)
    assert type(client) is openai.OpenAI
    with desk.rail.session("support", "t-1") as session:
        answer = client.chat.completions.create(model="gpt-5", messages=HELLO)
    assert answer.choices[0].message.content
    call = only(desk)
    assert (call.agent, call.session, call.task) == ("support", session.id, "t-1")
    assert (call.upstream, call.model, call.route) == ("openai", "gpt-5", "chat/completions")
    assert up.asked[0].json["max_completion_tokens"] == call.output
    assert up.asked[0].headers["authorization"] == "Bearer sk-x"
    assert answer.usage is not None
    assert call.usage is not None
    assert (call.usage.input, call.usage.output) == (
        answer.usage.prompt_tokens,
        answer.usage.completion_tokens,
    )


def test_a_stream_of_a_chat_comes_as_it_would_and_is_measured(desk: Desk, up: Upstream) -> None:
    """The usage that the meter asked for is not in it, because the program did not ask."""
    with desk.rail.session("support"):
        stream = gpt(desk, up).chat.completions.create(model="gpt-5", messages=HELLO, stream=True)
        chunks = list(stream)
    assert all(chunk.choices for chunk in chunks)
    assert up.asked[0].json["stream_options"] == {"include_usage": True}
    assert only(desk).stream
    assert only(desk).first_byte_at is not None


def test_every_metered_method_of_openais_client_is_measured(desk: Desk, up: Upstream) -> None:
    client = gpt(desk, up)
    with desk.rail.session("support"):
        client.responses.create(model="gpt-5", input="Hello")
        with client.responses.stream(model="gpt-5", input="Hello") as stream:
            for _ in stream:
                pass
        client.embeddings.create(model="text-embedding-3-small", input="Hello")
        client.images.generate(model="gpt-image-1", prompt="a tree", n=2)
        with client.chat.completions.stream(model="gpt-5", messages=HELLO) as events:
            for _ in events:
                pass
        raw = client.chat.completions.with_raw_response.create(model="gpt-5", messages=HELLO)
        assert raw.parse().choices
        with client.chat.completions.with_streaming_response.create(model="gpt-5", messages=HELLO) as open_:
            assert open_.read()
        client.with_options(timeout=50).chat.completions.create(model="gpt-5", messages=HELLO)
        client.copy(max_retries=0).chat.completions.create(model="gpt-5", messages=HELLO)
    routes = [call.route for call in calls(desk)]
    assert routes == [
        *("responses", "responses", "embeddings", "images/generations"),
        *["chat/completions"] * 5,
    ]
    assert all(call.state is CallState.DONE and not call.presumed and call.cost for call in calls(desk))
    assert calls(desk)[3].cost == 2 * DOLLAR
    spent(desk)


def test_every_metered_method_of_anthropics_client_is_measured(desk: Desk, up: Upstream) -> None:
    client = claude(desk, up)
    model: Any = "claude-sonnet-5"
    with desk.rail.session("support"):
        client.messages.create(model=model, max_tokens=100, messages=HELLO)
        with client.messages.stream(model=model, max_tokens=100, messages=HELLO) as stream:
            assert stream.get_final_message().content
        for _ in client.messages.create(model=model, max_tokens=100, messages=HELLO, stream=True):
            pass
        assert client.messages.count_tokens(model=model, messages=HELLO).input_tokens == 11
        client.with_options(timeout=50).messages.create(model=model, max_tokens=100, messages=HELLO)
    found = calls(desk)
    assert [call.route for call in found] == [
        *["messages"] * 3,
        "messages/count_tokens",
        "messages",
    ]
    assert all(call.state is CallState.DONE and not call.presumed for call in found)
    assert [bool(call.cost) for call in found] == [True, True, True, False, True]
    spent(desk)


def test_the_clients_that_await_are_measured_too(desk: Desk, up: Upstream) -> None:
    model: Any = "claude-sonnet-5"

    async def work() -> None:
        plain = openai.AsyncOpenAI(api_key="sk-x", base_url=f"{up.url}/v1", timeout=60)
        async with desk.rail.meter(plain, upstream="openai") as client:
            await client.chat.completions.create(model="gpt-5", messages=HELLO)
            stream = await client.chat.completions.create(model="gpt-5", messages=HELLO, stream=True)
            assert [chunk async for chunk in stream]
        other = anthropic.AsyncAnthropic(api_key="sk-x", base_url=up.url, timeout=60)
        metered = desk.rail.meter(other, upstream="anthropic")
        await metered.messages.create(model=model, max_tokens=100, messages=HELLO)
        async with metered.messages.stream(model=model, max_tokens=100, messages=HELLO) as events:
            assert (await events.get_final_message()).content
        await other.close()
        await plain.close()

    with desk.rail.session("support"):
        asyncio.run(work())
    assert [call.route for call in calls(desk)] == [*["chat/completions"] * 2, *["messages"] * 2]
    assert all(call.state is CallState.DONE and not call.presumed and call.cost for call in calls(desk))
    assert not desk.app.engine.calling.running


def test_a_budget_that_is_used_up_raises_once_and_nothing_is_sent_or_tried_again(
    desk: Desk, up: Upstream
) -> None:
    plain = openai.OpenAI(api_key="x", base_url=f"{up.url}/v1", max_retries=5)
    client = kept(desk.rail.meter(plain, upstream="local"))
    up.behaves(writes=9_000)
    with desk.rail.session("other"):
        for _ in range(2):
            client.chat.completions.create(model="mock", messages=HELLO, max_tokens=5_000)
        with pytest.raises(handrail.BudgetExhausted, match="budget small") as refused:
            client.chat.completions.create(model="mock", messages=HELLO, max_tokens=5_000)
    assert refused.value.left == 0
    assert len(up.asked) == 2
    assert [each.json["max_tokens"] for each in up.asked] == [5_000, 5_000]
    assert spent(desk, "other") == 10 * DOLLAR
    assert desk.kinds().count(Kind.MODEL_REFUSED) == 1


def test_a_budget_that_is_used_up_raises_for_streams_raw_answers_and_clients_that_await(
    desk: Desk, up: Upstream
) -> None:
    bound: Any = {"model": "mock", "messages": HELLO, "max_tokens": 10_000}
    up.behaves(writes=20_000)
    plain = openai.OpenAI(api_key="x", base_url=f"{up.url}/v1")
    client = kept(desk.rail.meter(plain, upstream="local"))

    async def work() -> None:
        later = openai.AsyncOpenAI(api_key="x", base_url=f"{up.url}/v1")
        with pytest.raises(handrail.BudgetExhausted):
            await desk.rail.meter(later, upstream="local").chat.completions.create(**bound)
        await later.close()

    with desk.rail.session("other"):
        client.chat.completions.create(**bound)
        with pytest.raises(handrail.BudgetExhausted):
            client.chat.completions.create(**bound, stream=True)
        with pytest.raises(handrail.BudgetExhausted):
            client.chat.completions.with_raw_response.create(**bound)
        asyncio.run(work())
    assert len(up.asked) == 1


def test_a_budget_that_is_used_up_raises_for_anthropics_clients_too(desk: Desk, up: Upstream) -> None:
    """Three million bytes cost more than the small budget has; a greeting does not."""
    large: Any = {"model": "claude-opus-5", "max_tokens": 100, "messages": [*HELLO, LONG]}
    client = claude(desk, up)

    async def work() -> None:
        plain = anthropic.AsyncAnthropic(api_key="x", base_url=up.url, max_retries=2)
        later = desk.rail.meter(plain, upstream="anthropic")
        with pytest.raises(handrail.BudgetExhausted):
            await later.messages.create(**large)
        with pytest.raises(handrail.BudgetExhausted):
            async with later.messages.stream(**large):
                pass
        await plain.close()

    with desk.rail.session("other"):
        with pytest.raises(handrail.BudgetExhausted, match="budget small") as refused:
            client.messages.create(**large)
        assert refused.value.left == 10 * DOLLAR
        with pytest.raises(handrail.BudgetExhausted), client.messages.stream(**large):
            pass
        with pytest.raises(handrail.BudgetExhausted):
            client.messages.with_raw_response.create(**large)
        asyncio.run(work())
        assert up.asked == []
        client.messages.create(**{**large, "messages": HELLO})
    assert len(up.asked) == 1


def test_a_metered_copy_that_is_forgotten_leaves_the_client_that_was_there_open(
    desk: Desk, up: Upstream
) -> None:
    plain = kept(openai.OpenAI(api_key="x", base_url=f"{up.url}/v1"))
    metered = desk.rail.meter(plain, upstream="openai")
    assert metered.models.list().data
    del metered
    gc.collect()
    assert not plain.is_closed()
    assert plain.models.list().data
