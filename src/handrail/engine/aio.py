"""The async driver: the same roads, with blocking work in threads and async tools awaited."""

from __future__ import annotations

import asyncio
import contextvars
from typing import TYPE_CHECKING, Any, TypeVar

from handrail.engine.blocking import perform
from handrail.engine.context import without_key
from handrail.engine.effects import Call, Effect, NotBegun, Road, Write

if TYPE_CHECKING:
    from collections.abc import Callable

    from handrail.engine.core import Engine

T = TypeVar("T")


async def walk(engine: Engine, road: Road) -> Any:
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

    def __init__(self, engine: Engine) -> None:
        """Nothing was cancelled yet."""
        self.engine = engine
        self.cancelled = False

    async def perform(self, effect: Effect) -> Any:
        """Do one effect.

        Raises:
            NotBegun: the task was cancelled between the claim and the call: the tool is not called.
        """
        if isinstance(effect, Write):
            return await self._wait_for(effect)
        if self.cancelled:
            raise NotBegun if isinstance(effect, Call) else asyncio.CancelledError
        if not isinstance(effect, Call):
            return await asyncio.to_thread(perform, self.engine, effect)
        if effect.tool.is_async:
            with without_key():
                return await effect.tool.function(**effect.tool.signature.decode(effect.payload))
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


async def in_thread(act: Callable[..., T], *args: Any) -> T:
    """Run blocking code in a thread, in this task's context."""
    return await asyncio.to_thread(act, *args)
