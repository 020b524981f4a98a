"""The compiled policy: a typed policy, checked whole, and made ready tool by tool as tools are bound.

Phase one checks the file alone; phase two, ``bind``, checks one tool's part against its schema.
A compiled policy never changes: ``bind`` gives a new one, so readers in other threads need no lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from zoneinfo import ZoneInfo

from handrail.policy.allowlist import allowed_of
from handrail.policy.bind import Allowed, Prepared, bind_tool
from handrail.policy.binding import Binding
from handrail.policy.checks import test_of
from handrail.policy.compiled import Access, BoundTool, Why
from handrail.policy.model import Does, LoopPolicy, Place, Policy, ToolPolicy
from handrail.policy.model_rules import ModelRules, model_rules
from handrail.policy.typed import typed
from handrail.words.errors import PolicyError
from handrail.words.level import Rung
from handrail.words.problem import Problem


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """A policy that the gate can run, for the tools that are bound; every other tool is denied."""

    policy: Policy
    digest: str
    prepared: Prepared = field(repr=False)
    models: ModelRules = field(default_factory=ModelRules, repr=False)
    """Which models agents may call, and what such calls are counted against."""
    bound: Mapping[str, BoundTool] = field(default_factory=dict, repr=False)
    """Every bound tool by name."""
    access: Mapping[str, Mapping[str, Access]] = field(default_factory=dict, repr=False)
    """For each agent, the bound tools that it may ask for."""

    @property
    def loops(self) -> LoopPolicy:
        """What holds a session because it repeats."""
        return self.policy.loops

    def bind(self, binding: Binding) -> CompiledPolicy:
        """This policy with one more tool bound, or with a tool bound anew.

        Raises:
            PolicyError: the tool's schema and the policy do not fit each other.
        """
        tool = self.policy.tools.get(binding.tool) or _undescribed(binding.tool)
        bound, access = bind_tool(self.policy, self.prepared, tool, binding)
        reach = {agent: {**self.access.get(agent, {}), tool.name: way} for agent, way in access.items()}
        return replace(self, bound={**self.bound, tool.name: bound}, access={**self.access, **reach})

    def permitted(self, agent: str) -> tuple[str, ...]:
        """The tools that ``agent`` may ask for, bound or not, in the policy's order; none for a stranger."""
        known = self.policy.agents.get(agent)
        return tuple(permission.tool for permission in known.may) if known else ()


def compile_policy(policy: Policy) -> CompiledPolicy:
    """Check everything that the file alone tells, and prepare what does not depend on any tool's schema.

    Raises:
        PolicyError: with every problem found, each at its place in the file.
    """
    found = typed(policy)
    problems = found.problems
    zone = _zone(policy, problems)
    prepared = Prepared(zone, _tests(policy, problems), _allowed(policy, problems)) if zone else None
    if problems or prepared is None:
        raise PolicyError(tuple(problems))
    return CompiledPolicy(policy, policy.digest, prepared, model_rules(policy, prepared.zone, found.budgets))


def _undescribed(name: str) -> ToolPolicy:
    """A tool that the policy does not name: no agent may use it, and it is taken for the worst."""
    return ToolPolicy(name, Does.RUN, Rung.SHADOW, Rung.SUGGEST, Place("", 1, 1), described=False)


def _zone(policy: Policy, problems: list[Problem]) -> tzinfo | None:
    try:
        return ZoneInfo(policy.timezone)
    except (ValueError, OSError, KeyError):
        place = policy.places.get("timezone", Place("handrail.yaml", 1, 1))
        message, expected = f"{policy.timezone!r} is no time zone", "a name such as Europe/Warsaw"
        problems.append(Problem(place.file, place.line, place.column, message, expected))
        return None


def _tests(policy: Policy, problems: list[Problem]) -> dict[str, Why]:
    tests: dict[str, Why] = {}
    for check in policy.checks:
        try:
            tests[check.id] = test_of(check)
        except ValueError as error:
            place = check.regex.place if check.regex else check.place
            problems.append(Problem(place.file, place.line, place.column, f"{check.id}: {error}"))
    return tests


def _allowed(policy: Policy, problems: list[Problem]) -> dict[tuple[str, str], Allowed]:
    allowed: dict[tuple[str, str], Allowed] = {}
    for agent in policy.agents.values():
        for permission in agent.may:
            try:
                allowed[agent.name, permission.tool] = allowed_of(permission)
            except ValueError as error:
                place = permission.place
                problems.append(Problem(place.file, place.line, place.column, str(error)))
    return allowed
