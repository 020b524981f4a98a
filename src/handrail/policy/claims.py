"""Names carry trust: what the agent says of itself may only restrict, and so must not switch a guard off.

In a rule, a claim (`confidence`, `task`, `session`) may stand alone or be joined to other conditions with
`||` and `&&`. It is refused where the rule holds *because* the agent did not say something: below `!`, in
`?:`, inside `all` and `exists`, `!=` a fixed value, or `confidence` from above.
"""

from __future__ import annotations

from collections.abc import Iterator

from handrail.policy.environment import SAID
from handrail.policy.expressions.tree import (
    Compare,
    Conditional,
    Literal,
    Macro,
    Name,
    Node,
    Not,
    walk,
)

Misuse = tuple[Name, str]
"""The claim, and what it would do there."""

_NEGATED = "an agent could switch this guard off by what it says"
_FROM_ABOVE = "a guard on high confidence spares the agent that claims less"
_SPARES = "a guard with != spares the agent that claims this value"


def claim_in(root: Node, claims: frozenset[str] = SAID) -> Name | None:
    """The first name in an expression whose value the agent states, or None."""
    return next((node for node in _names(root) if node.id in claims), None)


def switched_off(root: Node) -> Misuse | None:
    """The first claim by which an agent could switch off a guard, and how; or None."""
    for node, _ in sorted(walk(root), key=lambda found: found[0].offset):
        misuse = _misuse(node)
        if misuse is not None:
            return misuse
    return None


def _misuse(node: Node) -> Misuse | None:
    if isinstance(node, Not | Conditional | Macro):
        claim = claim_in(node)
        return (claim, _NEGATED) if claim else None
    return _spared(node) if isinstance(node, Compare) else None


def _spared(node: Compare) -> Misuse | None:
    pairs = ((node.left, node.right, node.op), (node.right, node.left, _turned(node.op)))
    for side, other, operator in pairs:
        claim = claim_in(side)
        if claim is None:
            continue
        if operator == "!=" and isinstance(other, Literal) and other.value is not None:
            return claim, _SPARES
        if claim.id == "confidence" and operator in {">", ">="}:
            return claim, _FROM_ABOVE
    return None


def _turned(operator: str) -> str:
    return operator.translate(str.maketrans("<>", "><"))


def _names(root: Node) -> Iterator[Name]:
    found = [node for node, _ in walk(root) if isinstance(node, Name)]
    return iter(sorted(found, key=lambda name: name.offset))
