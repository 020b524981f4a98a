"""What restricts an agent now: halts, grants and frozen budgets, with the number of their last change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from handrail.words.budget import Freeze
from handrail.words.level import Rung


@dataclass(frozen=True, slots=True)
class Halt:
    """The kill switch, thrown: for everything, an agent, a tool, or an agent's tool."""

    id: str
    agent: str | None
    tool: str | None
    reason: str
    by: str
    at: int

    def covers(self, agent: str, tool: str) -> bool:
        """Whether an action of ``agent`` with ``tool`` is stopped by it."""
        return self.agent in (None, agent) and self.tool in (None, tool)

    def meets(self, other: Halt) -> bool:
        """Whether there can be an action that both stop."""
        agents, tools = (self.agent, other.agent), (self.tool, other.tool)
        return all(None in each or each[0] == each[1] for each in (agents, tools))

    @property
    def scope(self) -> str:
        """What it stops, for people."""
        if self.agent is not None and self.tool is not None:
            return f"{self.tool} for {self.agent}"
        if self.agent is not None:
            return f"agent {self.agent}"
        return "everything" if self.tool is None else f"tool {self.tool}"


@dataclass(frozen=True, slots=True)
class Grant:
    """The current rung of one agent's tool, since when (ms, UTC), by whom and on what evidence."""

    agent: str
    tool: str
    rung: Rung
    since: int
    by: str
    reason: str
    override: bool
    """Set by hand, without evidence; marked so for ever."""


@dataclass(frozen=True, slots=True)
class Activation:
    """One time at which a policy version became the running one (ms, UTC), by whom and why."""

    policy: str
    at: int
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Restrictions:
    """All halts, grants and freezes of one moment. ``generation`` grows with every change of any of them.

    A claim that finds another generation in the store decides anew: that is what makes a cached copy safe.
    """

    generation: int
    policy: str | None
    halts: tuple[Halt, ...] = ()
    grants: Mapping[tuple[str, str], Grant] = field(default_factory=dict)
    frozen: Mapping[str, Freeze] = field(default_factory=dict)
    """Budgets from which nothing more is spent, by their ids."""
