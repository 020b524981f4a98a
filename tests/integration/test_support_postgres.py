"""The PostgreSQL that the tests run on: real, fresh for each test, and able to go and come back."""

from __future__ import annotations

import psycopg
import pytest

from tests.support import postgres


def _value(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def test_is_a_real_server_of_a_supported_version(postgres_url: str) -> None:
    version = _value(postgres_url, "select current_setting('server_version_num')::int")
    assert isinstance(version, int)
    assert version >= 150_000


@pytest.mark.parametrize("turn", ["first", "second"])
def test_each_test_finds_an_empty_database(postgres_database: str, turn: str) -> None:
    tables = "select count(*) from pg_tables where schemaname = 'public'"
    assert _value(postgres_database, tables) == 0, turn
    with psycopg.connect(postgres_database) as connection:
        connection.execute("create table mark (n int)")
    assert _value(postgres_database, tables) == 1


def test_a_dropped_database_is_gone_even_while_someone_is_connected(postgres_url: str) -> None:
    with postgres.database(postgres_url) as url:
        held = psycopg.connect(url)
    with held, pytest.raises(psycopg.OperationalError):
        held.execute("select 1")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(url)


def test_a_server_of_its_own_keeps_committed_work_over_a_restart() -> None:
    with postgres.server(postgres.FAST) as own:
        url = own.start()
        with psycopg.connect(url) as connection:
            connection.execute("create table kept (n int)")
        own.stop()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url)
        assert _value(own.start(), "select count(*) from kept") == 0
    assert not own.folder.exists()
