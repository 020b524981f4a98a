"""What a policy may say already and nothing does yet: a table, so that no line is silently without effect.

``handrail check`` and activation list each use with its place. An issue that brings a feature to life takes
its row away here and in docs/reference/policy.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from handrail.policy.model import CheckKind, Place, Policy
from handrail.words.problem import Problem


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


def _risk(policy: Policy) -> Iterator[Place]:
    paths = (f"tools.{name}.risk" for name in policy.tools)
    return (policy.places[path] for path in paths if path in policy.places)


def _key(path: str) -> Callable[[Policy], Iterator[Place]]:
    def uses(policy: Policy) -> Iterator[Place]:
        return (policy.places[one] for one in (path,) if one in policy.places)

    return uses


def _undo(policy: Policy) -> Iterator[Place]:
    return (policy.places[f"tools.{one.name}.undo"] for one in policy.tools.values() if one.undo != "none")


FEATURES: tuple[Feature, ...] = (
    Feature("undo", "nothing would be recorded to go back to", "undo: none", _undo),
    Feature("risk", "nobody would take the four-question test", "the tool without it", _risk),
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
    Feature("ladder", "no evidence would move a tool", "handrail promote, by hand", _key("ladder")),
    Feature(
        "journal in keep",
        "the sealed log would stay whole",
        "keep without it: the log stays",
        _key("data.keep.journal"),
    ),
    Feature("undo in keep", "nothing is recorded to go back to", "keep without it", _key("data.keep.undo")),
    Feature("never", "nothing would be proven", "deny or ask rules", _key("never")),
)
"""Everything that is not alive yet."""
