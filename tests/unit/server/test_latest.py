"""What is made together: never from before a question, once for all who ask at once, each its own answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from itertools import count

import pytest

from handrail.server.pages.latest import Together

OTHERS = 8


async def test_each_question_gets_an_answer_that_was_made_after_it() -> None:
    numbers = count()
    together: Together[str, tuple[str, int]] = Together(
        lambda asked: [(each, next(numbers)) for each in asked]
    )
    assert [await together.ask("a"), await together.ask("b")] == [("a", 0), ("b", 1)]


async def test_all_who_ask_at_the_same_moment_are_answered_together_each_for_itself() -> None:
    rounds: list[Sequence[int]] = []

    def answer(asked: Sequence[int]) -> Sequence[int]:
        rounds.append(asked)
        return [each * each for each in asked]

    together: Together[int, int] = Together(answer)
    assert await asyncio.gather(*map(together.ask, range(OTHERS))) == [each * each for each in range(OTHERS)]
    assert rounds == [list(range(OTHERS))]


async def test_who_asks_while_an_answer_is_made_is_answered_by_the_next_one() -> None:
    """The one that is being made may be from before the question."""
    begun, go_on = threading.Event(), threading.Event()
    rounds: list[Sequence[int]] = []

    def answer(asked: Sequence[int]) -> Sequence[int]:
        rounds.append(asked)
        begun.set()
        assert go_on.wait(30)
        return asked

    together: Together[int, int] = Together(answer)
    first = asyncio.create_task(together.ask(0))
    assert await asyncio.to_thread(begun.wait, 30)
    others = [asyncio.create_task(together.ask(each)) for each in range(1, OTHERS)]
    await asyncio.sleep(0)
    go_on.set()
    assert await asyncio.gather(first, *others) == list(range(OTHERS))
    assert rounds == [[0], list(range(1, OTHERS))]


async def test_an_error_is_raised_to_who_asked_that_question_only() -> None:
    def answer(asked: Sequence[int]) -> Sequence[int | Exception]:
        return [each or PermissionError("not for you") for each in asked]

    together: Together[int, int] = Together(answer)
    refused, allowed = await asyncio.gather(together.ask(0), together.ask(1), return_exceptions=True)
    assert isinstance(refused, PermissionError)
    assert allowed == 1


async def test_what_can_not_be_made_is_told_to_everybody_and_tried_again() -> None:
    tries = count()

    def answer(asked: Sequence[int]) -> Sequence[int]:
        if not next(tries):
            raise RuntimeError("the store is gone")
        return asked

    together: Together[int, int] = Together(answer)
    told = await asyncio.gather(together.ask(1), together.ask(2), return_exceptions=True)
    assert [str(each) for each in told] == ["the store is gone"] * 2
    assert await together.ask(3) == 3


async def test_who_goes_away_meanwhile_takes_nobody_s_answer_along() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def answer(asked: Sequence[int]) -> Sequence[int]:
        begun.set()
        assert go_on.wait(30)
        return asked

    together: Together[int, int] = Together(answer)
    stays, goes = (asyncio.create_task(together.ask(each)) for each in (1, 2))
    assert await asyncio.to_thread(begun.wait, 30)
    goes.cancel()
    go_on.set()
    assert await stays == 1
    with pytest.raises(asyncio.CancelledError):
        await goes
