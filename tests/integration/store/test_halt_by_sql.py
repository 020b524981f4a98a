"""The statements that docs/howto/halt.md gives stop everything, and what it shows can be asked."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

import psycopg
import pytest

import handrail
from handrail.engine.restrict import lift
from tests.integration.store.conftest import NewUrl
from tests.support.rail import opened

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "howto" / "halt.md").read_text("utf-8")
BLOCKS = re.findall(r"```sql\n(.+?)```", PAGE, re.DOTALL)
FUNCTION = re.findall(r"`(select handrail\.halt_everything\('.+?'\);)`", PAGE)
SCOPED, ROLE, LITE, DRAIN = BLOCKS


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


def test_the_pages_role_can_stop_agents_and_do_nothing_else(tmp_path: Path, new_url: NewUrl) -> None:
    url, name = new_url("postgres"), f"stopper_{uuid.uuid4().hex[:12]}"
    with opened(tmp_path, url, keeper=False) as desk, psycopg.connect(url, autocommit=True) as connection:
        for statement in ROLE.replace("handrail_stopper", name).split(";\n")[:-1]:
            connection.execute(statement.encode())
        try:
            connection.execute(f"set role {name}".encode())
            for statement in (FUNCTION[0], SCOPED):
                connection.execute(statement.encode())
            for forbidden in (
                "delete from handrail.halts",
                "select * from handrail.halts",
                "table handrail.people",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(forbidden.encode())
        finally:
            connection.execute("reset role")
            connection.execute(f"drop owned by {name}".encode())
            connection.execute(f"drop role {name}".encode())
        halts = desk.app.store.read(lambda tx: tx.restrictions.read()).halts
        assert sorted(each.scope for each in halts) == ["agent support", "everything"]
