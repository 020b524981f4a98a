"""``handrail backup``: the whole store of one moment in one file, while agents work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handrail.cli import screen
from handrail.cli.opened import opened_store
from handrail.cli.options import AsJson, Database, PolicyPath
from handrail.cli.person import must_be_outside_a_session

if TYPE_CHECKING:
    from handrail.ports import Store
    from handrail.store.backup import Manifest

File = Annotated[Path, typer.Argument(metavar="FILE", help="The file to write; it must not be there yet.")]


def backup(file: File, *, policy: PolicyPath = None, database: Database = None, json: AsJson = False) -> None:
    """Write everything of a store into one file, as it is at this moment; agents go on working.

    The file can be read by its owner alone, and holds secrets: keep it as you keep the store.
    """
    must_be_outside_a_session("a backup")
    with opened_store(policy, database) as store:
        manifest = written(store, file)
    if json:
        screen.document(document(file, manifest))
        return
    rows = sum(each.rows for each in manifest.tables.values())
    screen.say(f"Wrote {file}: {rows:,} rows in {len(manifest.tables)} tables, read again and found whole.")
    sealed = manifest.journal
    if sealed.root is not None:
        screen.say(f"Its journal has {sealed.entries:,} entries; {sealed.sealed:,} are sealed with the root")
        screen.say(f"  {sealed.root}")
        screen.say("Keep this root elsewhere: 'handrail log verify --root' proves with it what you restore.")
    screen.say("The file holds arguments, outputs, hashed keys and the key of the digests: keep it safe.")


def written(store: Store, file: Path) -> Manifest:
    """A backup of a store, in one snapshot."""
    from handrail.store.backup import write

    streams = store.audit()
    try:
        return write(streams, file, type(store).__name__.removesuffix("Store").lower())
    finally:
        streams.close()


def document(file: Path, manifest: Manifest) -> dict[str, object]:
    """What was written, as JSON."""
    return {
        "file": str(file),
        "made_at": manifest.made_at,
        "schema": manifest.schema,
        "store": manifest.store,
        "entries": manifest.journal.entries,
        "sealed": manifest.journal.sealed,
        "root": manifest.journal.root,
        "rows": {name: each.rows for name, each in manifest.tables.items()},
    }
