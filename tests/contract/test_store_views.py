"""The views for people: each runs, is documented to the last column, and shows nothing that is secret."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from handrail.ports import Store, Transaction
from handrail.store.postgres import PostgresStore
from handrail.store.sqlite import SqliteStore
from handrail.words.approval import ApprovalState
from handrail.words.budget import BudgetAlert, Raise
from handrail.words.payload import Payload
from tests.contract.model_things import model_call
from tests.contract.people_things import key, link, person, sign_in
from tests.contract.things import (
    AT,
    VERDICT,
    action,
    approval_for,
    entry,
    restrict,
    running,
    vote_on,
    write,
)

PAGE = Path(__file__).parents[2] / "docs/reference/sql-views.md"
VIEWS = (
    "view_actions",
    "view_questions",
    "view_entries",
    "view_budgets",
    "view_budget_raises",
    "view_budget_alerts",
    "view_budget_freezes",
    "view_model_calls",
    "view_people",
)
SECRET = "canary"
Rows = list[dict[str, Any]]


@pytest.fixture
def view(store: Store) -> Callable[[str], Rows]:
    """Reads a view as a person would, with a database tool."""

    def read(name: str) -> Rows:
        statement = f"select * from {name}"
        if isinstance(store, PostgresStore):
            with store._settings.connect() as connection:
                found = connection.execute(statement.encode())
                return rows_of(found.description, found.fetchall())
        assert isinstance(store, SqliteStore)
        cursor = store._writer.connection.execute(statement)
        return rows_of(cursor.description, cursor.fetchall())

    return read


def rows_of(description: Any, rows: list[Any]) -> Rows:
    names = [column[0] for column in description]
    return [dict(zip(names, row, strict=True)) for row in rows]


def fill_in(store: Store) -> None:
    """Something in every table, with a canary wherever a secret is kept."""
    asked = action(expires_at=AT + 5, supersedes="a0", edited_by="ann", standing="s1")
    acting = running(token=f"{SECRET}-token", shadow=False)
    question = approval_for(asked)

    def work(tx: Transaction) -> None:
        for new in (asked, acting):
            tx.actions.add(new, Payload(f'"{SECRET}-args"', f'"{SECRET}-facts"', f"{SECRET}-salt", "1"))
            tx.actions.set_output(new.id, f'"{SECRET}-output"')
        tx.budgets.reserve(acting.id, 1, VERDICT.charges)
        tx.approvals.add(question)
        tx.approvals.vote(vote_on(question))
        tx.approvals.close(question.id, ApprovalState.APPROVED, AT + 7, "fine")
        tx.journal.append([entry(action=asked.id, body=b'{"a":1}')])
        tx.people.add(
            replace(person(), password=f"{SECRET}-hash", totp=f"{SECRET}-totp", oidc=f"{SECRET} sub")
        )
        tx.people.open(sign_in(digest=f"{SECRET}-cookie", seen_at=AT + 9))
        tx.people.add_link(link(digest=f"{SECRET}-link"))
        tx.keys.add(key(digest=f"{SECRET}-key"))
        tx.budgets.add_raise(Raise("r1", "mails", None, AT, None, 5, "ann", "more", AT))
        tx.budgets.alert(BudgetAlert("b1", "mails", "[]", AT, 50, AT, 10, 20))
        tx.model_calls.add(model_call(token=f"{SECRET}-token"))

    write(store, work)
    restrict(store, lambda tx: tx.budgets.freeze("f1", "mails", "odd", "ann", AT))


def documented() -> dict[str, list[str]]:
    """Each view of the page with its columns."""
    parts = re.split(r"^## (\w+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {
        name: re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
        for name, text in zip(parts[::2], parts[1::2], strict=True)
    }


def test_every_view_and_column_stands_in_the_reference_in_its_order(
    store: Store, view: Callable[[str], Rows]
) -> None:
    """And the reference names no other."""
    fill_in(store)
    assert {name: list(view(name)[0]) for name in VIEWS} == documented()


def test_the_reference_names_every_view_that_there_is(store: Store) -> None:
    """A new one must be looked at here."""
    if isinstance(store, PostgresStore):
        with store._settings.connect() as connection:
            found = connection.execute(
                "select viewname from pg_views where schemaname = 'handrail'"
            ).fetchall()
    else:
        assert isinstance(store, SqliteStore)
        found = store._writer.connection.execute(
            "select name from sqlite_master where type = 'view'"
        ).fetchall()
    assert {row[0] for row in found} == set(documented()) == set(VIEWS)


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_shows_no_secret(store: Store, view: Callable[[str], Rows], name: str) -> None:
    """Every secret has a canary in it, and none sings; the twin finds one where it is kept."""
    fill_in(store)
    assert SECRET not in repr(view(name))
    assert SECRET in repr(view("payloads"))


def test_times_and_money_can_be_read(store: Store, view: Callable[[str], Rows]) -> None:
    """In each database's own way."""
    fill_in(store)
    shown = {row["state"]: row for row in view("view_actions")}["held"]
    named = ("view_questions", "view_entries", "view_budgets", "view_people", "view_budget_raises")
    (asked,), (told,), (budget,), (ann,), (raised,) = (view(name) for name in named)

    def time(value: Any) -> int:
        at = datetime.fromisoformat(value) if isinstance(value, str) else value
        assert at.tzinfo is not None
        return int(at.astimezone(UTC).timestamp() * 1000)

    assert Decimal(str(shown["amount"])) == Decimal(40)
    assert (time(shown["proposed_at"]), time(shown["expires_at"]), shown["started_at"]) == (AT, AT + 5, None)
    assert not shown["shadow"]
    assert (time(asked["closed_at"]), time(asked["answer_by"])) == (AT + 7, AT + 1000)
    assert (asked["asked"], asked["answers"]) == ("heads, support-leads", "lead@example.com: approve")
    assert (time(told["at"]), told["body"]) == (AT, '{"a":1}')
    assert (budget["used"], budget["held"], time(budget["starts_at"])) == (1, 1, AT)
    assert (budget["unit"], budget["most"]) == ("actions", 20)
    assert (raised["quantity"], time(raised["for_window"]), raised["until"]) == (5, AT, None)
    assert (ann["id"], ann["active"], ann["has_second_factor"]) == ("ann@example.com", True, True)
    assert time(ann["last_seen_at"]) == AT + 9
