"""A server is killed with held actions, votes in flight, open streams: nothing is lost, nothing doubled."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from handrail.app import open_store
from handrail.journal.verify import verify
from handrail.words.person import Role
from tests.support.agent import ASKS, V1, Agent, Sent, agent, found, question, vote
from tests.support.rail import LEAD
from tests.support.server import Served, served
from tests.support.streams import stream

HELD = 16


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str | None:
    return str(request.getfixturevalue("postgres_database")) if request.param == "postgres" else None


def test_a_killed_server_loses_no_answer_and_doubles_none(tmp_path: Path, database: str | None) -> None:
    told: list[Sent] = []
    with ExitStack() as stack:
        first = stack.enter_context(served(tmp_path, database=database))
        support = agent(stack.enter_context(first.with_key()))
        lead = stack.enter_context(first.signed_in(LEAD, Role.REVIEWER))
        held = [support.proposed(ASKS, order=f"o-{each}")["id"] for each in range(HELD)]
        asked = {action: question(lead, action) for action in held}
        with stream(lead) as seen:
            heard = threading.Event()
            follower = threading.Thread(target=follow, args=(seen, told, heard))
            follower.start()
            acknowledged = voted_until_killed(first, asked, dict(lead.cookies), heard)
            follower.join(120)
    with ExitStack() as stack:
        second = stack.enter_context(served(tmp_path, database=database))
        again = Agent(stack.enter_context(second.with_key()), support.binding, support.session)
        lead = stack.enter_context(second.signed_in(LEAD, Role.REVIEWER))
        states = {action: again.action(action)["state"] for action in held}
        assert set(states.values()) <= {"held", "approved"}
        assert {action for action in acknowledged if states[action] != "approved"} == set()
        for action, state in states.items():
            if state == "held":
                found(vote(lead, action))
        ran = started_by_two(second, again, held)
        assert ran == dict.fromkeys(held, 1)
        kinds = Counter((each["action"], each["kind"]) for each in entries(lead))
        for action in held:
            assert [kinds[action, kind] for kind in ("asked", "voted", "approved", "intended")] == [1] * 4
        told_once(told, lead)
    checked(second)


def voted_until_killed(
    server: Served, asked: dict[str, Any], cookies: dict[str, str], heard: threading.Event
) -> set[str]:
    """Answer every question, from four sides at once, and kill the server once it was heard; what it took."""
    acknowledged: set[str] = set()
    half = threading.Event()

    def answer(action: str) -> None:
        headers = {"origin": server.url}
        with suppress(httpx.HTTPError), httpx.Client(cookies=cookies, headers=headers) as client:
            body = {"choice": "approve", "seen": asked[action]["seen"]}
            path = f"{server.url}{V1}/approvals/{asked[action]['id']}/vote"
            if client.post(path, json=body).status_code == 200:
                acknowledged.add(action)
            if len(acknowledged) >= HELD // 4:
                half.set()

    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(answer, action) for action in asked]
        assert half.wait(120)
        assert heard.wait(120), "the stream told something before the server died"
        server.stop(signal.SIGKILL)
        for each in answers:
            each.result()
    return acknowledged


def follow(seen: Any, told: list[Sent], heard: threading.Event) -> None:
    with suppress(httpx.HTTPError):
        for each in seen:
            told.append(each)
            heard.set()


def started_by_two(server: Served, support: Agent, actions: list[str]) -> dict[str, int]:
    """How often each action was started, when two processes of the agent try at once."""
    ran: Counter[str] = Counter()

    def start(action: str) -> None:
        started = found(support.start(action))
        if started["run"] is not None:
            ran[action] += 1
            found(support.report(started))

    with ThreadPoolExecutor(4) as pool:
        for each in [pool.submit(start, action) for action in actions * 2]:
            each.result()
    return dict(ran)


def entries(client: httpx.Client) -> list[dict[str, Any]]:
    """Every entry, newest first."""
    items: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        params = {"limit": "200"} | ({"cursor": cursor} if cursor else {})
        page = found(client.get(f"{V1}/entries", params=params))
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            return items


def told_once(told: list[Sent], client: httpx.Client) -> None:
    """What the stream told before the server died and goes on with after it is every entry, each once."""
    with stream(client, "0.0") as seen:
        order = [next(seen).entry["seq"] for _ in entries(client)]
    begun = [each.entry["seq"] for each in told]
    wanted = order[order.index(begun[0]) :]
    with stream(client, told[-1].id) as seen:
        begun += [next(seen).entry["seq"] for _ in range(len(wanted) - len(begun))]
    assert begun == wanted


def checked(server: Served) -> None:
    """The journal still proves that nothing was altered."""
    store = open_store(server.database)
    streams = store.audit()
    try:
        report = verify(streams.entries(), streams.leaves, streams.heads())
    finally:
        streams.close()
        store.close()
    assert report.ok, report
