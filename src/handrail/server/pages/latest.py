"""One answer for everybody who asks at the same moment: what is the same for all is made once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

from starlette.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Q = TypeVar("Q")
A = TypeVar("A")
GATHER = 0.008
"""Seconds for which questions are gathered: one change makes everybody who looks on ask."""


class Together(Generic[Q, A]):
    """Answers questions together, in one thread at a time: never from before a question came."""

    def __init__(
        self, answer: Callable[[Sequence[Q]], Sequence[A | Exception]], gather: float = GATHER
    ) -> None:
        """``answer`` gives one for each question, in order; an error is raised to who asked that one."""
        self._answer, self._gather = answer, gather
        self._asked: list[tuple[Q, asyncio.Future[A]]] = []
        self._answering: asyncio.Task[None] | None = None

    async def ask(self, question: Q) -> A:
        """The answer, whose making began after this was called."""
        mine: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._asked.append((question, mine))
        if self._answering is None:
            self._answering = asyncio.create_task(self._answer_all())
        return await mine

    async def _answer_all(self) -> None:
        """Until nobody asks any more; who asks meanwhile is in the next round."""
        while self._asked:
            await asyncio.sleep(self._gather)
            asked, self._asked = self._asked, []
            answers = await run_in_threadpool(self._answers, [question for question, _ in asked])
            for (_, future), answer in zip(asked, answers, strict=True):
                _give(future, answer)
        self._answering = None

    def _answers(self, questions: Sequence[Q]) -> Sequence[A | Exception]:
        try:
            return self._answer(questions)
        except Exception as error:  # noqa: BLE001 - everybody who asked is told
            return [error] * len(questions)


def _give(future: asyncio.Future[A], answer: A | Exception) -> None:
    # who went away meanwhile needs no answer
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
