"""Group commit without a writer thread: whoever finds nobody leading commits for everybody who waits.

A lone caller pays no hand-over at all; under concurrency many pieces of work share one fsync. In a batch each
piece runs in a savepoint of its own, so that one that fails takes nothing else with it.

An exception that a signal raises (Ctrl-C) may hit the leader at any moment. Only its own call ends then:
what was not committed is rolled back, and the others' work is run anew by the next leader.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from itertools import repeat, starmap
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol, TypeVar

from handrail.words.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from handrail.ports import Commit, Transaction

T = TypeVar("T")
LARGEST_BATCH = 256
"""Pieces of work in one commit: enough for every thread of a process, few enough for a short lock."""
NESTED = "a piece of work may only talk to the transaction that it is given, not to the store"
LOST = "an interrupt came while this was written; it is not known whether it was"


class Job:
    """One caller's piece of work, and what became of it."""

    __slots__ = ("commit", "done", "error", "result", "turn", "work")

    def __init__(self, commit: Commit, work: Callable[[Transaction], object]) -> None:
        """Nothing has happened yet."""
        self.commit = commit
        self.work = work
        self.result: object = None
        self.error: BaseException | None = None
        self.done = False
        self.turn: SimpleQueue[None] = SimpleQueue()
        """Something is put here when the job is done, or when its caller should try to lead."""

    def end(self, error: BaseException | None = None) -> None:
        """It is over: the caller may go on."""
        if error is not None:
            self.result, self.error = None, error
        self.done = True
        self.turn.put(None)


class Writer(Protocol):
    """The one connection that writes."""

    def begin(self) -> None:
        """Start a transaction."""

    def commit(self) -> None:
        """End it; what was written is durable."""

    def rollback(self) -> None:
        """Back to before ``begin``; harmless without a transaction."""

    def open(self) -> bool:
        """Whether a transaction is open."""

    def savepoint(self) -> None:
        """Start one job of several."""

    def release(self) -> None:
        """End one job of several."""

    def undo(self) -> None:
        """Back to the savepoint."""

    def work(self, job: Job) -> object:
        """Run the job's work in the open transaction."""

    def translated(self, error: Exception) -> Exception:
        """A driver's error in our words."""


class GroupCommit:
    """A queue of jobs in front of one writer."""

    def __init__(self, writer: Writer) -> None:
        """Nothing is queued yet."""
        self._writer = writer
        self._queue: deque[Job] = deque()
        # reentrant, because only such a lock can be let go safely when nobody knows whether one had it
        self._lock = threading.RLock()
        self._leading = False
        self._committing = False

    def run(self, job: Job) -> object:
        """See ``job`` committed, by this thread or by another, and give its result or raise its error."""
        self._queue.append(job)
        try:
            while not job.done:
                if not self._led(job):
                    job.turn.get()
        except BaseException:
            self._withdraw(job)
            raise
        if job.error is not None:
            raise job.error
        return job.result

    def alone(self, act: Callable[[], T]) -> T:
        """Run ``act`` while no batch is under way.

        Raises:
            RuntimeError: a piece of work asked for it.
        """
        try:
            with self._lock:
                if self._leading:
                    raise RuntimeError(NESTED)
                return act()
        finally:
            self._wake_next()

    def hold(self) -> None:
        """Let no batch begin until ``let_go``, which the same thread calls."""
        self._lock.acquire()

    def let_go(self) -> None:
        """Batches may begin again. Harmless for a thread that does not hold them."""
        try:
            self._lock.release()
        except RuntimeError:
            return
        self._wake_next()

    def _led(self, job: Job) -> bool:
        """Lead until ``job`` is done; False when somebody else leads now."""
        leader = False
        try:
            leader = self._lock.acquire(blocking=False)
            while leader and not job.done:
                self._lead(job)
        finally:
            self.let_go()
        return leader

    def _lead(self, own: Job) -> None:
        """Commit everything that is queued."""
        if self._leading:
            raise RuntimeError(NESTED)
        self._leading = True
        jobs: list[Job] = []
        try:
            self._take(jobs, own)
            self._commit_all(jobs)
        except Exception as error:  # noqa: BLE001 - it is raised again where the jobs came from
            self._fail(jobs, error)
        except BaseException:
            self._interrupted(jobs, own)
            raise
        finally:
            self._leading = False

    def _take(self, jobs: list[Job], own: Job) -> None:
        """Move jobs out of the queue; in C, so that no signal comes between two steps and loses one."""
        with suppress(IndexError):  # somebody withdrew one meanwhile
            jobs.extend(starmap(self._queue.popleft, repeat((), min(len(self._queue), LARGEST_BATCH))))
        if not jobs:
            own.end(StoreError(LOST))

    def _commit_all(self, jobs: list[Job]) -> None:
        writer = self._writer
        self._committing = False
        if writer.open():
            writer.rollback()
        writer.begin()
        if len(jobs) == 1:
            jobs[0].result = writer.work(jobs[0])
        else:
            for job in jobs:
                self._one_of_many(job)
        self._committing = True
        writer.commit()
        for job in jobs:
            job.end()

    def _one_of_many(self, job: Job) -> None:
        writer = self._writer
        writer.savepoint()
        try:
            job.result = writer.work(job)
        except Exception as error:
            if not writer.open():  # the database has given up the whole transaction
                raise
            writer.undo()
            job.error = writer.translated(error)
        writer.release()

    def _fail(self, jobs: list[Job], error: Exception) -> None:
        """Nothing of the batch was written."""
        translated = self._writer.translated(error)
        for job in jobs:
            job.end(translated)
        self._writer.rollback()

    def _interrupted(self, jobs: list[Job], own: Job) -> None:
        """Everything was committed, or nothing was and the others' work is queued again."""
        committed = self._committing and not self._writer.open()
        self._writer.rollback()
        for job in reversed(jobs):
            if committed:
                job.end()
            elif job is not own:
                job.result = job.error = None
                self._queue.appendleft(job)

    def _withdraw(self, job: Job) -> None:
        """The caller gives up: what nobody has begun is not begun."""
        with suppress(ValueError):
            self._queue.remove(job)
        self._wake_next()

    def _wake_next(self) -> None:
        if self._queue:
            with suppress(IndexError):  # somebody withdrew it meanwhile
                self._queue[0].turn.put(None)
