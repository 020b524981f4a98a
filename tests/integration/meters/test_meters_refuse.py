"""A meter in the way of a client: what is refused, breaks off, is cut or never left, and what that costs."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from contextvars import copy_context
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import openai
import pytest

import handrail
from handrail.engine.loops import hold
from handrail.engine.models import stops as model_stops
from handrail.engine.models.prompts import prompt_of
from handrail.engine.restrict import halt
from handrail.words.errors import ModelRefused
from handrail.words.model_call import CallState
from tests.support.metered import HELLO, calls, claude, gpt, kept, spent
from tests.support.rail import Desk
from tests.support.upstream import Upstream


def test_what_is_not_metered_is_refused_and_not_sent(desk: Desk, up: Upstream) -> None:
    client = gpt(desk, up)
    with desk.rail.session("support"):
        with pytest.raises(ModelRefused, match="does not meter POST moderations"):
            client.moderations.create(input="x")
        with pytest.raises(ModelRefused, match="does not meter POST completions"):
            client.completions.create(model="gpt-5", prompt="x")
        with pytest.raises(ModelRefused, match="does not meter GET files"):
            client.files.list()
        with pytest.raises(handrail.BadArguments, match="background"):
            client.responses.create(model="gpt-5", input="x", background=True)
        with pytest.raises(ModelRefused, match="nobody knows what nobody-priced-this costs"):
            client.chat.completions.create(model="nobody-priced-this", messages=HELLO)
        with pytest.raises(ModelRefused, match="lets no agent call the model openai:o9"):
            client.chat.completions.create(model="o9", messages=HELLO)
        with pytest.raises(ModelRefused, match=r"metered for .* only"):
            client.with_options(base_url="http://127.0.0.1:1/v1").chat.completions.create(
                model="gpt-5", messages=HELLO
            )
        assert client.models.list().data
    assert [each.path for each in up.asked] == ["/v1/models"]
    assert calls(desk) == []


def test_what_anthropics_client_may_not_send_is_refused_in_our_words(desk: Desk, up: Upstream) -> None:
    client = claude(desk, up)
    named: dict[str, Any] = {"max_tokens": 9, "messages": HELLO}
    with pytest.raises(handrail.NoSession):
        client.messages.create(model="claude-opus-5", **named)
    with desk.rail.session("support"):
        with pytest.raises(ModelRefused, match="does not meter GET v1/messages/batches"):
            client.messages.batches.list()
        with pytest.raises(ModelRefused, match="lets no agent call the model anthropic:gpt-5"):
            client.messages.create(model="gpt-5", **named)
        with pytest.raises(handrail.BadArguments, match="mcp_servers"):
            client.messages.create(model="claude-opus-5", **named, extra_body={"mcp_servers": []})
        assert client.messages.create(model="claude-opus-5", **named).content
    assert [each.path for each in up.asked] == ["/v1/messages"]


@pytest.mark.parametrize("where", ["realtime", "responses"])
def test_a_web_socket_that_would_pass_by_the_meter_is_not_opened(
    desk: Desk, up: Upstream, where: str
) -> None:
    client = gpt(desk, up)
    named: dict[str, Any] = {"model": "gpt-5"} if where == "realtime" else {}
    with desk.rail.session("support"):
        for each in (client, client.with_options(timeout=5)):
            with pytest.raises(ModelRefused, match="does not meter WebSockets"):
                getattr(each, where).connect(**named).enter()
        assert up.asked == []
        assert client.responses.create(model="gpt-5", input="x").output_text
    assert [each.path for each in up.asked] == ["/v1/responses"]


def test_the_address_of_sockets_leads_nowhere_also_for_a_client_that_takes_it_for_a_text(
    desk: Desk, up: Upstream
) -> None:
    assert str(gpt(desk, up).websocket_base_url) == "wss://unmetered.invalid"
    assert kept(openai.OpenAI(api_key="sk-x")).websocket_base_url is None


def test_a_client_too_old_to_name_the_address_of_its_sockets_is_not_metered(desk: Desk, up: Upstream) -> None:
    old = kept(openai.OpenAI(api_key="sk-x", base_url=f"{up.url}/v1"))
    del old.websocket_base_url
    with pytest.raises(handrail.BadArguments, match="this version of openai has no websocket_base_url"):
        desk.rail.meter(old, upstream="openai")
    with desk.rail.session("support"):
        gpt(desk, up).chat.completions.create(model="gpt-5", messages=HELLO)
    assert len(up.asked) == 1


def test_outside_a_session_nothing_is_sent(desk: Desk, up: Upstream) -> None:
    client = gpt(desk, up)
    with pytest.raises(handrail.NoSession, match="nothing was sent"):
        client.chat.completions.create(model="gpt-5", messages=HELLO)
    assert up.asked == []
    with desk.rail.session("support"):
        client.chat.completions.create(model="gpt-5", messages=HELLO)


def test_an_upstream_that_refuses_costs_nothing_and_its_error_is_the_clients_own(
    desk: Desk, up: Upstream
) -> None:
    up.behaves(status=400)
    with desk.rail.session("support"), pytest.raises(openai.BadRequestError):
        gpt(desk, up).chat.completions.create(model="gpt-5", messages=HELLO)
    [call] = calls(desk)
    assert (call.state, call.cost, call.presumed, call.status) == (CallState.FAILED, 0, False, 400)
    assert spent(desk) == 0


def test_each_try_of_a_client_that_tries_again_is_a_call_of_its_own(desk: Desk, up: Upstream) -> None:
    up.behaves(dies="early")
    client = gpt(desk, up).with_options(max_retries=1)
    with desk.rail.session("support"), pytest.raises(openai.APIConnectionError):
        client.chat.completions.create(model="gpt-5", messages=HELLO)
    found = calls(desk)
    assert [(call.state, call.presumed) for call in found] == [(CallState.FAILED, True)] * 2
    assert spent(desk) == sum(call.bound_cost for call in found)


def test_what_provably_never_left_costs_nothing(desk: Desk) -> None:
    plain = openai.OpenAI(api_key="x", base_url="http://127.0.0.1:1/v1", max_retries=0)
    with desk.rail.session("support"), pytest.raises(openai.APIConnectionError):
        kept(desk.rail.meter(plain, upstream="openai")).chat.completions.create(model="gpt-5", messages=HELLO)
    [call] = calls(desk)
    assert (call.state, call.cost, call.presumed) == (CallState.FAILED, 0, False)


@pytest.mark.parametrize("stream", ["stream", "whole"])
@pytest.mark.parametrize("usage", [None, "none"])
def test_an_answer_that_does_not_say_what_it_used_is_presumed_spent(
    desk: Desk, up: Upstream, usage: Any, stream: str
) -> None:
    up.behaves(usage=usage)
    with desk.rail.session("support"):
        answer: Any = gpt(desk, up).chat.completions.create(
            model="gpt-5", messages=HELLO, stream=stream == "stream"
        )
        assert list(answer)
    [call] = calls(desk)
    assert (call.state, call.presumed, call.cost) == (CallState.DONE, True, call.bound_cost)
    assert spent(desk) == call.bound_cost


@pytest.mark.parametrize("stream", ["stream", "whole"])
def test_an_answer_that_breaks_off_is_presumed_spent(desk: Desk, up: Upstream, stream: str) -> None:
    up.behaves(dies="middle")
    client = gpt(desk, up).with_options(max_retries=0)
    with desk.rail.session("support"), pytest.raises((openai.APIConnectionError, httpx2.HTTPError)):
        list(client.chat.completions.create(model="gpt-5", messages=HELLO, stream=stream == "stream"))
    [call] = calls(desk)
    assert (call.state, call.presumed, call.cost) == (CallState.FAILED, True, call.bound_cost)
    assert spent(desk) == call.bound_cost


def test_a_stream_that_is_closed_early_is_settled_and_presumed_spent(desk: Desk, up: Upstream) -> None:
    with desk.rail.session("support"):
        stream = gpt(desk, up).chat.completions.create(model="gpt-5", messages=HELLO, stream=True)
        next(iter(stream))
        stream.close()
    [call] = calls(desk)
    assert (call.state, call.presumed) == (CallState.FAILED, True)
    assert not desk.app.engine.calling.running


def test_a_halt_cuts_a_stream_off_and_the_next_call_is_refused(desk: Desk, up: Upstream) -> None:
    go = threading.Event()
    up.behaves(waits=go, writes=50)
    client = gpt(desk, up)
    with desk.rail.session("support"):
        stream = iter(client.chat.completions.create(model="gpt-5", messages=HELLO, stream=True))
        next(stream)
        halt(desk.app.engine, "odd", "ops")
        desk.app.engine.refresh()
        go.set()
        with pytest.raises(ModelRefused, match="stopped: odd"):
            list(stream)
        with pytest.raises(ModelRefused, match="stopped: odd"):
            client.chat.completions.create(model="gpt-5", messages=HELLO)
    [call] = calls(desk)
    assert (call.state, call.presumed) == (CallState.FAILED, True)
    assert len(up.asked) == 1


@pytest.mark.parametrize("outer", [False, True])
def test_a_held_session_loses_its_stream_and_another_keeps_its_own(
    desk: Desk, up: Upstream, monkeypatch: pytest.MonkeyPatch, *, outer: bool
) -> None:
    monkeypatch.setattr(model_stops, "LOOK_EVERY", 0.0)
    go = threading.Event()
    client = gpt(desk, up)

    def begun(stack: ExitStack) -> tuple[str, Iterator[object]]:
        around = stack.enter_context(desk.rail.session("support"))
        up.behaves()
        client.chat.completions.create(model="gpt-5", messages=HELLO)
        up.behaves(waits=go, writes=50)
        session = stack.enter_context(desk.rail.session("support"))
        stream = iter(client.chat.completions.create(model="gpt-5", messages=HELLO, stream=True))
        next(stream)
        return around.id if outer else session.id, stream

    runs = [(copy_context(), ExitStack()) for _ in range(2)]
    (name, cut), (_, twin) = (context.run(begun, stack) for context, stack in runs)
    hold(desk.app.engine, name, "it goes in circles", "ops")
    go.set()
    with pytest.raises(ModelRefused, match="it goes in circles"):
        list(cut)
    assert list(twin)
    for context, stack in runs:
        context.run(stack.close)
    assert [call.presumed for call in calls(desk)].count(True) == 1


def test_what_went_out_and_came_back_is_kept(desk: Desk, up: Upstream) -> None:
    with desk.rail.session("support"):
        gpt(desk, up).chat.completions.create(model="gpt-5", messages=HELLO, stream=True).close()
        answer = gpt(desk, up).chat.completions.create(model="gpt-5", messages=HELLO)
    engine = desk.app.engine
    _, shown = desk.app.store.read(lambda tx: prompt_of(engine, tx, calls(desk)[-1].id))
    assert json.loads(shown.request or "")["messages"] == HELLO
    assert (answer.choices[0].message.content or "?") in (shown.response or "")


def test_a_session_inside_another_spends_what_that_one_has(desk: Desk, up: Upstream) -> None:
    with desk.rail.session("support") as outer, desk.rail.session("support") as inner:
        gpt(desk, up).chat.completions.create(model="gpt-5", messages=HELLO)
    known = desk.app.store.read(lambda tx: tx.sessions.get(inner.id))
    assert known is not None
    assert known.root == outer.id


def test_only_clients_that_are_known_are_metered_and_each_once(desk: Desk, up: Upstream) -> None:
    client = gpt(desk, up)
    with pytest.raises(handrail.BadArguments, match="metered already"):
        desk.rail.meter(client, upstream="openai")
    with pytest.raises(handrail.BadArguments, match="metered already"):
        desk.rail.meter(client.with_options(timeout=1), upstream="openai")
    with pytest.raises(handrail.BadArguments, match="can't be metered; expected"):
        desk.rail.meter(object())
    with pytest.raises(handrail.BadArguments, match=r'upstream="local"'):
        desk.rail.meter(openai.OpenAI(api_key="x", base_url=up.url))
    assert type(desk.rail.meter(openai.OpenAI(api_key="x"))) is openai.OpenAI
    assert type(desk.rail.meter(anthropic.AsyncAnthropic(api_key="x"))) is anthropic.AsyncAnthropic


def test_a_rail_that_talks_to_a_server_says_that_the_gateway_meters(tmp_path: Path) -> None:
    rail = handrail.connect("https://handrail.example.com", key="hr_a_x_" + "0" * 64)
    with pytest.raises(handrail.Refused, match="model gateway"):
        rail.meter(openai.OpenAI(api_key="x"))
    rail.close()
