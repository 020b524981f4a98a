"""A server that is gone, lossy or halted: nothing runs without its leave, nothing that ran is forgotten."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import handrail
from handrail.remote import http, pulse
from tests.unit.remote.conftest import KEY, Answer, Stub

LONG = 10.0


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up soon, and look often."""
    monkeypatch.setattr(http, "PATIENCE", 1.0)
    monkeypatch.setattr(pulse, "SEND_EVERY", 0.05)
    monkeypatch.setattr(pulse, "LISTEN_EVERY", 0.05)


def first(*answers: Answer | str) -> Callable[[Callable[..., Answer]], Callable[[dict[str, Any]], Answer]]:
    """These answers first, then the usual one."""
    left: Iterator[Answer | str] = iter(answers)

    def wrap(usual: Callable[..., Answer]) -> Callable[[dict[str, Any]], Answer]:
        def act(said: dict[str, Any]) -> Answer:
            answer = next(left, "usual")
            return usual(said) if isinstance(answer, str) else answer

        return act

    return wrap


def noted(rail: handrail.Rail) -> tuple[Callable[[str], str], list[str]]:
    """A tool, and what it did."""
    effects: list[str] = []

    @rail.tool
    def note(text: str) -> str:
        effects.append(text)
        return f"noted {text}"

    return note, effects


def outcomes(stub: Stub) -> list[dict[str, Any]]:
    """What was reported, in order."""
    return [said for _, path, said in stub.asked if path.endswith("/outcome")]


def until(seen: Callable[[], object]) -> None:
    """Wait until something is so."""
    tick = threading.Event()
    for _ in range(1000):
        if seen():
            return
        tick.wait(LONG / 1000)
    raise AssertionError("it did not come to be")


@pytest.mark.parametrize("answer", [None, (503, {}), (429, {}), (502, b"<html>bad gateway</html>")])
def test_an_answer_that_was_lost_is_asked_for_again_under_the_same_id(
    rail: handrail.Rail, stub: Stub, answer: Answer
) -> None:
    note, effects = noted(rail)
    stub.special["POST actions/"] = first(answer, answer)(lambda said: (200, {}))
    stub.special["POST actions"] = first(answer, answer)(lambda said: (201, stub.running(said)))
    with rail.session("support"):
        assert note("x") == "noted x"
    assert effects == ["x"]
    ids = [said["id"] for _, path, said in stub.asked if path == "actions"]
    assert (len(ids), len(set(ids))) == (3, 1)
    assert outcomes(stub) == [outcomes(stub)[0]] * 3


@pytest.mark.parametrize("path", ["POST sessions", "POST tools", "POST actions"])
@pytest.mark.parametrize("answer", [None, (500, b"oops"), (200, b"{}"), (301, b""), (200, b"not json")])
def test_without_an_answer_that_counts_nothing_runs(
    rail: handrail.Rail, stub: Stub, path: str, answer: Answer
) -> None:
    note, effects = noted(rail)
    stub.special[path] = lambda _: answer
    with rail.session("support"), pytest.raises(handrail.StoreError):
        note("x")
    assert effects == []
    del stub.special[path]
    with rail.session("support"):
        assert note("x") == "noted x"


def test_a_server_that_is_not_there_means_that_nothing_runs() -> None:
    with handrail.connect("http://127.0.0.1:1", key=KEY) as rail:
        note, effects = noted(rail)
        with rail.session("support"), pytest.raises(handrail.StoreError, match="did not answer") as gone:
            note("x")
    assert effects == []
    assert KEY not in str(gone.value)


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_does_not_work_is_told_and_runs_nothing(
    rail: handrail.Rail, stub: Stub, status: int
) -> None:
    note, effects = noted(rail)
    stub.special["POST "] = lambda _: (status, {"detail": "it was revoked"})
    with rail.session("support"), pytest.raises(handrail.Refused, match="it was revoked"):
        note("x")
    assert (effects, len(stub.asked)) == ([], 1)


def test_an_outcome_that_can_not_be_reported_is_kept_and_comes_before_anything_more(
    rail: handrail.Rail, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "SEND_EVERY", LONG * 10)
    note, effects = noted(rail)
    down = True

    def report(said: dict[str, Any]) -> Answer:
        return (503, {}) if down else (200, {})

    stub.special["POST actions/"] = report
    with rail.session("support"):
        with pytest.raises(handrail.OutcomeUnrecorded) as kept:
            note("x")
        assert kept.value.output == "noted x"
        with pytest.raises(handrail.StoreError):
            note("y")
        assert effects == ["x"]
        down = False
        assert note("z") == "noted z"
    assert effects == ["x", "z"]
    assert [said["output"] for said in outcomes(stub)[-2:]] == ["noted x", "noted z"]


def test_what_is_kept_is_sent_by_itself_once_the_server_is_back(rail: handrail.Rail, stub: Stub) -> None:
    note, _ = noted(rail)
    back = threading.Event()
    sent = threading.Event()

    def report(said: dict[str, Any]) -> Answer:
        if not back.is_set():
            return 503, {}
        sent.set()
        return 200, {}

    stub.special["POST actions/"] = report
    with rail.session("support"), pytest.raises(handrail.OutcomeUnrecorded):
        note("x")
    back.set()
    assert sent.wait(LONG)


def test_what_a_person_settled_meanwhile_is_not_reported_for_ever(
    rail: handrail.Rail, stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    note, effects = noted(rail)
    stub.special["POST actions/"] = lambda _: (409, {"detail": "it was settled"})
    with rail.session("support"), caplog.at_level(logging.WARNING):
        assert note("x") == "noted x"
        assert note("y") == "noted y"
    assert "settled by others" in caplog.text
    assert effects == ["x", "y"]


def test_an_output_that_is_too_large_for_the_server_is_cut_and_the_end_is_reported(
    rail: handrail.Rail, stub: Stub
) -> None:
    @rail.tool
    def note(text: str) -> str:
        return text * 20_000

    stub.special["POST actions/"] = lambda said: (
        (413, {"detail": "too large"}) if isinstance(said["output"], str) else (200, {})
    )
    with rail.session("support"):
        assert note("x") == "x" * 20_000
    assert outcomes(stub)[-1]["output"]["characters"] == 20_002


def test_a_running_action_is_kept_alive_for_as_long_as_it_runs(rail: handrail.Rail, stub: Stub) -> None:
    stub.lease = 300
    beaten = threading.Event()

    @rail.tool
    def note(text: str) -> None:
        assert beaten.wait(LONG)

    def beat(said: dict[str, Any]) -> Answer:
        if "state" not in said:
            beaten.set()
        return 200, {}

    stub.special["POST actions/"] = beat
    with rail.session("support"):
        note("x")
    assert stub.paths()[-1] == "POST actions/outcome"


def test_beats_that_fail_do_not_disturb_what_runs(
    rail: handrail.Rail, stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    stub.lease = 300
    beaten = threading.Semaphore(0)

    @rail.tool
    def note(text: str) -> None:
        for _ in range(2):
            assert beaten.acquire(timeout=LONG)

    def beat(said: dict[str, Any]) -> Answer:
        if "state" not in said:
            beaten.release()
            return 500, {}
        return 200, {}

    stub.special["POST actions/"] = beat
    with rail.session("support"), caplog.at_level(logging.WARNING):
        note("x")
    assert "tried again" in caplog.text


@pytest.mark.parametrize("cancel", [True, False])
def test_a_halt_cancels_an_async_tool_that_allows_it_and_no_other(
    rail: handrail.Rail, stub: Stub, *, cancel: bool
) -> None:
    stub.lease = 300
    beaten = threading.Event()

    @rail.tool(cancel=cancel)
    async def note(text: str) -> str:
        await asyncio.to_thread(beaten.wait, LONG)
        await asyncio.sleep(LONG if cancel else 0)
        return text

    def beat(said: dict[str, Any]) -> Answer:
        if "state" in said:
            return 200, {}
        beaten.set()
        return 200, {"lease_until": "2026-11-22T10:02:00.000Z", "halted": True}

    stub.special["POST actions/"] = beat
    with rail.session("support"):
        if cancel:
            with pytest.raises(handrail.ToolFailed, match="stopped by a halt"):
                asyncio.run(note("x"))
        else:
            assert asyncio.run(note("x")) == "x"
    [reported] = outcomes(stub)
    assert (reported["state"], reported["nothing_done"]) == ("failed" if cancel else "done", False)


def test_a_closed_rail_asks_nothing_more(stub: Stub) -> None:
    rail = handrail.connect(stub.url, key=KEY)
    note, effects = noted(rail)
    rail.close()
    rail.close()
    with rail.session("support"), pytest.raises(handrail.StoreError, match="closed"):
        note("x")
    assert (effects, stub.asked) == ([], [])


def test_closing_reports_what_is_left_and_says_what_could_not_be(
    stub: Stub, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "SEND_EVERY", LONG * 10)
    rail = handrail.connect(stub.url, key=KEY)
    note, _ = noted(rail)
    stub.special["POST actions/"] = lambda _: (503, {})
    with rail.session("support"), pytest.raises(handrail.OutcomeUnrecorded) as kept:
        note("x")
    rail.close()
    assert kept.value.action_id in caplog.text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_child_has_connections_of_its_own_and_reports_only_its_own(
    rail: handrail.Rail, stub: Stub
) -> None:
    note, _ = noted(rail)
    with rail.session("support"):
        assert note("parent") == "noted parent"
        child = os.fork()
        if child == 0:
            try:
                good = note("child") == "noted child"
            finally:
                os._exit(0 if good else 1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert note("again") == "noted again"
    assert [said["output"] for said in outcomes(stub)] == ["noted parent", "noted child", "noted again"]


def test_who_waits_for_people_sits_out_a_server_that_starts_anew(rail: handrail.Rail, stub: Stub) -> None:
    action = "a" * 28
    gone: list[Answer | str] = [None, (503, {}), (502, {})]
    stub.special["GET actions/"] = first(*gone)(lambda _: (200, stub.action({"id": action}, "approved")))
    assert rail.wait(action).state == "approved"


@pytest.mark.parametrize("arrived", [True, False])
def test_leave_to_run_that_got_lost_is_given_back_as_nothing_done(
    rail: handrail.Rail, stub: Stub, *, arrived: bool
) -> None:
    note, effects = noted(rail)
    lossy, looked = True, threading.Event()

    def propose(said: dict[str, Any]) -> Answer:
        answer = (201, stub.running(said)) if arrived or not lossy else None
        return None if lossy else answer

    def look(_: dict[str, Any]) -> Answer:
        looked.set()
        return (200, next(iter(stub.actions.values()))) if stub.actions else (404, {})

    stub.special["POST actions/"] = lambda _: (200, {})
    stub.special["POST actions"] = propose
    stub.special["GET actions/"] = look
    with rail.session("support"), pytest.raises(handrail.StoreError):
        note("x")
    lossy = False
    assert looked.wait(LONG)
    if arrived:
        until(lambda: outcomes(stub))
        [reported] = outcomes(stub)
        assert (reported["state"], reported["nothing_done"]) == ("failed", True)
    else:
        looked.clear()
        assert looked.wait(LONG)
        assert outcomes(stub) == []
        assert stub.paths()[-1] == "GET actions"
    assert effects == []


def test_lost_leave_that_a_halt_keeps_back_is_given_back_once_that_is_lifted(
    rail: handrail.Rail, stub: Stub
) -> None:
    note, effects = noted(rail)
    halted, asked = True, threading.Semaphore(0)

    def propose(said: dict[str, Any]) -> Answer:
        if not stub.actions:
            stub.running(said)
            return None
        asked.release()
        return 201, stub.action(said, "running") if halted else stub.running(said)

    stub.special["POST actions/"] = lambda _: (200, {})
    stub.special["POST actions"] = propose
    stub.special["GET actions/"] = lambda _: (200, next(iter(stub.actions.values())))
    with rail.session("support"), pytest.raises(handrail.InProgress):
        note("x")
    assert all(asked.acquire(timeout=LONG) for _ in range(3))
    assert outcomes(stub) == []
    halted = False
    until(lambda: outcomes(stub))
    assert [(each["state"], each["nothing_done"]) for each in outcomes(stub)] == [("failed", True)]
    assert effects == []
