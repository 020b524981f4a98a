"""The stand-in for a model: it says what the script says, counts tokens, and knows nothing else."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from handrail.demo import prompts
from handrail.demo.company import tickets
from handrail.demo.stand_in import DIFFERENTLY, MODEL, PATH, StandIn, serving, tokens

INBOX = {ticket.slug: ticket for ticket in tickets()}
STAND_IN = StandIn(INBOX.values())


def _said(slug: str, wish: str, **more: Any) -> dict[str, Any]:
    content = f"{prompts.mail(INBOX[slug])}\n\n{wish}"
    status, answer = STAND_IN.answer({"model": MODEL, "messages": [_message(content)], **more})
    assert status == 200, answer
    return answer


def _message(content: str) -> dict[str, str]:
    return {"role": "user", "content": content}


def _words(answer: dict[str, Any]) -> str:
    return str(answer["choices"][0]["message"]["content"])


def test_it_reads_a_mail_as_the_script_has_it() -> None:
    ticket = INBOX["moka-seal"]
    assert json.loads(_words(_said("moka-seal", prompts.READ))) == {
        "category": ticket.sees,
        "sure": ticket.sure,
    }


def test_it_writes_what_the_script_has_for_each_mail() -> None:
    assert _words(_said("broken-mugs", prompts.REPLY)) == INBOX["broken-mugs"].reply
    planned = next(step.args["body"] for step in INBOX["out-of-office"].steps)
    assert _words(_said("out-of-office", prompts.wanted("send_reply"))) == planned


def test_it_tells_what_a_person_decided_instead() -> None:
    said = _words(_said("broken-mugs", f"{prompts.DECIDED}EUR 9.00 paid back."))
    assert said == f"{DIFFERENTLY} EUR 9.00 paid back."


def test_its_tokens_are_counted_from_the_texts_and_are_the_same_each_time() -> None:
    answer = _said("broken-mugs", prompts.REPLY)
    content = f"{prompts.mail(INBOX['broken-mugs'])}\n\n{prompts.REPLY}"
    assert answer["usage"] == {
        "prompt_tokens": 4 + tokens(content),
        "completion_tokens": tokens(_words(answer)),
        "total_tokens": 4 + tokens(content) + tokens(_words(answer)),
    }
    assert answer == _said("broken-mugs", prompts.REPLY)
    assert tokens("żółw") == 2


def test_it_writes_no_more_than_it_may_and_says_so() -> None:
    short = _said("broken-mugs", prompts.REPLY, max_tokens=5)
    assert short["choices"][0]["finish_reason"] == "length"
    assert short["usage"]["completion_tokens"] == 5
    assert str(INBOX["broken-mugs"].reply).startswith(_words(short))
    assert _said("broken-mugs", prompts.REPLY, max_tokens=400)["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": []},
        {"messages": "hello"},
        {"messages": [{"role": "user"}]},
        {"messages": [_message("Ticket: t-0\n\nHello")]},
        {"messages": [_message(f"{prompts.mail(INBOX['broken-mugs'])}\n\nWrite a poem.")]},
        [],
    ],
)
def test_what_the_script_does_not_have_is_refused(body: Any) -> None:
    status, answer = STAND_IN.answer(body)
    assert (status, "knows only the demo's script" in answer["error"]["message"]) == (400, True)


def test_it_answers_on_this_machine_at_one_path() -> None:
    body = {"messages": [_message(f"{prompts.mail(INBOX['broken-mugs'])}\n\n{prompts.REPLY}")]}
    with serving(INBOX.values()) as url, httpx.Client(base_url=url, trust_env=False) as client:
        assert url.startswith("http://127.0.0.1:")
        said = client.post(PATH, json=body)
        assert _words(said.json()) == INBOX["broken-mugs"].reply
        assert client.post(PATH, content=b"{").status_code == 400
        assert client.post("/v1/embeddings", json=body).status_code == 404
        assert client.post(PATH, json=body).content == said.content
    with pytest.raises(httpx.ConnectError):
        httpx.post(url, json=body, trust_env=False)
