"""The statements that docs/howto/halt.md gives stop everything, and what it shows can be asked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import handrail
from handrail.engine.restrict import lift
from tests.integration.store.conftest import NewUrl
from tests.support.rail import opened

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "howto" / "halt.md").read_text("utf-8")
BLOCKS = re.findall(r"```sql\n(.+?)```", PAGE, re.DOTALL)
FUNCTION = re.findall(r"`(select handrail\.halt_everything\('.+?'\);)`", PAGE)
SCOPED, LITE, DRAIN = BLOCKS


@pytest.mark.parametrize(
    ("kind", "statement"), [("sqlite", LITE), ("postgres", SCOPED), ("postgres", FUNCTION[0])]
)
def test_a_statement_of_the_page_stops_an_agent_until_it_is_lifted(
    kind: str, statement: str, tmp_path: Path, new_url: NewUrl
) -> None:
    with opened(tmp_path, new_url(kind), keeper=False) as desk:

        @desk.rail.tool
        def find(text: str) -> str:
            return text

        with desk.rail.session("support", "t"):
            assert find("a") == "a"
            desk.sql(statement)
            with pytest.raises(handrail.Denied, match="strange refunds"):
                find("b")
            [halt] = desk.app.store.read(lambda tx: tx.restrictions.read()).halts
            assert abs(halt.at - desk.app.store.read(lambda tx: tx.now())) < 60_000
            lift(desk.app.engine, halt.id, "fine", "ops")
            assert find("c") == "c"


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_what_runs_can_be_asked_with_the_pages_statement(kind: str, tmp_path: Path, new_url: NewUrl) -> None:
    with opened(tmp_path, new_url(kind), keeper=False) as desk:
        statement = DRAIN if kind == "postgres" else DRAIN.replace("handrail.view", "view")
        asked = []

        @desk.rail.tool
        def find(text: str) -> str:
            asked.extend(desk.sql(statement))
            return text

        with desk.rail.session("support", "t"):
            find("a")
        assert [row[1:4] for row in asked] == [("support", "find", "t")]
        assert desk.sql(statement) == []
