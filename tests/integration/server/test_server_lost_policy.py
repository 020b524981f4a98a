"""A running server whose active policy can't be read: people still see, reject, revoke and stop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from handrail.engine.questions.standings import asks_of, make_standing
from handrail.engine.restrict import activate
from handrail.policy.load import load
from handrail.words.person import Role
from tests.support.agent import ASKS, V1, Agent, agent, found, question, vote
from tests.support.rail import LEAD, POLICY, lose_policy
from tests.support.server import Served, served

HOUR = 3_600_000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as running:
        yield running


@pytest.fixture
def lead(server: Served) -> httpx.Client:
    return server.signed_in(LEAD, Role.REVIEWER)


@pytest.fixture
def bot(server: Served) -> Agent:
    return agent(server.with_key())


def standing(server: Served) -> str:
    """The lead's standing yes to one big refund."""
    with server.engine() as engine:
        engine.refresh()
        return make_standing(
            engine,
            agent="support",
            tool="refund",
            asks=frozenset({asks_of(engine.policy.policy, "refund")["ask:big"]}),
            when=None,
            actions=1,
            amount=1_000 * 10**9,
            expires_at=engine.clock() + HOUR,
            person=LEAD,
            reason="a recall",
            verified=False,
        ).id


def test_everything_that_restricts_goes_on_and_approving_waits_for_the_policy(
    server: Served, lead: httpx.Client, bot: Agent
) -> None:
    first, second = (bot.proposed(ASKS, order)["id"] for order in ("o-1", "o-2"))
    stands = standing(server)
    with server.engine() as engine:
        lose_policy(engine.store)
    refused = vote(lead, first)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
    assert "Rejecting and stopping still work." in refused.json()["detail"]
    assert found(vote(lead, first, "reject", reason="no"))["state"] == "rejected"
    assert lead.post(f"{V1}/standing-approvals/{stands}/revoke").is_success
    halted = found(lead.post(f"{V1}/halts", json={"reason": "nobody knows the rules"}), 201)["halt"]
    assert bot.propose(5).status_code == 503
    admin = server.signed_in()
    assert admin.post(f"{V1}/halts/{halted['id']}/lift", json={"reason": "well"}).is_success
    with server.engine() as engine:
        activate(engine, load(POLICY, "handrail.yaml"), "ops", "back", "0" * 64)
    assert found(vote(lead, second))["state"] == "approved"
    assert bot.proposed(5)["state"] == "running"


def test_the_pages_still_show_what_waits_and_what_is_stopped(
    server: Served, lead: httpx.Client, bot: Agent
) -> None:
    action = bot.proposed(ASKS)["id"]
    asked = question(lead, action)
    with server.engine() as engine:
        lose_policy(engine.store)
    assert found(lead.post(f"{V1}/halts", json={"reason": "nobody knows the rules"}), 201)
    for path in ("/questions", f"/questions/{asked['id']}", "/halts", "/standings"):
        page = lead.get(path)
        assert page.status_code == 200, (path, page.text)
        assert "nobody knows the rules" in page.text, path
    sent = lead.post(f"/questions/{asked['id']}/approve", data={"seen": asked["seen"]})
    assert sent.status_code == 303, sent.text
    assert "nothing is let run" in lead.get(f"/questions/{asked['id']}").text
    sent = lead.post(f"/questions/{asked['id']}/reject", data={"reason": "no", "seen": asked["seen"]})
    assert sent.status_code == 303, sent.text
    assert bot.action(action)["state"] == "rejected"
