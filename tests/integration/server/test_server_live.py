"""Live news: streams that resume without loss or repeat, over restarts and from server to server."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

from handrail.words.person import Role
from tests.support.agent import ASKS, HUGE, V1, Agent, Sent, agent, found, vote
from tests.support.rail import LEAD
from tests.support.server import SECONDS, served
from tests.support.streams import stream


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str | None:
    return str(request.getfixturevalue("postgres_database")) if request.param == "postgres" else None


def newest(client: httpx.Client) -> list[int]:
    """The numbers of every entry, in order."""
    seen: list[int] = []
    cursor = None
    while True:
        params = {"limit": "200"} | ({"cursor": cursor} if cursor else {})
        page = found(client.get(f"{V1}/entries", params=params))
        seen += [each["seq"] for each in page["items"]]
        cursor = page["next"]
        if cursor is None:
            return sorted(seen)


def test_a_stream_tells_what_happens_from_now_on(tmp_path: Path, database: str | None) -> None:
    with served(tmp_path, database=database) as server, server.with_key() as key:
        support = agent(key)
        support.proposed(HUGE)
        with server.signed_in() as viewer, stream(viewer) as seen:
            made = support.proposed(HUGE + 1)
            first, second = next(seen), next(seen)
        assert [first.kind, second.kind] == ["proposed", "decided"]
        assert {first.entry["action"], second.entry["action"]} == {made["id"]}
        assert first.entry["body"]["input"]["amount"] == HUGE + 1


def test_a_filter_lets_only_what_was_asked_for_through(tmp_path: Path) -> None:
    with served(tmp_path) as server, server.with_key() as key, server.signed_in() as viewer:
        support = agent(key)
        with stream(viewer, kind="decided", agent="support", tool="refund") as seen:
            support.proposed(HUGE)
            found(support.client.post(f"{V1}/sessions", json={"task": "another"}), 201)
            support.proposed(HUGE + 1)
            assert [next(seen).kind, next(seen).kind] == ["decided", "decided"]


def test_a_stream_goes_on_after_the_last_event_without_loss_or_repeat(
    tmp_path: Path, database: str | None
) -> None:
    with served(tmp_path, database=database) as server, server.with_key() as key:
        support = agent(key)
        with server.signed_in() as viewer:
            with stream(viewer) as seen:
                support.proposed(HUGE)
                last = next(seen).id
            for each in range(20):
                support.proposed(HUGE + each)
            with stream(viewer, last) as seen:
                support.proposed(HUGE + 50)
                after = [next(seen).entry["seq"] for _ in range(1 + 2 * 20 + 2)]
            every = newest(viewer)
    assert after == every[-len(after) :]


def test_streams_follow_over_a_restart_of_the_server(tmp_path: Path, database: str | None) -> None:
    told: list[Sent] = []
    with ExitStack() as first:
        server = first.enter_context(served(tmp_path, database=database))
        support = agent(first.enter_context(server.with_key()))
        viewer = first.enter_context(server.signed_in())
        with stream(viewer) as seen:
            support.proposed(HUGE)
            told.append(next(seen))
            server.stop(signal.SIGKILL)
            with suppress(httpx.HTTPError):
                told.extend(seen)
    with served(tmp_path, database=database) as server, server.with_key() as key:
        Agent(key, support.binding, support.session).proposed(HUGE + 1)
        with server.signed_in() as viewer, stream(viewer, told[-1].id) as seen:
            every = newest(viewer)
            wanted = [seq for seq in every if seq >= told[0].entry["seq"]]
            told.extend(next(seen) for _ in range(len(wanted) - len(told)))
    assert [each.entry["seq"] for each in told] == wanted


def test_streams_and_waiters_end_at_once_when_the_server_stops(tmp_path: Path) -> None:
    with served(tmp_path) as server, server.with_key() as key, server.signed_in() as viewer:
        support = agent(key)
        made = support.proposed(ASKS)
        states: list[str] = []
        waiter = threading.Thread(target=lambda: states.append(support.action(made["id"], 60)["state"]))
        with stream(viewer) as seen:
            waiter.start()
            support.client.get(f"{V1}/actions")
            assert server.stop() == 0
            with suppress(httpx.RemoteProtocolError):
                assert list(seen) == []
        waiter.join(SECONDS)
        assert states in ([], ["held"])


def test_a_stream_is_for_people_and_goes_on_only_after_what_was_an_event(tmp_path: Path) -> None:
    with served(tmp_path) as server, server.signed_in() as admin:
        anonymous = httpx.get(f"{server.url}{V1}/stream")
        assert anonymous.status_code == 401
        with server.with_key() as key:
            assert key.get(f"{V1}/stream").status_code == 403
        bad = admin.get(f"{V1}/stream", headers={"last-event-id": "never"})
        assert bad.status_code == 422


def test_two_servers_on_one_store_tell_of_each_other(tmp_path: Path, postgres_database: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with (
        served(tmp_path / "a", database=postgres_database) as a,
        served(tmp_path / "b", database=postgres_database) as b,
        a.with_key() as key,
        b.signed_in(LEAD, Role.REVIEWER) as lead,
        stream(lead, kind="proposed") as seen,
    ):
        support = agent(key)
        made = support.proposed(ASKS)
        assert next(seen).entry["action"] == made["id"], "b tells what was proposed at a"
        answers: list[str] = []
        waiter = threading.Thread(target=lambda: answers.append(support.action(made["id"], 60)["state"]))
        waiter.start()
        found(vote(lead, made["id"]))
        waiter.join(120)
        assert answers == ["approved"], "who waits at a hears of an answer at b"
        started = found(support.start(made["id"]))
        with b.with_key() as other:
            elsewhere = Agent(other, support.binding, support.session)
            assert elsewhere.start(made["id"]).json()["run"] is None, "only one of them starts it"
            assert found(elsewhere.report(started))["state"] == "done"


def test_a_halt_at_one_server_holds_at_the_other_once_it_has_returned(
    tmp_path: Path, postgres_database: str
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with (
        served(tmp_path / "a", database=postgres_database) as a,
        served(tmp_path / "b", database=postgres_database) as b,
        a.with_key() as key,
        b.signed_in() as admin,
    ):
        support = agent(key)
        found(support.report(support.proposed()))
        halt = found(admin.post(f"{V1}/halts", json={"reason": "a test"}), 201)
        assert support.proposed()["state"] == "denied"
        found(admin.post(f"{V1}/halts/{halt['halt']['id']}/lift", json={"reason": "over"}))
        found(support.report(support.proposed()))


def test_a_key_that_was_revoked_at_one_server_is_refused_at_the_other(
    tmp_path: Path, postgres_database: str
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with (
        served(tmp_path / "a", database=postgres_database) as a,
        served(tmp_path / "b", database=postgres_database) as b,
        a.with_key() as key,
        b.signed_in() as admin,
    ):
        assert key.get(f"{V1}/actions").status_code == 200
        known = found(admin.get(f"{V1}/keys"))["items"][0]["id"]
        rotated = found(admin.post(f"{V1}/keys/{known}/rotate", json={"overlap": 60}))
        with httpx.Client(headers={"authorization": f"Bearer {rotated['secret']}"}) as newer:
            assert newer.get(f"{a.url}{V1}/actions").status_code == 200
            assert key.get(f"{V1}/actions").status_code == 200, "both work while they overlap"
            found(admin.post(f"{V1}/keys/{known}/revoke"))
            assert key.get(f"{V1}/actions").status_code == 401
            assert newer.get(f"{a.url}{V1}/actions").status_code == 200


def test_one_person_opens_so_many_streams_and_others_still_open_theirs(tmp_path: Path) -> None:
    with (
        served(tmp_path, env={"HANDRAIL_STREAMS": "2"}) as server,
        server.signed_in() as admin,
        server.signed_in(LEAD, Role.REVIEWER) as lead,
        server.with_key() as key,
        stream(admin),
    ):
        with stream(admin):
            for path in (f"{V1}/stream", "/live"):
                refused = admin.get(path, headers={"accept": "application/json"})
                assert refused.status_code == 429, path
                assert "2 streams of yours are open" in refused.text
            with stream(lead, kind="halted") as seen:
                made = admin.post(f"{V1}/halts", json={"reason": "It writes nonsense."})
                assert made.status_code == 201, (
                    "a full share of streams is in nobody's way to stop everything"
                )
                assert next(seen).kind == "halted"
        reopened(admin)
        assert key.get(f"{V1}/stream").status_code == 403


def reopened(client: httpx.Client) -> None:
    """Open a stream again, once the server has seen that another was left."""
    for _ in range(int(SECONDS * 10)):
        with client.stream("GET", f"{V1}/stream") as answer:
            if answer.status_code == 200:
                return
            assert answer.status_code == 429
        threading.Event().wait(0.1)
    raise AssertionError("a stream that was left is still counted")
