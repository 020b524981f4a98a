"""The deliver job: what is due goes to its channel, outside of every transaction and never in a vote's way.

Every channel has one worker at a time in a process, so one that hangs costs nobody but itself. A delivery is
leased before it is sent: of several processes one sends it, and when that one dies another does.
"""

from __future__ import annotations

import threading
import time
from itertools import groupby
from typing import TYPE_CHECKING

from handrail.engine.core import logger
from handrail.engine.deliveries.messages import Never, NotYet, message
from handrail.ports import Commit
from handrail.words.errors import ChannelError, HandrailError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from handrail.engine.core import Engine
    from handrail.ports import Channel, Message, Transaction
    from handrail.words.delivery import Delivery

LEASE = 60_000
"""Milliseconds for which nobody else sends a delivery that was taken: more than one message may take."""
MARGIN = 35.0
"""Seconds of the lease that must be left to begin with one more message."""
BATCH = 50
BOUND = 8
"""Channels that one process speaks to at the same time."""
FIRST, LONGEST = 5_000, 900_000
"""Milliseconds to the second try, and the most between two."""
PATIENCE = 86_400_000
"""Milliseconds after which nobody is told any more."""
SOON = 2_000
"""Milliseconds until something is looked at again that only waits for its turn."""


class Deliverer:
    """Sends what is due. Safe in several threads and processes."""

    def __init__(self, engine: Engine, channels: Callable[[str], Channel], public_url: str | None) -> None:
        """``channels`` finds a channel by name, ``public_url`` is where people find a question."""
        self._engine = engine
        self._channels = channels
        self.url = public_url.rstrip("/") if public_url else None
        """A server that nobody gave an address says its own."""
        self._workers: dict[str, Worker] = {}
        self._lock = threading.Lock()

    def hand_over(self) -> Sequence[Worker]:
        """Take what is due, and start a worker for every channel of it. Waits for the store only."""
        with self._lock:
            self._workers = {name: each for name, each in self._workers.items() if each.is_alive()}
            if len(self._workers) >= BOUND or not anything_due(self._engine):
                return ()
            taken = sorted(self._take(), key=lambda one: (one.channel, one.id))
            ends = time.monotonic() + LEASE / 1000 - MARGIN
            groups = {name: list(group) for name, group in groupby(taken, lambda one: one.channel)}
            return [each for name, batch in groups.items() if (each := self._start(name, batch, ends))]

    def close(self, seconds: float = 10.0) -> None:
        """Send what is due, for at most so long; the rest is sent by whoever comes next."""
        self.hand_over()
        ends = time.monotonic() + seconds
        with self._lock:
            workers = list(self._workers.values())
        for each in workers:
            each.join(max(0.0, ends - time.monotonic()))
            each.stop()

    def start_anew(self) -> None:
        """In a forked child: the workers stayed with the parent."""
        self._workers, self._lock = {}, threading.Lock()

    def _start(self, name: str, batch: Sequence[Delivery], ends: float) -> Worker | None:
        if name in self._workers or len(self._workers) >= BOUND:
            for each in batch:
                _later(self._engine, each, SOON, f"{name} is busy")
            return None
        worker = self._workers[name] = Worker(self._engine, self._channels, self.url, name, batch, ends)
        worker.start()
        return worker

    def _take(self) -> Sequence[Delivery]:
        def work(tx: Transaction) -> Sequence[Delivery]:
            at = tx.now()
            return tx.deliveries.take(at, at + LEASE, BATCH)

        return self._engine.store.write(Commit.DELIVER, work)


class Worker(threading.Thread):
    """Sends one batch to one channel. ``sent`` is how many arrived; what can't be sent is put off."""

    def __init__(
        self,
        engine: Engine,
        channels: Callable[[str], Channel],
        url: str | None,
        name: str,
        batch: Sequence[Delivery],
        ends: float,
    ) -> None:
        """A thread that no exit of the process waits for: its leases lapse."""
        super().__init__(name=f"handrail-{name}", daemon=True)
        self._engine, self._channels, self._url = engine, channels, url
        self._channel, self._batch, self._ends = name, batch, ends
        self._stopped = threading.Event()
        self.sent = 0

    def stop(self) -> None:
        """Begin with no other message."""
        self._stopped.set()

    def run(self) -> None:
        """Send the batch in its order; after a channel's error the rest waits too."""
        trouble: ChannelError | None = None
        for each in self._batch:
            try:
                if trouble is not None:
                    _put_off(self._engine, each, trouble)
                elif self._stopped.is_set() or time.monotonic() > self._ends:
                    _later(self._engine, each, 0, "its turn did not come")
                else:
                    trouble = self._send(each)
            except StoreError as error:
                logger.warning("a delivery could not be written and is looked at again: %s", error)
            except Exception as error:  # noqa: BLE001 - the other messages of the batch must go on
                logger.exception("the delivery %s to %s broke off", each.id, self._channel)
                _put_off(self._engine, each, ChannelError(f"it broke off: {type(error).__name__}"))

    def _send(self, delivery: Delivery) -> ChannelError | None:
        try:
            told = self._engine.store.read(lambda tx: message(self._engine, tx, delivery, self._url))
            reference = self._tell(told)
        except NotYet as why:
            _later(self._engine, delivery, SOON, str(why))
            return None
        except Never as why:
            _gave_up(self._engine, delivery, str(why))
            return None
        except ChannelError as error:
            _put_off(self._engine, delivery, error)
            return error if error.again else None
        self._engine.store.write(
            Commit.DELIVER, lambda tx: tx.deliveries.sent(delivery.id, tx.now(), reference)
        )
        self.sent += 1
        return None

    def _tell(self, told: Message) -> str | None:
        try:
            return self._channels(self._channel).tell(told)
        except HandrailError:
            raise
        except Exception as error:
            logger.exception("%s failed in a way that it should not", self._channel)
            raise ChannelError(f"{self._channel} failed: {type(error).__name__}") from error


def deliver(engine: Engine, channels: Callable[[str], Channel], public_url: str | None) -> int:
    """Send what is due now and wait for it; how many messages arrived."""
    workers = Deliverer(engine, channels, public_url).hand_over()
    for each in workers:
        each.join()
    return sum(each.sent for each in workers)


def anything_due(engine: Engine) -> bool:
    """Whether something is to be told now: a read, so that an idle process writes nothing."""

    def work(tx: Transaction) -> bool:
        due = tx.deliveries.next_due()
        return due is not None and due <= tx.now()

    return engine.store.read(work)


def pause(tries: int) -> int:
    """Milliseconds from the try with this number to the next one."""
    return min(LONGEST, FIRST << min(tries - 1, 20)) if tries > 0 else FIRST


def _put_off(engine: Engine, delivery: Delivery, error: ChannelError) -> None:
    waited = sum(pause(each) for each in range(1, delivery.tries))
    if error.again and waited < PATIENCE:
        logger.warning("%s was not told and will be tried again: %s", delivery.channel, error)
        _later(engine, delivery, pause(delivery.tries), str(error))
    else:
        logger.error("%s is told no more: %s", delivery.channel, error)
        _gave_up(engine, delivery, str(error))


def _later(engine: Engine, delivery: Delivery, wait: int, why: str) -> None:
    engine.store.write(Commit.DELIVER, lambda tx: tx.deliveries.later(delivery.id, tx.now() + wait, why))


def _gave_up(engine: Engine, delivery: Delivery, why: str) -> None:
    engine.store.write(Commit.DELIVER, lambda tx: tx.deliveries.gave_up(delivery.id, tx.now(), why))
