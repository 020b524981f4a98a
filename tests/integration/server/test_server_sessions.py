"""Sessions over HTTP: opened inside one another, held and released."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handrail.words.person import Role
from tests.support.agent import SMALL, V1, Agent, agent, found
from tests.support.rail import LEAD
from tests.support.server import Served, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("sessions")
    with served(folder) as running:
        yield running


def test_a_session_inside_another_shares_its_task_and_is_held_with_it(server: Served) -> None:
    with server.with_key() as client, server.signed_in(LEAD, Role.REVIEWER) as lead:
        known = agent(client)
        around = {"session": known.session["id"], "session_token": known.session["token"]}
        inner = found(client.post(f"{V1}/sessions", json={"inside": around}), 201)
        assert inner["task"] == known.session["task"]
        wrong = client.post(f"{V1}/sessions", json={"inside": around, "task": "another"})
        assert found(wrong, 422)["detail"].startswith("a session inside another has the task of that one")
        forged = {**around, "session_token": inner["token"]}
        assert client.post(f"{V1}/sessions", json={"inside": forged}).status_code == 404
        path = f"{V1}/sessions/{known.session['id']}"
        assert client.post(f"{path}/hold", json={"reason": "me"}).status_code == 403
        assert found(lead.post(f"{path}/hold", json={"reason": "a look"}))["held_reason"] == "a look"
        assert found(lead.post(f"{path}/hold", json={"reason": "a look"}), 409)
        nested = Agent(client, known.binding, inner)
        refused = nested.proposed(SMALL, order="o-1")
        assert refused["state"] == "denied"
        assert "is held: a look" in refused["told"]
        assert found(client.post(f"{V1}/sessions", json={"inside": around}), 409)
        assert found(lead.post(f"{path}/release", json={"reason": "seen"}))["held_at"] is None
        assert nested.proposed(SMALL, order="o-2")["state"] == "running"
