"""A file that is locked, full, read-only or damaged: a clear error, no half state, and it recovers."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from handrail.store.sqlite import SqliteStore
from handrail.words.errors import BadArguments, StoreError
from tests.contract.things import action, add, count, entry, fill, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "handrail.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(path, "NORMAL", busy_seconds=0.2)
    yield opened
    opened.close()


class Holder:
    """Another process that keeps the file locked until it is told to let go."""

    SCRIPT = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
"""

    def __init__(self, path: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", self.SCRIPT, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "locked\n"

    def let_go(self) -> None:
        self._process.communicate("\n")


def test_a_file_that_another_process_keeps_locked(store: SqliteStore, path: Path) -> None:
    """Writing gives up after a while and says so, reading goes on, and writing works once it is free."""
    holder = Holder(path)
    try:
        with pytest.raises(StoreError, match=r"handrail\.db: database is locked: another process .* stuck"):
            add(store, action())
        assert count(store) == 0
    finally:
        holder.let_go()
    add(store, action())
    assert count(store) == 1


def test_a_short_lock_is_waited_for(path: Path) -> None:
    """The twin of the refusal above: the caller does not notice."""
    store, holder = SqliteStore(path, "NORMAL", busy_seconds=20), Holder(path)
    waiting = threading.Thread(target=add, args=(store, action()))
    waiting.start()
    waiting.join(0.1)
    assert waiting.is_alive()
    holder.let_go()
    waiting.join(120)
    assert count(store) == 1
    store.close()


def test_everybody_who_waits_for_a_locked_file_is_told(store: SqliteStore, path: Path) -> None:
    """Each caller gets the error, and none of their work comes back later."""
    holder, errors = Holder(path), []

    def call() -> None:
        try:
            add(store, action())
        except StoreError as error:
            errors.append(error)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    holder.let_go()
    assert len(errors) == 4
    add(store, action())
    assert count(store) == 1


def test_a_full_database(store: SqliteStore) -> None:
    """Nothing of what did not fit is there, reading goes on, and writing works once there is room."""
    connection = store._writer.connection
    (pages,) = connection.execute("pragma page_count").fetchone()
    connection.execute(f"pragma max_page_count = {pages + 20}")
    with pytest.raises(StoreError, match=r"disk is full.*free space"):
        fill(store)
    before = count(store)
    assert 0 < before < 100
    with pytest.raises(StoreError, match="disk is full"):
        add(store, action(rationale="x" * 100_000))
    connection.execute(f"pragma max_page_count = {pages + 9999}")
    add(store, action(rationale="x" * 100_000))
    assert count(store) == before + 1


LIMITED = """
import resource, sys
from handrail.store.sqlite import SqliteStore
from handrail.words.errors import StoreError
from tests.contract.things import action, add, count, fill
store = SqliteStore(sys.argv[1], "NORMAL")
(soft, hard) = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, hard))
try:
    fill(store)
except StoreError as error:
    print(error)
before = count(store)
assert before > 0
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
add(store, action())
print(count(store) - before)
store.close()
"""


def run(script: str, *given: str) -> list[str]:
    """What a program prints."""
    found = subprocess.run(
        [sys.executable, "-c", script, *given], capture_output=True, text=True, check=False, timeout=180
    )
    assert found.returncode == 0, found.stderr
    return found.stdout.splitlines()


FULL_DISK = """
import os, sys
from pathlib import Path
from handrail.store.sqlite import SqliteStore
from handrail.words.errors import StoreError
from tests.contract.things import action, add, count, fill
folder = Path(sys.argv[1])
ballast = folder / "ballast"
ballast.write_bytes(b"x" * 400_000)
store = SqliteStore(folder / "handrail.db", "FULL")
try:
    fill(store)
except StoreError as error:
    print(error)
before = count(store)
ballast.unlink()
add(store, action())
print(count(store) - before)
store.close()
"""


def mounted(folder: Path) -> bool:
    """Mount a file system of one megabyte there, where this process may."""
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        return False
    command = [mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_disk_that_takes_no_more(tmp_path: Path) -> None:
    """Really full where a small one can be mounted, else the system refuses; later the same store goes on."""
    if mounted(tmp_path):
        try:
            error, added = run(FULL_DISK, str(tmp_path))
        finally:
            subprocess.run(["umount", str(tmp_path)], check=True)
        assert "handrail.db: database or disk is full: the disk is full; free space and try again" in error
    else:
        error, added = run(LIMITED, str(tmp_path / "handrail.db"))
        assert "handrail.db: disk I/O error: the disk failed to read or write; check it and" in error
    assert added == "1"


def test_a_file_that_may_not_grow(path: Path) -> None:
    """The system refuses to write; once it allows it again, the same store goes on."""
    error, added = run(LIMITED, str(path))
    assert (
        "handrail.db: disk I/O error: the disk failed to read or write; check it and its free space" in error
    )
    assert added == "1"


OPEN = """
import os, sys
from handrail.store.memory import MemoryStore
from handrail.store.sqlite import SqliteStore
from handrail.words.errors import StoreError
MemoryStore().close()  # everything is imported before this process becomes somebody who may read little
if os.geteuid() == 0:
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
try:
    SqliteStore(sys.argv[1]).close()
    print("opened")
except StoreError as error:
    print(error)
"""


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that everybody can reach: root ignores modes, so as root the test becomes nobody."""
    folder = Path(tempfile.mkdtemp(prefix="handrail-faults-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_folder_that_can_not_be_written(public_folder: Path) -> None:
    """The path, and what to look at; once it can be written the store opens."""
    public_folder.chmod(0o555)
    (told,) = run(OPEN, str(public_folder / "h.db"))
    assert "h.db: unable to open database file: the file can't be opened; check that its folder" in told
    public_folder.chmod(0o777)
    assert run(OPEN, str(public_folder / "h.db")) == ["opened"]


def test_a_file_that_can_not_be_written(public_folder: Path) -> None:
    """A store that can only be read is none: what it decides could not be recorded."""
    file = public_folder / "h.db"
    SqliteStore(file).close()
    file.chmod(0o444)
    public_folder.chmod(0o777)
    (told,) = run(OPEN, str(file))
    assert "h.db: the file or its folder can't be written; check owner, mode and mount" in told
    file.chmod(0o666)
    assert run(OPEN, str(file)) == ["opened"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """It is not made by guessing."""
    with pytest.raises(StoreError, match="check that its folder exists"):
        SqliteStore(tmp_path / "no" / "h.db")


def test_a_file_that_is_no_database(path: Path) -> None:
    """It is left as it was."""
    path.write_text("handrail: 1\n" * 100, encoding="utf-8")
    with pytest.raises(StoreError, match=r"handrail\.db: file is not a database: .* check the path"):
        SqliteStore(path)
    assert path.read_text(encoding="utf-8") == "handrail: 1\n" * 100


def test_a_damaged_file(path: Path) -> None:
    """Whoever reads or writes the damaged part is told what to do."""
    whole = SqliteStore(path, "NORMAL")
    for _ in range(200):
        add(whole, action())
        write(whole, lambda tx: tx.journal.append([entry(body=b"x" * 2000)]))
    whole.close()
    content = bytearray(path.read_bytes())
    for page in range(100 * 4096, len(content), 4096):  # the schema's own pages stay whole
        content[page : page + 200] = b"\xff" * 200
    path.write_bytes(content)
    store = SqliteStore(path, "NORMAL")
    with pytest.raises(
        StoreError, match=r"handrail\.db: .*malformed: the file is damaged; restore it from a backup"
    ):
        count(store)
    with pytest.raises(StoreError, match="restore it from a backup"):
        add(store, action())
    streams = store.audit()
    with pytest.raises(StoreError, match="restore it from a backup"):
        list(streams.entries())
    streams.close()
    store.close()


def test_a_table_that_is_gone_is_told_and_nothing_of_the_work_stays(store: SqliteStore, path: Path) -> None:
    """As when somebody tidies up: no half state, and it recovers when the table is back."""
    other = sqlite3.connect(path)
    other.execute("alter table payloads rename to p")
    with pytest.raises(StoreError, match="no such table"):
        add(store, action())
    assert count(store) == 0
    other.execute("alter table p rename to payloads")
    other.close()
    add(store, action())
    assert count(store) == 1


def test_a_restrictions_row_that_is_gone_fails_closed(store: SqliteStore, path: Path) -> None:
    """Without it no change would ever be noticed: nothing can be claimed."""
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("delete from restrictions")
    other.close()
    with pytest.raises(StoreError, match="has lost its row"):
        write(store, lambda tx: tx.restrictions.generation())


def test_a_text_that_is_too_long_for_the_database(store: SqliteStore) -> None:
    """The caller's mistake, not the store's."""
    before = store._writer.connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 10_000)
    with pytest.raises(BadArguments, match="too big"):
        add(store, action(rationale="x" * 20_000))
    store._writer.connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, before)
    add(store, action(rationale="x" * 20_000))
    assert count(store) == 1


@pytest.mark.parametrize("call", ["write", "read", "audit"])
def test_a_closed_store_says_so(store: SqliteStore, call: str) -> None:
    """It does not open itself again."""
    store.close()
    with pytest.raises(StoreError, match="closed"):
        write(store, lambda tx: tx.now()) if call == "write" else (
            store.read(lambda tx: tx.now()) if call == "read" else store.audit()
        )
    store.close()
