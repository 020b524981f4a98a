"""What must hold of a path before a rule can be anything but false: the key to looking only at some rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from handrail.policy.expressions.arithmetic import Number
from handrail.policy.expressions.tree import And, Compare, ListNode, Literal, Node, Or, path_of
from handrail.policy.expressions.types import NUMBER

Path = tuple[str, ...]
Needs = dict[Path, frozenset[str]]
Key = tuple[Path, frozenset[str]]

_WORTH_TEXTS = 4
"""Rules that must share a path before an index on its texts pays."""

_WORTH_LIMITS = 64
"""Rules that must share a path before an index on its limits pays."""

_BLOCK = 32
"""Rules with nearby limits that are looked at together."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A rule is false when the path's value is a number below the limit; above it when not `lower`."""

    path: Path
    lower: bool
    limit: Number


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


def bound_of(node: Node) -> Bound | None:
    """Return a limit outside which the expression is false, whatever else is in it."""
    if isinstance(node, Compare):
        return _bound_of_comparison(node)
    if isinstance(node, And):
        return next(filter(None, map(bound_of, node.operands)), None)
    if isinstance(node, Or):
        return _loosest([bound_of(operand) for operand in node.operands])
    return None


def _bound_of_comparison(node: Compare) -> Bound | None:
    for one, other, lower in ((node.left, node.right, ">"), (node.right, node.left, "<")):
        path = path_of(one)
        limit = other.value if isinstance(other, Literal) and other.type.kinds == NUMBER.kinds else None
        if path is not None and limit is not None and node.op[0] in "<>":
            return Bound(path, node.op[0] == lower, limit)
    return None


def _loosest(bounds: Sequence[Bound | None]) -> Bound | None:
    known = [bound for bound in bounds if bound is not None]
    if len(known) < len(bounds) or len({(bound.path, bound.lower) for bound in known}) > 1:
        return None
    return (min if known[0].lower else max)(known, key=lambda bound: bound.limit)


@dataclass(frozen=True, slots=True)
class Range:
    """Groups of rules behind limits on one path. `limits` are, in order, the outermost of each group."""

    path: Path
    lower: bool
    groups: tuple[int, ...]
    limits: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Which rules are always looked at, and which groups of rules stand behind which index.

    Rules are told by their place, groups by their place in `groups`.
    """

    always: tuple[int, ...]
    groups: tuple[tuple[int, ...], ...]
    texts: Mapping[Path, Mapping[str, tuple[int, ...]]]
    ranges: tuple[Range, ...]


def plan_of(nodes: Sequence[Node]) -> Plan:
    """Return how to look at as few rules as can be: every rule is always looked at, or in one group."""
    groups: list[tuple[int, ...]] = []
    keys = _keys_of(nodes)
    texts = _plan_texts(keys, groups)
    rest = [place for place, key in enumerate(keys) if key is None]
    bounds = _bounds_of([nodes[place] for place in rest])
    ranges = _plan_ranges(rest, bounds, groups)
    always = tuple(place for place, bound in zip(rest, bounds, strict=True) if bound is None)
    return Plan(always, tuple(groups), texts, ranges)


def _keys_of(nodes: Sequence[Node]) -> list[Key | None]:
    """Return for each rule the path and the texts to find it by, or None where it has none that pays.

    Of several paths the one that tells most rules apart is taken.
    """
    needs = list(map(needs_of, nodes))
    pairs = {(path, text) for each in needs for path, found in each.items() for text in found}
    texts = Counter(path for path, _ in pairs)
    chosen = [max(each, key=lambda path: (texts[path], path), default=None) for each in needs]
    users = Counter(chosen)
    return [
        None if path is None or users[path] < _WORTH_TEXTS else (path, each[path])
        for path, each in zip(chosen, needs, strict=True)
    ]


def _plan_texts(
    keys: Sequence[Key | None], groups: list[tuple[int, ...]]
) -> dict[Path, dict[str, tuple[int, ...]]]:
    """Put the rules of each key into a group, and return where each text of each path leads."""
    members: dict[Key, list[int]] = {}
    for place, key in enumerate(keys):
        if key is not None:
            members.setdefault(key, []).append(place)
    found: dict[Path, dict[str, tuple[int, ...]]] = {}
    for (path, texts), places in members.items():
        by_text = found.setdefault(path, {})
        for text in texts:
            by_text[text] = (*by_text.get(text, ()), len(groups))
        groups.append(tuple(places))
    return found


def _bounds_of(nodes: Sequence[Node]) -> list[Bound | None]:
    """Return for each rule the limit to find it by, or None where it has none that pays."""
    bounds = list(map(bound_of, nodes))
    users = Counter((bound.path, bound.lower) for bound in bounds if bound is not None)
    return [
        None if bound is None or users[bound.path, bound.lower] < _WORTH_LIMITS else bound for bound in bounds
    ]


def _plan_ranges(
    places: Sequence[int], bounds: Sequence[Bound | None], groups: list[tuple[int, ...]]
) -> tuple[Range, ...]:
    """Put the rules with a limit into groups of nearby limits, and return those by path and direction."""
    members: dict[tuple[Path, bool], list[tuple[Number, int]]] = {}
    for place, bound in zip(places, bounds, strict=True):
        if bound is not None:
            members.setdefault((bound.path, bound.lower), []).append((bound.limit, place))
    ranges: list[Range] = []
    for (path, lower), found in members.items():
        found.sort()
        blocks = [found[start : start + _BLOCK] for start in range(0, len(found), _BLOCK)]
        # A group is passed by when the value has not even reached the limit that is easiest to reach.
        limits = tuple(block[0 if lower else -1][0] for block in blocks)
        numbers = tuple(range(len(groups), len(groups) + len(blocks)))
        groups += [tuple(place for _, place in block) for block in blocks]
        ranges.append(Range(path, lower, numbers, limits))
    return tuple(ranges)
