"""What holds after a process was killed around a commit that erases, or that restores a backup."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from handrail.app import open_store
from handrail.cli.backup import written
from handrail.engine.restored import begin_anew
from handrail.engine.retention import erase
from handrail.ports import Commit, Store
from handrail.store import backup
from handrail.store.backup import Backup
from handrail.words.entry import Kind
from handrail.words.errors import Refused
from tests.chaos.site import Site
from tests.support import postgres

LONG_AGO = 31 * 24 * 3_600_000


def erasing(site: Site, when: str) -> None:
    """A payload is erased once, and one entry tells of it."""
    action = site.paid()
    site.desk.sql(f"update actions set updated_at = updated_at - {LONG_AGO} where id = '{action}'")
    count = site.desk.kinds().count(Kind.ERASED)
    site.crash("erase", Commit.ERASE, when)
    there = site.desk.app.store.read(lambda tx: tx.actions.payload(action)) is not None
    assert there is (when == "before")
    assert erase(site.desk.app.engine) == (1 if when == "before" else 0)
    assert site.desk.kinds().count(Kind.ERASED) == count + 1


def put_back(store: Store, found: Backup) -> None:
    """Restore as the command does."""
    backup.restore(store, found, lambda tx, sealed: begin_anew(tx, sealed, "a backup", "ops"))


def restoring(site: Site, when: str) -> None:
    """Before, the other store is empty and takes the backup; after, it is halted, and takes no second."""
    file = site.folder / f"{site.order()}.zip"
    written(site.desk.app.store, file)
    with ExitStack() as stack:
        url = f"sqlite:///{file.with_suffix('.db')}"
        if site.desk.url.startswith("postgresql"):
            url = stack.enter_context(postgres.database(site.desk.url))
        site.crash("restore", Commit.RESTORE, when, f"{file} {url}")
        store = open_store(url)
        stack.callback(store.close)
        found = backup.opened(file)
        if when == "before":
            assert store.read(lambda tx: tx.tables.empty())
            put_back(store, found)
        with pytest.raises(Refused, match="not empty"):
            put_back(store, found)
        [halt] = store.read(lambda tx: tx.restrictions.read()).halts
        assert halt.scope == "everything"
        assert store.read(lambda tx: tx.actions.running()) == []


KEEPING_POINTS = {Commit.ERASE: erasing, Commit.RESTORE: restoring}
