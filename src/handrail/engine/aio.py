"""The async driver: the same roads, with blocking work in threads and async tools awaited."""

from __future__ import annotations

import asyncio
import contextvars
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from handrail.engine.blocking import perform
from handrail.engine.context import without_key
from handrail.engine.effects import Call, Do, Effect, NotBegun, Road, Stop, Write
from handrail.engine.outcomes import stopped
from handrail.words.lifecycle import State

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from handrail.engine.core import Engine
    from handrail.words.action import Action

T = TypeVar("T")
SHORTEST_PAUSE, LONGEST_PAUSE = 0.02, 0.5
"""Seconds between two looks at a question while one waits for its answer."""


async def walk(engine: Engine | None, road: Road) -> Any:
    """Drive ``road`` and give what it returns; what an effect raises is raised inside the road.

    A cancellation never leaves a write half known: the write is waited for, the road learns its result, and
    the cancellation is raised at the next thing that can be cancelled, at the latest at the road's end.
    """
    driver = Driver(engine)
    try:
        output = await _to_the_end(driver, road)
    except NotBegun as error:
        raise asyncio.CancelledError from error
    except Exception as error:
        if driver.cancelled:
            raise asyncio.CancelledError from error
        raise
    if driver.cancelled:
        raise asyncio.CancelledError
    return output


async def _to_the_end(driver: Driver, road: Road) -> Any:
    try:
        effect = next(road)
        while True:
            try:
                answer = await driver.perform(effect)
            except BaseException as error:  # noqa: BLE001 - the road decides what a cancellation means
                effect = road.throw(error)
            else:
                effect = road.send(answer)
    except StopIteration as end:
        return end.value


class Driver:
    """Performs one road's effects, and remembers a cancellation that came while it had to wait."""

    def __init__(self, engine: Engine | None) -> None:
        """Nothing was cancelled yet."""
        self.engine = engine
        self.cancelled = False

    async def perform(self, effect: Effect) -> Any:
        """Do one effect.

        Raises:
            NotBegun: the task was cancelled between the claim and the call: the tool is not called.
        """
        if isinstance(effect, Write) or (isinstance(effect, Do) and effect.whole):
            return await self._wait_for(effect)
        if self.cancelled:
            raise NotBegun if isinstance(effect, Call) else asyncio.CancelledError
        if not isinstance(effect, Call):
            return await asyncio.to_thread(perform, self.engine, effect)
        if effect.tool.is_async:
            with without_key():
                working = effect.tool.function(**effect.tool.signature.decode(effect.payload))
                return await (working if effect.stop is None else stoppable(working, effect.stop))
        return await self._wait_for(effect)

    async def _wait_for(self, effect: Effect) -> Any:
        """A write, or a tool in a thread: neither can be called back, so what became of it is waited for."""
        # a plain future: a loop that shuts down cancels every task, and must not cancel this
        run = contextvars.copy_context().run
        work = asyncio.get_running_loop().run_in_executor(None, run, perform, self.engine, effect)
        while not work.done():
            try:
                await asyncio.shield(work)
            except asyncio.CancelledError:
                self.cancelled = True
            except Exception:  # noqa: BLE001 - raised below by work.result()
                break
        return work.result()


async def stoppable(working: Awaitable[T], stop: Stop) -> T:
    """Await a tool in a task of its own, which a halt cancels without cancelling the caller's.

    Raises:
        ToolFailed: it was stopped by a halt.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(working)

    def cancel() -> None:
        with suppress(RuntimeError):  # the loop has ended, and all its tasks with it
            loop.call_soon_threadsafe(task.cancel)

    stop.arm(cancel)
    try:
        return await task
    except asyncio.CancelledError:
        caller = asyncio.current_task()
        if stop.asked and not (caller is not None and caller.cancelling()):
            raise stopped(stop.action) from None
        raise


async def waited(look: Callable[[], Action], timeout: float | None) -> Action:  # noqa: ASYNC109 - as Rail.wait
    """Look again and again until the action is no longer held; no thread is taken up between two looks."""
    loop = asyncio.get_running_loop()
    end = None if timeout is None else loop.time() + timeout
    pause = SHORTEST_PAUSE
    while (current := await asyncio.to_thread(look)).state is State.HELD:
        left = pause if end is None else end - loop.time()
        if left <= 0:
            break
        await asyncio.sleep(min(pause, left))
        pause = min(pause * 1.5, LONGEST_PAUSE)
    return current
