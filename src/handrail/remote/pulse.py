"""The pulse: one quiet thread that keeps running actions alive, hears of halts, and sends what was kept."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from handrail.engine.core import logger
from handrail.remote.wire import encode
from handrail.words.errors import Conflict, HandrailError, NotFound

if TYPE_CHECKING:
    from handrail.engine.effects import Stop
    from handrail.remote.http import Asker
    from handrail.remote.reports import Reports

LISTEN_EVERY = 1.0
"""Seconds between two beats of an action that a halt may cancel."""
SEND_EVERY = 2.0
"""Seconds between two tries to send what is kept."""
PATIENCE = 2.0
"""Seconds in which one beat is tried again."""


@dataclass(slots=True)
class Beating:
    """One action that runs here."""

    token: str
    every: float
    due: float
    stop: Stop | None = None


class _Beaten(msgspec.Struct):
    halted: bool = False


class Pulse:
    """Beats for everything that one rail is running; its thread starts with the first of it."""

    def __init__(self, asker: Asker, reports: Reports) -> None:
        """Nothing is running yet."""
        self._asker = asker
        self._reports = reports
        self.start_anew()

    def start_anew(self) -> None:
        """In a forked child: thread and running actions stayed with the parent."""
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self.running: dict[str, Beating] = {}

    def begin(self, action: str, token: str, lease: int, stop: Stop | None) -> None:
        """Keep this action alive; ``lease`` is in milliseconds."""
        every = lease / 3000 if stop is None else min(lease / 3000, LISTEN_EVERY)
        self.running[action] = Beating(token, every, time.monotonic() + every, stop)
        self.stir()

    def end(self, action: str) -> None:
        """It no longer runs."""
        self.running.pop(action, None)

    def stir(self) -> None:
        """There is something to beat for, or to send."""
        if self._thread is None:
            self._start()
        if not self._wake.is_set():
            self._wake.set()

    def stop(self) -> None:
        """End the thread after what it is doing now."""
        self._stopped.set()
        self._wake.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(PATIENCE)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._stopped.is_set():
                self._thread = threading.Thread(target=self._loop, name="handrail-pulse", daemon=True)
                self._thread.start()

    def _loop(self) -> None:
        while not self._stopped.is_set():
            self._wake.wait(self._pause())
            self._wake.clear()
            for action, beating in list(self.running.items()):
                if not self._stopped.is_set() and beating.due <= time.monotonic():
                    self._beat(action, beating)
            if (self._reports.kept or self._reports.lost) and not self._stopped.is_set():
                self._send()

    def _pause(self) -> float | None:
        """Seconds until something is due; None when nothing is."""
        due = [beating.due - time.monotonic() for beating in list(self.running.values())]
        if self._reports.kept or self._reports.lost:
            due.append(SEND_EVERY)
        return max(0.0, min(due)) if due else None

    def _beat(self, action: str, beating: Beating) -> None:
        body = encode({"token": beating.token})
        try:
            told = _beaten.decode(self._asker.post(f"actions/{action}/beat", body, patience=PATIENCE))
            if told.halted and beating.stop is not None:
                beating.stop()
        except (Conflict, NotFound) as error:
            logger.warning("action %s is no longer taken for running: %s", action, error)
            self.end(action)
        except (HandrailError, msgspec.MsgspecError) as error:
            logger.warning("could not beat for action %s now, it will be tried again: %s", action, error)
        except Exception:  # noqa: BLE001 - the loop must outlive any one beat
            logger.exception("could not beat for action %s", action)
        beating.due = time.monotonic() + beating.every

    def _send(self) -> None:
        try:
            self._reports.flush()
            self._reports.give_back()
        except HandrailError as error:
            logger.warning("could not report an outcome now, it will be tried again: %s", error)
        except Exception:  # noqa: BLE001 - the loop must outlive any one report
            logger.exception("could not report an outcome")


_beaten = msgspec.json.Decoder(_Beaten)
