"""An upgrade makes a backup first; two versions work on one store at once, and what is too old is refused."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from handrail.app import open_store
from handrail.cli.tree import app
from handrail.engine import jobs
from handrail.ports import Store
from handrail.store import backup
from handrail.store.migrate import VERSION, Older, migrations
from handrail.store.sqlite_setup import APPLICATION
from handrail.words.errors import StoreError
from handrail.words.lifecycle import State
from tests.integration.store.conftest import NewUrl
from tests.support.rail import POLICY, opened

KINDS = ["sqlite", "postgres"]
CHILD = """
import sys
from pathlib import Path
from handrail.store import migrate, sqlite_setup
from handrail.app import open_app, open_store
from handrail.engine.rail import Rail

version, readable, url, folder, name, count = sys.argv[1:]
real = migrate.migrations
if int(version) > migrate.VERSION:
    text = f"-- readable from: {readable}\\nalter table actions add column mood text;\\n"
    migrate.migrations = lambda dialect: {**real(dialect), int(version): text}
    migrate.VERSION = sqlite_setup.VERSION = int(version)
    open_store(url, older=migrate.Older.UPGRADE).close()
app = open_app(Path(folder, "handrail.yaml"), database=url)
rail = Rail(app.engine, app.close)

@rail.tool
def refund(order: str, amount: float, reason: str = "") -> str:
    return f"paid {order}"

print("ready", flush=True)
sys.stdin.readline()
with rail.session("support", name):
    for number in range(int(count)):
        refund(f"{name}-{number}", 5)
rail.close()
print("done")
"""
COUNT = 40
BUSY = POLICY + "loops: {calls_per_minute: off}\n"
"""One session of this test calls as fast as it can, for as long as the others need."""


def child(url: str, folder: Path, name: str, *, version: int = VERSION, readable: int = VERSION) -> list[str]:
    """The command of a process of some version."""
    return [sys.executable, "-c", CHILD, str(version), str(readable), url, str(folder), name, str(COUNT)]


def started(command: list[str]) -> subprocess.Popen[str]:
    """It has opened the store and waits for a word."""
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n", process.communicate()
    return process


@pytest.mark.parametrize("kind", KINDS)
def test_two_versions_work_on_one_store_at_once_and_nothing_is_lost(
    kind: str, tmp_path: Path, new_url: NewUrl
) -> None:
    """One that ran before, one of the next version that upgrades, one of this version started after it."""
    url = new_url(kind)
    with opened(tmp_path, url, BUSY) as desk:

        @desk.rail.tool
        def refund(order: str, amount: float, reason: str = "") -> str:
            return f"paid {order}"

        stop = threading.Event()
        done: list[str] = []

        def work() -> None:
            with desk.rail.session("support", "before"):
                while not stop.is_set():
                    done.append(refund(f"b-{len(done)}", 5))

        thread = threading.Thread(target=work)
        thread.start()
        try:
            newer = started(child(url, tmp_path, "newer", version=VERSION + 1, readable=VERSION))
            older = started(child(url, tmp_path, "older"))
            for process in (newer, older):
                told, error = process.communicate("go\n", timeout=180)
                assert (told, process.returncode) == ("done\n", 0), error
        finally:
            stop.set()
            thread.join()
        tasks = [action.task for action in desk.actions(State.DONE)]
        assert {name: tasks.count(name) for name in set(tasks)} == {
            "before": len(done),
            "newer": COUNT,
            "older": COUNT,
        }
        assert desk.sql("select count(mood) from actions") == [(0,)]
        refused = run("backup", str(tmp_path / "b.zip"), "--database", url)
        assert "make the backup with the newer Handrail" in " ".join(refused.output.split())
        jobs.seal(desk.app.engine)
        assert (desk.verified().ok, desk.verified().unsealed.count) == (True, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_program_that_is_too_old_for_an_upgraded_store_is_refused(
    kind: str, tmp_path: Path, new_url: NewUrl
) -> None:
    """The next version says that only it can read what it makes."""
    url = new_url(kind)
    with opened(tmp_path, url):
        newer = started(child(url, tmp_path, "newer", version=VERSION + 1, readable=VERSION + 1))
        newer.communicate("go\n", timeout=180)
    with pytest.raises(StoreError, match=rf"version {VERSION + 1}, newer than the {VERSION} .* upgrade"):
        open_store(url)


def first_version(url: str, folder: Path) -> None:
    """A store as the first version left it, with a policy and an action that is done."""
    rows = (
        "insert into sessions values ('s', 'support', null, 1)",
        (
            "insert into actions (id, agent, tool, session, state, digest, binding, policy, rung, verdict, "
            "proposed_at, updated_at, shadow, attempt) "
            "values ('a', 'support', 'find', 's', 'done', 'd', 'b', 'p', 'bounded', '{}', 1, 1, 0, 0)"
        ),
        (
            "insert into actions (id, agent, tool, session, state, digest, binding, policy, rung, verdict, "
            "proposed_at, updated_at, shadow, attempt, started_at) "
            "values ('b', 'support', 'find', 's', 'done', 'd', 'b', 'p', 'bounded', '{}', 1, 9, 0, 1, 7)"
        ),
        "insert into budget_windows values ('few', 'support', 5, 2)",
        "insert into holds values ('a', 1, 'few', 'support', 5, 3, 'released')",
        "insert into holds values ('b', 1, 'few', 'support', 5, 2, 'settled')",
        "insert into entries (kind, at, action, body) values ('done', 1, 'a', '{}')",
    )
    policy = json.dumps({"handrail.yaml": POLICY})
    active = "insert into activations (policy, at, person, reason) values ('p', 1, 'ann', 'x')"
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as lite:
            lite.executescript(migrations("sqlite")[1])
            lite.execute("insert into policies values ('p', 'handrail.yaml', ?, 1)", (policy,))
            for row in (*rows, active):
                lite.execute(row)
            lite.execute(f"pragma application_id = {APPLICATION}")
            lite.execute("pragma user_version = 1")
            lite.commit()
        return
    with psycopg.connect(url) as server:
        server.execute("create schema handrail")
        server.execute("set search_path = handrail")
        server.execute(migrations("postgres")[1].encode())
        server.execute("insert into meta values ('schema', '1')")
        server.execute("insert into policies values ('p', 'handrail.yaml', %s, 1)", (policy,))
        for row in (*rows, active):
            server.execute(row.encode())


def holds(store: Store) -> list[tuple[object, ...]]:
    """What each hold says of whom, how much, when and what was spent."""
    streams = store.audit()
    try:
        return sorted(
            map(tuple, streams.rows("holds", ["holder", "quantity", "state", "unit", "at", "spent"]))
        )
    finally:
        streams.close()


def run(*args: str) -> Result:
    """The command."""
    return CliRunner().invoke(app, list(args))


@pytest.mark.parametrize("kind", KINDS)
def test_an_older_store_is_refused_until_it_is_upgraded_after_a_backup(
    kind: str, tmp_path: Path, new_url: NewUrl
) -> None:
    """Nobody's store changes by the way; the backup can be restored, and a second upgrade does nothing."""
    first_version(url := new_url(kind), tmp_path)
    with pytest.raises(
        StoreError, match=r"schema version 1, and this Handrail needs 2: run 'handrail upgrade'"
    ):
        open_store(url)
    file = tmp_path / "before.zip"
    ended = run("upgrade", "--database", url, "--backup", str(file), "--json")
    assert ended.exit_code == 0, ended.output
    assert json.loads(ended.stdout) == {"before": 1, "now": VERSION, "backup": str(file)}
    found = open_store(url)
    assert found.read(lambda tx: tx.actions.approved(["find"], 1)) == []
    assert found.read(lambda tx: tx.sessions.get("s")) is not None
    upgraded = holds(found)
    assert upgraded == [("a", 3, "released", "actions", 5, 0), ("b", 2, "settled", "actions", 7, 2)]
    found.close()
    assert json.loads(run("upgrade", "--database", url, "--json").stdout)["backup"] is None
    other = new_url(kind)
    assert backup.opened(file).manifest.schema == 1
    ended = run("restore", str(file), "--database", other, "--json")
    assert ended.exit_code == 0, ended.output
    store = open_store(other)
    assert store.read(lambda tx: tx.sessions.get("s")) is not None
    assert holds(store) == upgraded
    store.close()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_upgraded_without_a_backup_or_with_a_policy_that_would_not_load(
    kind: str, tmp_path: Path, new_url: NewUrl
) -> None:
    """It stays as it is when no backup can be written, or its active policy can't be read any more."""
    first_version(url := new_url(kind), tmp_path)
    ended = run("upgrade", "--database", url, "--backup", str(tmp_path / "no" / "b.zip"))
    assert (ended.exit_code, "no file can be written" in ended.output) == (1, True)
    bad = json.dumps({"handrail.yaml": "handrail: 7\n"})
    change = f"policies set files = '{bad}'"
    if kind == "sqlite":
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as lite:
            lite.execute(f"update {change}")
            lite.commit()
    else:
        with psycopg.connect(url) as server:
            server.execute(f"update handrail.{change}".encode())
    ended = run("upgrade", "--database", url, "--backup", str(tmp_path / "b.zip"))
    assert ended.exit_code == 1
    assert "handrail.yaml:1" in ended.output
    store = open_store(url, older=Older.KEEP)
    streams = store.audit()
    assert streams.schema() == 1
    streams.close()
    store.close()
    assert not (tmp_path / "b.zip").exists()


def test_an_agent_can_neither_back_up_nor_restore_nor_upgrade(tmp_path: Path, new_url: NewUrl) -> None:
    """Not by a command inside its session; the same commands run outside."""
    url, file = new_url("sqlite"), str(tmp_path / "b.zip")
    open_store(url).close()
    commands = [("backup", file), ("restore", file, "--database", new_url("sqlite")), ("upgrade",)]
    for command in commands:
        given = [*command, *([] if "--database" in command else ["--database", url])]
        refused = CliRunner().invoke(app, given, env={"HANDRAIL_SESSION": "s"})
        assert refused.exit_code == 1
        assert "inside a rail session" in refused.output
    for command in commands:
        given = [*command, *([] if "--database" in command else ["--database", url])]
        assert run(*given).exit_code == 0, command
    assert os.path.exists(file)  # noqa: PTH110 - a path as text


def test_restore_wants_a_backup_or_adopt(tmp_path: Path, new_url: NewUrl) -> None:
    """One of the two, and only a store that holds something can be adopted."""
    url = new_url("sqlite")
    open_store(url).close()
    assert "name a backup to restore" in run("restore", "--database", url).output
    assert "nothing to adopt" in run("restore", "--adopt", "--database", url).output
    with opened(tmp_path, url):
        pass
    done = run("restore", "--adopt", "--database", url)
    assert (done.exit_code, "Adopted" in done.output) == (0, True)
    assert "everything" in run("halts", "list", "--database", url).output


def test_restoring_what_is_no_backup_leaves_no_store_behind(tmp_path: Path) -> None:
    """A mistyped name is told, and the store that was to be made is not there afterwards."""
    new = tmp_path / "new.db"
    told = run("restore", str(tmp_path / "backpu.zip"), "--database", f"sqlite:///{new}")
    assert (told.exit_code, "there is no backup" in told.output, new.exists()) == (1, True, False)
