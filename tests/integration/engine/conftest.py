"""A desk over each store: memory, SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from tests.support import postgres
from tests.support.rail import LEASE, POLICY, Desk, opened

Open = Callable[..., Desk]


@pytest.fixture(scope="session")
def engine_database(postgres_url: str) -> Iterator[str]:
    """URL of one PostgreSQL database for all these tests: one for each would take most of their time."""
    with postgres.database(postgres_url) as url:
        yield url


@pytest.fixture
def empty_database(engine_database: str) -> str:
    """URL of a PostgreSQL database without a store in it."""
    with psycopg.connect(engine_database, autocommit=True) as connection:
        connection.execute("drop schema if exists handrail cascade")
    return engine_database


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store of each kind."""
    if request.param == "postgres":
        return str(request.getfixturevalue("empty_database"))
    return "memory:" if request.param == "memory" else f"sqlite:///{tmp_path / 'handrail.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def shared_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store that several processes may share."""
    if request.param == "postgres":
        return str(request.getfixturevalue("empty_database"))
    return f"sqlite:///{tmp_path / 'handrail.db'}"


@pytest.fixture
def open_desk(tmp_path: Path) -> Iterator[Open]:
    """Opens desks, with a policy of the test's own if it has one; all are closed at its end."""
    with ExitStack() as stack:

        def open_one(url: str, policy: str = POLICY, lease: int = LEASE, *, keeper: bool = False) -> Desk:
            return stack.enter_context(opened(tmp_path, url, policy, lease, keeper=keeper))

        yield open_one


@pytest.fixture
def desk(store_url: str, open_desk: Open) -> Desk:
    """A desk with the usual policy, over each store."""
    return open_desk(store_url)


@pytest.fixture
def one_desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk over SQLite, where the store makes no difference."""
    with opened(tmp_path, f"sqlite:///{tmp_path / 'handrail.db'}", keeper=False) as found:
        yield found
