"""A server that is gone, slow or cut off: a clear error, no half state, and the store recovers."""

from __future__ import annotations

import threading

import psycopg
import pytest

from handrail.ports import Commit, Transaction
from handrail.store.postgres import PostgresStore
from handrail.words.errors import BadArguments, Conflict, StoreError
from tests.contract.things import PAYLOAD, action, add, count, entry, write
from tests.support import postgres


def test_a_server_that_goes_and_comes_back() -> None:
    """Every call says that it is gone; then the same store goes on by itself, at once."""
    with postgres.server(postgres.FAST) as server:
        store = PostgresStore(server.start(), connections=3, patience_seconds=5)
        spread = threading.Barrier(3)
        threads = [threading.Thread(target=store.read, args=(lambda _: spread.wait(5),)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        add(store, action())
        server.stop()
        for call in (lambda: add(store, action()), lambda: count(store), store.audit):
            with pytest.raises(StoreError, match=r"PostgreSQL postgres at .*; nothing was written"):
                call()
        server.start()
        add(store, action())
        assert count(store) == 2
        store.close()


def test_a_server_that_goes_in_the_middle_of_a_transaction() -> None:
    """Nothing of it stays, also what was written before the server went."""
    with postgres.server(postgres.FAST) as server:
        store = PostgresStore(server.start())

        def work(tx: Transaction) -> None:
            assert tx.actions.add(action(), PAYLOAD)
            server.stop()
            tx.actions.add(action(), PAYLOAD)

        with pytest.raises(StoreError, match="nothing was written"):
            write(store, work)
        server.start()
        assert count(store) == 0
        store.close()


def test_a_connection_that_breaks_at_the_commit(postgres_database: str) -> None:
    """Nobody can know whether it was written, and the error says so; the store goes on."""
    store = PostgresStore(postgres_database)

    def work(tx: Transaction) -> None:
        assert tx.actions.add(action(), PAYLOAD)
        with psycopg.connect(postgres_database, autocommit=True) as other:
            other.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where application_name = 'handrail' and state = 'idle in transaction'"
            )

    with pytest.raises(StoreError, match=r"propose: .* not known whether it was written"):
        store.write(Commit.PROPOSE, work)
    add(store, action())
    assert count(store) == 1
    store.close()


def test_a_client_that_goes_silent_keeps_others_waiting_for_a_while_only(postgres_database: str) -> None:
    """The server ends it: a halt goes through, and what the silent one had claimed is not."""
    store = PostgresStore(postgres_database, patience_seconds=0.5)
    inside, over = threading.Event(), threading.Event()
    errors: list[StoreError] = []

    def silent() -> None:
        def work(tx: Transaction) -> None:
            tx.actions.add(action(), PAYLOAD)
            inside.set()
            over.wait(20)

        try:
            write(store, work)
        except StoreError as error:
            errors.append(error)

    thread = threading.Thread(target=silent)
    thread.start()
    assert inside.wait(120)
    halting = PostgresStore(postgres_database, patience_seconds=20)
    halting.restrict(Commit.HALT, lambda tx: tx.restrictions.halt("h", None, None, "x", "ann", 1))
    over.set()
    thread.join()
    assert len(errors) == 1
    assert count(store) == 0
    halting.close()
    store.close()


def test_a_lock_that_is_kept_too_long(postgres_database: str) -> None:
    """A claim that can't have the lock gives up, and works once it is free."""
    store = PostgresStore(postgres_database, patience_seconds=0.3)
    with psycopg.connect(postgres_database) as other:
        other.execute("select pg_advisory_xact_lock(1213088844, 1)")
        with pytest.raises(StoreError, match="lock timeout; nothing was written"):
            add(store, action())
    add(store, action())
    assert count(store) == 1
    store.close()


def test_more_threads_than_connections_wait_for_each_other(postgres_database: str) -> None:
    """And give up when it takes too long."""
    store = PostgresStore(postgres_database, connections=1, patience_seconds=0.3)
    with pytest.raises(StoreError, match=r"all 1 database connections were busy for 0.3 seconds"):
        write(store, lambda _: store.read(lambda tx: tx.now()))
    add(store, action())
    store.close()


def test_a_text_that_postgres_can_not_hold(postgres_database: str) -> None:
    """The caller's mistake, not the store's."""
    store = PostgresStore(postgres_database)
    with pytest.raises(BadArguments, match="NUL"):
        add(store, action(rationale="a\0b"))
    assert count(store) == 0
    store.close()


def test_an_audit_may_think_for_longer_than_a_transaction_may(postgres_database: str) -> None:
    """It holds nobody up, so nobody ends it."""
    store = PostgresStore(postgres_database, patience_seconds=0.2)
    write(store, lambda tx: tx.journal.append([entry(), entry()]))
    streams = store.audit()
    entries = streams.entries()
    next(entries)
    threading.Event().wait(0.6)
    assert len(list(entries)) == 1
    assert len(list(streams.entries())) == 2
    streams.close()
    store.close()


def test_a_race_for_the_same_row_is_a_conflict(postgres_database: str) -> None:
    """Not a broken store: the caller may look again."""
    store = PostgresStore(postgres_database)
    new = add(store, action())
    with pytest.raises(Conflict, match="somebody was faster"):
        add(store, new)
    store.close()


def test_a_server_that_is_not_there() -> None:
    """The address without the password, and what to check."""
    with pytest.raises(StoreError, match="check HANDRAIL_DATABASE_URL") as raised:
        PostgresStore("postgresql://ann:secret@127.0.0.1:1/handrail")
    assert "secret" not in str(raised.value)
    assert "PostgreSQL handrail at 127.0.0.1" in str(raised.value)


def test_an_address_that_is_none() -> None:
    """Said before anything is tried."""
    with pytest.raises(StoreError, match="URL can't be read"):
        PostgresStore("postgresql://h?no_such_setting=1")


def test_a_closed_store_says_so(postgres_database: str) -> None:
    """It does not open itself again."""
    store = PostgresStore(postgres_database)
    store.close()
    with pytest.raises(StoreError, match="closed"):
        add(store, action())
