"""A server runs what people approved, by itself and once; what is halted waits for the end of the halt."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

import handrail
from handrail.engine.restrict import halt, lift
from handrail.engine.serve_tools import run_approved
from handrail.words.entry import Kind
from handrail.words.lifecycle import State
from tests.integration.engine.asking import held, refund
from tests.integration.engine.conftest import Open
from tests.support.rail import HEAD, LEAD, Desk


def approved(desk: Desk, order: str = "o-1") -> str:
    """An approved refund that its agent does not wait for."""
    action = held(desk, order=order)
    desk.vote(action, LEAD)
    return action


def test_what_is_approved_runs_once_and_what_still_waits_does_not(desk: Desk) -> None:
    done, waits = approved(desk), held(desk, order="o-2")
    assert run_approved(desk.app.engine) == 1
    assert run_approved(desk.app.engine) == 0
    assert (desk.action(done).state, desk.action(waits).state) == (State.DONE, State.HELD)
    assert desk.rail.resume(done) == ["o-1", 150.0, ""]


@pytest.mark.parametrize("scope", [{}, {"agent": "support"}, {"tool": "refund"}])
def test_what_is_halted_stays_approved_and_runs_once_that_is_lifted(
    desk: Desk, scope: dict[str, str]
) -> None:
    """A recheck under a halt would refuse it for good."""
    action = approved(desk)
    thrown, _ = halt(desk.app.engine, "odd", HEAD, **scope)
    assert run_approved(desk.app.engine) == 0
    assert desk.action(action).state is State.APPROVED
    lift(desk.app.engine, thrown, "well", HEAD)
    assert run_approved(desk.app.engine) == 1
    assert desk.action(action).state is State.DONE


def test_two_servers_run_each_approved_action_once(shared_url: str, open_desk: Open) -> None:
    one, two = open_desk(shared_url), open_desk(shared_url)
    actions = [approved(one, f"o-{number}") for number in range(12)]
    refund(two, 1)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda desk: run_approved(desk.app.engine), [one, two, one, two]))
    assert {one.action(each).state for each in actions} == {State.DONE}
    assert {one.kinds(each).count(Kind.INTENDED) for each in actions} == {1}


def test_a_tool_that_fails_is_settled_and_the_next_one_runs(desk: Desk) -> None:
    @desk.rail.tool(name="refund")
    async def _refund(order: str, amount: float, reason: str = "") -> str:
        if order == "broken":
            raise ValueError(order)
        return order

    async def ask(order: str) -> str:
        with desk.rail.session("support", task="t"), pytest.raises(handrail.Held) as raised:
            await _refund(order, 150)
        desk.vote(raised.value.action_id, LEAD)
        return raised.value.action_id

    broken, whole = asyncio.run(ask("broken")), asyncio.run(ask("whole"))
    assert run_approved(desk.app.engine) == 2
    assert (desk.action(broken).state, desk.action(whole).state) == (State.FAILED, State.DONE)
