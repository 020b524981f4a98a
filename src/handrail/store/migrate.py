"""Schema versions: a fresh store gets the whole schema at once, an older one each missing migration in turn.

Both ways are proven equal by a test. Only ``handrail upgrade`` migrates a store, after a backup.

From version 2 on a migration only adds, so that programs of the version before go on beside newer ones while
servers are upgraded one by one. Each migration says in its first line from which version on programs may use
what it makes (``-- readable from: 2``), and the store keeps that. An older program than that must not guess:
the store refuses it.
"""

from __future__ import annotations

import re
from enum import StrEnum
from importlib.resources import files
from typing import TYPE_CHECKING

from handrail.store.queries import sql_file
from handrail.words.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

VERSION = 2
"""The schema version that this program writes and reads: that of the newest migration."""
READABLE = re.compile(r"-- readable from: (\d+)$", re.MULTILINE)


class Older(StrEnum):
    """What to do with a store of an older version."""

    REFUSE = "refuse"
    KEEP = "keep"
    """Leave it as it is, for somebody who only reads whole tables."""
    UPGRADE = "upgrade"


def migrations(dialect: str) -> dict[int, str]:
    """Every migration's text by its version, in order."""
    folder = files("handrail.store") / "sql" / "migrations" / dialect
    found = {int(file.name[:4]): file.read_text(encoding="utf-8") for file in folder.iterdir()}
    return dict(sorted(found.items()))


def readable_from(dialect: str) -> int:
    """The oldest version of Handrail that may use a store of this version."""
    found = READABLE.match(migrations(dialect)[VERSION])
    return VERSION if found is None else int(found[1])


def refuse_newer(version: int | None, readable: int | None) -> None:
    """Refuse a store that a newer Handrail upgraded past us, before anything is done to it.

    Raises:
        StoreError: it is newer, and does not say that this version may use it.
    """
    if version is not None and version > VERSION and (readable is None or readable > VERSION):
        raise StoreError(
            f"this store has schema version {version}, newer than the {VERSION} that this Handrail knows; "
            "upgrade Handrail on this machine; nothing was changed"
        )


def must_change(version: int | None, older: Older) -> bool:
    """Whether there is a schema to make or to upgrade.

    Raises:
        StoreError: it is older, and nobody asked for an upgrade.
    """
    if version is None:
        return older is not Older.KEEP
    if version >= VERSION or older is Older.KEEP:
        return False
    if older is Older.REFUSE:
        raise StoreError(
            f"this store has schema version {version}, and this Handrail needs {VERSION}: run "
            "'handrail upgrade', which makes a backup first; nothing was changed"
        )
    return True


def bring_up(
    dialect: str,
    current: int | None,
    script: Callable[[str], None],
    note: Callable[[int, int], None],
) -> None:
    """Bring a store from ``current`` (None: empty) to ``VERSION``, inside the caller's transaction.

    ``note`` keeps the version, and the oldest one that may use it.
    """
    if current is None:
        script(sql_file(f"schema/{dialect}.sql"))
    else:
        for version, text in migrations(dialect).items():
            if current < version <= VERSION:
                script(text)
    note(VERSION, readable_from(dialect))
