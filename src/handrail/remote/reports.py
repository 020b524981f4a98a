"""Reports of what became of actions: sent, or kept until they can be sent, and never forgotten."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from handrail.engine.attempt import Ended
from handrail.engine.core import logger
from handrail.engine.effects import Do, Road
from handrail.remote.wire import answer_of, encode
from handrail.words.errors import BadArguments, Conflict, NotFound, OutcomeUnrecorded
from handrail.words.lifecycle import State

if TYPE_CHECKING:
    from handrail.remote.http import Asker

MOST_LOST = 1_000
"""Lost proposals that are looked for; the oldest are forgotten first, and settled by a person."""
LOOKED_FOR = 120.0
"""Seconds for which that is done: a slow server may yet record one."""
GIVEN_UP = "the answer to the proposal did not come in time; the tool was not called"
SHORT = 10_000
"""Characters that are kept of an output which the server refuses as it is."""


@dataclass(frozen=True, slots=True)
class Report:
    """How one attempt ended, for the server."""

    action: str
    token: str
    ended: Ended

    def body(self, *, cut: bool = False) -> bytes:
        """As JSON; cut, only the beginning of the output."""
        ended = self.ended
        said: dict[str, object] = {
            "token": self.token,
            "state": ended.state,
            "milliseconds": ended.milliseconds,
            "nothing_done": ended.nothing_done,
        }
        if ended.error is not None:
            said["error"] = ended.error
        if ended.output is not None:
            whole = msgspec.Raw(ended.output.encode())
            short = {"cut": ended.output[:SHORT], "characters": len(ended.output)}
            said["output"] = short if cut else whole
        return encode(said)


@dataclass(frozen=True, slots=True)
class Lost:
    """A proposal whose answer never came. It may have been given leave to run, which nobody will use."""

    action: str
    body: bytes
    until: float


class Reports:
    """Sends them. While some are kept, nothing more may be started."""

    def __init__(self, asker: Asker) -> None:
        """None is kept yet."""
        self._asker = asker
        self.start_anew()

    def start_anew(self) -> None:
        """In a forked child: what the parent has to report, the parent reports."""
        self._lock = threading.Lock()
        self.kept: list[Report] = []
        self.lost: deque[Lost] = deque(maxlen=MOST_LOST)

    def road(self, report: Report, output: object) -> Road:
        """Send one.

        Raises:
            OutcomeUnrecorded: it can't be sent now, and is kept.
        """
        try:
            yield Do(lambda: self._send(report), whole=True)
        except Exception as error:
            # whatever went wrong, what became of the action must not be lost
            self.kept.append(report)
            raise OutcomeUnrecorded(report.action, output) from error

    def flush(self) -> None:
        """Send all that is kept.

        Raises:
            StoreError: it still can't be; what is left stays kept.
        """
        with self._lock:
            for report in tuple(self.kept):
                self._send(report)
                with suppress(ValueError):
                    self.kept.remove(report)

    def lose(self, action: str, body: bytes) -> None:
        """No answer to this proposal came, and its caller was told that nothing runs."""
        self.lost.append(Lost(action, body, time.monotonic() + LOOKED_FOR))

    def give_back(self) -> None:
        """Settle what was given leave to run and lost as what provably did nothing.

        Raises:
            StoreError: the server can't be asked now; what is left is looked for again.
        """
        for lost in tuple(self.lost):
            if lost.until < time.monotonic() or self._returned(lost):
                with suppress(ValueError):
                    self.lost.remove(lost)

    def _returned(self, lost: Lost) -> bool:
        """Whether nothing is left to do about it. One that has not arrived may do so still."""
        try:
            found = answer_of(self._asker.get(f"actions/{lost.action}", patience=0))
        except NotFound:
            return False
        if found.action.state is State.RUNNING:
            # the same id again: the server gives the leave to run, whose answer was lost, once more
            again = answer_of(self._asker.post("actions", lost.body, patience=0))
            if again.run is None:
                # under a halt it is not; perhaps that is lifted in time
                return False
            ended = Ended(State.FAILED, None, GIVEN_UP, nothing_done=True, milliseconds=0)
            self._send(Report(lost.action, again.run.token, ended))
        return True

    def _send(self, report: Report) -> None:
        path = f"actions/{report.action}/outcome"
        try:
            try:
                self._asker.post(path, report.body())
            except BadArguments as error:
                if report.ended.output is None:
                    raise
                logger.warning("the output of action %s is kept only in part: %s", report.action, error)
                self._asker.post(path, report.body(cut=True))
        except (Conflict, NotFound) as error:
            # as embedded: who settled it before was told the truth by a person, or by this very report
            logger.warning("action %s was settled by others: %s", report.action, error)
