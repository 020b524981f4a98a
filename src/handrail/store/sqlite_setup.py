"""Making and upgrading a SQLite file, and refusing one that is not ours or of another version, untouched."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING

from handrail.store.migrate import VERSION, Older, bring_up, must_change, refuse_newer
from handrail.words.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

APPLICATION = 0x48_52_41_4C
"""``application_id`` of our files ("HRAL"): a file of another program is never written."""
NAP = 0.005
"""Seconds between two tries to set the write-ahead log."""
MARKS = """
    SELECT user_version, application_id, (SELECT count(*) FROM sqlite_master)
    FROM pragma_user_version, pragma_application_id
"""
"""One statement: another process that sets the file up is seen before it or after it, never amid."""


def set_up(connection: sqlite3.Connection, busy_seconds: float, older: Older) -> None:
    """Check whose file it is, then make or migrate the schema, once among all processes.

    ``busy_seconds`` is how long to wait for others who open the file at this moment.

    Raises:
        StoreError: it is another program's file, or of a version that we can't use.
        sqlite3.Error: it can't be read or written.
    """
    if not must_change(_version(connection), older):
        _wal(connection, busy_seconds)
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        if must_change(current := _version(connection), older):
            _bring_up(connection, current)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    _wal(connection, busy_seconds)


def _version(connection: sqlite3.Connection) -> int | None:
    """The schema version of our file, or None for an empty one."""
    version, application, tables = connection.execute(MARKS).fetchone()
    if application != APPLICATION and (version or tables):
        raise StoreError(
            "this SQLite file belongs to another program; nothing was changed; give another path"
        )
    if version > VERSION:
        refuse_newer(version, _readable_from(connection))
    return int(version) or None


def _readable_from(connection: sqlite3.Connection) -> int | None:
    found = connection.execute("SELECT value FROM meta WHERE name = 'readable_from'").fetchone()
    return None if found is None else int(found[0])


def _wal(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """Write-ahead log: readers and the writer don't wait for each other. It stays set in the file.

    SQLite does not wait for others here as it does elsewhere: it tells at once that the file is locked.
    """
    end = time.monotonic() + busy_seconds
    while True:
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        if mode in ("wal", "memory"):
            return
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(NAP)


def _bring_up(connection: sqlite3.Connection, current: int | None) -> None:
    def note(version: int, readable: int) -> None:
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute(
            "INSERT INTO meta (name, value) VALUES ('readable_from', ?) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (str(readable),),
        )

    bring_up("sqlite", current, _script_of(connection), note)


def _script_of(connection: sqlite3.Connection) -> Callable[[str], None]:
    """Run a script statement by statement: ``executescript`` would commit the open transaction."""

    def script(text: str) -> None:
        statement = ""
        for line in text.splitlines(keepends=True):
            statement += line
            if sqlite3.complete_statement(statement):
                connection.execute(statement)
                statement = ""

    return script
