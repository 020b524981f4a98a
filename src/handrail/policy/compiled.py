"""What the gate runs: one tool's rules, checks and budgets, made once when the tool is bound. Values only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from handrail.policy.binding import Binding
from handrail.policy.model import ToolPolicy, Unit
from handrail.words.verdict import Charge, Step

Names = Mapping[str, object]
"""What expressions may name, for one action: ``args``, ``amount``, facts and so on."""

Evaluate = Callable[[Names], object]
"""An expression; raises EvaluationError when it has no answer."""

Why = Callable[[object], str | None]
"""A test that says why a value fails it; None when it passes. It may raise EvaluationError."""

Matched = Callable[[Names], list[tuple[int, str | None]]]
"""Fused rules: the index of each that holds (None) or that can't be evaluated (why)."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Fused rules of one effect for one tool. ``steps`` is what each says when it holds.

    ``lifted`` has the step of a rule that is lifted where the level lifts, else None.
    """

    matched: Matched
    steps: tuple[Step, ...]
    lifted: tuple[Step | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One coded check. ``verify`` says why the action is not ok; it may raise EvaluationError."""

    verify: Callable[[Names], str | None]
    passed: Step
    not_ok: Step
    error: Step


@dataclass(frozen=True, slots=True)
class Budget:
    """One limit, on one tool's actions or on calls of models.

    ``limit`` is in whole actions or tokens, or in nano-units of money. ``scope`` names what is counted
    together, for a shadow or a live action; it raises EvaluationError. ``needs`` are the facts that the scope
    is made of; ``begins`` gives the window's start, ``ends`` when there is room again at the latest (None for
    never by itself), and ``renews`` says so to people; these three raise ValueError for what is no time.
    """

    id: str
    fact: str
    unit: Unit
    limit: int
    scope: Callable[[Names, bool], str]
    needs: frozenset[str]
    begins: Callable[[int], int]
    ends: Callable[[int], int | None]
    renews: Callable[[int], str]
    ask: Step | None = None
    """The question when it has no room; None for a limit that refuses."""
    pauses: bool = False
    """Whether what was asked goes on by itself once there is room."""
    alert_at: tuple[int, ...] = ()
    rolling: int = 0
    """Length of a rolling window, in milliseconds."""
    currency: str = ""
    """What money is counted in."""

    def charge(self, names: Names, now: int, quantity: int, *, shadow: bool = False) -> Charge:
        """What the claim must reserve for ``quantity`` now. Of a shadow's use nobody is told.

        Raises:
            EvaluationError: the scope can't be told.
            ValueError: ``now`` is no time.
        """
        window = self.begins(now)
        return Charge(
            self.id,
            self.scope(names, shadow),
            window,
            quantity,
            self.limit,
            self.unit,
            soft=False,
            alert_at=() if shadow else self.alert_at,
            rolling=self.rolling,
        )


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact that a tool's rules read, with the expressions that its source is given."""

    name: str
    given: Mapping[str, Evaluate]


@dataclass(frozen=True, slots=True)
class BoundTool:
    """A tool that is bound: everything that the gate runs for its actions, whoever proposes them."""

    policy: ToolPolicy
    binding: Binding
    invalid: Why
    names: Names
    uses_now: bool
    amount: Evaluate | None
    cost: Evaluate | None
    deny: Rules
    ask: Rules
    preapproved: Rules
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """One agent's way to one bound tool: which arguments it may use, and which budgets and facts count."""

    tool: BoundTool
    allowed: tuple[tuple[str, Why], ...]
    budgets: tuple[Budget, ...]
    facts: tuple[Fact, ...]
    preapproved_facts: tuple[Fact, ...]
    """All of ``facts``, and those that only preapproved patterns read."""
