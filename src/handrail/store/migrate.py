"""Schema versions: a fresh store gets the whole schema at once, an older one each missing migration in turn.

Both ways are proven equal by a test. A store of a newer version is refused: an old program must not guess.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from handrail.store.queries import sql_file
from handrail.words.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

VERSION = 1
"""The schema version that this program writes and reads: that of the newest migration."""


def migrations(dialect: str) -> dict[int, str]:
    """Every migration's text by its version, in order."""
    folder = files("handrail.store") / "sql" / "migrations" / dialect
    found = {int(file.name[:4]): file.read_text(encoding="utf-8") for file in folder.iterdir()}
    return dict(sorted(found.items()))


def refuse_newer(version: int | None) -> None:
    """Refuse a store that a newer Handrail wrote, before anything is done to it.

    Raises:
        StoreError: it is newer.
    """
    if version is not None and version > VERSION:
        raise StoreError(
            f"this store has schema version {version}, newer than the {VERSION} that this Handrail knows; "
            "upgrade Handrail on this machine; nothing was changed"
        )


def bring_up(
    dialect: str, current: int | None, script: Callable[[str], None], note: Callable[[int], None]
) -> None:
    """Bring a store from ``current`` (None: empty) to ``VERSION``, inside the caller's transaction."""
    if current is None:
        script(sql_file(f"schema/{dialect}.sql"))
    else:
        for version, text in migrations(dialect).items():
            if version > current:
                script(text)
    note(VERSION)
