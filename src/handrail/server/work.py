"""A server's background work by name: small functions over rows that are due, each safe to run twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from handrail.engine import jobs, retention
from handrail.engine.budgets import pauses as budget_pauses
from handrail.engine.deliveries import sending as delivering
from handrail.engine.identity.sign_ins import forget_old

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from handrail.engine.core import Engine
    from handrail.ports import Transaction

SECOND, SOON, MINUTE, HOUR = 1.0, 10.0, 60.0, 3_600.0


@dataclass(frozen=True, slots=True)
class Job:
    """One kind of work. ``is_due`` is a read; ``every`` is when it runs at the latest, in seconds.

    ``rest`` seconds lie between two looks whether it is due: for what only time makes due, and no news.
    """

    name: str
    run: Callable[[], object]
    every: float
    is_due: Callable[[], bool] = lambda: False
    rest: float = 0.0


def work(engine: Engine) -> Mapping[str, Job]:
    """Everything that any server may do for all of them."""
    found = [
        Job("seal", lambda: jobs.seal(engine), MINUTE, lambda: _unsealed(engine)),
        Job("due", lambda: _end_due(engine), MINUTE, lambda: jobs.anything_due(engine), rest=SECOND),
        Job("paused", lambda: budget_pauses.go_on(engine), SOON),
        Job("forget", lambda: forget_old(engine), HOUR),
        Job("erase", lambda: retention.erase(engine), retention.EVERY),
    ]
    deliverer = engine.deliverer
    if deliverer is not None:
        due = lambda: delivering.anything_due(engine)  # noqa: E731 - as the others
        found.append(Job("deliver", deliverer.hand_over, MINUTE, due))
    return {job.name: job for job in found}


def _end_due(engine: Engine) -> None:
    jobs.reap(engine)
    jobs.expire(engine)


def _unsealed(engine: Engine) -> bool:
    def read(tx: Transaction) -> bool:
        return bool(tx.journal.unsealed(tx.journal.last_head(), 1))

    return engine.store.read(read)
