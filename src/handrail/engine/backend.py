"""What a rail stands on: an engine in this process, or a server. The same drivers walk the roads of both."""

from __future__ import annotations

import threading
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from handrail.engine.road import act, newest, resume
from handrail.policy.boundaries import boundaries
from handrail.words.errors import NotFound
from handrail.words.exact import found
from handrail.words.lifecycle import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from handrail.engine.context import About, Session
    from handrail.engine.core import Engine, Tool
    from handrail.engine.effects import Road
    from handrail.words.action import Action

SHORTEST_PAUSE, LONGEST_PAUSE = 0.02, 0.5
"""Seconds between two looks at a question while one waits for its answer: with news, and without."""


class Backend(Protocol):
    """Decides, records and settles for one rail. Threads and tasks may share it."""

    @property
    def engine(self) -> Engine | None:
        """What the drivers perform writes and facts on; None when the roads need neither."""

    @property
    def tools(self) -> Mapping[str, Tool]:
        """The tools that are behind the rail, by name."""

    def bind(self, tool: Tool) -> None:
        """Put a tool behind the rail.

        Raises:
            PolicyError: policy and schema don't fit.
            Conflict: another function has this name.
        """

    def call(self, tool: str, values: Mapping[str, object] | str, session: Session, about: About) -> Road:
        """The road of one call; a text instead of values says why they could not be collected."""

    def resume(self, action: str) -> Road:
        """The road of an action that was approved."""

    def action(self, action: str) -> Action:
        """The action with this id.

        Raises:
            NotFound: there is none.
        """

    def wait(self, action: str, timeout: float | None) -> Action:
        """Wait until the action, or what people edited it into, is not held; at most ``timeout`` seconds."""

    def permitted(self, agent: str) -> Sequence[str]:
        """The names of the tools that this agent may use, in the policy's order."""

    def boundaries(self, agent: str) -> str:
        """Lines for this agent's system prompt.

        Raises:
            NotFound: the policy knows no such agent.
        """

    def register(self, fact: str) -> Callable[[Callable[..., Any]], None]:
        """Give a fact a Python source: what takes the function.

        Raises:
            NotFound: the policy has no such fact.
            Refused: facts come from elsewhere.
        """


class LocalBackend:
    """An engine in this process, over its store."""

    def __init__(self, engine: Engine) -> None:
        """Stand on ``engine``."""
        self.engine = engine
        self._listening = threading.Lock()
        self.tools = engine.tools
        self.bind = engine.bind

    def call(self, tool: str, values: Mapping[str, object] | str, session: Session, about: About) -> Road:
        """As ``Backend``."""
        return act(self.engine, self.engine.proposal(tool, values, session, about))

    def resume(self, action: str) -> Road:
        """As ``Backend``."""
        return resume(self.engine, action)

    def action(self, action: str) -> Action:
        """As ``Backend``."""
        return _there(self.engine.store.read(lambda tx: tx.actions.get(action)), action)

    def wait(self, action: str, timeout: float | None) -> Action:
        """As ``Backend``."""
        end = None if timeout is None else time.monotonic() + timeout
        if timeout == 0 or self._newest(action).state is not State.HELD:
            return self._newest(action)
        # listening begins before the look that counts, so that no answer can come between the two
        with self._hearing() as heard:
            while True:
                current = self._newest(action)
                left = LONGEST_PAUSE if end is None else min(LONGEST_PAUSE, end - time.monotonic())
                if current.state is not State.HELD or left <= 0:
                    return current
                heard(left)
                time.sleep(SHORTEST_PAUSE)

    @contextmanager
    def _hearing(self) -> Iterator[Callable[[float], object]]:
        """What pauses until there is news; for all but one it only pauses: each ear is a connection."""
        if not self._listening.acquire(blocking=False):
            yield time.sleep
            return
        try:
            with closing(self.engine.store.news()) as news:
                yield news.wait
        finally:
            self._listening.release()

    def _newest(self, action: str) -> Action:
        return _there(self.engine.store.read(lambda tx: newest(tx, action)), action)

    def permitted(self, agent: str) -> Sequence[str]:
        """As ``Backend``."""
        self.engine.refresh()
        return self.engine.policy.permitted(agent)

    def boundaries(self, agent: str) -> str:
        """As ``Backend``."""
        self.engine.refresh()
        return boundaries(self.engine.policy.policy, agent)

    def register(self, fact: str) -> Callable[[Callable[..., Any]], None]:
        """As ``Backend``."""
        self.engine.fact(fact)

        def take(function: Callable[..., Any]) -> None:
            self.engine.register(fact, lambda given: found(function(**given)))

        return take


def _there(stored: Action | None, action: str) -> Action:
    if stored is None:
        raise NotFound(f"there is no action {action}")
    return stored
