"""What a policy may say already and nothing does yet: a table, so that no line is silently without effect.

``handrail check`` and activation list each use with its place. An issue that brings a feature to life takes
its row away here and in docs/reference/policy.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from handrail.policy.model import BudgetPolicy, CheckKind, Effect, Place, Policy, Unit, Window
from handrail.words.problem import Problem

ALIVE_WINDOWS = frozenset({Window.TASK, Window.SESSION, Window.HOUR, Window.DAY})
"""The windows that budgets are counted in already."""


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that parses and is not alive yet: how it is written, why not, and what to do now."""

    word: str
    why: str
    instead: str
    uses: Callable[[Policy], Iterable[Place]]


def not_alive(policy: Policy) -> tuple[Problem, ...]:
    """Every use of what is not alive yet, in the order of the file; a policy without any can be run."""
    found = [
        Problem(place.file, place.line, place.column, f"{one.word} is not alive yet: {one.why}", one.instead)
        for one in FEATURES
        for place in one.uses(policy)
    ]
    return tuple(sorted(found, key=lambda problem: (problem.line, problem.column)))


def _checks(kind: CheckKind) -> Callable[[Policy], Iterator[Place]]:
    def uses(policy: Policy) -> Iterator[Place]:
        return (policy.places[f"checks.{one.id}.{kind}"] for one in policy.checks if one.kind is kind)

    return uses


def _budgets(word: str, is_used: Callable[[BudgetPolicy], bool]) -> Callable[[Policy], Iterator[Place]]:
    def uses(policy: Policy) -> Iterator[Place]:
        return (policy.places[f"budgets.{one.id}.{word}"] for one in policy.budgets if is_used(one))

    return uses


def _unit(unit: Unit) -> Callable[[Policy], Iterator[Place]]:
    return _budgets(unit, lambda one: one.unit is unit)


def _keys(section: str, word: str) -> Callable[[Policy], Iterator[Place]]:
    """Every ``section.NAME.word`` that the file has."""

    def uses(policy: Policy) -> Iterator[Place]:
        names = {"tools": policy.tools, "approvers": policy.approvers}[section]
        paths = (f"{section}.{name}.{word}" for name in names)
        return (policy.places[path] for path in paths if path in policy.places)

    return uses


def _key(path: str) -> Callable[[Policy], Iterator[Place]]:
    def uses(policy: Policy) -> Iterator[Place]:
        return (policy.places[one] for one in (path,) if one in policy.places)

    return uses


def _undo(policy: Policy) -> Iterator[Place]:
    return (policy.places[f"tools.{one.name}.undo"] for one in policy.tools.values() if one.undo != "none")


FEATURES: tuple[Feature, ...] = (
    Feature("undo", "nothing would be recorded to go back to", "undo: none", _undo),
    Feature(
        "risk", "nobody would take the four-question test", "the tool without it", _keys("tools", "risk")
    ),
    Feature(
        "idempotent",
        "the tool would not be given the key",
        "the tool without it",
        lambda policy: (
            policy.places[f"tools.{one.name}.idempotent"] for one in policy.tools.values() if one.idempotent
        ),
    ),
    Feature(
        "judge",
        "no model would judge the action",
        "phrases, regex, schema or when",
        _checks(CheckKind.JUDGE),
    ),
    Feature("sql in a check", "no query would be looked at", "regex or when", _checks(CheckKind.SQL)),
    Feature("cost in a budget", "nothing would meter what running costs", "actions", _unit(Unit.COST)),
    Feature("amount in a budget", "no money would be reserved", "actions", _unit(Unit.AMOUNT)),
    Feature("tokens in a budget", "nothing would meter tokens", "actions", _unit(Unit.TOKENS)),
    Feature(
        "per: week, month, total or a rolling time",
        "nothing would be counted",
        "per: task, session, hour or day",
        _budgets("per", lambda one: one.per not in ALIVE_WINDOWS),
    ),
    Feature(
        "alert_at",
        "nobody would be told",
        "the budget without it",
        _budgets("alert_at", lambda one: bool(one.alert_at)),
    ),
    Feature(
        "at_limit: ask",
        "nobody would be asked for more",
        "at_limit: deny",
        _budgets("at_limit", lambda one: one.at_limit is Effect.ASK),
    ),
    Feature(
        "hours of approvers",
        "the clock would run at night too",
        "a longer answer_within",
        _keys("approvers", "hours"),
    ),
    Feature(
        "via of approvers",
        "no message would be sent",
        "answers on the command line",
        _keys("approvers", "via"),
    ),
    Feature("alerts", "nobody would be told", "the policy without it", _key("alerts")),
    Feature("ladder", "no evidence would move a tool", "handrail promote, by hand", _key("ladder")),
    Feature("keep of data", "nothing would be erased", "the policy without it", _key("data.keep")),
    Feature("never", "nothing would be proven", "deny or ask rules", _key("never")),
)
"""Everything that is not alive yet."""
