"""The queue in PostgreSQL: procrastinate runs the same jobs, on whichever server has a hand free.

Its tables hold nothing that is not also in the rows that are due, so each of its versions gets a schema of
its own: two versions of the server work side by side, and nothing is ever migrated.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Status
from psycopg import sql

from handrail.engine.core import logger
from handrail.server.background import attempt
from handrail.store.postgres import PostgresStore
from handrail.words.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from handrail.ports import Store
    from handrail.server.work import Job

QUEUE = "handrail"
LOCK = 0x68616E64_71756575
"""The advisory lock under which the schema is made: "handqueu"."""
WORKERS = 4
POLL = 5.0
"""Seconds between two looks for jobs, should a notification be lost."""
GRACE = 15.0
LONGEST_PAUSE = 15.0
"""Seconds between two starts of a worker that lost the database."""
HOUR = 3_600
STALLED = 60.0
"""Seconds without a sign of life after which a worker's jobs are taken for lost: their rows are still due."""


class Queue:
    """Hands that put a job into the queue, and a worker that takes them out of it."""

    def __init__(self, app: App, jobs: Mapping[str, Job]) -> None:
        """Over an open app."""
        self._app, self._loop = app, asyncio.get_running_loop()
        self._tasks = {name: _task(app, job) for name, job in jobs.items()}
        self._stopping = False
        self._worker = self._loop.create_task(self._work())

    def do(self, job: Job) -> None:
        """Put it into the queue, unless it waits there."""
        if not self._stopping:
            asyncio.run_coroutine_threadsafe(self._defer(job.name), self._loop)

    async def stop(self) -> None:
        """Take no more, and let what is running end."""
        self._stopping = True
        self._worker.cancel()
        with suppress(asyncio.CancelledError):
            await self._worker
        await self._app.close_async()

    async def _defer(self, name: str) -> None:
        try:
            waiting = await self._app.job_manager.list_jobs_async(queueing_lock=name, status="todo")
            if not list(waiting):
                await self._tasks[name].defer_async()
        except AlreadyEnqueued:
            logger.debug("%s waits in the queue already", name)
        except ConnectorException as error:
            logger.warning("%s could not be put into the queue, it will be tried again: %s", name, error)

    async def _work(self) -> None:
        """Work until the end; a worker that loses the database begins anew."""
        pause = 1.0
        while not self._stopping:
            try:
                await self._clear()
                await self._app.run_worker_async(
                    queues=[QUEUE],
                    concurrency=WORKERS,
                    fetch_job_polling_interval=POLL,
                    shutdown_graceful_timeout=GRACE,
                    delete_jobs="always",
                    install_signal_handlers=False,
                )
            except (ConnectorException, psycopg.Error, OSError) as error:
                logger.warning("the queue lost the database and begins anew in %.0f s: %s", pause, error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _clear(self) -> None:
        """Forget what servers were doing that are gone."""
        lost = await self._app.job_manager.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=STALLED)
        for job in lost:
            await self._app.job_manager.finish_job(job, Status.FAILED, delete_job=True)


async def opened(store: Store, jobs: Mapping[str, Job]) -> Queue:
    """The queue beside a store in PostgreSQL, its schema made when this is the first.

    Raises:
        StoreError: it is another store, or the database lets us make no schema.
    """
    if not isinstance(store, PostgresStore):
        raise StoreError("only PostgreSQL has a queue")
    logging.getLogger("procrastinate").setLevel(logging.ERROR)
    name = f"handrail_jobs_{'_'.join(version('procrastinate').split('.')[:2])}"
    parameters = {**store.parameters, "application_name": "handrail-queue"}
    parameters["options"] += f" -c search_path={name}"
    try:
        await _make(parameters, name)
        app = App(connector=PsycopgConnector(kwargs=parameters, min_size=1, max_size=WORKERS + 1))
        await app.open_async()
    except (psycopg.Error, ConnectorException) as error:
        raise StoreError(f"no schema {name} in PostgreSQL: {' '.join(str(error).split())}") from error
    return Queue(app, jobs)


def _task(app: App, job: Job) -> Any:
    """The job as a task: one at a time waits, whatever the number of servers."""
    run: Callable[[], object] = job.run

    @app.periodic(cron="* * * * *" if job.every < HOUR else "17 * * * *", periodic_id=job.name)
    @app.task(name=f"handrail.{job.name}", queue=QUEUE, queueing_lock=job.name)
    def task(timestamp: int = 0) -> None:  # noqa: ARG001 - the clock's tasks are told the time
        attempt(job.name, run)

    return task


async def _make(parameters: Mapping[str, Any], name: str) -> None:
    """Make the schema, unless it is there."""
    async with await psycopg.AsyncConnection.connect(**parameters) as connection:
        await connection.execute("select pg_advisory_xact_lock(%s)", (LOCK,))
        found = await connection.execute("select to_regclass(%s)", (f"{name}.procrastinate_jobs",))
        if await found.fetchone() != (None,):
            return
        await connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(name)))
        from procrastinate.schema import SchemaManager

        await connection.execute(SchemaManager.get_schema().encode())
