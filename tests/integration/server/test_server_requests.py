"""Requests that arrive twice, odd and hostile: one action each, one leave to run, and no 500."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from handrail.engine.ids import new_id
from tests.support.agent import V1, Agent, agent, found
from tests.support.server import Served, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("sceptic")) as running:
        yield running


@pytest.fixture(scope="module")
def support(server: Served) -> Iterator[Agent]:
    with server.with_key("support") as client:
        yield agent(client)


def test_the_same_proposal_twice_at_the_same_moment_is_one_action_for_both(support: Agent) -> None:
    for number in range(5):
        name = new_id()
        with ThreadPoolExecutor(4) as pool:
            several = list(
                pool.map(lambda _, n=name, o=number: support.propose(order=f"o-{o}", id=n), range(4))
            )
        made = [found(each, 201) for each in several]
        assert {each["id"] for each in made} == {name}
        assert {each["run"]["token"] for each in made} == {made[0]["run"]["token"]}


def test_an_id_of_another_action_is_a_conflict(support: Agent) -> None:
    made = support.proposed(id=new_id())
    other = support.propose(order="another", id=made["id"])
    assert (other.status_code, "another action" in other.json()["detail"]) == (409, True)
    assert support.proposed(id=made["id"])["run"] == made["run"]


def test_an_output_with_a_number_that_nobody_can_read_is_refused_and_can_be_reported_otherwise(
    support: Agent,
) -> None:
    made = support.proposed()
    body = f'{{"token": "{made["run"]["token"]}", "state": "done", "output": {"9" * 5_000}}}'
    headers = {"content-type": "application/json"}
    refused = support.client.post(f"{V1}/actions/{made['id']}/outcome", content=body, headers=headers)
    assert (refused.status_code, "can't be read" in refused.json()["detail"]) == (422, True)
    assert found(support.report(made, output="9" * 5_000))["state"] == "done"
