"""Group commit: each caller gets what is its own, whatever happens to others and whenever Ctrl-C comes."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handrail.ports import Commit, Transaction
from handrail.store import batch
from handrail.store.batch import GroupCommit, Job
from handrail.store.memory import MemoryStore
from handrail.store.sqlite import SqliteStore
from handrail.store.sqlite_connection import SqliteWriter
from handrail.words.errors import StoreError

SECONDS = 120
numbers = count()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "h.db", "NORMAL")
    yield opened
    opened.close()


def note(name: str) -> Callable[[Transaction], str]:
    """A piece of work that leaves a trace."""

    def work(tx: Transaction) -> str:
        assert tx.restrictions.meta(name) is None, "it was done twice"
        tx.restrictions.set_meta(name, "x")
        return name

    return work


def noted(store: SqliteStore, names: list[str]) -> list[str]:
    """Which of them left a trace."""
    return store.read(lambda tx: [name for name in names if tx.restrictions.meta(name)])


def test_a_lone_caller_gets_its_result_and_is_durable(store: SqliteStore, tmp_path: Path) -> None:
    """Another connection sees it at once."""
    assert store.write(Commit.START, note("a")) == "a"
    other = SqliteStore(tmp_path / "h.db")
    assert noted(other, ["a"]) == ["a"]
    other.close()


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["fine", "raises", "slow", "raises late"]), min_size=1, max_size=24))
def test_of_any_mix_each_gets_its_own_result_or_error(store: SqliteStore, kinds: list[str]) -> None:
    """Failed ones leave nothing; all successful ones are written, once."""
    names = [f"name-{next(numbers)}-" for _ in kinds]
    start = threading.Barrier(len(kinds))

    def call(name: str, kind: str) -> str:
        def work(tx: Transaction) -> str:
            if kind == "raises":
                raise LookupError(name)
            note(name)(tx)
            if kind == "slow":
                threading.Event().wait(0.002)
            if kind == "raises late":
                raise LookupError(name)
            return name

        start.wait(SECONDS)
        return store.write(Commit.START, work)

    with ThreadPoolExecutor(len(kinds)) as pool:
        calls = [pool.submit(call, name, kind) for name, kind in zip(names, kinds, strict=True)]
    for name, kind, each in zip(names, kinds, calls, strict=True):
        if "raises" in kind:
            with pytest.raises(LookupError, match=name):
                each.result()
        else:
            assert each.result() == name
    assert noted(store, names) == [
        name for name, kind in zip(names, kinds, strict=True) if "raises" not in kind
    ]


class Watched(SqliteWriter):
    """A writer that counts its commits, and raises what a test has put at a place, before or after it."""

    def __init__(self, inner: SqliteWriter) -> None:
        super().__init__(inner.connection, inner.path, 1)
        self.commits = 0
        self.faults: dict[tuple[str, str], BaseException] = {}
        self.later: dict[tuple[str, str], BaseException] = {}

    def _fault(self, when: str, place: str) -> None:
        if (when, place) in self.faults:
            raise self.faults.pop((when, place))

    def begin(self) -> None:
        self._fault("before", "begin")
        super().begin()
        self._fault("after", "begin")

    def savepoint(self) -> None:
        super().savepoint()
        self._fault("after", "savepoint")

    def commit(self) -> None:
        self._fault("before", "commit")
        super().commit()
        self.commits += 1
        self._fault("after", "commit")
        self.faults, self.later = self.later, {}


@pytest.fixture
def watched(store: SqliteStore) -> Watched:
    """The store with a writer that is watched; what is put in `later` happens from its second commit on."""
    writer = Watched(store._writer)
    store._writer = writer
    store._group = GroupCommit(writer)
    return writer


class Crowd:
    """Callers that wait behind a leader who is stopped inside its own work."""

    def __init__(self, store: SqliteStore, pool: ThreadPoolExecutor, names: list[str]) -> None:
        self.inside, self.go_on = threading.Event(), threading.Event()

        def leading(tx: Transaction) -> str:
            self.inside.set()
            assert self.go_on.wait(SECONDS)
            return note("leader")(tx)

        self.leader = pool.submit(store.write, Commit.START, leading)
        assert self.inside.wait(SECONDS)
        self.followers = [pool.submit(store.write, Commit.START, note(name)) for name in names]
        group = store._group
        assert group is not None
        while len(group._queue) < len(names):  # they are about to queue up
            threading.Event().wait(0.001)


def test_those_who_wait_share_one_commit(store: SqliteStore, watched: Watched) -> None:
    """Ten callers behind a leader: two commits in all."""
    names = [str(number) for number in range(10)]
    with ThreadPoolExecutor(11) as pool:
        crowd = Crowd(store, pool, names)
        crowd.go_on.set()
        assert [each.result(SECONDS) for each in crowd.followers] == names
        assert crowd.leader.result() == "leader"
    assert watched.commits == 2


def test_a_crowd_larger_than_a_batch_is_served_whole(
    store: SqliteStore, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In several commits."""
    monkeypatch.setattr(batch, "LARGEST_BATCH", 4)
    names = [str(number) for number in range(10)]
    with ThreadPoolExecutor(11) as pool:
        crowd = Crowd(store, pool, names)
        crowd.go_on.set()
        assert [each.result(SECONDS) for each in crowd.followers] == names
    assert watched.commits == 4


@pytest.mark.parametrize("fault", [("before", "begin"), ("before", "commit")])
def test_a_batch_that_can_not_be_committed_fails_for_all(
    store: SqliteStore, watched: Watched, fault: tuple[str, str]
) -> None:
    """Each of its callers gets the error, nothing of it is written, and the next call works."""
    names = [str(number) for number in range(3)]
    with ThreadPoolExecutor(4) as pool:
        crowd = Crowd(store, pool, names)
        watched.later[fault] = StoreError("full")
        crowd.go_on.set()
        assert crowd.leader.result(SECONDS) == "leader"
        errors = [each.exception(SECONDS) for each in crowd.followers]
    assert [str(error) for error in errors] == ["full"] * 3
    assert noted(store, [*names, "leader"]) == ["leader"]
    assert store.write(Commit.START, note("after")) == "after"


class Stop(BaseException):
    """What a signal's handler raises."""


@pytest.mark.parametrize(
    "fault", [("before", "begin"), ("after", "begin"), ("after", "savepoint"), ("before", "commit")]
)
def test_an_interrupt_before_the_commit_ends_the_leaders_call_only(
    store: SqliteStore, watched: Watched, fault: tuple[str, str]
) -> None:
    """Its own work is not written; everybody else's is done by the next leader, once."""
    names = [str(number) for number in range(4)]
    with ThreadPoolExecutor(5) as pool:
        crowd = Crowd(store, pool, names)
        watched.later[fault] = Stop()
        crowd.go_on.set()
        errors = [each.exception(SECONDS) for each in crowd.followers]
    assert sum(isinstance(error, Stop) for error in errors) == 1
    assert noted(store, names) == [name for name, error in zip(names, errors, strict=True) if error is None]
    assert store.write(Commit.START, note("after")) == "after"


def test_an_interrupt_after_the_commit_loses_nobodys_result(store: SqliteStore, watched: Watched) -> None:
    """It is written: the others are told so, and nothing is done again."""
    names = [str(number) for number in range(4)]
    with ThreadPoolExecutor(5) as pool:
        crowd = Crowd(store, pool, names)
        watched.later["after", "commit"] = Stop()
        crowd.go_on.set()
        errors = [each.exception(SECONDS) for each in crowd.followers]
    assert sum(isinstance(error, Stop) for error in errors) == 1
    assert noted(store, [*names, "leader"]) == [*names, "leader"]
    assert watched.commits == 2


def test_a_follower_that_is_interrupted_takes_its_work_back(store: SqliteStore) -> None:
    """What nobody has begun is not begun, and the others are served."""
    with ThreadPoolExecutor(2) as pool:
        crowd = Crowd(store, pool, [])
        job = Job(Commit.START, note("mine"))

        class Interrupted:
            def get(self) -> None:
                raise Stop

            def put(self, _: None) -> None:
                raise AssertionError("nobody may serve it")

        job.turn = Interrupted()  # type: ignore[assignment]
        group = store._group
        assert group is not None
        with pytest.raises(Stop):
            group.run(job)
        other = pool.submit(store.write, Commit.START, note("other"))
        crowd.go_on.set()
        assert other.result(SECONDS) == "other"
    assert noted(store, ["mine", "leader", "other"]) == ["leader", "other"]


def test_real_signals_at_any_moment_neither_lose_nor_double_work(store: SqliteStore) -> None:
    """A timer interrupts this thread again and again while others write: every trace is there, once."""
    done: list[str] = []
    over = threading.Event()

    def others(number: int) -> None:
        while not over.is_set():
            done.append(store.write(Commit.START, note(f"{number}-{next(numbers)}")))

    def handler(*_: object) -> None:
        raise Stop

    before = signal.signal(signal.SIGALRM, handler)
    threads = [threading.Thread(target=others, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    mine: list[tuple[str, bool]] = []
    try:
        for _ in range(300):
            name, finished = f"mine-{next(numbers)}", False
            try:
                signal.setitimer(signal.ITIMER_REAL, random.random() / 400 + 1e-5)
                store.write(Commit.START, note(name))
                finished = True
                signal.setitimer(signal.ITIMER_REAL, 0)
            except Stop:
                signal.setitimer(signal.ITIMER_REAL, 0)
            mine.append((name, finished))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        over.set()
        for thread in threads:
            thread.join(SECONDS)
    assert not any(thread.is_alive() for thread in threads)
    assert noted(store, done) == done
    told = [name for name, finished in mine if finished]
    assert 0 < len(told) < len(mine), "the interrupts came too early or too late to tell anything"
    assert noted(store, told) == told
    assert store.write(Commit.START, note("after")) == "after"


@pytest.mark.parametrize("memory", [True, False])
def test_work_that_writes_through_the_store_is_refused(store: SqliteStore, *, memory: bool) -> None:
    """It would wait for itself; instead it fails, and leaves nothing."""
    used = MemoryStore() if memory else store

    def work(tx: Transaction) -> None:
        tx.restrictions.set_meta("outer", "x")
        used.write(Commit.START, note("inner"))

    with pytest.raises(RuntimeError, match="may only talk to the transaction"):
        used.write(Commit.START, work)
    assert noted(used, ["outer", "inner"]) == []
    assert used.write(Commit.START, note("after")) == "after"
    used.close()


def test_work_that_reads_through_the_memory_store_is_refused() -> None:
    """There is one connection, and it is in the middle of something."""
    store = MemoryStore()
    with pytest.raises(RuntimeError, match="may only talk to the transaction"):
        store.write(Commit.START, lambda _: store.read(lambda tx: tx.restrictions.generation()))
    store.close()


def test_an_error_of_the_work_is_the_callers_own(store: SqliteStore) -> None:
    """Not wrapped, not changed."""
    error = LookupError("mine")

    def work(_: Transaction) -> None:
        raise error

    with pytest.raises(LookupError) as raised:
        store.write(Commit.START, work)
    assert raised.value is error
