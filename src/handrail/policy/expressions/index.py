"""What must hold of a path before a rule can be anything but false: the key to looking only at some rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from handrail.policy.expressions.tree import And, Compare, ListNode, Literal, Node, Or, path_of

Path = tuple[str, ...]
Needs = dict[Path, frozenset[str]]
Key = tuple[Path, frozenset[str]]

_WORTH_IT = 4
"""Rules that must share a path before an index on it pays."""


def needs_of(node: Node) -> Needs:
    """Return for some paths the texts one of which each must be.

    Where a path's value is another text, or null, the expression is false: whatever else is in it, even an
    error. Where the value is anything else, nothing is said.
    """
    if isinstance(node, Compare):
        return _of_comparison(node)
    if isinstance(node, And):
        return _of_all(node)
    if isinstance(node, Or):
        return _of_any(node)
    return {}


def _of_comparison(node: Compare) -> Needs:
    for one, other in ((node.left, node.right), (node.right, node.left)):
        path = path_of(one)
        if path is None:
            continue
        if node.op == "==" and isinstance(other, Literal) and isinstance(other.value, str):
            return {path: frozenset({other.value})}
        if node.op == "in" and one is node.left:
            texts = _texts(other)
            return {path: texts} if texts else {}
    return {}


def _texts(node: Node) -> frozenset[str]:
    """Return the texts of a list that has nothing else in it."""
    items = node.items if isinstance(node, ListNode) else ()
    found = [item.value for item in items if isinstance(item, Literal) and isinstance(item.value, str)]
    return frozenset(found) if len(found) == len(items) else frozenset()


def _of_all(node: And) -> Needs:
    needs: Needs = {}
    for operand in node.operands:
        for path, texts in needs_of(operand).items():
            needs[path] = min(needs.get(path, texts), texts, key=len)
    return needs


def _of_any(node: Or) -> Needs:
    each = [needs_of(operand) for operand in node.operands]
    shared = set(each[0]).intersection(*each[1:])
    return {path: frozenset().union(*(needs[path] for needs in each)) for path in shared}


def keys_of(nodes: Sequence[Node]) -> list[Key | None]:
    """Return for each rule the path and the texts to find it by, or None where it is always looked at.

    Of several paths the one that tells most rules apart is taken.
    """
    needs = list(map(needs_of, nodes))
    texts = Counter(
        path for path, _ in {(path, text) for each in needs for path in each for text in each[path]}
    )
    chosen = [max(each, key=lambda path: (texts[path], path), default=None) for each in needs]
    users = Counter(chosen)
    return [
        None if path is None or users[path] < _WORTH_IT else (path, each[path])
        for path, each in zip(chosen, needs, strict=True)
    ]
