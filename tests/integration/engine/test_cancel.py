"""Cancelling an async caller wherever it waits: no write is half known, no effect is forgotten."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

import handrail
from handrail.ports import AuditStreams, Commit, News, Store, Transaction
from handrail.words.entry import Kind
from handrail.words.lifecycle import State
from tests.support.rail import Desk

SETTLED = {State.DONE, State.FAILED, State.HELD, State.APPROVED, State.DENIED}


@dataclass
class Tripwire:
    """The real store, which cancels a task around its n-th use and waits until it has."""

    store: Store
    trip_at: int
    after: bool
    task: asyncio.Task[Any] | None = None
    loop: asyncio.AbstractEventLoop | None = None
    count: int = 0
    tripped: Commit | str | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def write(self, commit: Commit, work: Callable[[Transaction], Any]) -> Any:
        return self._around(commit, lambda: self.store.write(commit, work))

    def restrict(self, commit: Commit, work: Callable[[Transaction], Any]) -> Any:
        return self._around(commit, lambda: self.store.restrict(commit, work))

    def read(self, work: Callable[[Transaction], Any]) -> Any:
        return self._around("read", lambda: self.store.read(work))

    @property
    def leases(self) -> bool:
        return self.store.leases

    def audit(self) -> AuditStreams:
        return self.store.audit()

    def news(self) -> News:
        return self.store.news()

    def close(self) -> None:
        self.store.close()

    def _around(self, name: Commit | str, act: Callable[[], Any]) -> Any:
        if name is Commit.SEAL or self.task is None:
            return act()
        with self.lock:
            mine = self.count == self.trip_at
            self.count += 1
        if mine and not self.after:
            self._trip(name)
        found = act()
        if mine and self.after:
            self._trip(name)
        return found

    def _trip(self, name: Commit | str) -> None:
        assert self.loop is not None
        assert self.task is not None
        self.tripped = name
        delivered = threading.Event()
        self.loop.call_soon_threadsafe(self.task.cancel)
        # two rounds of the loop: in the first the task is woken, in the second it has been
        self.loop.call_soon_threadsafe(lambda: asyncio.get_running_loop().call_soon(delivered.set))
        assert delivered.wait(120)


def run_cancelled(desk: Desk, call: Callable[[], Any], trip_at: int, *, after: bool) -> tuple[Tripwire, str]:
    """Run ``call`` and cancel it around its n-th use of the store; how it ended."""
    wire = Tripwire(desk.app.store, trip_at, after)
    desk.app.engine.store = wire

    async def main() -> str:
        wire.loop = asyncio.get_running_loop()
        wire.task = asyncio.ensure_future(call())
        done, _ = await asyncio.wait([wire.task])
        task = done.pop()
        if task.cancelled():
            return "cancelled"
        error = task.exception()
        return type(error).__name__ if error else "returned"

    try:
        return wire, asyncio.run(main())
    finally:
        desk.app.engine.store = desk.app.store


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_call_cancelled_around_any_use_of_the_store_is_settled_and_told(one_desk: Desk, when: str) -> None:
    effects: list[str] = []

    @one_desk.rail.tool
    async def offer(text: str) -> str:
        await asyncio.sleep(0)
        effects.append(text)
        return "sent"

    seen: list[Commit | str] = []
    for point in range(20):
        one_desk.app.engine.restrictions = type(one_desk.app.engine.restrictions)(0, None)
        before = len(one_desk.actions())
        effects.clear()
        with one_desk.rail.session("support", f"t{point}"):
            call = functools.partial(offer, f"m{point}")
            wire, ended = run_cancelled(one_desk, call, point, after=when == "after")
        if wire.tripped is None:
            assert ended == "returned"
            break
        seen.append(wire.tripped)
        assert ended == "cancelled"
        made = one_desk.actions()[before:]
        assert all(action.state in SETTLED for action in made)
        assert one_desk.app.engine.running == {}
        if effects:
            assert [action.state for action in made] == [State.DONE]
        elif made:
            [action] = made
            assert action.state is State.FAILED
            assert one_desk.body(action.id, Kind.FAILED)["nothing_done"] is True
    assert set(seen) == {"read", Commit.PROPOSE, Commit.SETTLE}


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_cancelled_call_that_never_began_gives_its_holds_back(one_desk: Desk, when: str) -> None:
    effects: list[str] = []

    @one_desk.rail.tool
    async def note(text: str) -> None:
        effects.append(text)

    with one_desk.rail.session("support"):
        asyncio.run(note("warm"))
        ended: dict[object, str] = {}
        while Commit.PROPOSE not in ended:
            wire, how = run_cancelled(one_desk, lambda: note("x"), len(ended), after=when == "after")
            ended[wire.tripped] = how
        assert set(ended.values()) == {"cancelled"}
    assert effects == ["warm"]
    assert one_desk.used() == 1


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_resume_cancelled_around_any_use_of_the_store_runs_once_or_can_be_resumed(
    one_desk: Desk,
    kind: str,
    when: str,
) -> None:
    effects: list[str] = []

    if kind == "sync":

        @one_desk.rail.tool
        def refund(order: str, amount: float, reason: str = "") -> None:
            effects.append(order)

        propose: Callable[[str], Any] = lambda order: refund(order, 150)  # noqa: E731
    else:

        @one_desk.rail.tool(name="refund")
        async def refund_async(order: str, amount: float, reason: str = "") -> None:
            effects.append(order)

        propose = lambda order: asyncio.run(refund_async(order, 150))  # noqa: E731

    engine = one_desk.app.engine
    for point in range(20):
        effects.clear()
        with one_desk.rail.session("support", f"t{point}"), pytest.raises(handrail.Held) as held:
            propose(f"o{point}")
        action = held.value.action_id
        one_desk.vote(action)
        call = functools.partial(one_desk.rail.resume_async, action)
        wire, ended = run_cancelled(one_desk, call, point, after=when == "after")
        if wire.tripped is None:
            assert ended == "returned"
            assert point > 4
            break
        assert ended == "cancelled"
        state = one_desk.action(action).state
        assert state in {State.APPROVED, State.DONE, State.FAILED}
        assert len(effects) == (state is State.DONE)
        if state is State.APPROVED:
            asyncio.run(one_desk.rail.resume_async(action))
            assert len(effects) == 1
    assert engine.running == {}


def test_a_tool_that_is_cancelled_while_it_waits_is_failed_with_its_effect_unknown(desk: Desk) -> None:
    @desk.rail.tool
    async def note(text: str) -> None:
        started.set()
        await asyncio.Event().wait()

    async def main() -> None:
        task = asyncio.create_task(note("x"))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    started = asyncio.Event()
    with desk.rail.session("support"):
        asyncio.run(main())
    [action] = desk.actions()
    assert (action.state, action.error) == (State.FAILED, "CancelledError: ")
    assert desk.used() == 1


def test_a_sync_tool_in_a_thread_is_waited_for_because_nothing_can_stop_it(one_desk: Desk) -> None:
    started, go, effects = threading.Event(), threading.Event(), []

    @one_desk.rail.tool
    def refund(order: str, amount: float, reason: str = "") -> str:
        started.set()
        assert go.wait(120)
        effects.append(order)
        return "ok"

    with one_desk.rail.session("support"), pytest.raises(handrail.Held) as held:
        refund("o-1", 150)
    one_desk.vote(held.value.action_id)

    async def main() -> None:
        task = asyncio.create_task(one_desk.rail.resume_async(held.value.action_id))
        await asyncio.to_thread(started.wait, 10)
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert effects == ["o-1"]
    assert one_desk.action(held.value.action_id).state is State.DONE


def test_a_loop_that_ends_while_a_tool_is_claimed_leaves_nothing_running(one_desk: Desk) -> None:
    """``asyncio.run`` cancels every task at its end, also those that wait for a write."""

    @one_desk.rail.tool
    async def note(text: str) -> str:
        await asyncio.sleep(0)
        return text

    async def main() -> None:
        tasks = [asyncio.create_task(note("a")) for _ in range(3)]
        await asyncio.sleep(0.005)
        assert tasks

    with one_desk.rail.session("support"):
        asyncio.run(main())
    assert all(action.state in {State.DONE, State.FAILED} for action in one_desk.actions())
    assert one_desk.app.engine.running == {}


def test_a_timeout_around_a_tool_is_a_timeout_for_its_caller(one_desk: Desk) -> None:
    limits: list[asyncio.Timeout] = []

    @one_desk.rail.tool
    async def note(text: str) -> None:
        limits[0].reschedule(asyncio.get_running_loop().time())
        await asyncio.Event().wait()

    async def main() -> None:
        async with asyncio.timeout(None) as limit:
            limits.append(limit)
            await note("x")

    with one_desk.rail.session("support"), pytest.raises(TimeoutError):
        asyncio.run(main())
    assert [action.state for action in one_desk.actions()] == [State.FAILED]


def test_a_cancelled_call_that_would_be_held_is_cancelled_all_the_same(one_desk: Desk) -> None:
    @one_desk.rail.tool
    async def refund(order: str, amount: float, reason: str = "") -> None: ...

    with one_desk.rail.session("support"):
        wire, ended = run_cancelled(one_desk, lambda: refund("o", 150), 1, after=True)
    assert (wire.tripped, ended) == (Commit.PROPOSE, "cancelled")
    assert [action.state for action in one_desk.actions()] == [State.HELD]
