"""The background work of a server: woken by news, and by the clock for what only time makes due.

One thread watches. What is due it hands to this process's own hands, or to the queue in PostgreSQL from which
any server takes it. Every job is safe to run twice, so nothing depends on who watches or who works.
"""

from __future__ import annotations

import math
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from starlette.concurrency import run_in_threadpool

from handrail.engine.core import logger
from handrail.engine.serve_tools import run_approved
from handrail.server.work import Job, work
from handrail.store.sqlite import SqliteStore
from handrail.words.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from handrail.app import App
    from handrail.server.state import ServerState

LOOK_EVERY = 1.0
"""Seconds between two looks for what time has made due: an expiry, a lapsed lease, a delivery to repeat."""
BREATH = 0.2
"""Seconds between two rounds, however much news there is."""
TROUBLED = 5.0
"""Seconds after a round that the store refused."""
HANDS = 4


class Hands(Protocol):
    """Who does the work that is due."""

    def do(self, job: Job) -> None:
        """See to it that it is done soon; asking twice is asking once. Never raises."""

    async def stop(self) -> None:
        """Let what is under way end."""


class Own:
    """This process's own threads. A job that still runs is left alone: it is due again when it has ended."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self._pool = ThreadPoolExecutor(HANDS, "handrail-work")
        self._running: dict[str, Future[None]] = {}

    def do(self, job: Job) -> None:
        """Run it in a thread, unless it runs."""
        before = self._running.get(job.name)
        if before is None or before.done():
            self._running[job.name] = self._pool.submit(attempt, job.name, job.run)

    async def stop(self) -> None:
        """Wait for the jobs, which are short."""
        await run_in_threadpool(self._pool.shutdown, wait=True, cancel_futures=True)


class Background:
    """Watches one store for one server, from ``start`` to ``stop``."""

    def __init__(self, app: App, hands: Hands) -> None:
        """Nothing runs yet."""
        self._app, self._hands = app, hands
        self._jobs: Mapping[str, Job] = work(app.engine)
        # each begins with the server: one that is started anew every half hour must erase too
        self._asked = dict.fromkeys(self._jobs, -math.inf)
        self._looked = dict(self._asked)
        self._stopped = threading.Event()
        self._news = app.store.news()
        self._tools = Own()
        self._thread = threading.Thread(target=self._loop, name="handrail-background", daemon=True)

    def start(self) -> None:
        """Begin, and relieve the keeper of what is done here."""
        self._app.keeper.relieved = True
        self._thread.start()

    async def stop(self) -> None:
        """End: what is under way may end; what is left is found by whichever server looks next."""
        self._stopped.set()
        self._news.close()
        await run_in_threadpool(self._thread.join)
        await self._hands.stop()
        await self._tools.stop()

    def _loop(self) -> None:
        while not self._stopped.is_set():
            try:
                self._round()
            except StoreError as error:
                logger.warning("background work waits for the store: %s", error)
                self._stopped.wait(TROUBLED)
            except Exception:  # noqa: BLE001 - the loop must outlive any one round
                logger.exception("a round of background work broke off")
                self._stopped.wait(TROUBLED)
            self._stopped.wait(BREATH)
            self._news.wait(LOOK_EVERY)

    def _round(self) -> None:
        now = time.monotonic()
        for job in self._jobs.values():
            if now - self._asked[job.name] >= job.every or self._is_due(job, now):
                self._asked[job.name] = now
                self._hands.do(job)
        # only this process has its tools, so this is never for another one
        self._tools.do(Job("run", lambda: run_approved(self._app.engine), 0.0))

    def _is_due(self, job: Job, now: float) -> bool:
        if now - self._looked[job.name] < job.rest:
            return False
        self._looked[job.name] = now
        return job.is_due()


def attempt(name: str, run: Callable[[], object]) -> None:
    """Run a job; what goes wrong is logged, and the job is done anew when its rows are next found due."""
    try:
        run()
    except StoreError as error:
        logger.warning("could not %s now, it will be tried again: %s", name, error)
    except Exception:  # noqa: BLE001 - one job must not keep the others from running
        logger.exception("could not %s", name)


@asynccontextmanager
async def running(state: ServerState) -> AsyncIterator[None]:
    """The background work of a server, while it serves."""
    _introduce(state)
    made = Background(state.app, await _hands(state))
    made.start()
    try:
        yield
    finally:
        await made.stop()


def check(state: ServerState) -> None:
    """Say before the start what the settings ask for in vain.

    Raises:
        StoreError: the queue can't be had.
    """
    if state.settings.queue != "procrastinate":
        return
    try:
        from handrail.store.postgres import PostgresStore
    except ImportError as error:
        raise StoreError("HANDRAIL_QUEUE=procrastinate needs 'pip install handrail[postgres]'") from error
    if not isinstance(state.store, PostgresStore):
        raise StoreError("HANDRAIL_QUEUE=procrastinate can't be had: only PostgreSQL has a queue")


def _introduce(state: ServerState) -> None:
    """Tell whoever sends messages where this server is; or say that nobody sends any."""
    deliverer = state.engine.deliverer
    if deliverer is not None:
        deliverer.url = deliverer.url or state.settings.address()
        return
    named = {each for group in state.engine.policy.policy.approvers.values() for each in group.via}
    if named:
        wanted = ", ".join(sorted(named))
        logger.warning("the policy tells people through %s, and no channel is set up here", wanted)


async def _hands(state: ServerState) -> Hands:
    wanted = state.settings.queue
    if wanted == "loop" or isinstance(state.store, SqliteStore):  # nothing of PostgreSQL is loaded for a file
        return Own()
    try:
        from handrail.server.queue import opened

        return await opened(state.store, work(state.engine))
    except (ImportError, StoreError) as error:
        if wanted == "procrastinate":
            raise StoreError(f"HANDRAIL_QUEUE=procrastinate can't be had: {error}") from error
        logger.info("this server does its background work by itself: %s", error)
        return Own()
