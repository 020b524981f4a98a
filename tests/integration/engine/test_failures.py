"""What becomes of an action whose tool fails, is interrupted, returns oddities, or can't be written down."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import handrail
from handrail.engine.jobs import reap
from handrail.engine.restrict import halt
from handrail.engine.settle import resolve
from handrail.words.entry import Kind
from handrail.words.errors import IllegalMove
from handrail.words.lifecycle import State
from tests.support.rail import Desk, tool_that

HOUR_AGO = "update actions set lease_until = 1 where state = 'running'"


class Interrupt(BaseException):
    """Something that is no Exception."""


class Unreadable(Exception):
    """An exception whose text can't be read."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def raising(error: BaseException) -> Any:
    """A tool's body that raises."""

    def act(_: str) -> None:
        raise error

    return act


def test_a_tool_that_provably_did_nothing_gives_its_holds_back(desk: Desk) -> None:
    note = tool_that(desk, raising(handrail.NotDone("the printer is off")))
    with desk.rail.session("support"), pytest.raises(handrail.NotDone, match="printer"):
        note("a")
    [action] = desk.actions()
    assert (action.state, action.error) == (State.FAILED, "the printer is off")
    assert desk.body(action.id, Kind.FAILED)["nothing_done"] is True
    assert desk.used() == 0


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), Interrupt("x"), SystemExit(3)])
def test_any_other_exception_is_failed_effect_unknown_and_keeps_its_holds(
    desk: Desk, error: BaseException
) -> None:
    note = tool_that(desk, raising(error))
    with desk.rail.session("support"), pytest.raises(type(error)):
        note("a")
    [action] = desk.actions()
    assert action.state is State.FAILED
    assert action.error is not None
    assert action.error.startswith(type(error).__name__)
    assert desk.body(action.id, Kind.FAILED)["nothing_done"] is False
    assert desk.used() == 1
    assert desk.app.engine.running == {}


@pytest.mark.parametrize(
    "error",
    [ValueError("nul \0 and \ud800"), Unreadable(), ValueError("x" * 1_000_000)],
    ids=["odd", "unreadable", "long"],
)
def test_an_exceptions_text_never_keeps_its_outcome_from_being_written(desk: Desk, error: Exception) -> None:
    note = tool_that(desk, raising(error))
    with desk.rail.session("support"), pytest.raises(type(error)):
        note("a")
    [action] = desk.actions()
    assert action.state is State.FAILED
    assert len(action.error or "") < 3_000


def deep() -> list[Any]:
    """A list ten thousand levels deep."""
    found: list[Any] = []
    for _ in range(10_000):
        found = [found]
    return found


class Secretive:
    """An object without a repr."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


@pytest.mark.parametrize(
    "output",
    [
        float("nan"),
        "half \ud800",
        "nul \0",
        2**80,
        deep(),
        Secretive(),
        {1: {2, 3}},
        b"\xff",
        "y" * 2_000_000,
    ],
    ids=["nan", "surrogate", "nul", "big int", "deep", "no repr", "keys", "bytes", "long"],
)
def test_an_output_that_json_cant_hold_is_returned_unchanged_and_recorded_somehow(
    desk: Desk, output: Any
) -> None:
    note = tool_that(desk, lambda _: output)
    with desk.rail.session("support"):
        assert note("a") is output
    [action] = desk.actions()
    assert action.state is State.DONE
    assert "output" in desk.body(action.id, Kind.DONE)


def test_a_tool_that_changes_its_arguments_changes_nothing_recorded(desk: Desk) -> None:
    @desk.rail.tool
    def note(text: dict[str, list[int]]) -> int:
        text["a"].append(99)
        text["b"] = []
        return len(text)

    given = {"a": [1]}
    with desk.rail.session("support"):
        assert note(given) == 2
    [action] = desk.actions()
    assert given == {"a": [1]}
    assert desk.body(action.id, Kind.PROPOSED)["input"] == {"text": {"a": [1]}}
    payload = desk.app.store.read(lambda tx: tx.actions.payload(action.id))
    assert payload is not None
    assert payload.args == '{"text":{"a":[1]}}'


def test_a_caller_that_changes_its_objects_while_they_are_held_changes_nothing(desk: Desk) -> None:
    seen: list[Any] = []

    @desk.rail.tool
    def refund(order: list[str], amount: float, reason: str = "") -> None:
        seen.append((order, amount))

    order = ["o-1"]
    with desk.rail.session("support"), pytest.raises(handrail.Held) as held:
        refund(order, 150)
    order.append("o-2")
    desk.vote(held.value.action_id)
    desk.rail.resume(held.value.action_id)
    assert seen == [(["o-1"], 150.0)]


def test_a_callers_object_that_a_fact_changes_after_the_door_runs_as_it_was(desk: Desk) -> None:
    """What executes is decoded from the frozen bytes, never the caller's own object."""
    seen: list[Any] = []
    given = {"to": ["a"]}

    @desk.rail.tool
    def note(text: dict[str, list[str]]) -> None:
        seen.append(text)

    engine = desk.app.engine
    clock = engine.clock

    def meddling() -> int:
        given["to"].append("b")
        return clock()

    engine.clock = meddling
    with desk.rail.session("support"):
        note(given)
    assert given == {"to": ["a", "b"]}
    assert seen == [{"to": ["a"]}]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_lost_lease_becomes_unknown_and_the_late_report_settles_it(desk: Desk, kind: str) -> None:
    def act(_: str) -> str:
        desk.sql(HOUR_AGO)
        assert reap(desk.app.engine) == 1
        [action] = desk.actions(State.UNKNOWN)
        with pytest.raises(handrail.InProgress, match="nobody knows whether it took effect"):
            asyncio.run(desk.rail.resume_async(action.id))
        return "late"

    if kind == "sync":
        note = tool_that(desk, act)
        with desk.rail.session("support"):
            assert note("a") == "late"
    else:

        @desk.rail.tool(name="note")
        async def note_async(text: str) -> str:
            await asyncio.sleep(0)
            return await asyncio.to_thread(act, text)

        with desk.rail.session("support"):
            assert asyncio.run(note_async("a")) == "late"
    [action] = desk.actions()
    assert action.state is State.DONE
    assert desk.kinds(action.id)[-3:] == [Kind.INTENDED, Kind.UNKNOWN, Kind.DONE]
    assert desk.used() == 1


def unknown(desk: Desk) -> str:
    """An action whose process was lost while it ran."""
    desk.sql("update actions set state = 'running', lease_until = 1, finished_at = null")
    reap(desk.app.engine)
    [action] = desk.actions(State.UNKNOWN)
    return action.id


def test_a_persons_word_settles_what_nobody_knew_once(desk: Desk) -> None:
    note = tool_that(desk, str)
    with desk.rail.session("support"):
        note("a")
    action = unknown(desk)
    with pytest.raises(IllegalMove):
        resolve(desk.app.engine, action, State.HELD, "ops@example.com", "?")
    resolve(desk.app.engine, action, State.DONE, "ops@example.com", "the printer shows it")
    assert desk.action(action).state is State.DONE
    assert desk.body(action, Kind.SETTLED)["person"] == "ops@example.com"
    with pytest.raises(handrail.NotFound):
        resolve(desk.app.engine, action, State.FAILED, "ops@example.com", "no")


def test_a_live_action_with_a_beating_lease_is_never_unknown(desk: Desk) -> None:
    from handrail.engine.jobs import beat

    def act(_: str) -> str:
        desk.sql(HOUR_AGO)
        beat(desk.app.engine)
        assert reap(desk.app.engine) == 0
        return "alive"

    note = tool_that(desk, act)
    with desk.rail.session("support"):
        assert note("a") == "alive"


def test_a_halt_lists_what_is_still_running(desk: Desk) -> None:
    listed: list[str] = []

    def act(_: str) -> None:
        _, running = halt(desk.app.engine, "stop", "ops")
        listed.extend(action.id for action in running)

    note = tool_that(desk, act)
    with desk.rail.session("support"):
        note("a")
    assert listed == [action.id for action in desk.actions()]
    assert desk.actions()[0].state is State.DONE
