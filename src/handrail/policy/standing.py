"""Conditions of standing approvals: which questions a person's one answer is for, checked as a rule's are.

Whatever goes wrong, the condition does not hold, and people are asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from handrail.policy import environment
from handrail.policy.claims import claim_in
from handrail.policy.compile import CompiledPolicy
from handrail.policy.compiled import BoundTool, Names
from handrail.policy.expressions import (
    DYN,
    EvaluationError,
    Expression,
    ExpressionError,
    evaluator,
    expression,
    type_of_schema,
)
from handrail.policy.model import ToolPolicy
from handrail.policy.names import moment, proposed
from handrail.policy.nearest import nearest
from handrail.policy.typed import claimed
from handrail.words.action import Proposal
from handrail.words.errors import PolicyError
from handrail.words.fact import Failed
from handrail.words.problem import Problem

WHERE = "condition"
"""What problems name as the file."""
_FAILED = {"failed"}
"""The only key of a fact that failed, as it is kept with an action."""


@dataclass(frozen=True, slots=True)
class StandingCondition:
    """A condition made ready for one tool as it is bound now; made anew when policy or tool changes."""

    tool: BoundTool | None
    """None for a tool that is not bound here: then no condition holds."""
    needs: frozenset[str]
    """The facts that it reads."""
    test: Callable[[Names], object] | None
    """None for no condition, which always holds."""
    reads: frozenset[str] = frozenset()
    """Every name that it reads."""

    def holds(self, proposal: Proposal, facts: Mapping[str, object]) -> bool:
        """Whether it is true of this action. A fact that is missing or failed, and every error, is a no.

        ``facts`` are what was resolved for the action; a condition that reads the time finds it as ``now``,
        in milliseconds.
        """
        if self.test is None:
            return True
        bound = self.tool
        if bound is None or proposal.tool != bound.policy.name or proposal.binding != bound.binding.digest:
            return False
        try:
            names = self._names(bound, proposal, facts)
            return names is not None and self.test(names) is True
        except EvaluationError:
            return False

    def _names(
        self, bound: BoundTool, proposal: Proposal, facts: Mapping[str, object]
    ) -> dict[str, object] | None:
        """What the condition may name; None when something that it reads is not at hand."""
        names = proposed(bound, proposal)
        for word, evaluate in (("amount", bound.amount), ("cost", bound.cost)):
            if word in self.reads and evaluate is not None:
                money = evaluate(names)
                if type(money) is not Decimal and type(money) is not int:
                    return None
                names[word] = Decimal(money)
        for name in self.needs:
            if name not in facts or _failed(facts[name]):
                return None
            names[name] = facts[name]
        if "now" in self.reads:
            names["now"] = moment(facts.get("now"))
        return names


def condition(policy: CompiledPolicy, tool: str, when: str | None) -> StandingCondition:
    """The condition ``when`` of a standing approval for ``tool``; None holds always.

    Raises:
        PolicyError: it names what is not there, has a wrong type, or trusts what the agent says of itself.
    """
    known = policy.policy.tools.get(tool)
    if known is None:
        near = nearest(tool, policy.policy.tools)
        raise PolicyError((Problem(WHERE, 1, 1, f"no tool is named {tool!r}", "a tool of the policy", near),))
    bound = policy.bound.get(tool)
    if when is None:
        return StandingCondition(bound, frozenset(), None)
    binding = None if bound is None else bound.binding.digest
    return _made(_Wanted(when, tool, policy.digest, binding, policy, known, bound))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A condition to be compiled: equal when text, policy and the tool's schema are."""

    when: str
    name: str
    digest: str
    binding: str | None
    policy: CompiledPolicy = field(compare=False, repr=False)
    tool: ToolPolicy = field(compare=False, repr=False)
    bound: BoundTool | None = field(compare=False, repr=False)


@lru_cache(maxsize=256)
def _made(wanted: _Wanted) -> StandingCondition:
    """Compiled once: each proposal that would ask tries every standing approval that could answer it."""
    policy, bound, when = wanted.policy, wanted.bound, wanted.when
    parsed = _parsed(policy, wanted.tool, bound, when)
    problems = [*_claims(policy, parsed, when), *_out_of_reach(policy, bound, parsed, when)]
    if problems:
        raise PolicyError(tuple(problems))
    needs = parsed.names & policy.policy.facts.keys()
    return StandingCondition(bound, needs, evaluator(parsed), parsed.names)


def _parsed(policy: CompiledPolicy, tool: ToolPolicy, bound: BoundTool | None, when: str) -> Expression:
    args = type_of_schema(bound.binding.schema) if bound is not None else DYN
    try:
        return expression(when, environment.of_rules(policy.policy, tool, args))
    except ExpressionError as error:
        problem = _problem(when, error.offset, error.message, error.expected, error.nearest)
        raise PolicyError((problem,)) from None


def _claims(policy: CompiledPolicy, parsed: Expression, when: str) -> list[Problem]:
    return [
        _problem(when, _offset(parsed, name), message, expected)
        for name, message, expected in claimed(policy.policy, parsed)
    ]


def _out_of_reach(
    policy: CompiledPolicy, bound: BoundTool | None, parsed: Expression, when: str
) -> list[Problem]:
    """A fact that no rule of this tool reads is never resolved for it: such a condition could never hold."""
    if bound is None:
        return []
    tool = bound.policy.name
    ways = [access[tool] for access in policy.access.values() if tool in access]
    at_hand = {fact.name for way in ways for fact in way.facts}
    expected = f"one of {', '.join(sorted(at_hand))}" if at_hand else "args"
    return [
        _problem(when, _offset(parsed, name), f"no rule for {tool} reads the fact {name!r}", expected)
        for name in sorted((parsed.names & policy.policy.facts.keys()) - at_hand)
    ]


def _offset(parsed: Expression, name: str) -> int:
    found = claim_in(parsed.node, frozenset({name}))
    return found.offset if found is not None else 0


def _problem(
    when: str, offset: int, message: str, expected: str | None = None, near: str | None = None
) -> Problem:
    before = when[:offset]
    column = offset - (before.rfind("\n") + 1) + 1
    return Problem(WHERE, before.count("\n") + 1, column, message, expected, near)


def _failed(fact: object) -> bool:
    """Whether a fact could not be had: as it came, or as it is kept with an action."""
    return isinstance(fact, Failed) or (isinstance(fact, dict) and fact.keys() == _FAILED)
