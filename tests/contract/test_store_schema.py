"""The schema is kept twice, fresh and migrated: both give the same database; a newer one is left alone."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from handrail.ports import Store
from handrail.store.memory import MemoryStore
from handrail.store.migrate import VERSION, Older, migrations
from handrail.store.postgres import PostgresStore
from handrail.store.queries import queries, sql_file
from handrail.store.sqlite import SqliteStore
from handrail.store.sqlite_setup import APPLICATION
from handrail.words.approval import Choice, Vote
from handrail.words.errors import StoreError
from handrail.words.session import SessionRecord
from tests.contract.conftest import Opener
from tests.contract.things import VERDICT, add, entry, restrict, running, seal_all, write
from tests.support import postgres

Facts = dict[str, list[tuple[object, ...]]]

POSTGRES_FACTS = {
    "columns": """
        select table_name, column_name, data_type, is_nullable, column_default, is_identity,
            identity_generation
        from information_schema.columns where table_schema = 'handrail' order by 1, ordinal_position
    """,
    "constraints": """
        select conrelid::regclass::text, contype, pg_get_constraintdef(oid) from pg_constraint
        where connamespace = 'handrail'::regnamespace order by 1, 2, 3
    """,
    "indexes": "select indexname, indexdef from pg_indexes where schemaname = 'handrail' order by 1",
    "triggers": """
        select pg_get_triggerdef(t.oid) from pg_trigger t join pg_class c on c.oid = t.tgrelid
        where c.relnamespace = 'handrail'::regnamespace and not tgisinternal order by 1
    """,
    "functions": """
        select pg_get_functiondef(oid) from pg_proc where pronamespace = 'handrail'::regnamespace order by 1
    """,
    "views": "select viewname, definition from pg_views where schemaname = 'handrail' order by 1",
    "rows": "select one::text, generation::text from handrail.restrictions",
}


def sqlite_facts(scripts: list[str]) -> Facts:
    """Everything that SQLite knows of a database that these scripts made."""
    connection = sqlite3.connect(":memory:")
    for script in scripts:
        connection.executescript(script)
    tables = [
        row[0]
        for row in connection.execute(
            "select name from sqlite_master where type in ('table', 'view') order by 1"
        )
    ]
    facts: Facts = {
        "objects": [
            (kind, name, table, " ".join((sql or "").split()))
            for kind, name, table, sql in connection.execute(
                "select type, name, tbl_name, sql from sqlite_master order by 1, 2"
            )
            if kind != "table"
        ],
        "tables": connection.execute("select name, strict, wr from pragma_table_list order by 1").fetchall(),
        "rows": connection.execute("select * from restrictions").fetchall(),
    }
    for table in tables:
        facts[f"columns {table}"] = connection.execute(
            f"select * from pragma_table_xinfo('{table}')"
        ).fetchall()
        facts[f"keys {table}"] = connection.execute(
            f"select * from pragma_foreign_key_list('{table}')"
        ).fetchall()
        (sql,) = connection.execute("select sql from sqlite_master where name = ?", (table,)).fetchone()
        facts[f"checks {table}"] = [(part.split(",\n")[0],) for part in sql.split("check ")[1:]]
    connection.close()
    return facts


def postgres_facts(url: str, scripts: list[str]) -> Facts:
    """Everything that PostgreSQL's catalogs know of a schema that these scripts made."""
    with postgres.database(url) as database, psycopg.connect(database) as connection:
        connection.execute("create schema handrail")
        connection.execute("set search_path = handrail")
        for script in scripts:
            connection.execute(script.encode())
        return {name: connection.execute(query.encode()).fetchall() for name, query in POSTGRES_FACTS.items()}


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_schema_and_migrations_make_the_same_database(dialect: str, postgres_url: str) -> None:
    """Every table, column, type, constraint, index, trigger, function and first row."""
    fresh, migrated = [sql_file(f"schema/{dialect}.sql")], list(migrations(dialect).values())
    if dialect == "sqlite":
        found = sqlite_facts(fresh), sqlite_facts(migrated)
    else:
        found = postgres_facts(postgres_url, fresh), postgres_facts(postgres_url, migrated)
    assert found[0] == found[1]
    assert all(found[0].values()) or dialect == "sqlite"


def test_the_comparison_sees_a_difference() -> None:
    """One column's type, one index, one check: each would be found."""
    schema = sql_file("schema/sqlite.sql")
    changes = [
        ("opened_at integer", "opened_at text"),
        ("halts_in_force on halts (at)", "halts_in_force on halts (id)"),
    ]
    for old, new in [*changes, ("check (used >= 0)", "check (used >= -1)")]:
        assert old in schema
        assert sqlite_facts([schema]) != sqlite_facts([schema.replace(old, new)])


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_the_version_is_that_of_the_newest_migration(dialect: str) -> None:
    """They are numbered without a gap, for both databases."""
    assert list(migrations(dialect)) == list(range(1, VERSION + 1))


def test_both_databases_have_the_same_tables_and_columns(postgres_url: str) -> None:
    """Except the number of the writing transaction, which SQLite has no need of."""
    lite = sqlite_facts([sql_file("schema/sqlite.sql")])
    of_lite = {
        (name.removeprefix("columns "), row[1])
        for name, rows in lite.items()
        if name.startswith("columns")
        for row in rows
    }
    facts = postgres_facts(postgres_url, [sql_file("schema/postgres.sql")])
    assert {(row[0], row[1]) for row in facts["columns"]} - of_lite == {("entries", "xid")}
    assert of_lite <= {(row[0], row[1]) for row in facts["columns"]}


def test_both_databases_have_the_same_queries() -> None:
    """A dialect's own file has what the other's has."""
    assert set(queries("sqlite")) == set(queries("postgres"))


def test_every_query_is_used(request: pytest.FixtureRequest) -> None:
    """No statement stands there for nothing."""
    source = Path(request.config.rootpath, "src/handrail/store")
    code = "".join(path.read_text(encoding="utf-8") for path in source.rglob("*.py"))
    assert [name for name in queries("sqlite") if f'"{name}"' not in code] == []


def sqlite_version(path: Path, version: int) -> Callable[[], bytes]:
    """Pretend that a Handrail of this version wrote the file; gives what the file holds."""
    SqliteStore(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"pragma user_version = {version}")
    connection.execute("update meta set value = ? where name = 'readable_from'", (str(version),))
    connection.commit()
    connection.execute("pragma journal_mode = delete")
    connection.close()
    return path.read_bytes


def test_a_newer_sqlite_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    """Not a byte of the file changes, and no other file appears."""
    read = sqlite_version(tmp_path / "h.db", VERSION + 1)
    before, files = read(), sorted(tmp_path.iterdir())
    with pytest.raises(StoreError, match=rf"h\.db: .*version {VERSION + 1}, newer .* upgrade"):
        SqliteStore(tmp_path / "h.db")
    assert read() == before
    assert sorted(tmp_path.iterdir()) == files


def test_a_sqlite_store_of_this_version_is_opened(tmp_path: Path) -> None:
    """The twin of the refusal above."""
    sqlite_version(tmp_path / "h.db", VERSION)
    store = SqliteStore(tmp_path / "h.db")
    assert store.read(lambda tx: tx.restrictions.generation()) == 1
    store.close()


def test_another_programs_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    """A shop's own database must not find our tables in it one day."""
    path = tmp_path / "shop.db"
    connection = sqlite3.connect(path)
    connection.execute("create table orders (id)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="belongs to another program"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_an_empty_file_is_taken(tmp_path: Path) -> None:
    """As one made beforehand with the right owner and mode."""
    (tmp_path / "h.db").touch()
    SqliteStore(tmp_path / "h.db").close()
    assert (tmp_path / "h.db").stat().st_size > 0


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    """It holds arguments and keys; the log beside it has the same mode."""
    store = SqliteStore(tmp_path / "h.db")
    write(store, lambda tx: tx.restrictions.set_meta("a", "b"))
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    store.close()


def test_a_newer_postgres_store_is_refused_and_left_alone(postgres_database: str) -> None:
    """The version stays, and nothing is made."""
    PostgresStore(postgres_database).close()
    with psycopg.connect(postgres_database) as connection:
        connection.execute("update handrail.meta set value = '99'")
        connection.execute("drop table handrail.deliveries")
    with pytest.raises(StoreError, match=r"version 99, newer .* upgrade"):
        PostgresStore(postgres_database)
    with psycopg.connect(postgres_database) as connection:
        assert connection.execute("select to_regclass('handrail.deliveries')").fetchone() == (None,)


def test_a_postgres_role_that_can_only_use_the_schema_opens_the_store(postgres_database: str) -> None:
    """Least privilege: once the schema is there, no right to create anything is needed."""
    PostgresStore(postgres_database).close()
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute("drop role if exists handrail_agent")
        connection.execute("create role handrail_agent login password 'x'")
        connection.execute("grant usage on schema handrail to handrail_agent")
        connection.execute("grant select, insert, update on all tables in schema handrail to handrail_agent")
    store = PostgresStore(f"{postgres_database}{'&' if '?' in postgres_database else '?'}user=handrail_agent")
    new = add(store, running())
    write(store, lambda tx: tx.journal.append([entry(action=new.id)]))
    write(store, lambda tx: tx.budgets.reserve(new.id, 1, VERDICT.charges))
    assert write(store, seal_all) == 1
    restrict(store, lambda tx: tx.restrictions.halt("h", None, None, "x", "ann", 1))
    store.close()
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute("drop owned by handrail_agent")
        connection.execute("drop role handrail_agent")


def test_many_threads_may_open_a_new_store_at_once(opener: Opener) -> None:
    """One makes the schema, the others find it."""
    errors: list[BaseException] = []
    found: list[Store] = []
    start = threading.Barrier(6)

    def open_it() -> None:
        try:
            start.wait()
            found.append(opener())
        except BaseException as error:  # noqa: BLE001 - told below
            errors.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert {store.read(lambda tx: tx.restrictions.generation()) for store in found} == {1}


@pytest.mark.parametrize("backend", ["sqlite", "postgres"])
def test_many_processes_may_open_a_new_store_at_once(
    backend: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """None of them meets a lock or half a schema."""
    place = str(tmp_path / "h.db") if backend == "sqlite" else request.getfixturevalue("postgres_database")
    name = "sqlite.SqliteStore" if backend == "sqlite" else "postgres.PostgresStore"
    module, _, cls = name.partition(".")
    script = f"""
import sys
from handrail.store.{module} import {cls}
print(flush=True)
sys.stdin.readline()
store = {cls}({place!r})
print(store.read(lambda tx: tx.restrictions.generation()))
store.close()
"""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    told = [process.communicate("go\n") for process in processes]
    assert told == [("1\n", "")] * 4


def test_a_synchronous_setting_that_sqlite_lacks_is_refused(tmp_path: Path) -> None:
    """OFF would lose what was said to be durable."""
    with pytest.raises(ValueError, match="expected one of EXTRA, FULL, NORMAL"):
        SqliteStore(tmp_path / "h.db", "OFF")
    SqliteStore(tmp_path / "h.db", "extra").close()


def test_every_memory_store_is_its_own() -> None:
    """Nothing is shared by accident."""
    one, other = MemoryStore(), MemoryStore()
    write(one, lambda tx: tx.restrictions.set_meta("a", "b"))
    assert other.read(lambda tx: tx.restrictions.meta("a")) is None
    one.close()
    other.close()


def test_what_was_there_before_people_came_is_there_after_it(tmp_path: Path, postgres_database: str) -> None:
    """A store of the first version, with an answered question in it, opens as one of this version."""
    row = "insert into {}approvals values ('q', 'a', 'd', '[]', 'open', 1, null, null)"
    vote = "insert into {}votes values ('q', 'ann', 'approve', 'fine', 0, 2)"
    held = (
        "insert into {}actions (id, agent, tool, session, state, digest, binding, policy, rung, verdict, "
        "proposed_at, updated_at, shadow, attempt) "
        "values ('a', 'x', 't', 's', 'held', 'd', 'b', 'p', 'bounded', '{{}}', 1, 1, 0, 0)"
    )
    session = "insert into {}sessions values ('s', 'x', null, 1)"
    statements = (held, row, vote, session)
    with closing(sqlite3.connect(tmp_path / "h.db")) as lite:
        lite.executescript(migrations("sqlite")[1])
        for statement in statements:
            lite.execute(statement.format(""))
        lite.execute(f"pragma application_id = {APPLICATION}")
        lite.execute("pragma user_version = 1")
        lite.commit()
    with psycopg.connect(postgres_database) as server:
        server.execute("create schema handrail")
        server.execute("set search_path = handrail")
        server.execute(migrations("postgres")[1].encode())
        server.execute("insert into meta values ('schema', '1')")
        for statement in statements:
            server.execute(statement.format("handrail.").encode())
    upgrade = Older.UPGRADE
    for store in (
        SqliteStore(tmp_path / "h.db", older=upgrade),
        PostgresStore(postgres_database, older=upgrade),
    ):
        (found,) = store.read(lambda tx: tx.approvals.votes("q"))
        assert found == Vote("q", "ann", Choice.APPROVE, "fine", verified=False, at=2)
        assert store.read(lambda tx: tx.sessions.get("s")) == SessionRecord("s", "x", None, 1)
        answer = Vote("q", "ben", Choice.ANSWER, "use the other order", verified=False, at=3)
        assert write(store, lambda tx, answer=answer: tx.approvals.vote(answer))  # type: ignore[misc]
        store.close()
