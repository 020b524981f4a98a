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
NUMBERS |= {"through_xid", "through_seq", "expires_at", "before", "opened_at", "verified", "since", "width"}
NUMBERS |= {"first_byte_at", "ended_at", "cost", "presumed", "status"}
NUMBERS |= {"until", "mark", "digits"}
NUMBERS |= {"asked", "oldest", "earliest", "latest", "tokens", "actions", "more", "window", "percent"}

GIVEN = {"digests": '["x"]', "approvals": '["x"]'}


class Anything(dict[str, object]):
    """A value of the right type for every parameter; only filters are left open."""

    def __init__(self, name: str) -> None:
        filters = {
            "newest_entries": ("before", "after", "since", "until", "kind", "action"),
            "entries_by_action": ("action",),
        }
        shared = ("agent", "tool", "session", "task", "text")
        super().__init__(dict.fromkeys((*filters[name], *shared)) if name in filters else {})

    def __missing__(self, name: str) -> object:
        return 1 if name in NUMBERS else GIVEN.get(name, "x")


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
    "settle_measured": "holds",
    "release_holds": "holds",
    "presume_holds": "holds",
    "presumed": "holds_presumed",
    "room": "budget_windows",
    "rolling_used": "budget_windows",
    "window_after": "budget_windows",
    "move_window": "budget_windows",
    "mark_alerted": "budget_windows",
    "alerted_since": "budget_alerts",
    "balances": "budget_windows_start",
    "lock_window": "budget_windows",
    "raised": "budget_raises_in_force",
    "draw": "budget_chunks",
    "close_chunk": "budget_chunks",
    "open_chunks": "budget_chunks_window",
    "end_chunks": "budget_chunks_window",
    "lapsed_chunks": "budget_chunks_until",
    "lock_chunk_holds": "holds_chunk",
    "detach_holds": "holds_chunk",
    "chunk_spent": "holds_chunk",
    "open_approvals": "approvals_open",
    "open_approval_before": "approvals_open",
    "waiting_approvals": "approvals_open",
    "waiting_approval_before": "approvals_open",
    "seats": "seats",
    "votes": "votes",
    "approval": "approvals",
    "approval_of": "approvals_action",
    "approvals_about": "approvals_action",
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
    "ready": "actions_ready",
    "as_many_held": "actions_held",
    "session_actions": "actions_session",
    "similar": "actions_answered",
    "supersede": "actions",
    "newest_settled": "entries",
    "restored_at": "entries_restored",
    "session": "sessions",
    "pause_session": "sessions",
    "person": "people",
    "person_by_oidc": "people",
    "take_link": "links",
    "signed_in": "sign_ins",
    "sign_ins": "sign_ins_person",
    "tries": "tries_subject",
    "key": "keys",
    "key_used": "keys",
    "usable_standings": "standings_in_force",
    "take_standing": "standings",
    "take_deliveries": "deliveries_open",
    "next_delivery": "deliveries_open",
    "deliveries_of": "deliveries",
    "pinned_schemas": "tool_schemas_accepted",
    "model_call": "model_calls",
    "finish_model_call": "model_calls",
    "beat_model_call": "model_calls",
    "lapsed_model_calls": "model_calls_running",
    "model_calls_due": "model_calls_running",
    "session_model_calls": "model_calls_session",
    "prompt": "prompts",
    "tallies": "actions",
    "told_of": "entries",
    "written": "entries",
    "waiting": "actions_held",
    "open_questions": "approvals_open",
}
"""Each hot statement with its index, or the table whose primary key it uses."""
ORDERED = {
    "newest_entries": "SCAN e",
    "newest_settled": "SCAN entries",
    "restored_at": "SCAN entries USING INDEX entries_restored",
    "last_head": "SCAN heads",
    "presumed": "SCAN h USING INDEX holds_presumed",
    "active_policy": "SCAN activations",
    "next_delivery": "SCAN deliveries USING INDEX deliveries_open",
    "pinned_schemas": "SCAN tool_schemas USING INDEX tool_schemas_accepted",
}
"""What is read in the order of an index: from its end until the limit, or as far as there is anything."""
ENDS = {"newest_entries", "newest_settled", "last_head", "entries_by_seq", "unsealed"}
"""What takes a few rows from one end of millions: sorting would read them all."""
FEW = {"restored_at": "entries_restored"}
"""What finds a few rows among millions: any other index would read them all."""
ALLOWED = "approvals_open|CONSTANT ROW|SCAN fullest|SCAN json_each|model_calls_running"
"""What may be read whole: open questions, the calls that run, the fullest windows, what is asked for."""


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
    if name in ORDERED:
        assert steps == [ORDERED[name]]
        return
    searches = [step for step in steps if step.startswith("SEARCH")]
    assert not [step for step in steps if step.startswith("SCAN") and not re.search(ALLOWED, step)]
    named = (
        "INTEGER PRIMARY KEY"
        if index == "entries"
        else rf"(INDEX {index}\b|sqlite_autoindex_{index}_[12]|PRIMARY KEY)"
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
    assert "Sort" not in plan or name not in ENDS, plan
    assert FEW.get(name, "") in plan, plan
