"""The keeper: one quiet thread of an embedded rail that seals, beats, expires, reaps and erases."""

from __future__ import annotations

import os
import threading
import time
import weakref
from typing import TYPE_CHECKING

from handrail.engine import jobs, retention
from handrail.engine.budgets import leases as budget_leases
from handrail.engine.budgets import pauses as budget_pauses
from handrail.engine.core import logger
from handrail.engine.ids import owner
from handrail.engine.models import calls as model_calls
from handrail.engine.settle import flush
from handrail.words.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from handrail.engine.core import Engine

SEAL_EVERY = 0.5
"""Seconds between two seals while there is something to seal."""
LOOK_EVERY = 5.0
"""Seconds between two looks for what is due."""


class Keeper:
    """Runs the jobs of one engine until it is stopped or the engine is gone."""

    def __init__(self, engine: Engine) -> None:
        """Nothing runs before the first ``stir``."""
        self._engine = weakref.ref(engine)
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._dirty = False
        self._looked = time.monotonic()
        self._beaten = time.monotonic()
        self._erased: float | None = None
        self.relieved = False
        """A server seals, expires, reaps and tells by itself: the rest is what only this process can do."""
        _keepers.add(self)

    @property
    def stopped(self) -> bool:
        """Whether ``stop`` was called."""
        return self._stopped.is_set()

    def stir(self) -> None:
        """There is something to seal."""
        self._dirty = True
        if self._thread is None:
            self._start()
        if not self._wake.is_set():
            self._wake.set()

    def stop(self) -> None:
        """End the thread after its present round, then write and seal what is left."""
        self._stopped.set()
        self._wake.set()
        thread = self._thread
        if thread is not None and thread.is_alive() and thread is not threading.current_thread():
            thread.join()
        engine = self._engine()
        if engine is None:
            return
        if engine.unrecorded:
            self._try("write an outcome", lambda: flush(engine))
        if engine.calling.untold:
            self._try("write the end of a model call", lambda: model_calls.flush(engine))
        self._try("give back parts of budgets", lambda: budget_leases.close_own(engine))
        if self._dirty:
            self._try("seal", lambda: jobs.seal(engine))
        if engine.deliverer is not None:
            self._try("tell people", engine.deliverer.close)

    def start_anew(self) -> None:
        """In a forked child: the thread and what the parent is running stayed with the parent."""
        engine = self._engine()
        if engine is not None:
            engine.running.clear()
            engine.cancels.clear()
            engine.unrecorded.clear()
            engine.calling.forget()
            if engine.chunks is not None:
                engine.chunks.forget()
            engine.owner = owner()
            if engine.deliverer is not None:
                engine.deliverer.start_anew()
        self._wake, self._lock, self._thread = threading.Event(), threading.Lock(), None
        self._dirty = False

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._stopped.is_set():
                self._thread = threading.Thread(target=self._loop, name="handrail-keeper", daemon=True)
                self._thread.start()

    def _loop(self) -> None:
        while not self._stopped.is_set():
            self._wake.wait(LOOK_EVERY)
            self._wake.clear()
            engine = self._engine()
            if engine is None or self._stopped.wait(SEAL_EVERY):
                return
            self._round(engine)
            del engine

    def _round(self, engine: Engine) -> None:
        if engine.unrecorded:
            self._try("write an outcome", lambda: flush(engine))
        if engine.calling.untold:
            self._try("write the end of a model call", lambda: model_calls.flush(engine))
        if self._dirty and not self.relieved:
            self._dirty = False
            self._try("seal", lambda: jobs.seal(engine))
        if engine.deliverer is not None and not self.relieved:
            self._try("tell people", engine.deliverer.hand_over)
        now = time.monotonic()
        if (engine.running or engine.calling.running) and now - self._beaten > engine.lease / 3000:
            self._beaten = now
            self._try("beat", lambda: jobs.beat(engine))
        if engine.chunks is not None and engine.chunks.any:
            self._try("give back parts of budgets", lambda: budget_leases.tend(engine))
            self._wake.set()
        if engine.cancels:
            self._try("look for halts", lambda: jobs.stop_halted(engine))
        if now - self._looked >= LOOK_EVERY and not self.relieved:
            self._looked = now
            self._try("look for what is due", lambda: self._due(engine))
            self._try("let what was paused go on", lambda: self._go_on(engine))
        if engine.running or engine.calling.running:
            self._wake.set()

    def _due(self, engine: Engine) -> None:
        if jobs.anything_due(engine):
            changed = jobs.reap(engine) + jobs.expire(engine)
            self._dirty = self._dirty or changed > 0
        if self._erased is None or time.monotonic() - self._erased > retention.EVERY:
            self._erased = time.monotonic()
            retention.erase(engine)

    def _go_on(self, engine: Engine) -> None:
        if budget_pauses.anything_paused(engine):
            self._dirty = budget_pauses.go_on(engine) > 0 or self._dirty

    def _try(self, what: str, job: Callable[[], object]) -> None:
        try:
            job()
        except StoreError as error:
            logger.warning("could not %s now, it will be tried again: %s", what, error)
            self._dirty = True
        except Exception:  # noqa: BLE001 - the loop must outlive any one job
            logger.exception("could not %s", what)
            self._dirty = True


def _after_fork() -> None:
    for keeper in list(_keepers):
        keeper.start_anew()


_keepers: weakref.WeakSet[Keeper] = weakref.WeakSet()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
