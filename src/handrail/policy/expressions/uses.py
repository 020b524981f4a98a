"""How an expression uses a name: so that a loader can let what an agent says of itself only restrict."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from handrail.policy.expressions.tree import (
    And,
    Compare,
    Conditional,
    Has,
    Macro,
    Node,
    Not,
    Or,
    names_of,
    walk,
)


class Polarity(Enum):
    """How the truth of the part that reads a name moves the truth of the whole."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    MIXED = "mixed"

    def turned(self) -> Polarity:
        """Return the polarity below a `!`."""
        turned = {Polarity.POSITIVE: Polarity.NEGATIVE, Polarity.NEGATIVE: Polarity.POSITIVE}
        return turned.get(self, self)


@dataclass(frozen=True, slots=True)
class Use:
    """One comparison, call or other smallest condition that reads a name; `offset` is its place in the text.

    `guards` tells that it stands in an `&&` beside a condition that does not read the name (in an `||` below
    a `!`, or in a `? :`): the name's value can then switch that condition off.
    """

    offset: int
    polarity: Polarity
    guards: bool


def uses_of(node: Node, name: str) -> list[Use]:
    """Return every smallest condition that reads a root name, in order, with its effect on the whole.

    A rule in which all uses are POSITIVE and none `guards` is only made stricter by them: without the
    conditions on that name it would fire less often, never more.
    """
    return _uses(node, name, Polarity.POSITIVE, guards=False)


def _uses(node: Node, name: str, polarity: Polarity, *, guards: bool) -> list[Use]:
    if name not in names_of(node):
        return []
    if isinstance(node, Not):
        return _uses(node.operand, name, polarity.turned(), guards=guards)
    if isinstance(node, And | Or):
        narrowing = And if polarity is Polarity.POSITIVE else Or
        beside = isinstance(node, narrowing) or polarity is Polarity.MIXED
        guards = guards or (beside and any(name not in names_of(each) for each in node.operands))
        return [use for each in node.operands for use in _uses(each, name, polarity, guards=guards)]
    if isinstance(node, Conditional):
        test = _uses(node.test, name, Polarity.MIXED, guards=True)
        branches = (node.then, node.otherwise)
        return test + [use for each in branches for use in _uses(each, name, polarity, guards=True)]
    if isinstance(node, Macro) and node.kind != "exists_one" and name not in names_of(node.over):
        return _uses(node.body, name, polarity, guards=guards)
    if _is_knotted(node, name):
        return [Use(node.offset, Polarity.MIXED, guards=True)]
    return [Use(node.offset, polarity, guards)]


def _is_knotted(node: Node, name: str) -> bool:
    """Tell whether a smallest condition has another inside it that reads the name, as `(a < 1) == b` has."""
    inner = (below for below, depth in walk(node) if depth > 1 and isinstance(below, _CONDITIONS))
    return isinstance(node, Macro) or any(name in names_of(below) for below in inner)


_CONDITIONS = (Not, And, Or, Compare, Has, Macro, Conditional)
