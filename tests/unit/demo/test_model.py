"""A real model as the agent: two providers' conversations over HTTP, bounded, never silently replaced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from handrail.demo.company import tickets
from handrail.demo.hands import Hands
from handrail.demo.model import MOST_TURNS, Model
from handrail.demo.providers import Anthropic, ModelFailed, OpenAI, Provider, Tool, chosen
from tests.unit.demo.shop import Company, NoRail
from tests.unit.demo.stubs import KEY, Script, anthropic, openai, serving

TICKET = next(ticket for ticket in tickets() if ticket.slug == "broken-mugs")
SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {"order_id": {"type": "string"}},
    "required": ["order_id"],
    "additionalProperties": False,
}
TOOLS = [Tool("find_order", "Look an order up.", SCHEMA)]
SURE = {"confidence": 0.93, "rationale": "Two of four are broken."}


def _openai(base: str) -> Provider:
    return OpenAI(KEY, "gpt-test", f"{base}/v1", timeout=5)


def _anthropic(base: str) -> Provider:
    return Anthropic(KEY, "claude-test", base, timeout=5)


BOTH = pytest.mark.parametrize(
    ("api", "provider"), [(openai, _openai), (anthropic, _anthropic)], ids=["openai", "anthropic"]
)
Api = Callable[[Script], Any]
Make = Callable[[str], Provider]


def _model(provider: Provider) -> Model:
    return Model(provider, {"desk": TOOLS}, {"desk": ["Be kind."]})


@BOTH
def test_the_model_works_a_ticket_through_the_rails_tools(company: Company, api: Api, provider: Make) -> None:
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
    with serving(api(script)) as base:
        _model(provider(base)).work(TICKET, Hands(rail, company.desk.tools()))
    assert company.ask("select amount_cents from refunds where order_id = 'o-5001'") == [(1800,)]
    assert rail.said == [(0.93, "Two of four are broken.")] * 3


@BOTH
def test_a_model_that_never_ends_is_stopped(company: Company, api: Api, provider: Make) -> None:
    endless = [[{"name": "find_order", "args": {"order_id": "o-5001"}}]] * 100
    rail = NoRail()
    with serving(api(endless)) as base:
        _model(provider(base)).work(TICKET, Hands(rail, company.desk.tools()))
    assert len(rail.said) == MOST_TURNS


@BOTH
def test_a_model_that_does_not_say_how_sure_it_is_counts_as_unsure(
    company: Company, api: Api, provider: Make
) -> None:
    said: list[object] = [None, "very", True, 7, -1]
    script = [[{"name": "find_order", "args": {"order_id": "o-5001", "confidence": value}} for value in said]]
    rail = NoRail()
    with serving(api(script)) as base:
        _model(provider(base)).work(TICKET, Hands(rail, company.desk.tools()))
    assert [sure for sure, _ in rail.said] == [0.5] * len(said)


@BOTH
def test_wrong_arguments_are_told_to_the_model_and_it_goes_on(
    company: Company, api: Api, provider: Make
) -> None:
    script = [
        [{"name": "find_order", "args": {"number": 5001, **SURE}}],
        [{"name": "find_order", "args": {"order_id": "o-5001", **SURE}}],
    ]
    rail = NoRail()
    with serving(api(script)) as base:
        _model(provider(base)).work(TICKET, Hands(rail, company.desk.tools()))
    assert len(rail.said) == 2


@pytest.mark.parametrize(
    ("api", "make"),
    [
        (openai, lambda base: OpenAI("sk-wrong", "gpt-test", f"{base}/v1")),
        (anthropic, lambda base: Anthropic("sk-wrong", "claude-test", base)),
    ],
    ids=["openai", "anthropic"],
)
def test_a_refused_key_is_an_error_that_says_so_and_keeps_the_key(
    company: Company, api: Api, make: Make
) -> None:
    with serving(api([])) as base, pytest.raises(ModelFailed, match="answered 401") as failed:
        _model(make(base)).work(TICKET, Hands(NoRail(), company.desk.tools()))
    assert "sk-wrong" not in str(failed.value)


def test_a_provider_that_is_not_there_is_an_error_that_says_so(company: Company) -> None:
    with pytest.raises(ModelFailed, match="could not be used"):
        _model(_openai("http://127.0.0.1:1")).work(TICKET, Hands(NoRail(), company.desk.tools()))


@pytest.mark.parametrize("make", [_openai, _anthropic], ids=["openai", "anthropic"])
@pytest.mark.parametrize("answer", [{}, {"choices": []}, {"choices": [{"message": 3}]}, {"content": [3]}, []])
def test_an_answer_of_another_shape_is_an_error(company: Company, make: Make, answer: Any) -> None:
    with serving(lambda *_: (200, answer)) as base, pytest.raises(ModelFailed, match="the answer is not"):
        _model(make(base)).work(TICKET, Hands(NoRail(), company.desk.tools()))


def test_arguments_that_are_not_json_are_an_error(company: Company) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "find_order", "arguments": "{order"}}
    answer = {"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": [call]}}]}
    with serving(lambda *_: (200, answer)) as base, pytest.raises(ModelFailed, match="not JSON"):
        _model(_openai(base)).work(TICKET, Hands(NoRail(), company.desk.tools()))


def test_the_key_that_is_set_chooses_the_provider() -> None:
    assert chosen({}) is None
    assert chosen({"OPENAI_API_KEY": ""}) is None
    one = chosen(
        {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://localhost:1/v1/", "ANTHROPIC_API_KEY": "k"}
    )
    assert one == OpenAI("k", "gpt-5-mini", "http://localhost:1/v1")
    other = chosen({"ANTHROPIC_API_KEY": "k", "HANDRAIL_DEMO_MODEL": "claude-x"})
    assert other == Anthropic("k", "claude-x")


def test_a_key_never_shows_in_a_repr() -> None:
    assert "secret" not in repr(OpenAI("secret", "m")) + repr(Anthropic("secret", "m"))
