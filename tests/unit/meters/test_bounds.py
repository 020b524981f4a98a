"""At most what a request can cost: never less than what comes of it, and refused where nobody can say."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from handrail.meters.bounds import FRAME, INSTRUCTIONS, LARGEST, Request, request
from handrail.meters.draft import FieldRefused
from handrail.meters.fields import TABLES
from handrail.meters.prices import PriceBook
from handrail.meters.rates import Rates, of_policy
from handrail.meters.usage import Api
from handrail.words.errors import BadArguments, ModelRefused
from handrail.words.model_call import Usage
from handrail.words.model_price import ModelPrice

NOW = int(datetime(2026, 11, 20, tzinfo=UTC).timestamp() * 1000)
OWN = of_policy("mine", ModelPrice(input=Decimal(1), output=Decimal(10)))
USER = {"role": "user", "content": "hello"}
PLAIN: dict[Api, dict[str, Any]] = {
    Api.CHAT: {"model": "gpt-5", "messages": [USER], "max_tokens": 100},
    Api.RESPONSES: {"model": "gpt-5", "input": "hello", "max_output_tokens": 100},
    Api.MESSAGES: {"model": "claude-opus-5", "messages": [USER], "max_tokens": 100},
    Api.EMBEDDINGS: {"model": "text-embedding-3-small", "input": ["hello"]},
    Api.IMAGES: {"model": "gpt-image-1", "prompt": "a cat"},
    Api.GEMINI: {
        "model": "gemini-2.5-flash",
        "contents": [{"role": "user", "parts": [{"text": "hello"}]}],
        "generationConfig": {"maxOutputTokens": 100},
    },
}
LIMITED = [api for api in Api if api not in {Api.EMBEDDINGS, Api.IMAGES}]


def said(api: Api, **more: Any) -> bytes:
    body = {**PLAIN[api], **more}
    if api is Api.GEMINI:
        body.pop("model")
    return json.dumps(body).encode()


def asked(api: Api, **more: Any) -> Request:
    return request(api, said(api, **more), "gemini-2.5-flash" if api is Api.GEMINI else None)


def rates(provider: str, model: str) -> Rates:
    return PriceBook().rates(provider, model, None, NOW)


def test_text_counts_a_token_for_each_byte_and_what_is_written_its_limit() -> None:
    found = asked(Api.CHAT)
    bound = found.bound(OWN)
    tokens = len(said(Api.CHAT)) + FRAME
    assert (bound.cost, bound.tokens) == (tokens * 1_000, tokens)
    assert (bound.output, bound.choices, bound.rate) == (100, 1, 10_000 * 1_000_000)
    assert bound.cost_of(bound.output) == tokens * 1_000 + 100 * 10_000


def test_letters_that_a_tokenizer_spells_out_count_in_their_longer_form_also_when_they_are_escaped() -> None:
    long = "\ufdfa" * 100
    spelled = asked(Api.CHAT, messages=[{"role": "user", "content": long}])
    raw = json.dumps({**PLAIN[Api.CHAT], "messages": [{"content": long}]}, ensure_ascii=False).encode()
    assert spelled.size > 3_000
    assert request(Api.CHAT, raw).size > 3_000
    assert len(raw) < 500


@pytest.mark.parametrize("api", LIMITED)
def test_a_limit_is_lowered_in_its_place_and_left_alone_where_it_fits(api: Api) -> None:
    found = asked(api)
    assert found.forward(100) == said(api)
    assert found.forward(200) == said(api)
    assert found.forward(40) == said(api).replace(b"100", b"40")


@pytest.mark.parametrize("api", LIMITED)
def test_a_limit_that_nobody_named_is_put_in(api: Api) -> None:
    names = {"max_tokens": None, "max_output_tokens": None, "generationConfig": None}
    given = {name: value for name, value in names.items() if name in PLAIN[api]}
    found = asked(api, **given)
    limit = found.bound(OWN).output
    assert limit == 16_384
    assert b"16384" in found.forward(limit)
    assert b"5000" in found.forward(5_000)


def test_old_models_that_refuse_a_long_limit_get_their_own() -> None:
    found = asked(Api.CHAT, model="gpt-4-turbo", max_tokens=None)
    assert found.bound(rates("openai", "gpt-4-turbo")).output == 4_096


def test_every_answer_that_is_asked_for_counts() -> None:
    assert asked(Api.CHAT, n=3).bound(OWN).choices == 3
    with pytest.raises(FieldRefused, match="n: expected a whole number"):
        asked(Api.CHAT, n=0)
    with pytest.raises(FieldRefused, match="n: expected a whole number"):
        asked(Api.CHAT, n=True)
    both = asked(Api.CHAT, max_completion_tokens=300)
    assert both.bound(OWN).output == 300
    assert both.forward(50).count(b"50") == 2


def test_the_usage_of_a_chat_stream_is_asked_for_unless_the_client_did() -> None:
    quiet = asked(Api.CHAT, stream=True)
    assert not quiet.told
    assert b'"stream_options":{"include_usage":true}' in quiet.forward(100)
    loud = asked(Api.CHAT, stream=True, stream_options={"include_usage": True})
    assert loud.told
    assert loud.forward(100) == said(Api.CHAT, stream=True, stream_options={"include_usage": True})
    off = asked(Api.CHAT, stream=True, stream_options={"include_usage": False})
    assert b'"include_usage": true' in off.forward(100)


@pytest.mark.parametrize("api", list(Api))
def test_a_field_that_nobody_bounds_is_refused_by_its_name(api: Api) -> None:
    with pytest.raises(FieldRefused, match="plugins: this field is not metered") as refused:
        asked(api, plugins=[])
    assert refused.value.param == "plugins"
    assert asked(api).model


REFUSED: list[tuple[Api, dict[str, Any], str]] = [
    (Api.CHAT, {"prediction": {}}, "prediction"),
    (Api.CHAT, {"tools": [{"type": "web_search"}]}, r"tools\[0\].type"),
    (Api.CHAT, {"messages": [{"role": "user", "content": [{"type": "video"}]}]}, r"content\[0\].type"),
    (Api.CHAT, {"messages": [{"role": "user", "file_ids": []}]}, r"messages\[0\].file_ids"),
    (Api.CHAT, {"modalities": ["smell"]}, "modalities"),
    (Api.CHAT, {"stream": "yes"}, "stream"),
    (Api.CHAT, {"max_tokens": 10.5}, "max_tokens"),
    (Api.CHAT, {"model": ""}, "model"),
    (Api.RESPONSES, {"background": True}, "background"),
    (Api.RESPONSES, {"prompt": {"id": "x"}}, "prompt"),
    (Api.RESPONSES, {"tools": [{"type": "code_interpreter"}]}, r"tools\[0\].type"),
    (Api.RESPONSES, {"tools": [{"type": "mcp"}]}, r"tools\[0\].type"),
    (Api.RESPONSES, {"tools": [{"type": "web_search"}]}, "max_tool_calls"),
    (Api.RESPONSES, {"input": [{"type": "new_item"}]}, r"input\[0\].type"),
    (Api.MESSAGES, {"mcp_servers": []}, "mcp_servers"),
    (Api.MESSAGES, {"container": "x"}, "container"),
    (Api.MESSAGES, {"speed": "fast"}, "speed"),
    (Api.MESSAGES, {"tools": [{"type": "code_execution_20250825"}]}, r"tools\[0\].type"),
    (Api.MESSAGES, {"tools": [{"type": "web_search_20250305"}]}, r"tools\[0\].max_uses"),
    (Api.MESSAGES, {"context_management": {"edits": [{"type": "compact_1"}]}}, "edits"),
    (Api.GEMINI, {"tools": [{"googleSearch": {}}]}, r"tools\[0\].googleSearch"),
    (Api.GEMINI, {"tools": [{"google_search": {}}]}, r"tools\[0\].googleSearch"),
    (Api.GEMINI, {"generation_config": {}}, "two spellings"),
    (Api.GEMINI, {"generationConfig": {"newThing": 1}}, "generationConfig.newThing"),
    (Api.IMAGES, {"n": 11}, "n"),
    (Api.IMAGES, {"size": "bigxbig"}, "size"),
]


@pytest.mark.parametrize(("api", "more", "where"), REFUSED)
def test_what_the_provider_would_run_keep_or_bill_by_itself_is_refused(
    api: Api, more: dict[str, Any], where: str
) -> None:
    with pytest.raises(FieldRefused, match=where):
        asked(api, **more)


ALLOWED: list[tuple[Api, dict[str, Any]]] = [
    (Api.CHAT, {"tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": "auto"}),
    (Api.CHAT, {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}),
    (Api.RESPONSES, {"background": False, "store": True, "tools": [{"type": "function"}]}),
    (Api.RESPONSES, {"input": [{"role": "user", "content": [{"type": "input_text", "text": "x"}]}]}),
    (Api.MESSAGES, {"speed": "standard", "tools": [{"name": "f"}, {"type": "bash_20250124"}]}),
    (Api.MESSAGES, {"context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]}}),
    (Api.GEMINI, {"tools": [{"functionDeclarations": []}]}),
    (Api.IMAGES, {"n": 10, "size": "1024x1024"}),
]


@pytest.mark.parametrize(("api", "more"), ALLOWED)
def test_what_the_client_runs_is_forwarded(api: Api, more: dict[str, Any]) -> None:
    assert asked(api, **more).forward(100) == said(api, **more)


def test_searches_of_the_provider_count_with_all_that_they_may_read() -> None:
    tools = [{"type": "web_search_20250305", "max_uses": 2}]
    priced = rates("anthropic", "claude-opus-5")
    plain, searching = asked(Api.MESSAGES).bound(priced), asked(Api.MESSAGES, tools=tools).bound(priced)
    assert searching.cost > plain.cost + 3 * LARGEST * 5_000 + 2 * 10_000_000
    assert searching.choices == 3


WHOLE: list[tuple[Api, dict[str, Any]]] = [
    (Api.CHAT, {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]}),
    (Api.RESPONSES, {"previous_response_id": "resp_1"}),
    (Api.RESPONSES, {"conversation": "conv_1"}),
    (Api.RESPONSES, {"input": [{"type": "item_reference", "id": "x"}]}),
    (Api.MESSAGES, {"messages": [{"role": "user", "content": [{"type": "document", "source": {}}]}]}),
    (Api.GEMINI, {"cachedContent": "cachedContents/x"}),
    (Api.GEMINI, {"contents": [{"parts": [{"file_data": {"fileUri": "x"}}]}]}),
]


@pytest.mark.parametrize(("api", "more"), WHOLE)
def test_what_is_not_in_the_body_counts_as_the_largest_input(api: Api, more: dict[str, Any]) -> None:
    assert asked(api, **more).bound(OWN).tokens >= LARGEST
    assert asked(api).bound(OWN).tokens < 1_000


def test_pictures_and_instructions_count_by_bounds_of_their_own() -> None:
    picture = {"type": "image_url", "image_url": {"url": "https://x.example/y.png"}}
    found = asked(Api.CHAT, messages=[{"role": "user", "content": [picture, picture]}])
    assert found.bound(OWN).tokens == found.size + FRAME + 100_000
    shaped = asked(Api.CHAT, response_format={"type": "json_object"})
    assert shaped.bound(OWN).tokens == shaped.size + FRAME + INSTRUCTIONS


def test_cache_writes_count_at_their_dearest_where_a_request_may_make_them() -> None:
    priced = rates("anthropic", "claude-opus-5")
    marked = [{"role": "user", "content": [{"type": "text", "text": "x", "cache_control": {}}]}]
    plain, caching = asked(Api.MESSAGES), asked(Api.MESSAGES, messages=marked)
    assert plain.bound(priced).cost == plain.bound(priced).tokens * 5_000
    assert caching.bound(priced).cost == caching.bound(priced).tokens * 10_000
    hidden = said(Api.MESSAGES, messages=marked).replace(b"cache_control", b"cache\\u005fcontrol")
    found = request(Api.MESSAGES, hidden).bound(priced)
    assert found.cost == found.tokens * 10_000


def test_pictures_that_are_made_cost_their_price_or_their_tokens() -> None:
    own = of_policy("dall-e", ModelPrice(image=Decimal("0.04")))
    found = asked(Api.IMAGES, n=3)
    assert found.bound(own).cost == 3 * 40_000_000
    assert found.cost(own, Usage(images=2)) == 80_000_000
    listed = rates("openai", "gpt-image-1")
    assert found.bound(listed).cost > 3 * 16_384 * 40_000
    assert found.cost(listed, Usage(input=10, output=4_160, images=1)) == 10 * 5_000 + 4_160 * 40_000


def test_sound_is_forwarded_only_where_it_is_priced() -> None:
    spoken = asked(Api.CHAT, modalities=["text", "audio"], audio={"voice": "x"})
    assert spoken.bound(rates("openai", "gpt-audio")).rate == 64_000 * 1_000_000
    with pytest.raises(ModelRefused, match="audio_output"):
        spoken.bound(rates("openai", "gpt-4o-audio-preview"))


def test_no_bound_is_less_than_what_a_real_answer_costs() -> None:
    text = "The quick brown fox jumps over the lazy dog. " * 50
    found = asked(Api.CHAT, messages=[{"role": "user", "content": text}])
    bound = found.bound(rates("openai", "gpt-5"))
    used = Usage(input=len(text), output=100, reasoning=100)
    assert found.cost(rates("openai", "gpt-5"), used) <= bound.cost_of(bound.output)


@pytest.mark.parametrize("data", [b"", b"[]", b'{"model": "a", "model": "b"}'])
def test_a_body_that_can_not_be_read_is_refused(data: bytes) -> None:
    with pytest.raises(BadArguments):
        request(Api.CHAT, data)


def test_every_field_says_how_it_is_bounded() -> None:
    assert all(allowed.bound for table in TABLES.values() for allowed in table.values())


def test_an_upstream_gets_a_limit_of_a_chat_by_the_name_that_it_knows() -> None:
    newest = {"max_tokens": None, "max_completion_tokens": 900}
    given = asked(Api.CHAT, **newest)
    assert json.loads(given.forward(100, "max_tokens")) == json.loads(
        said(Api.CHAT, max_tokens=100, max_completion_tokens=None)
    )
    assert json.loads(given.forward(100)) == json.loads(
        said(Api.CHAT, max_tokens=None, max_completion_tokens=100)
    )
    assert asked(Api.CHAT).forward(100, "max_tokens") == said(Api.CHAT)


def test_a_limit_of_responses_has_one_name_at_every_upstream() -> None:
    without = asked(Api.RESPONSES, max_output_tokens=None)
    assert json.loads(without.forward(50, "max_tokens")) == json.loads(
        said(Api.RESPONSES, max_output_tokens=50)
    )


def test_a_model_that_can_draw_is_bounded_by_pictures_also_when_nobody_asks_for_one() -> None:
    draws, writes = rates("google", "gemini-2.5-flash-image"), rates("google", "gemini-2.5-flash")
    assert asked(Api.GEMINI).bound(draws).rate == 30_000 * 1_000_000
    assert asked(Api.GEMINI).bound(writes).rate == 2_500 * 1_000_000


def test_a_tools_answer_counts_by_what_it_holds() -> None:
    def answer(*parts: dict[str, Any]) -> Request:
        response = {"name": "f", "response": {}, "parts": [*parts]}
        return asked(Api.GEMINI, contents=[{"parts": [{"functionResponse": response}]}])

    assert answer({"fileData": {"fileUri": "x"}}).bound(OWN).tokens >= LARGEST
    picture = answer({"inlineData": {"mimeType": "image/png", "data": "x"}}).bound(OWN).tokens
    assert 20_000 < picture < LARGEST
    assert answer({"text": "x"}).bound(OWN).tokens < 1_000
    with pytest.raises(FieldRefused, match=r"functionResponse\.parts\[0\]\.other"):
        answer({"other": 1})
