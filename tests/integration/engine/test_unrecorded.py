"""An outcome that can't be written: it is kept, told, and written later; nothing starts before it is."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

import handrail
from handrail.engine.keeper import Keeper
from handrail.engine.settle import flush
from handrail.ports import Commit
from handrail.words.entry import Kind
from handrail.words.lifecycle import State
from tests.integration.engine.conftest import Open
from tests.support import postgres
from tests.support.rail import Desk, tool_that


@contextmanager
def locked(desk: Desk) -> Iterator[sqlite3.Connection]:
    """The store's file, locked by somebody else; the rail waits for it only briefly."""
    desk.app.store._writer.connection.execute("PRAGMA busy_timeout = 20")  # type: ignore[attr-defined]
    other = sqlite3.connect(desk.url.removeprefix("sqlite:///"), isolation_level=None)
    try:
        yield other
    finally:
        other.close()


def test_an_outcome_that_cant_be_written_carries_the_output_and_nothing_starts_until_it_is(
    one_desk: Desk,
) -> None:
    ran: list[str] = []
    with locked(one_desk) as other:

        def act(text: str) -> dict[str, str]:
            ran.append(text)
            if text == "a":
                other.execute("BEGIN IMMEDIATE")
            return {"text": text}

        note = tool_that(one_desk, act)
        with one_desk.rail.session("support"):
            with pytest.raises(handrail.OutcomeUnrecorded) as unrecorded:
                note("a")
            assert unrecorded.value.output == {"text": "a"}
            with pytest.raises(handrail.StoreError, match="locked"):
                note("b")
            assert ran == ["a"]
            other.execute("ROLLBACK")
            note("c")
    assert [action.state for action in one_desk.actions()] == [State.DONE, State.DONE]
    assert one_desk.action(unrecorded.value.action_id).state is State.DONE
    assert one_desk.body(unrecorded.value.action_id, Kind.DONE)["output"] == {"text": "a"}
    assert ran == ["a", "c"]


def test_the_keeper_writes_an_outcome_later_by_itself(
    one_desk: Desk,
) -> None:
    keeper = Keeper(one_desk.app.engine)
    with locked(one_desk) as other:
        note = tool_that(one_desk, lambda _: other.execute("BEGIN IMMEDIATE").fetchall())
        with one_desk.rail.session("support"), pytest.raises(handrail.OutcomeUnrecorded):
            note("a")
        keeper._round(one_desk.app.engine)
        assert len(one_desk.app.engine.unrecorded) == 1
        other.execute("ROLLBACK")
        keeper._round(one_desk.app.engine)
    assert one_desk.app.engine.unrecorded == []
    assert [action.state for action in one_desk.actions()] == [State.DONE]


def test_closing_the_rail_writes_what_could_not_be_written_before(tmp_path: Path, open_desk: Open) -> None:
    desk = open_desk(f"sqlite:///{tmp_path / 'handrail.db'}", keeper=True)
    with locked(desk) as other:
        note = tool_that(desk, lambda _: other.execute("BEGIN IMMEDIATE").fetchall())
        with desk.rail.session("support"), pytest.raises(handrail.OutcomeUnrecorded):
            note("a")
        other.execute("ROLLBACK")
    desk.rail.close()
    with closing(sqlite3.connect(desk.url.removeprefix("sqlite:///"))) as connection, connection:
        assert connection.execute("select state from actions").fetchall() == [("done",)]
    connection.close()


def test_two_unrecorded_outcomes_are_both_written_when_threads_flush_together(one_desk: Desk) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from handrail.engine.settle import Outcome

    note = tool_that(one_desk, str)
    with one_desk.rail.session("support"):
        note("a")
        note("b")
        note("c")
    engine = one_desk.app.engine
    one_desk.sql("update actions set state = 'running', lease_until = 99999999999999")
    for action in one_desk.actions():
        engine.unrecorded.append(
            Outcome(
                action,
                action.token or "",
                State.DONE,
                '"x"',
                None,
                nothing_done=False,
                milliseconds=1,
                salt="00" * 16,
            )
        )
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: flush(engine), range(8)))
    assert engine.unrecorded == []
    assert {action.state for action in one_desk.actions()} == {State.DONE}


def test_a_store_that_fails_before_the_claim_lets_nothing_run(
    one_desk: Desk,
) -> None:
    ran: list[str] = []
    note = tool_that(one_desk, ran.append)
    with locked(one_desk) as other, one_desk.rail.session("support"):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(handrail.StoreError, match="locked"):
            note("a")
        other.execute("ROLLBACK")
        note("b")
    assert ran == ["b"]
    assert len(one_desk.actions()) == 1


def test_the_keeper_seals_what_was_told_without_being_asked(tmp_path: Path, open_desk: Open) -> None:
    desk = open_desk(f"sqlite:///{tmp_path / 'handrail.db'}", keeper=True)
    note = tool_that(desk, str)
    sealed = threading.Event()
    write = desk.app.store.write

    def watched(commit: Commit, work: Any) -> Any:
        found = write(commit, work)
        if commit is Commit.SEAL and desk.verified().unsealed.count == 0:
            sealed.set()
        return found

    desk.app.store.write = watched  # type: ignore[method-assign]
    with desk.rail.session("support"):
        note("a")
    assert sealed.wait(120)


def test_a_forked_child_neither_keeps_nor_beats_what_its_parent_runs(one_desk: Desk) -> None:
    keeper = Keeper(one_desk.app.engine)
    one_desk.app.engine.running["parents"] = "token"
    keeper.start_anew()
    assert one_desk.app.engine.running == {}
    assert keeper._thread is None
    keeper.stop()


def test_a_database_server_that_goes_while_a_tool_runs_and_comes_back_loses_nothing(
    tmp_path: Path, open_desk: Open
) -> None:
    with postgres.server(postgres.FAST) as server:
        desk = open_desk(server.start())
        ran: list[str] = []

        def act(text: str) -> str:
            ran.append(text)
            if text == "a":
                server.stop()
            return text

        note = tool_that(desk, act)
        with desk.rail.session("support"):
            with pytest.raises(handrail.OutcomeUnrecorded) as unrecorded:
                note("a")
            assert unrecorded.value.output == "a"
            with pytest.raises(handrail.StoreError):
                note("b")
            server.start()
            assert note("c") == "c"
        assert ran == ["a", "c"]
        assert [action.state for action in desk.actions()] == [State.DONE, State.DONE]
        assert desk.app.engine.unrecorded == []
        desk.rail.close()
