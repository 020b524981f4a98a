"""A backup is one moment of a store of any kind; restored anywhere it is whole, halted and still proven."""

from __future__ import annotations

import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import handrail
from handrail.app import open_store
from handrail.cli.backup import written
from handrail.engine import jobs
from handrail.engine.restored import Restored, begin_anew
from handrail.engine.restrict import halt, lift
from handrail.ports import Commit
from handrail.store import backup
from handrail.store.backup import BLOBS, Manifest
from handrail.store.parts.tables import LEFT_OUT, TABLES
from handrail.words.entry import Kind
from handrail.words.errors import Refused
from handrail.words.lifecycle import State
from handrail.words.person import Person, Role, SignIn
from tests.integration.store.conftest import NewUrl
from tests.integration.store.copies import busy, proven, put_back, rows
from tests.support.rail import LEAD, opened

KINDS = ["sqlite", "postgres"]
WAYS = [(one, other) for one in KINDS for other in KINDS]


@pytest.mark.parametrize(("source", "target"), WAYS)
def test_a_backup_of_a_busy_store_is_restored_anywhere(
    source: str, target: str, tmp_path: Path, new_url: NewUrl
) -> None:
    """Every row is there; the log is proven by the root from before; nothing goes on by itself."""
    with busy(tmp_path / "a", new_url(source)) as desk:
        manifest = written(desk.app.store, tmp_path / "b.zip")
        before = rows(desk.app.store)
        unsealed = desk.verified().unsealed.count
    assert unsealed > 0
    assert manifest.journal.root is not None
    url = new_url(target)
    store = open_store(url)
    made = put_back(store, tmp_path / "b.zip")
    after = rows(store)
    for table in ("policies", "activations", "payloads", "approvals", "seats", "votes", "holds", "grants"):
        assert after[table] == before[table], table
    assert before["entries"] < after["entries"]
    assert before["leaves"] < after["leaves"]
    assert (made.unknown, made.expired, made.sealed) == (1, 1, unsealed)
    store.close()
    with opened(tmp_path / "a", url, keeper=False) as again:
        told = again.kinds()
        assert Kind.RESTORED in told
        assert told[-1] is Kind.HALTED
        jobs.seal(again.app.engine)
        report = proven(again.app.store, bytes.fromhex(manifest.journal.root))
        assert report.ok, list(report.sentences())
        assert report.proof is not None
        assert report.unsealed.count == 0
        assert {each.state for each in again.actions()} == {
            State.DONE, State.HELD, State.EXPIRED, State.UNKNOWN,
        }  # fmt: skip
        assert again.sql("select state from deliveries") == [("gave_up",)]
        assert again.sql("select token, owner, lease_until from actions where state = 'unknown'") == [
            (None, None, None)
        ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_restored_store_runs_nothing_before_the_halt_is_lifted_and_goes_on_after(
    kind: str, tmp_path: Path, new_url: NewUrl
) -> None:
    """A question that was open can be answered, and the log that goes on is sealed and proven."""
    with busy(tmp_path / "a", new_url("sqlite")) as desk:
        manifest = written(desk.app.store, tmp_path / "b.zip")
    store = open_store(url := new_url(kind))
    made = put_back(store, tmp_path / "b.zip")
    store.close()
    with opened(tmp_path / "a", url, keeper=False) as again:

        @again.rail.tool
        def refund(order: str, amount: float, reason: str = "") -> str:
            return f"refunded {order}"

        with again.rail.session("support", "t-2"), pytest.raises(handrail.Denied, match="restored from"):
            refund("o-9", 5)
        lift(again.app.engine, made.halt, "looked", "ops")
        with again.rail.session("support", "t-2"):
            assert refund("o-9", 5) == "refunded o-9"
        [held] = again.actions(State.HELD)
        again.vote(held.id, LEAD)
        assert again.rail.resume(held.id) == "refunded o-3"
        jobs.seal(again.app.engine)
        report = proven(again.app.store, bytes.fromhex(manifest.journal.root or ""))
        assert (report.ok, report.unsealed.count) == (True, 0)
        assert report.proof is not None


@pytest.mark.parametrize("kind", KINDS)
def test_a_restored_store_can_be_backed_up_and_restored_again(
    kind: str, tmp_path: Path, new_url: NewUrl
) -> None:
    """Stretch after stretch."""
    url = new_url(kind)
    with busy(tmp_path / "a", url) as desk:
        first = written(desk.app.store, tmp_path / "0.zip")
    for turn in range(2):
        store = open_store(new_url(KINDS[turn % 2]))
        put_back(store, tmp_path / f"{turn}.zip")
        written(store, tmp_path / f"{turn + 1}.zip")
        report = proven(store, bytes.fromhex(first.journal.root or ""))
        assert report.ok, list(report.sentences())
        assert report.proof is not None
        store.close()


def test_a_store_that_is_written_meanwhile_gives_one_moment(tmp_path: Path, new_url: NewUrl) -> None:
    """On PostgreSQL: every action of the backup has its payload and entries, however much is being added."""
    with opened(tmp_path, new_url("postgres"), keeper=False) as desk:

        @desk.rail.tool
        def refund(order: str, amount: float, reason: str = "") -> str:
            return order

        stop = threading.Event()

        def work() -> None:
            with desk.rail.session("sales", "t"):
                while not stop.is_set():
                    with pytest.raises(handrail.Denied):
                        refund("o-1", 5000)

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            made = [written(desk.app.store, tmp_path / f"{n}.zip") for n in range(5)]
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    for number, manifest in enumerate(made):
        found = backup.opened(tmp_path / f"{number}.zip")
        at = found.manifest.tables["entries"].columns.index("action")
        told = {row[at] for row in found.rows("entries") if row[at] is not None}
        assert {row[0] for row in found.rows("actions")} == told
        assert manifest.journal.entries == manifest.tables["entries"].rows


def test_a_backup_can_be_read_by_its_owner_alone(tmp_path: Path, new_url: NewUrl) -> None:
    """It holds secrets; and nothing else is left in the folder."""
    store = open_store(new_url("sqlite"))
    written(store, tmp_path / "b.zip")
    store.close()
    assert stat.S_IMODE((tmp_path / "b.zip").stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir() if "b.zip" in each.name] == ["b.zip"]


def test_a_backup_replaces_nothing(tmp_path: Path, new_url: NewUrl) -> None:
    """Another name is taken, and what was there stays."""
    (tmp_path / "b.zip").write_text("mine")
    store = open_store(new_url("sqlite"))
    with pytest.raises(Refused, match="is there already"):
        written(store, tmp_path / "b.zip")
    written(store, tmp_path / "c.zip")
    store.close()
    assert (tmp_path / "b.zip").read_text() == "mine"


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_that_holds_something_is_not_restored_into(
    kind: str, tmp_path: Path, new_url: NewUrl
) -> None:
    """Not even a policy is replaced; a store that was only opened takes the backup."""
    with busy(tmp_path / "a", new_url("sqlite")) as desk:
        written(desk.app.store, tmp_path / "b.zip")
    with opened(tmp_path / "a", new_url(kind), keeper=False) as other:
        before = rows(other.app.store)
        with pytest.raises(Refused, match="not empty"):
            put_back(other.app.store, tmp_path / "b.zip")
        assert rows(other.app.store) == before
    empty = open_store(new_url(kind))
    assert put_back(empty, tmp_path / "b.zip").unknown == 1
    empty.close()


@pytest.mark.parametrize("kind", KINDS)
def test_people_and_keys_are_kept_and_sign_ins_are_not(kind: str, tmp_path: Path, new_url: NewUrl) -> None:
    """Whoever had the cookie before signs in again."""
    with opened(tmp_path, new_url(kind), keeper=False) as desk:
        store = desk.app.store
        ann = Person("ann@example.com", "Ann", Role.ADMIN, 1, password="$argon2id$x")
        store.restrict(Commit.PERSON, lambda tx: tx.people.add(ann))
        sign_in = SignIn("s", "0" * 64, ann.id, 1, 1, 1 << 50, second_factor=True)
        store.write(Commit.SIGN_IN, lambda tx: tx.people.open(sign_in))
        manifest: Manifest = written(desk.app.store, tmp_path / "b.zip")
    assert not manifest.tables.keys() & set(LEFT_OUT)
    store = open_store(new_url(kind))
    put_back(store, tmp_path / "b.zip")
    [person] = store.read(lambda tx: tx.people.listing())
    assert (person.id, person.role, person.password) == ("ann@example.com", Role.ADMIN, "$argon2id$x")
    assert store.read(lambda tx: tx.people.sign_ins("ann@example.com")) == []
    store.close()


@pytest.mark.parametrize("kind", KINDS)
def test_every_table_is_kept_or_left_out_on_purpose(kind: str, new_url: NewUrl) -> None:
    """A new table is one or the other; and every column of bytes is known as such."""
    store = open_store(url := new_url(kind))
    store.close()
    with opened_tables(url) as found:
        assert set(found) == {*TABLES, *LEFT_OUT}
        assert not set(TABLES) & set(LEFT_OUT)
        assert {(t, c) for t, cs in found.items() for c, of in cs.items() if of in {"BLOB", "bytea"}} == {
            (table, column) for table, columns in BLOBS.items() for column in columns
        }


@contextmanager
def opened_tables(url: str) -> Iterator[dict[str, dict[str, str]]]:
    """Every table's columns and types, as the database knows them."""
    found: dict[str, dict[str, str]] = {}
    if url.startswith("sqlite"):
        import sqlite3

        lite = sqlite3.connect(url.removeprefix("sqlite:///"))
        for (table,) in lite.execute("select name from sqlite_master where type = 'table'").fetchall():
            columns = lite.execute(f"select name, type from pragma_table_info('{table}')")
            found[table] = dict(columns.fetchall())
        lite.close()
    else:
        import psycopg

        with psycopg.connect(url) as server:
            for table, column, of in server.execute(
                "select c.table_name, c.column_name, c.data_type from information_schema.columns c "
                "join information_schema.tables t using (table_schema, table_name) "
                "where table_schema = 'handrail' and table_type = 'BASE TABLE'"
            ).fetchall():
                found.setdefault(table, {})[column] = of
    yield found


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_that_was_copied_by_other_means_is_made_fit_to_go_on(
    kind: str, tmp_path: Path, new_url: NewUrl
) -> None:
    """On PostgreSQL the copy's transaction numbers are of another cluster: greater than any here."""
    url = new_url(kind)
    with busy(tmp_path / "a", url) as desk:
        jobs.seal(desk.app.engine)
        root = desk.app.store.read(lambda tx: tx.journal.last_head())
        assert root is not None
        if kind == "postgres":
            raised = "cast(cast(cast(cast({} as text) as bigint) + 1000000000 as text) as xid8)"
            desk.sql(f"update entries set xid = {raised.format('xid')}")
            desk.sql(f"update heads set through_xid = {raised.format('through_xid')}")
        halt(desk.app.engine, "odd", "ops", agent="support")
        if kind == "postgres":
            assert jobs.seal(desk.app.engine) == 0, "it can't be sealed before it is adopted"

        def work(tx: Any) -> Restored:
            tx.tables.adopt()
            return begin_anew(tx, tx.tables.begin_stretch(), "a copy", "ops")

        made = desk.app.store.restrict(Commit.RESTORE, work)
        assert made.unknown == 1
        jobs.seal(desk.app.engine)
        report = proven(desk.app.store, root.root)
        assert (report.ok, report.unsealed.count) == (True, 0), list(report.sentences())
        assert report.proof is not None


@pytest.mark.parametrize("kind", KINDS)
def test_who_followed_the_journal_of_the_old_store_goes_on_with_the_restore(
    kind: str, tmp_path: Path, new_url: NewUrl
) -> None:
    """After a place that the new store never had comes what is new; after one that it had, the rest."""
    with busy(tmp_path / "a", new_url("postgres")) as desk:
        written(desk.app.store, tmp_path / "b.zip")
        seen = desk.app.store.read(lambda tx: tx.journal.settled(None, 1_000))
    store = open_store(new_url(kind))
    put_back(store, tmp_path / "b.zip")
    far = f"{1 << 50}.{1 << 50}"
    new = store.read(lambda tx: tx.journal.settled(far, 1_000))
    kinds = [stored.entry.kind for _, stored in new]
    assert kinds == [Kind.RESTORED, Kind.UNKNOWN, Kind.EXPIRED, Kind.HALTED]
    everything = store.read(lambda tx: tx.journal.settled(None, 1_000))
    assert len(everything) == len(seen) + 4
    last = everything[-1][0]
    assert store.read(lambda tx: tx.journal.settled(last, 1_000)) == []
    store.close()
