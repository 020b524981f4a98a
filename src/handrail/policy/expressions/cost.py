"""What operations inside `all`, `exists` and `exists_one` cost: no list can make a rule take minutes."""

from __future__ import annotations

from handrail.policy.expressions.limits import CHARACTERS_PER_STEP
from handrail.policy.expressions.tree import Arithmetic, Call, Compare, ListNode, Literal, Node, Value

_COSTLY = frozenset({"contains", "matches", "lowerAscii", "upperAscii"})


def is_costly(node: Node) -> bool:
    """Tell whether an operation's work grows with what it works on: then each of its runs is charged."""
    if isinstance(node, Compare):
        return _is_costly_comparison(node)
    if isinstance(node, Call):
        return node.function in _COSTLY
    return isinstance(node, Arithmetic) and node.op == "+"


def _is_costly_comparison(node: Compare) -> bool:
    if node.op == "in":
        return not (isinstance(node.right, ListNode) and _are_literals(*node.right.items))
    return node.op in ("==", "!=") and not (_are_literals(node.left) or _are_literals(node.right))


def _are_literals(*nodes: Node) -> bool:
    return all(isinstance(node, Literal) for node in nodes)


def steps_of(value: Value, most: int) -> int:
    """Return the steps that working on a value costs, or some number above `most`."""
    steps, waiting = 0, [value]
    while waiting and steps <= most:
        each = waiting.pop()
        if isinstance(each, str):
            steps += len(each) // CHARACTERS_PER_STEP
        elif isinstance(each, list | dict):
            steps += len(each)
            if steps <= most:
                waiting.extend(each.values() if isinstance(each, dict) else each)
    return steps
