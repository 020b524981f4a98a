"""``handrail upgrade``: an older store to this version's schema, after a backup."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handrail.cli import screen
from handrail.cli.backup import written
from handrail.cli.opened import SQLITE, folder_of
from handrail.cli.options import AsJson, Database, PolicyPath
from handrail.cli.person import must_be_outside_a_session
from handrail.words.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handrail.ports import Store, Transaction

To = Annotated[
    Path | None,
    typer.Option(
        "--backup",
        metavar="FILE",
        help="Where the backup goes. Default: handrail-schema-N-TIME.zip in this folder.",
    ),
]


def upgrade(
    *, backup: To = None, policy: PolicyPath = None, database: Database = None, json: AsJson = False
) -> None:
    """Bring a store to the schema of this Handrail: first a backup, then the migrations, in one transaction.

    Servers of the version before may go on running meanwhile.
    """
    from handrail.app import open_store, store_url
    from handrail.store.migrate import VERSION, Older

    must_be_outside_a_session("an upgrade")
    url = store_url(folder_of(policy), database)
    if url.startswith(SQLITE) and not Path(url.removeprefix(SQLITE)).exists():
        raise NotFound(f"there is no store at {url.removeprefix(SQLITE)}; a new one needs no upgrade")
    store = open_store(url, older=Older.KEEP)
    try:
        before = _schema(store)
        file = None if before >= VERSION else _kept(store, backup, before)
    finally:
        store.close()
    if file is not None:
        open_store(url, older=Older.UPGRADE).close()
    if json:
        screen.document(
            {"before": before, "now": max(before, VERSION), "backup": None if file is None else str(file)}
        )
    elif file is None:
        screen.say(f"The store has schema version {before} already; nothing was changed.")
    else:
        screen.say(f"Upgraded from schema version {before} to {VERSION}. As it was before: {file}", "bold")


def _kept(store: Store, file: Path | None, schema: int) -> Path:
    """A backup, once it is sure that the new version can go on with what is there."""
    _check_policy(store)
    named = file or Path(f"handrail-schema-{schema}-{datetime.now(UTC):%Y%m%d-%H%M%S}.zip")
    written(store, named)
    return named


def _check_policy(store: Store) -> None:
    """The active policy loads in this version too; otherwise agents would stand still after the upgrade.

    Raises:
        PolicyError: it does not.
    """
    from handrail.app import runnable
    from handrail.policy.load import load

    found = store.read(_active)
    if found is not None:
        name, files = found
        runnable(load(files[name], name, lambda each: files[each]))


def _active(tx: Transaction) -> tuple[str, Mapping[str, str]] | None:
    # Only from tables of the first version: `restrictions.read` asks for ones that the upgrade makes.
    newest = tx.restrictions.activations(1)
    return tx.restrictions.policy(newest[0].policy) if newest else None


def _schema(store: Store) -> int:
    streams = store.audit()
    try:
        return streams.schema()
    finally:
        streams.close()
