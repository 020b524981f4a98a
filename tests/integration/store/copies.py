"""A store with something of everything, its copies, and what they hold."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import handrail
from handrail.engine import jobs
from handrail.engine.restored import Restored, begin_anew
from handrail.journal.verify import verify
from handrail.ports import Commit, Store
from handrail.store import backup
from handrail.store.parts.tables import TABLES
from handrail.words.delivery import Delivery, DeliveryKind, DeliveryState
from handrail.words.lifecycle import State
from tests.support.rail import Desk, opened


@contextmanager
def busy(folder: Path, url: str) -> Iterator[Desk]:
    """A store with something of everything: done, held, approved, running, and an unsealed rest."""
    folder.mkdir(exist_ok=True)
    started, go = threading.Event(), threading.Event()
    with opened(folder, url, keeper=False) as desk:
        rail = desk.rail

        @rail.tool
        def refund(order: str, amount: float, reason: str = "") -> str:
            return f"refunded {amount} of {order} ✓"

        @rail.tool
        def offer(text: str) -> str:
            started.set()
            assert go.wait(60)
            return text

        def run() -> None:
            with rail.session("sales", "t-9"):
                offer("slow")

        with rail.session("support", "t-1"):
            refund("o-1", 5)
            for order in ("o-2", "o-3"):
                with pytest.raises(handrail.Held):
                    refund(order, 500)
        jobs.seal(desk.app.engine)
        thread = threading.Thread(target=run)
        thread.start()
        assert started.wait(120)
        desk.vote(desk.actions(State.HELD)[0].id)
        plan = Delivery("d-1", DeliveryKind.ASKED, "q", "slack:#x", DeliveryState.DUE, 1)
        desk.app.store.write(Commit.DELIVER, lambda tx: tx.deliveries.add(plan))
        try:
            yield desk
        finally:
            go.set()
            thread.join()


def put_back(store: Store, file: Path) -> Restored:
    """Restore as the command does."""
    return backup.restore(store, backup.opened(file), lambda tx, n: begin_anew(tx, n, "a backup", "ops"))


def rows(store: Store) -> dict[str, set[tuple[object, ...]]]:
    """Every row of every table, exactly."""
    streams = store.audit()
    try:
        return {t: {tuple(row) for row in streams.rows(t, streams.columns(t))} for t in TABLES}
    finally:
        streams.close()


def proven(store: Store, root: bytes | None = None) -> Any:
    """What verification says."""
    streams = store.audit()
    try:
        return verify(streams.entries(), streams.leaves, streams.heads(), root=root)
    finally:
        streams.close()
