"""Every expression of a policy, type-checked: for the file alone, or for one tool whose schema is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from handrail.policy import environment
from handrail.policy.environment import SAID
from handrail.policy.expressions import (
    BOOL,
    DYN,
    NUMBER,
    STRING,
    Environment,
    Expression,
    ExpressionError,
    Type,
    expression,
)
from handrail.policy.model import (
    BudgetPolicy,
    CheckKind,
    CheckPolicy,
    Place,
    Policy,
    PreapprovedPolicy,
    RulePolicy,
    Selector,
    Text,
    ToolPolicy,
)
from handrail.policy.selectors import matches
from handrail.words.problem import Problem


@dataclass(slots=True)
class Typed:
    """The expressions that concern ``tool`` (all of them without one), with what they belong to."""

    policy: Policy
    tool: ToolPolicy | None = None
    args: Type = DYN
    problems: list[Problem] = field(default_factory=list)
    amount: Expression | None = None
    cost: Expression | None = None
    money: list[tuple[Text, Expression]] = field(default_factory=list)
    """Of all tools: what they move and what they cost."""
    rules: list[tuple[RulePolicy, Expression]] = field(default_factory=list)
    preapproved: list[tuple[PreapprovedPolicy, Expression]] = field(default_factory=list)
    checks: list[tuple[CheckPolicy, Expression]] = field(default_factory=list)
    budgets: list[tuple[BudgetPolicy, Expression | None]] = field(default_factory=list)
    facts: dict[str, dict[str, Expression]] = field(default_factory=dict)

    def report(self, place: Place, message: str, expected: str | None = None) -> None:
        """Note a problem; for one tool, the message begins with its name."""
        said = f"{self.tool.name}: {message}" if self.tool else message
        self.problems.append(Problem(place.file, place.line, place.column, said, expected))

    def concerns(self, selector: Selector | None) -> bool:
        """Whether what is selected so is looked at here."""
        return self.tool is None or selector is None or covers(selector, self.tool)


def covers(selector: Selector, tool: ToolPolicy) -> bool:
    """Whether any term of ``selector`` is for ``tool``."""
    return any(matches(term, tool) for term in selector.terms)


def typed(policy: Policy, tool: ToolPolicy | None = None, args: Type = DYN) -> Typed:
    """Check every expression that concerns ``tool``; mistakes are in ``problems``."""
    found = Typed(policy, tool, args)
    _amounts(found)
    _rules(found)
    _checks(found)
    _budgets(found)
    _facts(found)
    return found


def _parsed(found: Typed, text: Text, names: Environment, expect: Type | None) -> Expression | None:
    try:
        return expression(text.value, names, expect=expect)
    except ExpressionError as error:
        place = text.at(error.offset)
        said = f"{found.tool.name}: {error.message}" if found.tool else error.message
        found.problems.append(
            Problem(place.file, place.line, place.column, said, error.expected, error.nearest)
        )
        return None


def _amounts(found: Typed) -> None:
    names = environment.of_arguments(found.policy, found.args)
    if found.tool is not None:
        amount, cost = found.tool.amount, found.tool.cost
        found.amount = _parsed(found, amount, names, NUMBER) if amount else None
        found.cost = _parsed(found, cost, names, NUMBER) if cost else None
        return
    for tool in found.policy.tools.values():
        for text in (tool.amount, tool.cost):
            if text is not None and (parsed := _parsed(found, text, names, NUMBER)):
                found.money.append((text, parsed))


def _rules(found: Typed) -> None:
    for rule in found.policy.rules:
        if found.concerns(rule.tools) and (parsed := _condition(found, rule.when, rule.tools, BOOL)):
            found.rules.append((rule, parsed))
    for pattern in found.policy.preapproved:
        if found.concerns(pattern.tools) and (parsed := _condition(found, pattern.when, pattern.tools, BOOL)):
            found.preapproved.append((pattern, parsed))
            _check_trust(found, pattern, parsed)
    for assertion in found.policy.never:
        if found.concerns(assertion.tools):
            _condition(found, assertion.runs_alone_when, assertion.tools, BOOL)


def _checks(found: Typed) -> None:
    """Each check with the expression that it looks at."""
    for check in found.policy.checks:
        text = check.when if check.kind is CheckKind.WHEN else check.looks_in
        expect = {CheckKind.WHEN: BOOL, CheckKind.SCHEMA: None}.get(check.kind, STRING)
        if not found.concerns(check.tools):
            continue
        if text is None:
            found.report(check.place, f"the check {check.id} looks at nothing", "in: args.… or when: …")
        elif parsed := _condition(found, text, check.tools, expect):
            found.checks.append((check, parsed))


def _budgets(found: Typed) -> None:
    for budget in found.policy.budgets:
        if not found.concerns(budget.tools):
            continue
        if budget.each is None:
            found.budgets.append((budget, None))
        elif parsed := _condition(found, budget.each, budget.tools, None):
            found.budgets.append((budget, parsed))


def _condition(found: Typed, text: Text, selector: Selector | None, expect: Type | None) -> Expression | None:
    parsed = _parsed(found, text, environment.of_rules(found.policy, found.tool, found.args), expect)
    if parsed is not None and found.tool is None:
        for name in ("amount", "cost"):
            if name in parsed.names:
                _check_money(found, name, text, selector)
    return parsed


def _check_money(found: Typed, name: str, text: Text, selector: Selector | None) -> None:
    """A rule on an amount or a cost for a tool that has none could only ever fail."""
    tools = found.policy.tools.values()
    without = [
        tool.name
        for tool in tools
        if getattr(tool, name) is None and (selector is None or covers(selector, tool))
    ]
    if without:
        place = text.at(max(text.value.find(name), 0))
        found.report(place, f"{', '.join(without)} has no {name}", f"`{name}:` on each tool that this is for")


def _check_trust(found: Typed, pattern: PreapprovedPolicy, parsed: Expression) -> None:
    for name, message, expected in claimed(found.policy, parsed):
        found.report(pattern.when.at(max(pattern.when.value.find(name), 0)), message, expected)


def claimed(policy: Policy, parsed: Expression) -> Iterator[tuple[str, str, str]]:
    """Each name by which the agent itself could let its action run, what is wrong with it, and what would do.

    What the agent says can't let an action run, not even by choosing which fact is read.
    """
    for name in sorted(parsed.names & SAID):
        yield name, f"{name!r} is what the agent says: it can't let an action run", "args or facts"
    for name in sorted(parsed.names & policy.facts.keys()):
        if any(given & SAID for given in _given_names(policy.facts[name].given.values(), policy)):
            message = f"the fact {name!r} is chosen by what the agent says: it can't let an action run"
            yield name, message, "a fact that is given args only"


def _given_names(texts: Iterable[Text], policy: Policy) -> Iterator[frozenset[str]]:
    names = environment.of_arguments(policy)
    for text in texts:
        try:
            yield expression(text.value, names, expect=None).names
        except ExpressionError:
            yield frozenset()


def _facts(found: Typed) -> None:
    names = environment.of_arguments(found.policy, found.args)
    used = found.policy.facts.keys() & _used(found)
    for name, fact in found.policy.facts.items():
        if found.tool is None or name in used:
            parsed = {key: _parsed(found, text, names, None) for key, text in fact.given.items()}
            found.facts[name] = {key: given for key, given in parsed.items() if given is not None}


def _used(found: Typed) -> set[str]:
    """Every name that some expression here reads."""
    named = [*found.rules, *found.preapproved, *found.checks, *found.budgets]
    return {name for _, parsed in named if parsed is not None for name in parsed.names}
