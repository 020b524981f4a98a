"""A halt and what runs already: an async tool that allows it is cancelled, every other goes on to its end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

import handrail
from handrail.engine import jobs
from handrail.engine.restrict import halt
from handrail.ports import Store
from handrail.words.entry import Kind
from handrail.words.lifecycle import State
from tests.support.rail import LEASE, POLICY, Desk

LONG = 120.0
Open = Callable[..., Desk]


def stopped(desk: Desk, tool: str | None, by: Callable[[], object], *, cancel: bool = True) -> Any:
    """Run a tool that ends only when it is cancelled, halt ``tool`` meanwhile, look as ``by`` does."""
    started, go = threading.Event(), threading.Event()

    @desk.rail.tool(cancel=cancel)
    async def note(text: str) -> str:
        started.set()
        while not go.is_set():  # noqa: ASYNC110 - a thread sets it
            await asyncio.sleep(0.01)
        return text

    def throw() -> None:
        assert started.wait(LONG)
        halt(desk.app.engine, "it misbehaves", "ops@example.com", tool=tool)
        by()
        if not cancel or tool == "find":
            go.set()

    thrower = threading.Thread(target=throw)
    thrower.start()
    try:
        with desk.rail.session("support"):
            return asyncio.run(note("x"))
    finally:
        thrower.join()


@pytest.mark.parametrize("tool", [None, "note"])
def test_a_tool_that_may_be_cancelled_stops_and_its_effect_counts_as_possible(
    desk: Desk, tool: str | None
) -> None:
    with pytest.raises(handrail.ToolFailed, match="stopped by a halt while it ran") as told:
        stopped(desk, tool, lambda: jobs.stop_halted(desk.app.engine))
    action = desk.action(told.value.action_id)
    assert action.state is State.FAILED
    assert desk.body(action.id, Kind.FAILED)["nothing_done"] is False
    assert desk.used() == 1
    assert desk.app.engine.cancels == {}


@pytest.mark.parametrize(("tool", "cancel"), [("find", True), ("note", False)])
def test_what_a_halt_does_not_cover_or_may_not_be_cancelled_runs_to_its_end(
    one_desk: Desk, tool: str, *, cancel: bool
) -> None:
    engine = one_desk.app.engine
    assert stopped(one_desk, tool, lambda: jobs.stop_halted(engine), cancel=cancel) == "x"
    assert [action.state for action in one_desk.actions()] == [State.DONE]


def test_the_keeper_sees_the_halt_of_another_process_by_itself(shared_url: str, open_desk: Open) -> None:
    desk = open_desk(shared_url, POLICY, LEASE, keeper=True)
    with pytest.raises(handrail.ToolFailed):
        stopped(desk, None, lambda: None)


def test_the_callers_own_task_is_not_cancelled_and_goes_on(one_desk: Desk) -> None:
    async def main() -> str:
        @one_desk.rail.tool(cancel=True)
        async def note(text: str) -> None:
            halt(one_desk.app.engine, "stop", "ops@example.com", tool="note")
            jobs.stop_halted(one_desk.app.engine)
            await asyncio.Event().wait()

        with pytest.raises(handrail.ToolFailed):
            await note("x")
        await asyncio.sleep(0)
        return "went on"

    with one_desk.rail.session("support"):
        assert asyncio.run(main()) == "went on"


def test_a_caller_that_is_cancelled_is_cancelled_also_where_a_halt_came_too(one_desk: Desk) -> None:
    async def main() -> None:
        started = asyncio.Event()

        @one_desk.rail.tool(cancel=True)
        async def note(text: str) -> None:
            started.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(note("x"))
        await started.wait()
        task.cancel()
        for stop in one_desk.app.engine.cancels.values():
            stop()
        with pytest.raises(asyncio.CancelledError):
            await task

    with one_desk.rail.session("support"):
        asyncio.run(main())
    assert [action.state for action in one_desk.actions()] == [State.FAILED]


def test_only_an_async_tool_can_be_cancelled(one_desk: Desk) -> None:
    def note(text: str) -> None: ...

    with pytest.raises(TypeError, match="note is not async"):
        one_desk.rail.tool(cancel=True)(note)
    assert one_desk.rail.tool(note) is not None


def test_waiting_ends_when_the_answer_comes(shared_url: str, open_desk: Open) -> None:
    asking, answering = open_desk(shared_url), open_desk(shared_url)

    @asking.rail.tool
    def refund(order: str, amount: float, reason: str = "") -> str:
        return "ok"

    with asking.rail.session("support"), pytest.raises(handrail.Held) as held:
        refund("o-1", 150)
    action = held.value.action_id
    assert asking.rail.wait(action, 0.05).state is State.HELD
    found: list[State] = []
    waiting = [
        threading.Thread(target=lambda: found.append(asking.rail.wait(action, LONG).state)) for _ in range(3)
    ]
    for each in waiting:
        each.start()
    answering.vote(action)
    for each in waiting:
        each.join(LONG)
    assert found == [State.APPROVED] * 3
    assert asyncio.run(asking.rail.wait_async(action, LONG)).state is State.APPROVED


def test_commits_are_announced_to_other_processes(shared_url: str, open_desk: Open) -> None:
    desk, other = open_desk(shared_url, POLICY, LEASE, keeper=True), open_desk(shared_url)
    store: Store = other.app.store
    news = store.news()

    @desk.rail.tool
    def find(order: str) -> str:
        return order

    try:
        with desk.rail.session("support"):
            find("o-1")
        assert news.wait(LONG)
    finally:
        news.close()


def test_an_embedded_rail_takes_no_session_that_a_server_opened(one_desk: Desk) -> None:
    with pytest.raises(handrail.Refused, match="opens its sessions itself"):
        one_desk.rail.session("support", opened=("f" * 28, "token"))
    with one_desk.rail.session("support") as session:
        assert session.token is None
