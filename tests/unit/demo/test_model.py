"""A real model as the agent: two providers' conversations, bounded, never silently replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

import pytest

from handrail.demo.company import tickets
from handrail.demo.hands import Ask, Hands
from handrail.demo.line import Line, ModelFailed
from handrail.demo.model import MOST_TURNS, Model
from handrail.demo.providers import Anthropic, OpenAI, Provider, Tool, chosen, upstreams
from tests.unit.demo.shop import Company, NoRail
from tests.unit.demo.stubs import KEY, Script, anthropic, openai, passed_on, serving

TICKET = next(ticket for ticket in tickets() if ticket.slug == "broken-mugs")
SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {"order_id": {"type": "string"}},
    "required": ["order_id"],
    "additionalProperties": False,
}
TOOLS = [Tool("find_order", "Look an order up.", SCHEMA)]
SURE = {"confidence": 0.93, "rationale": "Two of four are broken."}


PROVIDERS = (OpenAI("gpt-test"), Anthropic("claude-test"))
BOTH = pytest.mark.parametrize(
    ("api", "provider"), list(zip((openai, anthropic), PROVIDERS, strict=True)), ids=["openai", "anthropic"]
)
Api = Callable[[Script], Any]


@contextmanager
def _asking(respond: Any, key: str = KEY) -> Iterator[Ask]:
    """How an agent asks in a session of its own, where ``respond`` is behind the gateway."""
    with serving(passed_on(respond)) as url, closing(Line(url, key)) as line:
        yield partial(line._ask, "s-1:token")


def _model(provider: Provider) -> Model:
    return Model(provider, {"desk": TOOLS}, {"desk": ["Be kind."]})


@BOTH
def test_the_model_works_a_ticket_through_the_rails_tools(
    company: Company, api: Api, provider: Provider
) -> None:
    """Three turns: a look-up, a refund with two calls in one turn, and an end."""
    script = [
        [{"name": "find_order", "args": {"order_id": "o-5001", **SURE}}],
        [
            {
                "name": "issue_refund",
                "args": {"order_id": "o-5001", "amount": 18.0, "reason": "broken", **SURE},
            },
            {"name": "categorize_ticket", "args": {"ticket_id": TICKET.id, "category": "refund", **SURE}},
        ],
    ]
    rail = NoRail()
    with _asking(api(script)) as ask:
        _model(provider).work(TICKET, Hands(rail, company.desk.tools(), ask))
    assert company.ask("select amount_cents from refunds where order_id = 'o-5001'") == [(1800,)]
    assert rail.said == [(0.93, "Two of four are broken.")] * 3


@BOTH
def test_a_model_that_never_ends_is_stopped(company: Company, api: Api, provider: Provider) -> None:
    endless = [[{"name": "find_order", "args": {"order_id": "o-5001"}}]] * 100
    rail = NoRail()
    with _asking(api(endless)) as ask:
        _model(provider).work(TICKET, Hands(rail, company.desk.tools(), ask))
    assert len(rail.said) == MOST_TURNS


@BOTH
def test_a_model_that_does_not_say_how_sure_it_is_counts_as_unsure(
    company: Company, api: Api, provider: Provider
) -> None:
    said: list[object] = [None, "very", True, 7, -1]
    script = [[{"name": "find_order", "args": {"order_id": "o-5001", "confidence": value}} for value in said]]
    rail = NoRail()
    with _asking(api(script)) as ask:
        _model(provider).work(TICKET, Hands(rail, company.desk.tools(), ask))
    assert [sure for sure, _ in rail.said] == [0.5] * len(said)


@BOTH
def test_wrong_arguments_are_told_to_the_model_and_it_goes_on(
    company: Company, api: Api, provider: Provider
) -> None:
    script = [
        [{"name": "find_order", "args": {"number": 5001, **SURE}}],
        [{"name": "find_order", "args": {"order_id": "o-5001", **SURE}}],
    ]
    rail = NoRail()
    with _asking(api(script)) as ask:
        _model(provider).work(TICKET, Hands(rail, company.desk.tools(), ask))
    assert len(rail.said) == 2


@BOTH
def test_a_refused_key_is_an_error_that_says_so_and_keeps_the_key(
    company: Company, api: Api, provider: Provider
) -> None:
    with _asking(api([]), "sk-wrong") as ask, pytest.raises(ModelFailed, match="answered 401") as failed:
        _model(provider).work(TICKET, Hands(NoRail(), company.desk.tools(), ask))
    assert "sk-wrong" not in str(failed.value)


@BOTH
@pytest.mark.parametrize("code", ["budget_exhausted", "budget_frozen", "session"])
def test_where_no_budget_has_room_the_ticket_goes_to_people_in_the_gateways_words(
    company: Company, api: Api, provider: Provider, code: str
) -> None:
    del api
    refused = {"error": {"message": "€1 of €1 are used.", "code": code, "handrail": {"code": code}}}
    with _asking(lambda *_: (402, refused)) as ask:
        _model(provider).work(TICKET, Hands(NoRail(), company.desk.tools(), ask))
    assert company.ask("select note from ticket_notes") == [("€1 of €1 are used.",)]


@BOTH
@pytest.mark.parametrize("code", ["not_allowed", "unpriced"])
def test_a_model_that_the_policy_refuses_is_an_error_and_no_ticket_is_handed_over(
    company: Company, api: Api, provider: Provider, code: str
) -> None:
    del api
    refused = {"error": {"message": "No rule names it.", "code": code, "handrail": {"code": code}}}
    with _asking(lambda *_: (403, refused)) as ask, pytest.raises(ModelFailed, match="No rule names it"):
        _model(provider).work(TICKET, Hands(NoRail(), company.desk.tools(), ask))
    assert company.ask("select note from ticket_notes") == []


def test_a_gateway_that_is_not_there_is_an_error_that_says_so(company: Company) -> None:
    with closing(Line("http://127.0.0.1:1", KEY)) as line:
        hands = Hands(NoRail(), company.desk.tools(), partial(line._ask, "s-1:token"))
        with pytest.raises(ModelFailed, match="could not be used"):
            _model(OpenAI("gpt-test")).work(TICKET, hands)


@pytest.mark.parametrize("provider", PROVIDERS, ids=["openai", "anthropic"])
@pytest.mark.parametrize("answer", [{}, {"choices": []}, {"choices": [{"message": 3}]}, {"content": [3]}, []])
def test_an_answer_of_another_shape_is_an_error(company: Company, provider: Provider, answer: Any) -> None:
    with _asking(lambda *_: (200, answer)) as ask, pytest.raises(ModelFailed, match="the answer is not"):
        _model(provider).work(TICKET, Hands(NoRail(), company.desk.tools(), ask))


def test_arguments_that_are_not_json_are_an_error(company: Company) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "find_order", "arguments": "{order"}}
    answer = {"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": [call]}}]}
    with _asking(lambda *_: (200, answer)) as ask, pytest.raises(ModelFailed, match="not JSON"):
        _model(OpenAI("gpt-test")).work(TICKET, Hands(NoRail(), company.desk.tools(), ask))


def test_the_key_that_is_set_chooses_the_provider_and_only_the_server_is_told_of_it() -> None:
    assert chosen({}) is None
    assert chosen({"OPENAI_API_KEY": ""}) is None
    both = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://localhost:1/v1", "ANTHROPIC_API_KEY": "k2"}
    assert chosen(both) == OpenAI("gpt-5-mini")
    assert chosen({"ANTHROPIC_API_KEY": "k", "HANDRAIL_DEMO_MODEL": "claude-x"}) == Anthropic("claude-x")
    assert upstreams(both) == {
        "HANDRAIL_UPSTREAM_OPENAI_KEY": "k",
        "HANDRAIL_UPSTREAM_OPENAI_URL": "http://localhost:1/v1",
        "HANDRAIL_UPSTREAM_ANTHROPIC_KEY": "k2",
    }
    assert upstreams({"OPENAI_BASE_URL": "http://localhost:1/v1", "ANTHROPIC_API_KEY": ""}) == {}
