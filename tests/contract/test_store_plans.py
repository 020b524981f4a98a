"""The statements of the hot path use an index, so that a million actions cost what a thousand cost."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest

from handrail.ports import Transaction
from handrail.store.memory import MemoryStore
from handrail.store.postgres import PostgresStore
from handrail.store.queries import queries
from handrail.words.lifecycle import State
from tests.contract.conftest import EMPTY
from tests.contract.things import PAYLOAD, action, entry, running, write

NUMBERS = {
    "at",
    "lease_until",
    "limit",
    "after",
    "shadow",
    "amount",
    "attempt",
    "starts_at",
    "quantity",
    "need",
}
NUMBERS |= {"through_xid", "through_seq", "expires_at", "before", "opened_at", "verified"}


class Anything(dict[str, object]):
    """A value of the right type for every parameter; only filters are left open."""

    def __init__(self, name: str) -> None:
        filters = {"newest_entries": ("before", "kind", "action"), "entries_by_action": ("action",)}
        shared = ("agent", "tool", "session", "task", "text")
        super().__init__(dict.fromkeys((*filters[name], *shared)) if name in filters else {})

    def __missing__(self, name: str) -> object:
        return 1 if name in NUMBERS else "x"


HOT = {
    "by_key": "actions_key",
    "open_twin": "actions_open",
    "claim": "actions",
    "attempt": "actions",
    "action": "actions",
    "finish": "actions",
    "move": "actions",
    "beat": "actions",
    "lapsed": "actions_busy",
    "mark_unknown": "actions",
    "stale_approved": "actions_busy",
    "running": "actions_busy",
    "anything_due": "actions_busy",
    "payload": "payloads",
    "set_output": "payloads",
    "settle_holds": "holds",
    "open_holds": "holds",
    "used": "budget_windows",
    "give_back": "budget_windows",
    "seats": "seats",
    "votes": "votes",
    "approval": "approvals",
    "approval_of": "approvals_action",
    "due_approvals": "approvals_open",
    "escalate": "seats",
    "entries_of": "entries_action",
    "entries_by_seq": "entries",
    "newest_entries": "entries",
    "entries_by_action": "entries_action",
    "unsealed": "entries",
    "last_head": "heads",
    "policy": "policies",
    "active_policy": "activations",
    "meta": "meta",
}
"""Each hot statement with its index, or the table whose primary key it uses."""
ALLOWED = "approvals_open|CONSTANT ROW"
"""What may be read whole: the open questions, which are few."""


@pytest.fixture(scope="module")
def lite() -> Iterator[MemoryStore]:
    store = MemoryStore()
    yield store
    store.close()


@pytest.mark.parametrize("name", HOT)
def test_sqlite_searches_by_index(lite: MemoryStore, name: str) -> None:
    """No table is read from end to end, and nothing is sorted but what an index has found."""
    query = queries("sqlite")[name]
    plan = lite._writer.connection.execute(f"explain query plan {query.text}", query.pick(Anything(name)))
    steps = [step[3] for step in plan]
    index = HOT[name]
    ordered = {"newest_entries": "SCAN e", "last_head": "SCAN heads", "active_policy": "SCAN activations"}
    if name in ordered:  # by its primary key, from the newest on: the limit ends it
        assert steps == [ordered[name]]
        return
    searches = [step for step in steps if step.startswith("SEARCH")]
    assert not [step for step in steps if step.startswith("SCAN") and not re.search(ALLOWED, step)]
    named = (
        "INTEGER PRIMARY KEY"
        if index == "entries"
        else rf"(INDEX {index}\b|sqlite_autoindex_{index}_1|PRIMARY KEY)"
    )
    assert any(re.search(named, step) for step in searches + steps), steps


@pytest.fixture(scope="module")
def great(shared_postgres: PostgresStore) -> Iterator[psycopg.Connection]:
    """A PostgreSQL store with enough rows that a plan matters, rolled back at the end."""

    def work(tx: Transaction) -> None:
        for number in range(300):
            new = running() if number % 100 == 0 else action(state=State.DENIED)
            tx.actions.add(new, PAYLOAD)
            tx.journal.append([entry(action=new.id), entry(action=new.id)])

    write(shared_postgres, work)
    with shared_postgres._settings.connect() as connection:
        connection.execute("analyze handrail.actions, handrail.entries, handrail.payloads")
        connection.execute("set enable_seqscan = off")
        connection.execute("set plan_cache_mode = force_custom_plan")
        yield connection
        connection.execute(EMPTY)


@pytest.mark.parametrize("name", HOT)
def test_postgres_searches_by_index(great: psycopg.Connection, name: str) -> None:
    """Where an index can serve, it does: no statement needs a table from end to end."""
    query = queries("postgres")[name]
    found = great.execute(f"explain {query.text}".encode(), query.pick(Anything(name))).fetchall()
    plan = "\n".join(row[0] for row in found)
    assert "Seq Scan" not in plan, plan
    assert "Index" in plan, plan
