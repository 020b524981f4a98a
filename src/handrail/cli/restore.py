"""``handrail restore``: a backup into a new store, which starts halted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handrail.cli import screen
from handrail.cli.opened import opened_engine
from handrail.cli.options import As, AsJson, Database, PolicyPath
from handrail.cli.person import must_be_outside_a_session, person_of
from handrail.words.errors import Refused

if TYPE_CHECKING:
    from handrail.engine.restored import Restored
    from handrail.ports import Store, Transaction
    from handrail.store.backup import Backup

File = Annotated[
    Path | None, typer.Argument(metavar="[FILE]", help="The backup. Left out only with --adopt.")
]
Adopt = Annotated[
    bool,
    typer.Option(
        "--adopt",
        help="The store itself was copied here by other means, such as pg_dump: make it fit to go on.",
    ),
]


def restore(
    file: File = None,
    *,
    adopt: Adopt = False,
    person: As = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """Write a backup into a new, empty store of either kind. It starts halted.

    Actions that ran when the copy was made are unknown then, and nothing that was approved runs any more.
    """
    must_be_outside_a_session("a restore")
    if (file is None) != adopt:
        raise Refused("name a backup to restore, or --adopt without one for a store that was copied here")
    who = person_of(person)
    backup = None if file is None else _backup(file)  # first: what is none leaves no empty store behind
    with opened_engine(policy, database, create=backup is not None) as engine:
        made = _adopted(engine.store, who) if backup is None else _restored(engine.store, backup, who)
        engine.stir()
    if json:
        screen.document(
            {"halt": made.halt, "unknown": made.unknown, "expired": made.expired, "sealed": made.sealed}
        )
        return
    screen.say("Restored. Everything is halted." if file else "Adopted. Everything is halted.", "bold")
    screen.say(f"Actions whose end nobody knows, as they ran when the copy was made: {made.unknown}.")
    screen.say(f"Actions that are expired, as they had been approved and had not run: {made.expired}.")
    screen.say("Look first: 'handrail log verify --root …', 'handrail actions list --state unknown'.")
    screen.say(f"Then 'handrail lift {made.halt[-8:]} --reason …' lets agents go on.")


def _backup(file: Path) -> Backup:
    from handrail.store.backup import opened

    return opened(file)


def _restored(store: Store, backup: Backup, person: str) -> Restored:
    from handrail.engine.restored import begin_anew
    from handrail.store.backup import restore

    manifest = backup.manifest
    what = f"a backup of {manifest.made_at[:16].replace('T', ' ')} UTC"
    told = {"made_at": manifest.made_at, "root": manifest.journal.root, "size": manifest.journal.sealed}
    return restore(store, backup, lambda tx, sealed: begin_anew(tx, sealed, what, person, **told))


def _adopted(store: Store, person: str) -> Restored:
    from handrail.engine.restored import begin_anew
    from handrail.ports import Commit

    def work(tx: Transaction) -> Restored:
        if tx.tables.empty():
            raise Refused("this store is empty; there is nothing to adopt")
        tx.tables.adopt()
        return begin_anew(tx, tx.tables.begin_stretch(), "a copy of its database", person)

    return store.restrict(Commit.RESTORE, work)
