"""The gate as the replay sees it, the people who may answer it, and plain gates to measure against."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from evals.agentdojo.toollist import reads

Execute = Callable[[str, Mapping[str, Any]], str]
"""Runs a tool on the environment in play and gives what the agent would read."""


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call that the agent proposes; `wanted` when it belongs to the user's task."""

    tool: str
    arguments: Mapping[str, Any]
    wanted: bool


class Answer(Enum):
    """What a person says to a question."""

    NONE = "none"
    APPROVE = "approve"
    REJECT = "reject"


Person = Callable[[Call], Answer]


def nobody(_call: Call) -> Answer:
    """Leave every question open."""
    return Answer.NONE


def rubber_stamp(_call: Call) -> Answer:
    """Approve whatever is asked."""
    return Answer.APPROVE


def ideal(call: Call) -> Answer:
    """Approve what belongs to the user's task, reject the rest."""
    return Answer.APPROVE if call.wanted else Answer.REJECT


PEOPLE: Mapping[str, Person] = {"nobody": nobody, "rubber stamp": rubber_stamp, "ideal": ideal}


@dataclass(frozen=True, slots=True)
class Ruling:
    """What became of one call: whether it ran in the end, and whether a person was asked."""

    ran: bool
    asked: bool


class Gate(Protocol):
    """Stands between the agent and the tools of one suite."""

    def session(self, task: str) -> AbstractContextManager[None]:
        """Open one run of the agent for one task; calls are proposed inside it."""
        ...

    def propose(self, call: Call, person: Person) -> Ruling:
        """Propose a call; it has run when the ruling says so."""
        ...


class PlainGate:
    """A gate with no rail: each tool runs, asks, or is refused by its name alone."""

    def __init__(self, execute: Execute, *, writes: Answer | None) -> None:
        """Reads run. Writes run on APPROVE, are refused on REJECT, and ask when `writes` is None."""
        self._execute = execute
        self._writes = writes

    @contextmanager
    def session(self, task: str) -> Iterator[None]:  # noqa: ARG002 - this gate remembers nothing
        """Do nothing: there is no state."""
        yield

    def propose(self, call: Call, person: Person) -> Ruling:
        """Run, ask or refuse the call."""
        known = Answer.APPROVE if reads(call.tool) else self._writes
        answer = person(call) if known is None else known
        if answer is Answer.APPROVE:
            self._execute(call.tool, call.arguments)
        return Ruling(ran=answer is Answer.APPROVE, asked=known is None)


def allow_all(execute: Execute) -> PlainGate:
    """Run everything."""
    return PlainGate(execute, writes=Answer.APPROVE)


def read_only(execute: Execute) -> PlainGate:
    """Run reads and refuse the rest, whoever would answer."""
    return PlainGate(execute, writes=Answer.REJECT)


def ask_writes(execute: Execute) -> PlainGate:
    """Run reads and ask for the rest."""
    return PlainGate(execute, writes=None)
