"""The demo with a real model's API in place of the script, played by stubs that speak as the providers do."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from handrail.demo.folder import prepared
from handrail.demo.ledger import Fate
from handrail.demo.office import opened
from handrail.demo.providers import upstreams
from handrail.demo.run import Headless
from tests.support.demo import INBOX, Ran, headless
from tests.unit.demo.stubs import KEY, anthropic, openai, serving

SURE = {"confidence": 0.95, "rationale": "It is plain."}
SCRIPT = [
    [{"name": "find_customer", "args": {"email": "aoife.brennan@mailbox.example", **SURE}}],
    [{"name": "escalate_ticket", "args": {"ticket_id": "t-101", "team": "support", "note": "hm", **SURE}}],
]
BOTH = pytest.mark.parametrize(
    ("api", "key", "base", "path"),
    [
        (openai, "OPENAI_API_KEY", "OPENAI_BASE_URL", "/v1"),
        (anthropic, "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", ""),
    ],
    ids=["openai", "anthropic"],
)


@pytest.fixture
def patient(no_keys: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """However slow the machine is, the model sees the whole inbox."""
    no_keys.setattr(Headless, "model_seconds", 900.0)
    return no_keys


@BOTH
def test_a_real_model_plays_the_agents_when_a_key_is_set(
    patient: pytest.MonkeyPatch, tmp_path: Path, api: Callable[..., Any], key: str, base: str, path: str
) -> None:
    """Every ticket goes through the model and the rail; its calls for another ticket are refused."""
    patient.setenv(key, KEY)
    with serving(api(SCRIPT)) as address:
        patient.setenv(base, address + path)
        ran = headless(tmp_path / "demo")
    assert ran.code == 0
    _metered(ran, key.partition("_")[0].lower())
    rows = ran.rows()
    assert len(rows) == 2 * len(INBOX)
    escalated = Counter((row.fate, row.rules) for row in rows if row.tool == "escalate_ticket")
    assert escalated == {(Fate.ALONE, ()): 1, (Fate.REFUSED, ("other-ticket",)): len(INBOX) - 1}
    assert "played by OpenAI's" in ran.text or "played by Anthropic's" in ran.text


def _metered(ran: Ran, upstream: str) -> None:
    """Three turns for each ticket, each an agent's own call, priced by the list and kept with its prompt."""
    [(count, cost)] = ran.store(
        "select count(*), sum(c.cost) from model_calls c"
        " join keys k on k.id = c.via join prompts p on p.call = c.id"
        f" where c.upstream = '{upstream}' and c.state = 'done' and not c.presumed and c.cost > 0"
        " and c.agent = k.agents ->> 0 and length(p.request) > 0 and length(p.response) > 0"
    )
    assert count == 3 * len(INBOX)
    assert ran.store("select count(*), sum(cost) from model_calls") == [(count, cost)]
    assert ran.store("select used from budget_windows where budget = 'models'") == [(cost,)]
    assert f"Models: {count} calls cost €{cost / 1e9:.2f}, each in the ledger to the cent.\n" in ran.text
    assert "costs real money" in ran.text
    assert KEY not in ran.text


@BOTH
def test_a_model_for_which_no_budget_has_room_leaves_the_rest_to_people(
    patient: pytest.MonkeyPatch, tmp_path: Path, api: Callable[..., Any], key: str, base: str, path: str
) -> None:
    """An upstream that says it used a lot: once the day's money is spent, every ticket is handed over."""
    patient.setenv(key, KEY)
    honest = api(SCRIPT)

    def dear(*request: Any) -> Any:
        status, answer = honest(*request)
        return status, {**answer, "usage": {name: 100 * much for name, much in answer["usage"].items()}}

    with serving(dear) as address:
        patient.setenv(base, address + path)
        ran = headless(tmp_path / "demo")
    assert ran.code == 0
    flat = re.sub(r"\s+", " ", ran.text)
    assert "ask the model once more refused" in flat
    assert "takes over from here" not in flat
    [(notes,)] = ran.books("select count(*) from ticket_notes where note like '%of the budget models%'")
    assert notes > len(INBOX) / 2


def test_no_agent_has_the_providers_key(no_keys: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only the server's upstream is told of it: an agent's call has the agent's key."""
    no_keys.setenv("OPENAI_API_KEY", KEY)
    with serving(openai(SCRIPT)) as address, prepared(tmp_path / "demo") as folder:
        no_keys.setenv("OPENAI_BASE_URL", f"{address}/v1")
        inbox = tuple(INBOX.values())
        with opened(folder, inbox, upstreams(os.environ)) as office:
            line = office.lines["desk"]
            assert KEY not in line._client.headers["authorization"]
            _, ask = line.open("desk", inbox[0].id)
            body = {"model": "gpt-5-mini", "messages": [{"role": "system", "content": "Hello"}], "tools": []}
            assert ask("openai/v1/chat/completions", body)["choices"]


def test_a_model_that_fails_is_replaced_out_loud(no_keys: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With a wrong key the demo says what the provider said, and that the script takes over."""
    no_keys.setenv("OPENAI_API_KEY", "sk-wrong")
    with serving(openai(SCRIPT)) as address:
        no_keys.setenv("OPENAI_BASE_URL", f"{address}/v1")
        ran = headless(tmp_path / "demo")
    assert ran.code == 0
    flat = re.sub(r"\s+", " ", ran.text)
    assert "answered 401" in flat
    assert "The scripted agent takes over from here. No real model is called and nothing is spent" in flat
    assert "Nothing of it was spent: the model is a stand-in." in flat
    assert ran.store("select sum(cost) from model_calls where upstream = 'openai'") == [(0,)]
    assert "sk-wrong" not in ran.text
    assert {row.fate for row in ran.rows()} >= {Fate.ALONE, Fate.ASKED, Fate.REFUSED}
