"""Leasing chunks of hot budgets, and closing them: each in a transaction of its own.

A claim writes down only that a chunk is wanted. The next one takes it before it begins its own transaction,
so that nothing that was claimed ever waits for a chunk.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from handrail.engine.budgets.chunks import LIFE, PATIENCE
from handrail.engine.budgets.holds import tell_of
from handrail.engine.core import logger
from handrail.engine.ids import new_id
from handrail.ports import Commit
from handrail.words.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from handrail.engine.budgets.chunks import Chunks, Wish
    from handrail.engine.core import Engine
    from handrail.ports import Transaction
    from handrail.words.budget import Chunk
    from handrail.words.errors import Overspent

BATCH = 100
"""Lapsed chunks that are closed in one round."""


def tend(engine: Engine) -> None:
    """Take the chunks that are wanted, and close those that nobody needs.

    A store in trouble is no reason to fail: without a chunk the window itself is charged.
    """
    chunks = engine.chunks
    if chunks is None:
        return
    try:
        for wish in chunks.wishes():
            _lease(engine, chunks, wish)
        close(engine, chunks.due())
    except StoreError as error:
        logger.warning("could not take or close a part of a budget now, it is charged directly: %s", error)


def reclaim(engine: Engine, full: Overspent) -> None:
    """Close all chunks of a window that has no room: nobody is refused while there is some in a chunk."""
    place = full.budget, full.scope, full.window
    close(engine, engine.store.read(lambda tx: tx.budget_chunks.open(*place)))


def close_own(engine: Engine) -> None:
    """Give everything back: this process ends."""
    if engine.chunks is not None:
        close(engine, engine.chunks.all())


def close_lapsed(engine: Engine) -> int:
    """Close what lost processes left; how many."""
    return close(engine, engine.store.read(lambda tx: _lapsed(tx, BATCH)))


def any_lapsed(tx: Transaction) -> bool:
    """Whether there is any."""
    return bool(_lapsed(tx, 1))


def close(engine: Engine, chunks: Iterable[str]) -> int:
    """Close chunks of whomever, and tell what their windows have reached; how many were open."""
    closed = 0
    for chunk in chunks:
        closed += engine.store.write(Commit.CHUNK, partial(_closed, engine, chunk)) is not None
        if engine.chunks is not None:
            engine.chunks.closed([chunk])
    return closed


def _closed(engine: Engine, chunk: str, tx: Transaction) -> Chunk | None:
    found = tx.budget_chunks.close(chunk)
    if found is not None:
        # a percentage may have come nearer meanwhile, by a raise that ended or by an overrun
        tell_of(engine, tx, (found.budget, found.scope, found.window), tx.now())
    return found


def _lapsed(tx: Transaction, limit: int) -> list[str]:
    """Its owner had the time that it gives itself, and once more."""
    return list(tx.budget_chunks.lapsed(tx.now() - int(2_000 * PATIENCE), limit))


def _lease(engine: Engine, chunks: Chunks, wish: Wish) -> None:
    asked = chunks.clock()

    def work(tx: Transaction) -> Chunk | None:
        if tx.restrictions.generation() != wish.generation:
            return None
        return tx.budget_chunks.lease(new_id(), engine.owner, wish.charge, wish.most, wish.least, LIFE)

    chunks.put(wish, engine.store.write(Commit.CHUNK, work), asked)
