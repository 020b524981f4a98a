"""Several processes at one store: each with its own connections, none lost, none starved."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from handrail.ports import Commit, Store, Transaction
from handrail.store.memory import MemoryStore
from handrail.store.postgres import PostgresStore
from handrail.store.sqlite import SqliteStore
from handrail.store.turnstile import Turnstile
from handrail.words.query import EntryFilter
from tests.contract.conftest import Opener
from tests.contract.things import entry, write


def forked(act: Callable[[], None]) -> None:
    """Run it in a forked child; it must end well, garbage collection and all."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            act()
            gc.collect()
            code = 0
        except BaseException:  # noqa: BLE001 - told, then the child ends
            traceback.print_exc()
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def told(store: Store) -> set[bytes]:
    """The bodies of every entry."""
    found = store.read(lambda tx: tx.journal.newest(EntryFilter(limit=1_000_000)))
    return {stored.entry.body for stored in found}


def tell(store: Store, body: bytes) -> None:
    write(store, lambda tx: tx.journal.append([entry(body=body)]))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_connections_of_its_own(opener: Opener) -> None:
    """Both write and read on, while the child lives and after it."""
    store = opener()
    tell(store, b"before")

    def act() -> None:
        assert told(store) == {b"before"}
        tell(store, b"child")
        store.close()

    forked(act)
    assert told(store) == {b"before", b"child"}
    tell(store, b"after")
    assert told(store) == {b"before", b"child", b"after"}


def connections(store: Store) -> list[object]:
    """Those that a store writes through, or has ready."""
    if isinstance(store, SqliteStore):
        return [store._writer.connection]
    assert isinstance(store, PostgresStore)
    return [session.connection for session in store._sessions._free]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_never_uses_a_connection_of_its_parent(opener: Opener) -> None:
    """Two processes on one socket, or behind one lock, would tear it apart."""
    store = opener()
    tell(store, b"before")
    parents = connections(store)
    assert parents

    def act() -> None:
        tell(store, b"child")
        assert not any(mine is theirs for mine in connections(store) for theirs in parents)

    forked(act)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_waits_for_the_transaction_that_is_open(sqlite_opener: Opener) -> None:
    """A child that inherited one could roll it back in shared memory when it ends."""
    store = sqlite_opener()
    assert isinstance(store, SqliteStore)
    inside, over = threading.Event(), threading.Event()

    def work(tx: Transaction) -> None:
        tx.journal.append([entry()])
        inside.set()
        assert over.wait(120)

    writing = threading.Thread(target=write, args=(store, work))
    writing.start()
    assert inside.wait(120)
    parents = store._writer.connection
    assert parents.in_transaction
    threading.Timer(0.2, over.set).start()

    def act() -> None:
        assert not parents.in_transaction

    forked(act)
    writing.join()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_in_the_midst_of_writing_threads(opener: Opener) -> None:
    """No lock is left behind in the child, and no transaction is copied into it."""
    store = opener()
    over = threading.Event()
    mine: list[bytes] = []

    def busy(number: int) -> None:
        while not over.is_set():
            body = b"%d-%d" % (number, len(mine))
            tell(store, body)
            mine.append(body)

    threads = [threading.Thread(target=busy, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    try:
        for number in range(5):
            forked(lambda n=number: tell(store, b"child %d" % n))  # type: ignore[misc]
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert told(store) == {*mine, *(b"child %d" % number for number in range(5))}


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_a_memory_store_of_its_own() -> None:
    """With what was in it; what the child writes is the child's."""
    store = MemoryStore()
    tell(store, b"before")

    def act() -> None:
        tell(store, b"child")
        assert told(store) == {b"before", b"child"}

    forked(act)
    assert told(store) == {b"before"}
    store.close()


WORKER = """
import sys, threading, time
from handrail.store.{module} import {cls}
from tests.contract.test_store_processes import tell
store = {cls}({place!r}{more})
print(flush=True)
sys.stdin.readline()
longest = [0.0, 0.0]

def work(thread):
    for number in range({each}):
        begun = time.monotonic()
        tell(store, f"{{sys.argv[1]}}-{{thread}}-{{number}}".encode())
        longest[thread] = max(longest[thread], time.monotonic() - begun)

threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
store.close()
print(max(longest))
"""


def test_eight_busy_processes_lose_nothing_and_starve_nobody(
    opener: Opener, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Two threads in each write as fast as they can: no lock surfaces, nobody waits for seconds on end."""
    store, each = opener(), 40
    if isinstance(store, SqliteStore):
        module, cls, place, more = "sqlite", "SqliteStore", str(tmp_path / "handrail.db"), ", 'NORMAL'"
    else:
        module, cls, place, more = (
            "postgres",
            "PostgresStore",
            request.getfixturevalue("postgres_database"),
            "",
        )
    script = WORKER.format(module=module, cls=cls, place=place, more=more, each=each)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(8)
    ]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    ended = [process.communicate() for process in processes]
    assert [error for _, error in ended] == [""] * 8
    assert max(float(longest) for longest, _ in ended) < 10
    expected = {f"{p}-{t}-{n}".encode() for p in range(8) for t in range(2) for n in range(each)}
    assert told(store) == expected


class TestTurnstile:
    def test_turns_exclude_each_other_and_waiting_has_an_end(self, tmp_path: Path) -> None:
        """Between processes; who waited too long goes on without a turn."""
        path = str(tmp_path / "turn")
        script = (
            "import sys\nfrom handrail.store.turnstile import Turnstile\n"
            f"t = Turnstile({path!r}, 9)\nt.enter()\nprint('in', flush=True)\nsys.stdin.readline()\n"
        )
        other = subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert other.stdout is not None
        assert other.stdout.readline() == "in\n"
        impatient, patient = Turnstile(path, 0.05), Turnstile(path, 9)
        impatient.enter()
        impatient.leave()
        waiting = threading.Thread(target=patient.enter)
        waiting.start()
        waiting.join(0.1)
        assert waiting.is_alive()
        other.communicate("\n")  # a process that ends gives its turn away
        waiting.join(9)
        assert not waiting.is_alive()
        patient.leave()
        patient.close()
        impatient.close()

    def test_where_no_file_can_be_made_there_are_no_turns(self, tmp_path: Path) -> None:
        """SQLite's own lock is enough for safety."""
        turnstile = Turnstile(str(tmp_path / "no" / "turn"), 9)
        turnstile.enter()
        turnstile.leave()
        turnstile.close()

    def test_a_store_leaves_no_turn_behind_after_an_error(self, tmp_path: Path) -> None:
        """The next process does not wait for it."""
        store = SqliteStore(tmp_path / "h.db", "NORMAL")

        def work(_: object) -> None:
            raise LookupError

        with pytest.raises(LookupError):
            store.write(Commit.START, work)
        script = (
            "import sys, time\nfrom handrail.store.turnstile import Turnstile\n"
            f"t = Turnstile({str(tmp_path / 'h.db-turn')!r}, 600)\nb = time.monotonic()\nt.enter()\n"
            "print(time.monotonic() - b < 300)"
        )
        found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert found.stdout == "True\n"
        store.close()
