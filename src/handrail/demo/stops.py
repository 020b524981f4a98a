"""What makes the agents stop: the end of the demo, and the kill switch, which they wait out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from handrail.demo.visitor import News, What

if TYPE_CHECKING:
    from handrail.demo.visitor import Mailbox
    from handrail.ports import Store
    from handrail.words.restriction import Halt

LOOK_EVERY = 0.25
"""Seconds between two looks whether a halt was lifted."""
LONGEST_HALT = 15 * 60
"""Seconds after which the agents no longer wait for it."""
LONGEST_ACT = 15.0
"""Seconds that what is under way gets to end."""


class Over(Exception):
    """The demo ends: whoever works lays down the work."""


class Stops:
    """Whether there is still work to do. Threads share it."""

    def __init__(self, store: Store, tell: Callable[[str], None]) -> None:
        """``tell`` says a sentence to whoever sits at the terminal."""
        self._store, self._tell = store, tell
        self._over = threading.Event()
        self._acting = 0
        self._changed = threading.Condition()
        self._told: set[str] = set()
        self._lock = threading.Lock()

    @property
    def over(self) -> bool:
        """Whether the end has come."""
        return self._over.is_set()

    def end(self) -> None:
        """Let nothing more begin, and wait for what is under way."""
        with self._changed:
            self._over.set()
            self._changed.wait_for(lambda: not self._acting, LONGEST_ACT)

    def check(self) -> None:
        """Go on.

        Raises:
            Over: the end has come.
        """
        if self._over.is_set():
            raise Over

    def pause(self, seconds: float) -> None:
        """Do nothing for a while.

        Raises:
            Over: the end has come.
        """
        if self._over.wait(seconds):
            raise Over

    @contextmanager
    def acting(self) -> Iterator[None]:
        """Something that the end waits for.

        Raises:
            Over: the end has come.
        """
        with self._changed:
            self.check()
            self._acting += 1
        try:
            yield
        finally:
            with self._changed:
                self._acting -= 1
                self._changed.notify_all()

    def wait_out(self, agent: str, tool: str | None = None) -> bool:
        """Wait until no halt covers the agent (or, if given, its tool); whether there was one.

        Raises:
            Over: the end has come, or nobody lifted the halt for a long time.
        """
        found = self._halts(agent, tool)
        if not found:
            return False
        end = time.monotonic() + LONGEST_HALT
        for halt in found:
            self._say_once(halt.id, f"Stopped by {halt.by}: {halt.scope}. The agents wait until it goes on.")
        while left := self._halts(agent, tool):
            if time.monotonic() > end:
                self._say_once("late", "Nobody let it go on for a quarter of an hour: the agents go home.")
                raise Over
            self.pause(LOOK_EVERY)
            found = left
        self._say_once(f"{found[0].id} lifted", "It goes on: the agents work again.")
        return True

    def _halts(self, agent: str, tool: str | None) -> list[Halt]:
        halts = self._store.read(lambda tx: tx.restrictions.read().halts)
        return [each for each in halts if each.agent in (None, agent) and each.tool in (None, tool)]

    def _say_once(self, what: str, sentence: str) -> None:
        with self._lock:
            first = what not in self._told
            self._told.add(what)
        if first:
            self._tell(sentence)


def begin(name: str, work: Callable[[], None], stops: Stops, mailbox: Mailbox) -> None:
    """Do something in a thread of its own until the end; what goes wrong is for the main thread to raise."""

    def run() -> None:
        try:
            work()
        except Over:
            return
        except Exception as error:  # noqa: BLE001 - it is raised where somebody sees it
            if not stops.over:
                mailbox.put(News(What.BROKE, error=error))

    threading.Thread(target=run, name=name, daemon=True).start()
