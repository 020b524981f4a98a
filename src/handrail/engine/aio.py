"""The async driver: the same roads, with blocking work in threads and async tools awaited."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from handrail.engine.blocking import perform
from handrail.engine.effects import Call, Effect, NotBegun, Road, Write

if TYPE_CHECKING:
    from collections.abc import Callable

    from handrail.engine.core import Engine

T = TypeVar("T")


async def walk(engine: Engine, road: Road) -> Any:
    """Drive ``road`` and give what it returns; what an effect raises is raised inside the road.

    A cancellation never leaves a write half known: the write is waited for, the road learns its result, and
    the cancellation is raised at the next thing that can be cancelled.
    """
    driver = Driver(engine)
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
        if driver.cancelled:
            raise asyncio.CancelledError from None
        return end.value
    except NotBegun as error:
        raise asyncio.CancelledError from error


class Driver:
    """Performs one road's effects, and remembers a cancellation that came during a write."""

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
            return await self._write(effect)
        if self.cancelled and isinstance(effect, Call):
            raise NotBegun
        if isinstance(effect, Call) and effect.tool.is_async:
            return await effect.tool.function(**effect.tool.signature.decode(effect.payload))
        return await asyncio.to_thread(perform, self.engine, effect)

    async def _write(self, effect: Write) -> Any:
        write = asyncio.ensure_future(asyncio.to_thread(perform, self.engine, effect))
        while not write.done():
            try:
                await asyncio.shield(write)
            except asyncio.CancelledError:
                self.cancelled = True
            except BaseException:  # noqa: BLE001 - raised below by write.result()
                break
        return write.result()


async def in_thread(act: Callable[..., T], *args: Any) -> T:
    """Run blocking code in a thread, in this task's context."""
    return await asyncio.to_thread(act, *args)
