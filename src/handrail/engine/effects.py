"""Effects: what a road asks its driver to do. The road is one rule, its two drivers are two loops."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handrail.engine.texts import error_text
from handrail.words.fact import Failed

if TYPE_CHECKING:
    from handrail.engine.core import Engine, Tool
    from handrail.ports import Commit, Transaction
    from handrail.words.action import Action
    from handrail.words.verdict import Query

BUDGET = "budget:"


class NotBegun(BaseException):
    """The tool was never called, because its caller went away first. Only a driver raises it."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Resolve these facts: the answer is a mapping with a value or ``Failed`` for each."""

    queries: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Write:
    """Run this in one durable transaction."""

    commit: Commit
    work: Callable[[Transaction], Any]


@dataclass(frozen=True, slots=True)
class Do:
    """Run this blocking piece of I/O. ``whole``: its end is waited for also when the caller goes away."""

    act: Callable[[], Any]
    whole: bool = False


class Stop:
    """How a halt reaches one tool that is running; asked for before there is a task, it stops it at once."""

    def __init__(self, action: Action) -> None:
        """Nobody has asked yet."""
        self.action = action
        self.asked = False
        self._lock = threading.Lock()
        self._act: Callable[[], object] | None = None

    def arm(self, act: Callable[[], object]) -> None:
        """``act`` stops the tool; any thread may call it."""
        with self._lock:
            self._act = act
            asked = self.asked
        if asked:
            act()

    def __call__(self) -> None:
        """Stop it; a second time nothing happens."""
        with self._lock:
            act = None if self.asked else self._act
            self.asked = True
        if act is not None:
            act()


@dataclass(frozen=True, slots=True)
class Call:
    """Call the tool with values decoded from the frozen bytes; with ``stop`` a halt may cancel it."""

    tool: Tool
    payload: bytes
    stop: Stop | None = None


Effect = Facts | Write | Do | Call
Road = Generator[Effect, Any, Any]


def facts(engine: Engine, queries: tuple[Query, ...]) -> dict[str, object]:
    """Every fact once. Whatever goes wrong with one is a ``Failed`` for that one."""
    return {query.name: fact(engine, query) for query in queries}


def fact(engine: Engine, query: Query) -> object:
    """One fact's value, or ``Failed``."""
    if query.name.startswith(BUDGET):
        return _used(engine, query)
    source = engine.sources.get(query.name)
    if source is None:
        return Failed(f"there is no source for the fact {query.name}")
    try:
        return source(query.given)
    except Exception as error:  # noqa: BLE001 - a source is foreign code; whatever it raises is a failed fact
        return Failed(engine.recorder.without(error_text(error), query.given))


def _used(engine: Engine, query: Query) -> object:
    budget = query.name.removeprefix(BUDGET)
    scope, window = str(query.given["scope"]), query.given["window"]
    rolling = query.given.get("rolling", 0)
    return engine.store.read(lambda tx: tx.budgets.room(budget, scope, int(str(window)), int(str(rolling))))
