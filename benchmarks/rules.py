"""The rules that all contestants of ``decide`` are given, and the actions that they decide about.

Every rule is false for the action that passes, as nearly all are in life; ``ASKS`` is caught by one rule.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from itertools import cycle, islice

LEAST = 1_000
"""The smallest amount that any rule is about."""


class Kind(Enum):
    """What a rule is about."""

    AMOUNT = "amount >= {limit}"
    FACT = "customer.risk >= {limit}"
    FLAG = "args.express && amount >= {limit}"
    UNLIKE = 'customer.tier != "{tier}" && args.express'
    """Nothing about it can be looked up: it has to be worked out each time."""


MIX = (Kind.AMOUNT, Kind.FACT, Kind.FLAG)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of one tool; ``region`` is a text that an argument must equal besides."""

    id: str
    tool: str
    kind: Kind
    limit: int
    region: str | None = None
    denies: bool = False

    @property
    def expression(self) -> str:
        """As CEL, which we and cel-expr-python read."""
        condition = self.kind.value.format(limit=self.limit, tier=self.id)
        return condition if self.region is None else f'args.region == "{self.region}" && {condition}'


@dataclass(frozen=True, slots=True)
class Shape:
    """A set of rules. ``goal`` is the most that deciding may take, in microseconds."""

    name: str
    tools: tuple[str, ...]
    rules: tuple[Rule, ...]
    goal: float | None = None

    def of(self, tool: str) -> tuple[Rule, ...]:
        """The rules of one tool."""
        return tuple(rule for rule in self.rules if rule.tool == tool)


@dataclass(frozen=True, slots=True)
class Case:
    """One action with the facts about its customer. The amount has cents where the contestant knows them."""

    tool: str
    amount: float
    region: str = "r5"
    express: bool = False
    risk: int = 7
    tier: str = "small"


PASSES = Case("t0", 40.25)
ASKS = Case("t0", 1_000.0)


def shape(
    name: str,
    count: int,
    *,
    kinds: tuple[Kind, ...] = MIX,
    tools: int = 1,
    regions: bool = False,
    goal: float | None = None,
) -> Shape:
    """A shape of ``count`` rules, spread evenly over ``tools``; every fourth denies, the others ask."""
    names = tuple(f"t{number}" for number in range(tools))
    per_tool = count // tools
    rules = tuple(
        Rule(
            id=f"{tool}-{place}",
            tool=tool,
            kind=kind,
            limit=LEAST + 10 * place,
            region=f"r{place}" if regions else None,
            denies=place % 4 == 3,
        )
        for tool in names
        for place, kind in enumerate(islice(cycle(kinds), per_tool))
    )
    return Shape(name, names, rules, goal)


SHAPES: tuple[Callable[[], Shape], ...] = (
    lambda: shape("10 rules, one tool", 10, goal=10),
    lambda: shape("100 rules, one tool", 100),
    lambda: shape("1,000 rules, 100 tools", 1_000, tools=100, goal=30),
    lambda: shape("1,000 rules, one tool, an equality each", 1_000, regions=True, goal=30),
    lambda: shape("1,000 rules, one tool, thresholds", 1_000, kinds=(Kind.AMOUNT,), goal=30),
    lambda: shape("1,000 rules, one tool, mixed", 1_000, goal=30),
    lambda: shape("1,000 rules, one tool, none can be looked up", 1_000, kinds=(Kind.UNLIKE,)),
)
"""Made when they are needed."""
