"""Verdicts: what the gate answers, always as a list of steps with reasons, never as a bare yes or no."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from msgspec import Struct

from handrail.words.level import Rung


class Measure(StrEnum):
    """The measures of the gate, in the order in which it takes them."""

    HALT = "halt"
    PERMISSION = "permission"
    ARGUMENTS = "arguments"
    DENY = "deny"
    CHECK = "check"
    ASK = "ask"
    LEVEL = "level"
    BUDGET = "budget"
    JUDGE = "judge"


class Outcome(StrEnum):
    """What one step found."""

    PASS = "pass"  # noqa: S105 - an outcome, no password
    ASK = "ask"
    DENY = "deny"


class Decision(StrEnum):
    """What a verdict says: of the action itself, or of what is done about it (then shadow is possible)."""

    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"
    SHADOW = "shadow"


ANYONE = "anyone"
"""The audience of a question that names no group: any person who may approve."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one measure, or one of its rules or checks, found.

    ``rule`` is the id of the rule, check, budget or level that spoke (empty when the whole measure passed);
    ``digest`` is the digest of that rule's text, so that an approval answers exactly what was asked.
    """

    measure: Measure
    outcome: Outcome
    rule: str = ""
    reason: str = ""
    audience: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """The step's name in logs: ``measure`` or ``measure:rule``."""
        return f"{self.measure}:{self.rule}" if self.rule else str(self.measure)

    @property
    def ask(self) -> Ask:
        """What an approval of this step answers."""
        return Ask(self.name, self.digest, self.audience or ANYONE)


@dataclass(frozen=True, slots=True, order=True)
class Ask:
    """One thing that people are asked: a step, the digest of the rule that asks, and who may answer."""

    step: str
    digest: str
    audience: str


@dataclass(frozen=True, slots=True)
class Query:
    """A fact that the gate needs: the fact's name and the values that its source is given."""

    name: str
    given: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Need:
    """The gate can't decide before it has these facts. Each is supplied once, as a value or ``Failed``."""

    queries: tuple[Query, ...]


class Verdict(Struct, frozen=True):
    """The gate's answer. ``decision`` is what the action deserves, ``enforced`` what is done about it."""

    decision: Decision
    enforced: Decision
    rung: Rung
    steps: tuple[Step, ...]
    policy: str
    amount: int | None = None
    """Money that the action moves, in nano-units."""
    charges: tuple[Charge, ...] = ()
    """What the claim must reserve."""

    @property
    def asks(self) -> frozenset[Ask]:
        """Everything that people are asked about this action."""
        return frozenset(step.ask for step in self.steps if step.outcome is Outcome.ASK)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it does not run alone, in plain sentences; the reasons of the decisive outcome only."""
        decisive = Outcome.DENY if self.decision is Decision.DENY else Outcome.ASK
        return tuple(step.reason for step in self.steps if step.outcome is decisive)


@dataclass(frozen=True, slots=True)
class Charge:
    """One budget that an action counts against: how much, in which scope and window, up to which limit."""

    budget: str
    scope: str
    window: int
    """Start of the window, milliseconds since the epoch, UTC; 0 for one without end."""
    quantity: int
    limit: int
    unit: str = "actions"
    """What the budget counts: actions, amount, cost or tokens; money in nano-units."""
    soft: bool = False
    """A person let it exceed: it is reserved, and no limit is tested."""
    alert_at: tuple[int, ...] = ()
    """Percentages of the limit of which people are told, rising."""
    rolling: int = 0
    """Length of a rolling window in milliseconds; then ``window`` is the start of its newest bucket."""
