"""The providers' own clients, unchanged but for address and key, get what upstreams say, metered."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import anthropic
import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from handrail.meters.prices import PriceBook
from handrail.words.model_call import CallState, Usage
from tests.support.gateway import AGENT, SECONDS, Front

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hello"}]
FIVE = "word word word word word "


def priced(provider: str, model: str, usage: Usage | None) -> int:
    """In the tier that the upstream says it was, where it has several."""
    assert usage is not None
    now = int(datetime.now(UTC).timestamp() * 1000)
    return PriceBook().rates(provider, model, None, now, "default").cost(usage)


def metered(gateway: Front, provider: str, model: str, route: str, *, stream: bool) -> None:
    """The newest call is written down with what the upstream said, at the list's price."""
    call = gateway.settled()
    assert (call.state, call.agent, call.model, call.route) == (CallState.DONE, AGENT, model, route)
    assert call.stream is stream
    assert not call.presumed
    assert call.usage is not None
    assert call.usage.output == 5
    assert call.cost == priced(provider, model, call.usage)
    assert call.cost <= call.bound_cost
    assert call.first_byte_at is not None
    assert call.via is not None


def test_a_chat(gateway: Front) -> None:
    made = gateway.openai().chat.completions.create(model="gpt-5", messages=HELLO)
    assert made.choices[0].message.content == FIVE
    metered(gateway, "openai", "gpt-5", "chat/completions", stream=False)


def test_a_streamed_chat_has_no_chunk_that_nobody_asked_for(gateway: Front) -> None:
    stream = gateway.openai().chat.completions.create(model="gpt-5", messages=HELLO, stream=True)
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == FIVE
    assert gateway.up.asked[-1].json["stream_options"] == {"include_usage": True}
    metered(gateway, "openai", "gpt-5", "chat/completions", stream=True)


def test_a_streamed_chat_tells_its_usage_to_who_asks(gateway: Front) -> None:
    stream = gateway.openai().chat.completions.create(
        model="gpt-5", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    last = list(stream)[-1]
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.completion_tokens == 5


def test_a_response_and_a_streamed_one(gateway: Front) -> None:
    client = gateway.openai()
    assert client.responses.create(model="gpt-5", input="hello").output_text == FIVE
    metered(gateway, "openai", "gpt-5", "responses", stream=False)
    with client.responses.stream(model="gpt-5", input="hello") as stream:
        kinds = [event.type for event in stream]
        assert stream.get_final_response().output_text == FIVE
    assert kinds.count("response.output_text.delta") == 5
    metered(gateway, "openai", "gpt-5", "responses", stream=True)


def test_a_message_and_a_streamed_one(gateway: Front) -> None:
    client = gateway.anthropic()
    said: dict[str, Any] = {"model": "claude-opus-5", "max_tokens": 100, "messages": HELLO}
    block = client.messages.create(**said).content[0]
    assert block.type == "text"
    assert block.text == FIVE
    metered(gateway, "anthropic", "claude-opus-5", "messages", stream=False)
    with client.messages.stream(**said) as stream:
        assert stream.get_final_text() == FIVE
    metered(gateway, "anthropic", "claude-opus-5", "messages", stream=True)


def test_counting_tokens_is_free_and_forwarded_unchanged(gateway: Front) -> None:
    counted = gateway.anthropic().messages.count_tokens(
        model="claude-opus-5", messages=[{"role": "user", "content": "hello"}]
    )
    assert counted.input_tokens == 11
    assert "max_tokens" not in gateway.up.asked[-1].json
    call = gateway.settled()
    assert (call.cost, call.bound_cost, call.presumed) == (0, 0, False)


def test_embeddings_pictures_and_the_list_of_models(gateway: Front) -> None:
    client = gateway.openai()
    assert len(client.embeddings.create(model="text-embedding-3-small", input="hello").data) == 1
    call = gateway.settled()
    assert call.cost == priced("openai", "text-embedding-3-small", call.usage)
    assert client.images.generate(model="gpt-image-1", prompt="a cat", n=3).data is not None
    assert gateway.settled().cost == 3_000_000_000
    before = len(gateway.calls())
    assert [model.id for model in client.models.list()] == ["gpt-5"]
    assert len(gateway.calls()) == before


def test_gemini_whole_and_streamed(gateway: Front) -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}
    client = gateway.http(None, **{"x-goog-api-key": gateway.keys[AGENT]})
    whole = client.post("/gemini/v1beta/models/gemini-2.5-flash:generateContent", json=body)
    assert whole.json()["candidates"][0]["content"]["parts"][0]["text"] == FIVE
    metered(gateway, "google", "gemini-2.5-flash", "generateContent", stream=False)
    path = "/gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
    streamed = client.post(path, json=body)
    assert streamed.text.count("word ") == 5
    metered(gateway, "google", "gemini-2.5-flash", "streamGenerateContent", stream=True)
    assert gateway.up.asked[-1].headers["x-goog-api-key"] == "g-of-the-provider"
    in_query = gateway.http(None).post(f"{path}&key={gateway.keys[AGENT]}", json=body)
    assert in_query.status_code == 200
    assert gateway.up.asked[-1].path.endswith("?alt=sse")


async def test_asynchronous_clients(gateway: Front) -> None:
    url = f"{gateway.served.here}/llm"
    common: dict[str, Any] = {"api_key": gateway.keys[AGENT], "max_retries": 0, "timeout": SECONDS}
    async with (
        openai.AsyncOpenAI(base_url=f"{url}/openai/v1", **common) as one,
        anthropic.AsyncAnthropic(base_url=f"{url}/anthropic", **common) as other,
    ):
        chats = [one.chat.completions.create(model="gpt-5", messages=HELLO) for _ in range(5)]
        assert {made.choices[0].message.content for made in await asyncio.gather(*chats)} == {FIVE}
        stream = await one.chat.completions.create(model="gpt-5", messages=HELLO, stream=True)
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == FIVE
        async with other.messages.stream(
            model="claude-opus-5", max_tokens=50, messages=[{"role": "user", "content": "hello"}]
        ) as message:
            assert await message.get_final_text() == FIVE
    metered(gateway, "anthropic", "claude-opus-5", "messages", stream=True)


def test_a_body_that_fits_is_forwarded_byte_for_byte(gateway: Front) -> None:
    said = b'"temperature":1.50,"messages":[{"content":"\\u00e9\xc3\xa9"}]'
    body = b'{ "max_tokens" : 9 ,\n "model":"gpt-5",' + said + b" }"
    answer = gateway.http().post("/openai/v1/chat/completions", content=body)
    assert answer.status_code == 200
    assert gateway.up.asked[-1].body == body


def test_no_key_of_one_side_reaches_the_other(gateway: Front) -> None:
    headers = {"anthropic-beta": "context-1m", "x-api-key": gateway.keys[AGENT], "cookie": "a=b"}
    answer = gateway.http(None, **headers).post(
        "/anthropic/v1/messages?beta=true",
        json={"model": "claude-opus-5", "max_tokens": 5, "messages": HELLO},
        headers={
            "anthropic-version": "2023-06-01",
            "openai-organization": "org",
            "x-forwarded-for": "1.2.3.4",
        },
    )
    sent = gateway.up.asked[-1]
    assert sent.headers["x-api-key"] == "sk-ant-of-the-provider"
    assert sent.headers["anthropic-beta"] == "context-1m"
    assert sent.path == "/v1/messages?beta=true"
    assert gateway.keys[AGENT] not in json.dumps(sent.headers)
    assert not {"cookie", "authorization", "openai-organization", "x-forwarded-for"} & sent.headers.keys()
    assert "of-the-provider" not in answer.text + str(answer.headers)
    assert "set-cookie" not in answer.headers
    assert answer.headers["x-handrail-call"] == gateway.settled().id
    assert "of-the-provider" not in gateway.log()


@pytest.mark.parametrize("zipped", [True, False])
def test_an_answer_that_comes_compressed_is_passed_on_and_metered(gateway: Front, *, zipped: bool) -> None:
    gateway.up.behaves(zipped=zipped)
    made = gateway.openai().chat.completions.create(model="gpt-5", messages=HELLO)
    assert made.choices[0].message.content == FIVE
    assert gateway.up.asked[-1].headers["accept-encoding"] == "identity"
    metered(gateway, "openai", "gpt-5", "chat/completions", stream=False)
