"""The second phase: one tool's part of a policy, checked against its schema and made ready."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo

from handrail.policy import digests
from handrail.policy.binding import Binding
from handrail.policy.budgets.scope import budget_of
from handrail.policy.checks import check_of
from handrail.policy.compiled import Access, BoundTool, Budget, Fact, Rules, Why
from handrail.policy.environment import undo_word
from handrail.policy.expressions import Expression, Object, Type, evaluator, fuse, type_of_schema
from handrail.policy.expressions.types import Kind, OneOf, bare
from handrail.policy.model import BudgetPolicy, Effect, Permission, Policy, RulePolicy, ToolPolicy, Unit
from handrail.policy.schemas import validator
from handrail.policy.typed import Typed, typed
from handrail.words.errors import PolicyError
from handrail.words.verdict import ANYONE, Measure, Outcome, Step

Allowed = tuple[tuple[str, Why], ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the first phase made of the parts that do not depend on any tool's schema."""

    zone: tzinfo
    tests: Mapping[str, Why]
    """What each check looks for, by the check's id."""
    allowed: Mapping[tuple[str, str], Allowed]
    """The argument allowlists, by agent and tool."""


def bind_tool(
    policy: Policy, prepared: Prepared, tool: ToolPolicy, binding: Binding
) -> tuple[BoundTool, dict[str, Access]]:
    """The tool made ready, and every agent's access to it.

    Raises:
        PolicyError: policy and schema do not fit each other, with every place where they don't.
    """
    args = type_of_schema(binding.schema)
    found = typed(policy, tool, args)
    _check_arguments(found, args)
    invalid = _validator(found, binding)
    if found.problems or invalid is None:
        raise PolicyError(tuple(found.problems))
    bound = _bound(found, prepared, tool, binding, invalid)
    facts = {name: _fact(name, given) for name, given in found.facts.items()}
    return bound, {
        agent.name: _access(found, prepared, bound, agent.name, facts)
        for agent in policy.agents.values()
        if any(permission.tool == tool.name for permission in agent.may)
    }


def _validator(found: Typed, binding: Binding) -> Why | None:
    try:
        return validator(binding.schema)
    except ValueError as error:
        tool = found.tool
        if tool is not None:
            found.report(tool.place, f"the schema of its arguments can't be used: {error}", "a JSON Schema")
        return None


def _bound(found: Typed, prepared: Prepared, tool: ToolPolicy, binding: Binding, invalid: Why) -> BoundTool:
    expressions = [parsed for _, parsed in (*found.rules, *found.preapproved, *found.checks, *found.budgets)]
    return BoundTool(
        policy=tool,
        binding=binding,
        invalid=invalid,
        names=_constant_names(tool),
        uses_now=any("now" in parsed.names for parsed in expressions if parsed is not None),
        amount=evaluator(found.amount) if found.amount is not None else None,
        cost=evaluator(found.cost) if found.cost is not None else None,
        deny=_fused(found.rules, Effect.DENY),
        ask=_fused(found.rules, Effect.ASK),
        preapproved=Rules(
            fuse([parsed for _, parsed in found.preapproved]),
            tuple(_preapproved_step(pattern.id) for pattern, _ in found.preapproved),
        ),
        checks=tuple(
            check_of(check, prepared.tests[check.id], evaluator(parsed)) for check, parsed in found.checks
        ),
    )


def _constant_names(tool: ToolPolicy) -> dict[str, object]:
    return {
        "tool": tool.name,
        "does": str(tool.does),
        "undo": undo_word(tool),
        "category": tool.category,
    }


def _fused(rules: Iterable[tuple[RulePolicy, Expression]], effect: Effect) -> Rules:
    chosen = [(rule, parsed) for rule, parsed in rules if rule.effect is effect]
    return Rules(
        fuse([parsed for _, parsed in chosen]),
        tuple(_rule_step(rule) for rule, _ in chosen),
        tuple(_lifted_step(rule) for rule, _ in chosen),
    )


def _rule_step(rule: RulePolicy) -> Step:
    digest = digests.of_rule(rule)
    if rule.effect is Effect.DENY:
        return Step(Measure.DENY, Outcome.DENY, rule.id, rule.reason, "", digest)
    return Step(Measure.ASK, Outcome.ASK, rule.id, rule.reason, rule.audience or ANYONE, digest)


def _lifted_step(rule: RulePolicy) -> Step | None:
    if rule.lifted_at is None:
        return None
    return Step(Measure.ASK, Outcome.PASS, rule.id, f"lifted at {rule.lifted_at.word}")


def _preapproved_step(pattern: str) -> Step:
    return Step(Measure.LEVEL, Outcome.PASS, pattern, f"preapproved: {pattern}")


def _fact(name: str, given: Mapping[str, Expression]) -> Fact:
    return Fact(name, {key: evaluator(parsed) for key, parsed in given.items()})


def _access(
    found: Typed, prepared: Prepared, bound: BoundTool, agent: str, facts: Mapping[str, Fact]
) -> Access:
    budgets = tuple(
        _budget(budget, (prepared.zone, found.policy.currency), each, frozenset(facts))
        for budget, each in found.budgets
        if (not budget.agents or agent in budget.agents) and counts(budget, bound.policy)
    )
    used = {name for _, parsed in (*found.rules, *found.checks) for name in parsed.names}
    used.update(name for budget in budgets for name in budget.needs)
    more = used | {name for _, parsed in found.preapproved for name in parsed.names}
    return Access(
        tool=bound,
        allowed=prepared.allowed.get((agent, bound.policy.name), ()),
        budgets=budgets,
        facts=_of(facts, used.__contains__),
        preapproved_facts=_of(facts, more.__contains__),
    )


def counts(budget: BudgetPolicy, tool: ToolPolicy) -> bool:
    """Whether an action of a tool that ``budget`` covers takes anything from it.

    Tokens are what models use, and a tool that does not say what it costs costs nothing.
    """
    if budget.tools is None and budget.models:
        return False
    return budget.unit is not Unit.TOKENS and (budget.unit is not Unit.COST or tool.cost is not None)


def _budget(
    budget: BudgetPolicy, place: tuple[tzinfo, str], each: Expression | None, facts: frozenset[str]
) -> Budget:
    if each is None:
        return budget_of(budget, place, None, frozenset())
    return budget_of(budget, place, evaluator(each), each.names & facts)


def _of(facts: Mapping[str, Fact], used: Callable[[str], bool]) -> tuple[Fact, ...]:
    return tuple(fact for name, fact in facts.items() if used(name))


def _check_arguments(found: Typed, args: Type) -> None:
    """Arguments must be an object, and an allowlist must be for arguments that are there."""
    tool = found.tool
    if tool is None:
        return
    if Kind.MAP not in args.kinds:
        found.report(tool.place, f"the schema of its arguments gives {args}", "an object")
    for agent in found.policy.agents.values():
        for permission in agent.may:
            if permission.tool == tool.name and isinstance(args, Object):
                _check_permission(found, permission, args)


def _check_permission(found: Typed, permission: Permission, args: Object) -> None:
    for name, values in permission.arguments.items():
        if name not in args.fields:
            if not args.open:
                known = ", ".join(args.fields) or "no arguments"
                found.report(permission.place, f"there is no argument {name!r}", f"one of {known}")
            continue
        for value in values:
            if not _possible(value, args.fields[name]):
                message = f"the argument {name!r} can never be {value!r}"
                found.report(permission.place, message, str(args.fields[name]))


def _possible(value: str | int | bool, wanted: Type) -> bool:  # noqa: FBT001 any value that a policy can write
    kind = Kind.STRING if isinstance(value, str) else Kind.BOOL if isinstance(value, bool) else Kind.NUMBER
    inner = bare(wanted)
    if isinstance(inner, OneOf) and isinstance(value, str) and "*" not in value:
        return value in inner.values
    return kind in wanted.kinds
