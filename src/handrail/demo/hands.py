"""The agent's hands: each call of a tool goes through the rail, each of a model through the gateway."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from handrail.demo.line import CallRefused
from handrail.words.errors import BadArguments, Denied, Held, NotRun, Shadowed
from handrail.words.verdict import Measure, Outcome


class Rail(Protocol):
    """The part of the rail that an agent's program uses while it works."""

    def session(self, *, agent: str, task: str) -> AbstractContextManager[object]:
        """One run of an agent for one piece of business."""

    def about(self, *, confidence: float, rationale: str) -> AbstractContextManager[object]:
        """What the agent says of its next action."""

    def resume(self, action: str) -> Any:
        """Run an action that people have answered."""


class Ask(Protocol):
    """How a model is asked."""

    def __call__(self, path: str, body: Mapping[str, object], **headers: str) -> Any:
        """The decoded answer of the model's API.

        Raises:
            CallRefused: Handrail refused the call.
            ModelFailed: there is no such answer.
        """


class Came(StrEnum):
    """What came of one call, as the agent sees it."""

    RAN = "ran"
    HELD = "held"
    REFUSED = "refused"
    SHADOWED = "shadowed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call and what came of it; ``said`` is the sentence or the output that the agent got."""

    tool: str
    came: Came
    said: object
    action: str = ""
    """The action, where the rail told it: of what did not run."""

    @property
    def values(self) -> Mapping[str, object]:
        """The output by name, when it is such an output."""
        return self.said if self.came is Came.RAN and isinstance(self.said, Mapping) else {}


class Hands:
    """The tools behind the rail, by name, and models. Tools must be called inside a session."""

    def __init__(
        self,
        rail: Rail,
        tools: Iterable[Callable[..., Any]],
        ask: Ask,
        *,
        before: Callable[[], None] = lambda: None,
        held: Callable[[Attempt], None] = lambda _: None,
        stopped: Callable[[CallRefused], None] = lambda _: None,
        halted: Callable[[], bool] = lambda: False,
    ) -> None:
        """``before`` each call; ``held`` hears of each that waits, ``stopped`` of a model's that was refused.

        ``halted`` is called when the kill switch refused a call: it waits, and says whether to try again.
        """
        self._rail, self._ask = rail, ask
        self._tools = {tool.__name__: tool for tool in tools}
        self._before, self._held, self._halted = before, held, halted
        self._stopped = stopped

    def use(self, tool: str, args: Mapping[str, object], *, sure: float, why: str) -> Attempt:
        """Call one tool, saying how sure the agent is (0 to 1) and why it wants this."""
        found = self._tools.get(tool)
        if found is None:
            return Attempt(tool, Came.REFUSED, f"There is no tool {tool!r}; use one of those you were given.")

        def call() -> object:
            with self._rail.about(confidence=sure, rationale=why):
                return found(**args)

        return self._tried(tool, call)

    def ask(self, path: str, body: Mapping[str, object], **headers: str) -> Any:
        """Ask a model, and wait while the kill switch refuses that.

        Raises:
            ModelFailed: as for ``Ask``.
        """
        while True:
            self._before()
            try:
                return self._ask(path, body, **headers)
            except CallRefused as refused:
                if not (refused.halted and self._halted()):
                    self._stopped(refused)
                    raise

    def resume(self, tool: str, action: str) -> Attempt:
        """Run what people have answered, if they let it."""
        return self._tried(tool, lambda: self._rail.resume(action))

    def _tried(self, tool: str, call: Callable[[], object]) -> Attempt:
        while True:
            self._before()
            attempt, stopped = _attempt(tool, call)
            if not (stopped and self._halted()):
                break
        if attempt.came is Came.HELD:
            self._held(attempt)
        return attempt


def _attempt(tool: str, call: Callable[[], object]) -> tuple[Attempt, bool]:
    """What came of it, and whether it was the kill switch that refused it."""
    try:
        return Attempt(tool, Came.RAN, call()), False
    except NotRun as error:
        return Attempt(tool, _came(error), str(error), error.action_id), _stopped(error)
    except (LookupError, OSError, sqlite3.Error, TypeError, BadArguments) as error:
        return Attempt(tool, Came.FAILED, f"{tool} failed: {error}"), False


def _stopped(error: NotRun) -> bool:
    steps = error.verdict.steps if isinstance(error, Denied) and error.verdict else ()
    return any(step.measure is Measure.HALT and step.outcome is Outcome.DENY for step in steps)


def _came(error: NotRun) -> Came:
    if isinstance(error, Denied):
        return Came.REFUSED
    if isinstance(error, Held):
        return Came.HELD
    return Came.SHADOWED if isinstance(error, Shadowed) else Came.FAILED
