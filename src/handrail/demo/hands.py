"""The agent's hands: each call of a tool goes through the rail, and what came of it is a value."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from handrail.words.errors import BadArguments, Denied, Held, NotRun, Shadowed


class Rail(Protocol):
    """The part of the rail that an agent's program uses while it works."""

    def session(self, *, agent: str, task: str) -> AbstractContextManager[object]:
        """One run of an agent for one piece of business."""

    def about(self, *, confidence: float, rationale: str) -> AbstractContextManager[object]:
        """What the agent says of its next action."""


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

    @property
    def values(self) -> Mapping[str, object]:
        """The output by name, when it is such an output."""
        return self.said if self.came is Came.RAN and isinstance(self.said, Mapping) else {}


class Hands:
    """The tools behind the rail, by name. Calls must be made inside a session."""

    def __init__(self, rail: Rail, tools: Iterable[Callable[..., Any]]) -> None:
        self._rail = rail
        self._tools = {tool.__name__: tool for tool in tools}

    def use(self, tool: str, args: Mapping[str, object], *, sure: float, why: str) -> Attempt:
        """Call one tool, saying how sure the agent is (0 to 1) and why it wants this."""
        found = self._tools.get(tool)
        if found is None:
            return Attempt(tool, Came.REFUSED, f"There is no tool {tool!r}; use one of those you were given.")
        try:
            with self._rail.about(confidence=sure, rationale=why):
                return Attempt(tool, Came.RAN, found(**args))
        except NotRun as error:
            return Attempt(tool, _came(error), str(error))
        except (LookupError, OSError, sqlite3.Error, TypeError, BadArguments) as error:
            return Attempt(tool, Came.FAILED, f"{tool} failed: {error}")


def _came(error: NotRun) -> Came:
    if isinstance(error, Denied):
        return Came.REFUSED
    if isinstance(error, Held):
        return Came.HELD
    return Came.SHADOWED if isinstance(error, Shadowed) else Came.FAILED
