"""Nothing starts after a restriction has returned: claims are held open between statement and commit."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from handrail.ports import Store, Transaction
from handrail.words.errors import HandrailError
from handrail.words.lifecycle import State
from tests.contract.conftest import Opener
from tests.contract.people_things import key, person, schema, standing
from tests.contract.things import AT, SOON, VERDICT, action, add, restrict, state_of, write

SECONDS = 120


class Changed(HandrailError):
    """What a claim raises when the generation is not the one that it was decided for."""


def claim_of(store: Store, known: str, seen: int, inside: Callable[[], None] = lambda: None) -> None:
    """A claim as the engine makes it: it tests the generation, sets the state, and then dawdles."""
    found = store.read(lambda tx: tx.actions.get(known))
    assert found is not None
    claimed = replace(found, token="t", owner="o", lease_until=SOON)

    def work(tx: Transaction) -> None:
        if tx.restrictions.generation() != seen:
            raise Changed("decide anew")
        assert tx.actions.claim(claimed, VERDICT, AT) == 1
        inside()

    write(store, work)


def throw(store: Store) -> bool:
    """The kill switch; whether anything was running when it was thrown."""

    def work(tx: Transaction) -> bool:
        tx.restrictions.halt("h", None, None, "stop", "ann", AT)
        return bool(tx.actions.running())

    return restrict(store, work)


class Dawdler:
    """A claim in a thread of its own, stopped between its statement and its commit."""

    def __init__(self, pool: ThreadPoolExecutor, store: Store, known: str, seen: int) -> None:
        self._inside, self._go_on = threading.Event(), threading.Event()
        self.claim: Future[None] = pool.submit(claim_of, store, known, seen, self._stop)
        assert self._inside.wait(SECONDS)

    def _stop(self) -> None:
        self._inside.set()
        assert self._go_on.wait(SECONDS)

    def go_on(self) -> None:
        self._go_on.set()


@pytest.mark.parametrize("same_process", [True, False])
def test_a_halt_returns_only_after_the_claims_that_it_met(opener: Opener, same_process: bool) -> None:  # noqa: FBT001
    """It waits for the claim in flight, sees it running, and the next claim is refused."""
    mine = opener()
    others = mine if same_process else opener()
    first, second = (add(mine, action(state=State.ALLOWED)).id for _ in range(2))
    seen = mine.read(lambda tx: tx.restrictions.generation())
    with ThreadPoolExecutor() as pool:
        dawdler = Dawdler(pool, mine, first, seen)
        halt = pool.submit(throw, others)
        with pytest.raises(TimeoutError):
            halt.result(timeout=0.2)
        dawdler.go_on()
        dawdler.claim.result(SECONDS)
        assert halt.result(SECONDS) is True
    with pytest.raises(Changed):
        claim_of(mine, second, seen)
    assert state_of(mine, add(mine, action())) is State.HELD


def test_a_claim_that_waited_for_a_halt_sees_it(opener: Opener) -> None:
    """It began before the halt committed, and reads the generation after."""
    mine, others = opener(), opener()
    known = add(mine, action(state=State.ALLOWED))
    seen = mine.read(lambda tx: tx.restrictions.generation())
    inside, go_on = threading.Event(), threading.Event()

    def slow_halt(tx: Transaction) -> None:
        tx.restrictions.halt("h", None, None, "stop", "ann", AT)
        inside.set()
        assert go_on.wait(SECONDS)

    with ThreadPoolExecutor() as pool:
        halt = pool.submit(restrict, others, slow_halt)
        assert inside.wait(SECONDS)
        claim = pool.submit(claim_of, mine, known.id, seen)
        with pytest.raises(TimeoutError):
            claim.result(timeout=0.2)
        go_on.set()
        halt.result(SECONDS)
        with pytest.raises(Changed):
            claim.result(SECONDS)
    assert state_of(mine, known) is State.ALLOWED


def test_claims_do_not_wait_for_each_other_on_postgres(postgres_opener: Opener) -> None:
    """They share the lock: one that dawdles holds up no other."""
    store = postgres_opener()
    first, second = (add(store, action(state=State.ALLOWED)) for _ in range(2))
    seen = store.read(lambda tx: tx.restrictions.generation())
    with ThreadPoolExecutor() as pool:
        dawdler = Dawdler(pool, store, first.id, seen)
        pool.submit(claim_of, store, second.id, seen).result(SECONDS)
        dawdler.go_on()
        dawdler.claim.result(SECONDS)


INSERTS = {
    "halts": "insert into {}halts (id, reason, person, at) values ('raw', 'stop', 'ann', 1)",
    "lift": "update {}halts set lifted_at = 2 where id = 'old'",
    "unhalt": "delete from {}halts where id = 'old'",
    "grants": "insert into {}grants values ('a', 't', 'shadow', 1, 'ann', 'x', 1)",
    "demote": "update {}grants set rung = 'shadow'",
    "ungrant": "delete from {}grants",
    "activations": "insert into {}activations (policy, at, person, reason) values ('p', 1, 'ann', 'x')",
    "reactivate": "update {}activations set at = at + 1",
    "deactivate": "delete from {}activations",
    "revoke a key": "update {}keys set revoked_at = 2",
    "expire a key": "update {}keys set expires_at = 2",
    "swap a key's agent": "update {}keys set agents = '[\"x\"]'",
    "remove a key": "delete from {}keys",
    "switch a person off": "update {}people set active = 0",
    "lower a role": "update {}people set role = 'viewer'",
    "send a person away": "update {}people set away_until = 2",
    "remove a person": "delete from {}people",
    "add a schema": "insert into {}tool_schemas values ('x', 'b', '{{}}', 1, 'k', 1, 'k')",
    "unpin a schema": "update {}tool_schemas set accepted_at = null",
    "remove a schema": "delete from {}tool_schemas",
}
HARMLESS = {
    "use a key": "update {}keys set used_at = 2",
    "add a person": "insert into {}people values ('x', 'X', 'viewer', 1, 1, null, null, 0, null, null, null)",
    "sign in": "update {}people set totp_step = 9, password = 'x', name = 'y'",
    "use a standing approval": "update {}standings set actions_left = 1",
    "open a session": "insert into {}sessions (id, agent, opened_at) values ('s', 'a', 1)",
}


def prepare(store: Store) -> int:
    """Something of each kind to change; the generation after it."""

    def work(tx: Transaction) -> None:
        tx.restrictions.halt("old", None, None, "x", "ann", AT)
        tx.restrictions.grant("b", "t", "bounded", "x", "ann", AT)
        tx.restrictions.add_policy("p", "x", {}, AT)
        tx.restrictions.activate("p", "ann", "x", AT)
        tx.people.add(person())
        tx.keys.add(key())
        tx.toolbox.add(schema())
        tx.standings.add(standing())

    restrict(store, work)
    return store.read(lambda tx: tx.restrictions.generation())


@pytest.mark.parametrize("change", INSERTS)
def test_raw_sql_makes_every_copy_stale_on_postgres(
    postgres_opener: Opener, postgres_database: str, change: str
) -> None:
    """Whatever a person writes by hand, the generation grows."""
    store = postgres_opener()
    before = prepare(store)
    with psycopg.connect(postgres_database) as connection:
        connection.execute(INSERTS[change].format("handrail.").encode())
    assert store.read(lambda tx: tx.restrictions.generation()) > before


@pytest.mark.parametrize("change", HARMLESS)
def test_what_restricts_nothing_waits_for_nobody_on_postgres(
    postgres_opener: Opener, postgres_database: str, change: str
) -> None:
    """The twins: an agent's every call and a person's every sign-in, while a claim is under way."""
    store = postgres_opener()
    before = prepare(store)
    known = add(store, action(state=State.ALLOWED))
    with ThreadPoolExecutor() as pool:
        dawdler = Dawdler(pool, store, known.id, before)
        with psycopg.connect(postgres_database, options="-c lock_timeout=2000") as connection:
            connection.execute(HARMLESS[change].format("handrail.").encode())
        dawdler.go_on()
        dawdler.claim.result(SECONDS)
    assert store.read(lambda tx: tx.restrictions.generation()) == before


@pytest.mark.parametrize("change", HARMLESS)
def test_what_restricts_nothing_makes_no_copy_stale_on_sqlite(
    sqlite_opener: Opener, tmp_path: Path, change: str
) -> None:
    """The same."""
    store = sqlite_opener()
    before = prepare(store)
    with closing(sqlite3.connect(tmp_path / "handrail.db")) as connection, connection:
        connection.execute(HARMLESS[change].format(""))
    assert store.read(lambda tx: tx.restrictions.generation()) == before


@pytest.mark.parametrize(
    "table", ["halts", "grants", "activations", "keys", "people cascade", "tool_schemas"]
)
def test_emptying_a_table_makes_every_copy_stale_on_postgres(
    postgres_opener: Opener, postgres_database: str, table: str
) -> None:
    """Truncate is a change too."""
    store = postgres_opener()
    before = prepare(store)
    with psycopg.connect(postgres_database) as connection:
        connection.execute(f"truncate handrail.{table}".encode())
    assert store.read(lambda tx: tx.restrictions.generation()) > before


@pytest.mark.parametrize("change", [*INSERTS, "replace"])
def test_raw_sql_makes_every_copy_stale_on_sqlite(sqlite_opener: Opener, tmp_path: Path, change: str) -> None:
    """The same, and SQLite's own way to overwrite."""
    store = sqlite_opener()
    before = prepare(store)
    replaced = (
        "insert or replace into {}halts (id, reason, person, at, lifted_at) values ('old', 'x', 'ann', 1, 2)"
    )
    connection = sqlite3.connect(tmp_path / "handrail.db")
    with connection:
        connection.execute({**INSERTS, "replace": replaced}[change].format(""))
    connection.close()
    assert store.read(lambda tx: tx.restrictions.generation()) > before


@pytest.mark.parametrize("statement", [INSERTS["halts"], "select {}halt_everything('odd', 'ann')"])
def test_a_halt_in_raw_sql_waits_for_claims_on_postgres(
    postgres_opener: Opener, postgres_database: str, statement: str
) -> None:
    """A plain insert, and the function for it, are as strict as our own halt: the trigger takes the lock."""
    store = postgres_opener()
    known, late = (add(store, action(state=State.ALLOWED)) for _ in range(2))
    seen = store.read(lambda tx: tx.restrictions.generation())

    def by_hand() -> None:
        with psycopg.connect(postgres_database, autocommit=True) as connection:
            connection.execute(statement.format("handrail.").encode())

    with ThreadPoolExecutor() as pool:
        dawdler = Dawdler(pool, store, known.id, seen)
        halt = pool.submit(by_hand)
        with pytest.raises(TimeoutError):
            halt.result(timeout=0.2)
        dawdler.go_on()
        halt.result(SECONDS)
    assert state_of(store, known) is State.RUNNING
    with pytest.raises(Changed):
        claim_of(store, late.id, seen)


def test_the_function_that_halts_everything_gives_the_halts_id(
    postgres_opener: Opener, postgres_database: str
) -> None:
    """So that it can be lifted; each call is another halt, with a reason and a person."""
    store = postgres_opener()
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        rows = [
            connection.execute("select handrail.halt_everything('odd refunds', 'ann')").fetchone()
            for _ in range(2)
        ]
        for reason, who in (("null", "'ann'"), ("'odd'", "null")):
            with pytest.raises(psycopg.errors.NotNullViolation):
                connection.execute(f"select handrail.halt_everything({reason}, {who})".encode())
    ids = {row[0] for row in rows if row is not None}
    halts = store.read(lambda tx: tx.restrictions.read()).halts
    assert {halt.id for halt in halts} == ids
    assert len(ids) == 2
    assert {(halt.reason, halt.by, halt.scope) for halt in halts} == {("odd refunds", "ann", "everything")}
    (lifted, _) = ids
    assert restrict(store, lambda tx: tx.restrictions.lift(lifted, "well", "ann", AT))
    assert len(store.read(lambda tx: tx.restrictions.read()).halts) == 1


def test_the_statement_that_the_documentation_gives_stops_everything(
    postgres_opener: Opener, sqlite_opener: Opener, postgres_database: str, tmp_path: Path
) -> None:
    """Typed into psql or sqlite3 as it stands on the page."""
    page = (Path(__file__).parents[2] / "docs/explanation/stores.md").read_text(encoding="utf-8")
    (statement,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    server, file = postgres_opener(), sqlite_opener()
    with psycopg.connect(postgres_database) as connection:
        connection.execute(statement.encode())
    with closing(sqlite3.connect(tmp_path / "handrail.db")) as lite, lite:
        lite.execute(statement.replace("handrail.", "", 1))
    for store in (server, file):
        (halt,) = store.read(lambda tx: tx.restrictions.read()).halts
        assert halt.covers("anyone", "anything")


def test_a_database_that_defaults_to_old_snapshots_changes_nothing(
    postgres_opener: Opener, postgres_database: str
) -> None:
    """A claim reads fresh even where the database's default isolation is serializable."""
    name = psycopg.conninfo.conninfo_to_dict(postgres_database)["dbname"]
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute(
            f'alter database "{name}" set default_transaction_isolation = serializable'.encode()
        )
    store = postgres_opener()

    def work(tx: Transaction) -> tuple[int, int]:
        first = tx.restrictions.meta("x")
        with psycopg.connect(postgres_database, autocommit=True) as connection:
            connection.execute("insert into handrail.meta values ('x', '1')")
        return (first is None), (tx.restrictions.meta("x") == "1")

    assert write(store, work) == (True, True)
