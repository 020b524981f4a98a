"""Every test here that asks for `store` runs on memory, on a SQLite file and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from handrail.ports import Store
from handrail.store.memory import MemoryStore
from handrail.store.postgres import PostgresStore
from handrail.store.sqlite import SqliteStore
from tests.support import postgres

Opener = Callable[[], Store]
EMPTY = """
    truncate activations, halts, grants, sessions, payloads, seats, votes, approvals, holds, actions,
        budget_windows, budget_chunks, budget_raises, budget_freezes, budget_alerts, entries, leaves, heads,
        policies, people, links, sign_ins, tries, keys, standings, deliveries, tool_schemas, lookers, prompts,
        model_calls restart identity;
    delete from meta where name <> 'schema' and name <> 'readable_from'
"""


@pytest.fixture
def sqlite_opener(tmp_path: Path) -> Iterator[Opener]:
    """Opens the same SQLite file again and again, as other processes would; all are closed at the end."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(SqliteStore(tmp_path / "handrail.db", "NORMAL")))


@pytest.fixture
def postgres_opener(postgres_database: str) -> Iterator[Opener]:
    """The same for one PostgreSQL database of the test's own."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(PostgresStore(postgres_database)))


@pytest.fixture(params=["sqlite", "postgres"])
def opener(request: pytest.FixtureRequest) -> Opener:
    """The two of them, one after the other."""
    found: Opener = request.getfixturevalue(f"{request.param}_opener")
    return found


@pytest.fixture(scope="session")
def shared_postgres(postgres_url: str) -> Iterator[PostgresStore]:
    """One PostgreSQL store for all tests of `store`: a fresh one for each would take most of the time."""
    with postgres.database(postgres_url) as url:
        opened = PostgresStore(url)
        yield opened
        opened.close()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """One open store."""
    if request.param == "postgres":
        shared: PostgresStore = request.getfixturevalue("shared_postgres")
        yield shared
        with shared._settings.connect() as connection:
            connection.execute(EMPTY)
        return
    opened = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "handrail.db", "NORMAL")
    yield opened
    opened.close()
