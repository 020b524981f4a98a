"""What a tool did is written down whatever it returns or raises, and nobody calls a dead action alive."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import AsyncIterator, Callable, Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from handrail.engine.jobs import beat
from handrail.words.entry import Kind
from handrail.words.errors import NotDone, OutcomeUnrecorded
from handrail.words.lifecycle import State
from tests.support.rail import Desk

LONG = Decimal("1" * 5_000)


class Mute(NotDone):
    """An error of a tool's that fails when it is asked for its text."""

    def __str__(self) -> str:
        """Not even that."""
        raise ValueError("no text")


class Interrupting:
    """An output during whose writing somebody presses Ctrl-C."""

    def __repr__(self) -> str:
        """Interrupted."""
        raise KeyboardInterrupt


def noting(desk: Desk, act: Callable[[], object]) -> Callable[[], object]:
    """The tool ``note``, which does ``act``, as the agent calls it."""

    @desk.rail.tool
    def note() -> Any:
        return act()

    def call() -> object:
        with desk.rail.session(agent="support", task="T-1"):
            return note()

    return call


@pytest.mark.parametrize(
    "output",
    [Decimal("NaN"), {"rate": Decimal("Infinity")}, [Decimal("sNaN")], msgspec.Raw(b"{no json"), LONG],
    ids=["nan", "infinity", "signaling", "raw", "long"],
)
def test_an_output_that_no_json_can_hold_is_done_and_kept_as_its_repr(one_desk: Desk, output: object) -> None:
    """It was called, it gave something: that it is odd must not make its outcome unknown."""
    assert noting(one_desk, lambda: output)() is output
    action = one_desk.actions()[-1]
    assert action.state is State.DONE
    assert one_desk.body(action.id, Kind.DONE)["output"]["repr"]


def test_an_output_that_json_can_hold_is_kept_as_it_is(one_desk: Desk) -> None:
    """Nothing is made into a repr that need not be."""
    given = {"rate": Decimal("0.10"), "n": 2**63}
    noting(one_desk, lambda: given)()
    action = one_desk.actions()[-1]
    payload = one_desk.app.store.read(lambda tx: tx.actions.payload(action.id))
    assert payload is not None
    assert payload.output is not None
    assert json.loads(payload.output, parse_float=Decimal) == given


def test_a_tool_that_did_nothing_and_has_no_text_is_failed_with_its_hold_given_back(one_desk: Desk) -> None:
    """What it raises is what the caller gets; the rail does not stumble over it."""

    def act() -> object:
        raise Mute

    with pytest.raises(Mute):
        noting(one_desk, act)()
    assert [action.state for action in one_desk.actions()] == [State.FAILED]
    assert one_desk.used() == 0


def test_an_interrupt_while_an_output_is_written_lets_the_lease_run_out(one_desk: Desk) -> None:
    """The process goes on, but it must not say of this action that it is still running."""
    with pytest.raises(KeyboardInterrupt):
        noting(one_desk, Interrupting)()
    action = one_desk.actions()[-1]
    assert action.state is State.RUNNING
    assert one_desk.app.engine.running == {}
    beat(one_desk.app.engine)
    assert one_desk.action(action.id).lease_until == action.lease_until


def test_an_outcome_whose_writing_fails_in_any_way_is_kept_with_its_output(
    one_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not only the store can fail: the output must reach the caller, and nothing starts before."""
    engine = one_desk.app.engine

    def broken(*_: object) -> dict[str, object]:
        raise RecursionError("too deep")

    call = noting(one_desk, lambda: "sent")
    with monkeypatch.context() as patch:
        patch.setattr(engine.recorder, "output", broken)
        with pytest.raises(OutcomeUnrecorded) as raised:
            call()
        assert raised.value.output == "sent"
        with pytest.raises(RecursionError):
            call()
    assert [action.state for action in one_desk.actions()] == [State.RUNNING]
    assert call() == "sent"
    assert [action.state for action in one_desk.actions()] == [State.DONE, State.DONE]


def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    """What a decorator that knows nothing of async makes of a function."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return call


async def later(ran: list[str]) -> str:
    """A coroutine."""
    ran.append("coroutine")
    return "sent"


def piece_by_piece(ran: list[str]) -> Iterator[str]:
    """A generator."""
    ran.append("generator")
    yield "sent"


async def piece_by_piece_later(ran: list[str]) -> AsyncIterator[str]:
    """An asynchronous generator."""
    ran.append("async generator")
    yield "sent"


@pytest.mark.parametrize("body", [later, piece_by_piece, piece_by_piece_later])
def test_a_tool_that_returns_work_still_to_be_done_has_failed(
    one_desk: Desk, body: Callable[[list[str]], object]
) -> None:
    """It must not be called done before it began, nor run where no rail sees it."""
    ran: list[str] = []

    @one_desk.rail.tool
    @wrapped
    def note() -> Any:
        return body(ran)

    with one_desk.rail.session(agent="support"), pytest.raises(TypeError, match="outside the rail"):
        note()
    assert ran == []
    action = one_desk.actions()[-1]
    assert action.state is State.FAILED
    assert "outside the rail" in (action.error or "")


def test_an_async_tool_behind_a_decorator_that_awaits_it_is_done(one_desk: Desk) -> None:
    """The twin: what is awaited inside the rail is an output like any other."""
    ran: list[str] = []

    @one_desk.rail.tool
    async def note() -> str:
        return await later(ran)

    async def call() -> str:
        with one_desk.rail.session(agent="support"):
            return await note()

    assert asyncio.run(call()) == "sent"
    assert (ran, one_desk.actions()[-1].state) == (["coroutine"], State.DONE)
