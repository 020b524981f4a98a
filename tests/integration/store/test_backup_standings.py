"""What a copy can't know, nobody relies on: what a standing approval let run since is not counted in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from handrail.app import open_store
from handrail.cli.backup import written
from handrail.words.entry import Kind
from handrail.words.query import EntryFilter
from tests.integration.engine.asking import refund
from tests.integration.engine.test_standings import left, stand
from tests.integration.store.conftest import NewUrl
from tests.integration.store.copies import put_back
from tests.integration.store.test_backup import KINDS
from tests.support.rail import opened


@pytest.mark.parametrize("kind", KINDS)
def test_a_restored_standing_approval_lets_nothing_more_run(
    kind: str, tmp_path: Path, new_url: NewUrl
) -> None:
    with opened(tmp_path, new_url(kind), keeper=False) as desk:
        standing = stand(desk, actions=1)
        written(desk.app.store, tmp_path / "b.zip")
        assert refund(desk) == ["o-1", 150.0, ""]
        assert left(desk, standing)[0] == 0
    store = open_store(new_url(kind))
    put_back(store, tmp_path / "b.zip")
    found = store.read(lambda tx: tx.standings.get(standing.id))
    assert found is not None
    assert (found.left, found.revoked_by) == (1, "ops")
    assert store.read(lambda tx: tx.standings.usable("support", "refund", tx.now())) == []
    told = store.read(lambda tx: tx.journal.newest(EntryFilter(kind=Kind.STANDING_REVOKED, limit=5)))
    assert len(told) == 1
    store.close()
