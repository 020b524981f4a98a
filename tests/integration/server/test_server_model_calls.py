"""Calls of models over the API and on the board: who may list, who may read, and what follows what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handrail.engine.ids import new_id
from handrail.engine.models.prompts import packed
from handrail.ports import Commit, Transaction
from handrail.words.model_call import CallState, ModelCall, Prompt, Usage
from handrail.words.payload import Payload
from handrail.words.person import Role
from tests.contract.model_things import model_call
from tests.contract.things import SOON, action
from tests.support.server import VIEWER, Served, served

CALLS = "/api/v1/model-calls"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("calls")
    with served(folder) as running:
        yield running


@pytest.fixture(scope="module")
def calls(server: Served) -> list[ModelCall]:
    """Two calls with an action between them, and one of another agent."""
    made = [
        model_call(id=new_id(), session="run-1", asked_at=SOON - 9_000),
        model_call(id=new_id(), session="run-1", asked_at=SOON - 5_000),
        model_call(id=new_id(), session="run-2", agent="sales", task="t-2", model="gpt-5", asked_at=SOON),
    ]

    def work(tx: Transaction) -> None:
        for call, said in zip(made, ("find the parcel", "refund it", "write an offer"), strict=True):
            tx.model_calls.add(call)
            request, _ = packed(engine.recorder, "request", f'{{"input": "{said}"}}'.encode())
            tx.prompts.add(Prompt(call.id, request))
        ended = {"state": CallState.DONE, "ended_at": SOON - 8_000, "cost": 1_250_000, "status": 200}
        told = model_call(**{**_fields(made[0]), **ended, "usage": Usage(input=812, output=90)})
        tx.model_calls.finish(told)

    with server.engine() as engine:
        engine.store.write(Commit.MODEL_CLAIM, work)
    return made


def _fields(call: ModelCall) -> dict[str, object]:
    return {name: getattr(call, name) for name in ("id", "session", "asked_at")}


def test_everyone_who_may_look_lists_calls_by_what_they_were(server: Served, calls: list[ModelCall]) -> None:
    viewer = server.signed_in(VIEWER, Role.VIEWER)
    ids = [call.id for call in calls]
    for query, wanted in (
        ({}, ids[::-1]),
        ({"agent": "sales"}, ids[2:]),
        ({"session": "run-1"}, ids[1::-1]),
        ({"task": "t-2"}, ids[2:]),
        ({"model": "gpt-5-mini"}, ids[1::-1]),
        ({"state": "done"}, ids[:1]),
        ({"since": SOON - 5_000, "until": SOON}, ids[1:2]),
    ):
        found = viewer.get(CALLS, params=query).raise_for_status().json()
        assert [each["id"] for each in found["items"]] == wanted, query
    first = viewer.get(CALLS, params={"limit": 2}).json()
    rest = viewer.get(CALLS, params={"limit": 2, "cursor": first["next"]}).json()
    assert ([each["id"] for each in rest["items"]], rest["next"]) == (ids[:1], None)


def test_a_call_tells_its_numbers_and_what_the_agent_did_next(server: Served, calls: list[ModelCall]) -> None:
    between = action(id=f"{int(calls[0].id[:16], 16) + 1:016x}{'0' * 12}", session="run-1", tool="refund")
    with server.engine() as engine:
        engine.store.write(Commit.PROPOSE, lambda tx: tx.actions.add(between, Payload("{}", None, "5" * 32)))
    viewer = server.signed_in(VIEWER, Role.VIEWER)
    found = viewer.get(f"{CALLS}/{calls[0].id}").raise_for_status().json()
    told = found["call"]
    assert (told["cost"], told["at_most"], told["milliseconds"]) == ("0.00125", "0.04", 1_000)
    assert (told["usage"], told["state"], told["presumed"]) == ({"input": 812, "output": 90}, "done", False)
    assert "token" not in told
    assert [(each["id"], each["tool"]) for each in found["followed"]] == [(between.id, "refund")]
    assert (found["before"], found["after"]) == (None, calls[1].id)
    page = viewer.get(f"/actions/{between.id}").raise_for_status().text
    assert f'href="/calls/{calls[0].id}"' in page
    line = viewer.get("/sessions/run-1").raise_for_status().text
    assert line.index(calls[0].id) < line.index(between.id) < line.index(calls[1].id)
    assert "902 tokens" in line


def test_what_was_said_is_read_and_searched_by_reviewers_alone(
    server: Served, calls: list[ModelCall]
) -> None:
    admin, viewer = server.signed_in(), server.signed_in(VIEWER, Role.VIEWER)
    agent = server.with_key("support")
    prompt = f"{CALLS}/{calls[0].id}/prompt"
    assert "find the parcel" in admin.get(prompt).raise_for_status().json()["request"]
    for other in (viewer, agent):
        assert other.get(prompt).status_code == 403
        assert other.get(CALLS, params={"text": "parcel"}).status_code == 403
    assert agent.get(f"{CALLS}/{calls[0].id}").status_code == 403
    found = admin.get(CALLS, params={"text": "the PARCEL"}).raise_for_status().json()
    assert [each["id"] for each in found["items"]] == [calls[0].id]
    assert admin.get(f"{CALLS}/{'0' * 28}/prompt").status_code == 404


def test_the_board_lists_searches_and_shows_calls(server: Served, calls: list[ModelCall]) -> None:
    admin, viewer = server.signed_in(), server.signed_in(VIEWER, Role.VIEWER)
    for path in ("/calls", "/calls/rows"):
        page = viewer.get(path).raise_for_status().text
        assert all(call.id in page for call in calls)
        # one who may not read what was said can't find out by searching
        assert all(call.id in viewer.get(path, params={"text": "parcel"}).text for call in calls)
    hits = admin.get("/calls", params={"text": "parcel"}).raise_for_status().text
    assert calls[0].id in hits
    assert calls[1].id not in hits
    for path in (f"/calls/{calls[0].id}", f"/calls/{calls[0].id}/now"):
        assert "find the parcel" in admin.get(path).raise_for_status().text
        seen = viewer.get(path).raise_for_status().text
        assert "find the parcel" not in seen
        assert "812 read" in seen
    assert admin.get(f"/calls/{'0' * 28}").status_code == 404
