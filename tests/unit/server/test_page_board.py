"""The overview's part as it is drawn: where its news goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from handrail.engine.restrict import halt
from handrail.engine.views.overview import overview
from handrail.server.app import make_app
from handrail.server.pages.overview import Board
from handrail.server.settings import Settings
from handrail.words.entry import Kind
from tests.support.rail import LEAD, POLICY, opened

FEW = "  - {id: few, tools: note, actions: 3, per: day}\n"
ONE = "  - {id: one, tools: note, actions: 1, per: day"
DRAWN_FROM = "handrail.server.pages.overview.overview"
SAME, FOR_EVER = "handrail.server.pages.overview.SAME", 10**9


def test_what_changes_while_it_is_drawn_comes_after_its_cursor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a page would miss it until the next news."""
    with opened(tmp_path, "memory:", keeper=False) as desk:
        board = Board(make_app(desk.app, Settings()).state.server)

        def slow(*given: Any) -> Any:
            found = overview(*given)
            halt(desk.app.engine, "It writes nonsense.", LEAD)
            return found

        monkeypatch.setattr(DRAWN_FROM, slow)
        drawn = board.draw()
        assert "Something is stopped" not in drawn.text
        told = desk.app.store.read(lambda tx: tx.journal.settled(drawn.cursor, 9))
        assert [stored.entry.kind for _, stored in told] == [Kind.HALTED]
        monkeypatch.setattr(DRAWN_FROM, overview)
        again = board.draw()
        assert "Something is stopped" in again.text
        assert desk.app.store.read(lambda tx: tx.journal.settled(again.cursor, 9)) == []


@pytest.mark.parametrize(("rest", "alarms"), [("}", True), (", each: args.text}", False)])
def test_only_a_budget_that_all_spend_from_alarms_when_it_is_used_up(
    tmp_path: Path, rest: str, *, alarms: bool
) -> None:
    """One note for each text is used up by every text, and nothing is wrong with that."""
    policy = POLICY.replace(FEW, f"{ONE}{rest}\n")
    with opened(tmp_path, "memory:", policy, keeper=False) as desk:

        @desk.rail.tool
        def note(text: str) -> str:
            return text

        with desk.rail.session(agent="support", task="ticket 7"):
            note(text="a")
        drawn = Board(make_app(desk.app, Settings()).state.server).draw().text
        assert ("used up" in drawn, '<li class="full">' in drawn, "<meter" in drawn) == (alarms,) * 3
        assert ("fullest: a, 1 of 1" in drawn) is not alarms


def test_what_did_not_change_is_not_drawn_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But it is after any change, and after a while, because times in it go on."""
    with opened(tmp_path, "memory:", keeper=False) as desk:
        board, drawn = Board(make_app(desk.app, Settings()).state.server), list[int]()

        def counted(*given: Any) -> Any:
            drawn.append(1)
            return overview(*given)

        monkeypatch.setattr(SAME, FOR_EVER)
        monkeypatch.setattr(DRAWN_FROM, counted)
        first = board.draw()
        assert board.draw() is first
        assert len(drawn) == 1
        halt(desk.app.engine, "It writes nonsense.", LEAD)
        assert "Something is stopped" in board.draw().text
        assert len(drawn) == 2
        monkeypatch.setattr(SAME, 0)
        board.draw()
        assert len(drawn) == 3
