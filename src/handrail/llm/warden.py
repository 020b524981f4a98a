"""Looks after calls that run: one that may not go on is cut off."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Executor
from typing import TYPE_CHECKING

from handrail.llm.claiming import refusal_of
from handrail.words.errors import HandrailError

if TYPE_CHECKING:
    from handrail.llm.relay import Relay
    from handrail.ports import ModelGate
    from handrail.words.errors import ModelRefused
    from handrail.words.model_call import ModelCall

logger = logging.getLogger("handrail.llm")
EVERY = 0.5
"""Seconds between two looks."""


class Warden:
    """Asks for all calls of this process whether they may go on; it rests while there are none."""

    def __init__(self, gate: ModelGate, threads: Executor) -> None:
        """Nothing runs yet."""
        self._gate, self._threads = gate, threads
        self._running: dict[str, tuple[ModelCall, Relay, asyncio.Future[None]]] = {}
        self._round: asyncio.Future[None] | None = None

    def watch(self, call: ModelCall, relay: Relay, task: asyncio.Future[None]) -> None:
        """A call runs in this task from now on."""
        self._running[call.id] = (call, relay, task)
        if self._round is None or self._round.done():
            self._round = asyncio.ensure_future(self._rounds())

    def forget(self, call: ModelCall) -> None:
        """It has ended."""
        self._running.pop(call.id, None)

    def close(self) -> None:
        """Look no more."""
        if self._round is not None:
            self._round.cancel()

    async def _rounds(self) -> None:
        loop = asyncio.get_running_loop()
        while self._running:
            await asyncio.sleep(EVERY)
            calls = [call for call, _, _ in self._running.values()]
            try:
                stopped = await loop.run_in_executor(self._threads, self._look, calls)
            except HandrailError as error:
                logger.warning("whether calls of models may go on can't be asked now: %s", error)
                continue
            for name, why in stopped.items():
                if (found := self._running.get(name)) is not None:
                    found[1].stop(refusal_of(why))
                    found[2].cancel()

    def _look(self, calls: list[ModelCall]) -> dict[str, ModelRefused]:
        found = {call.id: self._gate.stopped(call) for call in calls}
        return {name: error for name, error in found.items() if error is not None}
