"""The type checker: finds at load what could never be right when it runs, and says where.

It returns the tree again with every node's type, names resolved, and constants worked out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from handrail.policy.expressions import typing_rules
from handrail.policy.expressions.calls import checked_call, known_function
from handrail.policy.expressions.errors import ExpressionError
from handrail.policy.expressions.spelling import nearest_to
from handrail.policy.expressions.tree import (
    And,
    Arithmetic,
    Call,
    Compare,
    Conditional,
    Has,
    Index,
    ListNode,
    Literal,
    Macro,
    MapNode,
    Name,
    Negate,
    Node,
    Not,
    Or,
    Select,
    Variable,
)
from handrail.policy.expressions.types import (
    BOOL,
    DYN,
    INT,
    Kind,
    ListOf,
    Object,
    Type,
    bare,
    fits,
    join,
    join_all,
)


@dataclass(frozen=True, slots=True)
class Environment:
    """What an expression may name at its root: `args`, `amount`, facts and so on, each with its type."""

    names: Mapping[str, Type]


def check(root: Node, environment: Environment) -> Node:
    """Return the tree with types. Raises ExpressionError."""
    return _Checker(environment.names, MappingProxyType({})).check(root)


def conform(root: Node, expected: Type) -> Type:
    """Return the type an expression has where `expected` is wanted. Raises ExpressionError."""
    if not fits(root.type, expected):
        message = f"the expression gives {root.type}"
        raise ExpressionError(message, root.offset, expected=str(expected))
    return expected if bare(root.type) == DYN or bare(expected) == BOOL else root.type


class _Checker:
    """Checks one tree below some variables. Every method returns its node, typed."""

    def __init__(self, names: Mapping[str, Type], variables: Mapping[str, Type]) -> None:
        self._names = names
        self._variables = variables

    def check(self, node: Node) -> Node:
        """Return one node with everything below it typed."""
        method: Callable[[_Checker, Any], Node] = _METHODS[type(node)]
        return method(self, node)

    def _literal(self, node: Literal) -> Node:
        return replace(node, type=typing_rules.of_literal(node.value))

    def _name(self, node: Name) -> Node:
        if node.id in self._variables:
            return Variable(node.id, offset=node.offset, end=node.end, type=self._variables[node.id])
        if node.id not in self._names:
            known = sorted({*self._names, *self._variables})
            raise ExpressionError(
                f"unknown name {node.id}",
                node.offset,
                expected=f"one of {', '.join(known)}" if known else None,
                nearest=nearest_to(node.id, known),
            )
        return replace(node, type=self._names[node.id])

    def _select(self, node: Select) -> Node:
        operand = self.check(node.operand)
        return replace(
            node, operand=operand, type=_field_type(operand, node.field, node.end - len(node.field))
        )

    def _has(self, node: Has) -> Node:
        operand = self.check(node.operand)
        _field_type(operand, node.field, operand.end + 1)
        return replace(node, operand=operand, type=BOOL)

    def _index(self, node: Index) -> Node:
        operand, index = self.check(node.operand), self.check(node.index)
        if (
            isinstance(index, Literal)
            and isinstance(index.value, str)
            and Kind.LIST not in operand.type.kinds
        ):
            found = _field_type(operand, index.value, index.offset)
            return Select(operand, index.value, offset=node.offset, end=node.end, type=found)
        return replace(node, operand=operand, index=index, type=typing_rules.of_element(operand, index))

    def _list(self, node: ListNode) -> Node:
        items = tuple(map(self.check, node.items))
        item = join_all(each.type for each in items)
        if item is None:
            raise ExpressionError("the elements of a list must be of one type", node.offset)
        return replace(node, items=items, type=ListOf(item))

    def _map(self, node: MapNode) -> Node:
        values = tuple(map(self.check, node.values))
        fields = dict(zip(node.keys, (value.type for value in values), strict=True))
        return replace(node, values=values, type=Object(fields, required=frozenset(fields)))

    def _condition(self, node: Node) -> Node:
        """Return a node where true or false is wanted."""
        checked = self.check(node)
        if Kind.BOOL not in checked.type.kinds:
            message = f"{checked.type} stands where true or false belongs"
            raise ExpressionError(message, checked.offset, expected="bool")
        return checked

    def _not(self, node: Not) -> Node:
        return replace(node, operand=self._condition(node.operand), type=BOOL)

    def _row(self, node: And | Or) -> Node:
        return replace(node, operands=tuple(map(self._condition, node.operands)), type=BOOL)

    def _negate(self, node: Negate) -> Node:
        operand = self.check(node.operand)
        return replace(node, operand=operand, type=typing_rules.of_negation(operand))

    def _conditional(self, node: Conditional) -> Node:
        test = self._condition(node.test)
        then, otherwise = self.check(node.then), self.check(node.otherwise)
        both = join(then.type, otherwise.type)
        if both is None:
            message = f"one branch gives {then.type}, the other {otherwise.type}"
            raise ExpressionError(message, otherwise.offset, expected=str(then.type))
        return replace(node, test=test, then=then, otherwise=otherwise, type=both)

    def _compare(self, node: Compare) -> Node:
        left, right = self.check(node.left), self.check(node.right)
        typing_rules.refuse_vain_comparison(node.op, left, right)
        return replace(node, left=left, right=right, type=BOOL)

    def _arithmetic(self, node: Arithmetic) -> Node:
        left, right = self.check(node.left), self.check(node.right)
        found = typing_rules.of_arithmetic(node.op, left, right)
        sign = "//" if node.op == "/" and found == INT else node.op
        return replace(node, op=sign, left=left, right=right, type=found)

    def _call(self, node: Call) -> Node:
        known_function(node)
        return checked_call(node, tuple(map(self.check, node.operands)))

    def _macro(self, node: Macro) -> Node:
        over = self.check(node.over)
        if Kind.LIST not in over.type.kinds:
            message = f"{node.kind}() looks at the elements of a list, not of {over.type}"
            raise ExpressionError(message, over.offset, expected="a list")
        if node.variable in self._names or node.variable in self._variables:
            message = f"{node.variable} is a name already"
            raise ExpressionError(message, over.end, expected="another name for the variable")
        found = bare(over.type)
        item = found.item if isinstance(found, ListOf) else DYN
        inner = _Checker(self._names, {**self._variables, node.variable: item})
        return replace(node, over=over, body=inner._condition(node.body), type=BOOL)


def _field_type(operand: Node, field: str, at: int) -> Type:
    """Return the type of a field. Raises ExpressionError where there cannot be such a field."""
    found = bare(operand.type)
    if found == DYN:
        return DYN
    if not isinstance(found, Object):
        message = f"{operand.type} has no fields"
        raise ExpressionError(message, at, expected="an object before the dot")
    if field in found.fields:
        return found.fields[field]
    if found.open:
        return DYN
    known = sorted(found.fields)
    raise ExpressionError(
        f"unknown field {field}",
        at,
        expected=f"one of {', '.join(known)}" if known else "no field at all",
        nearest=nearest_to(field, known),
    )


_METHODS: dict[type[Node], Callable[[_Checker, Any], Node]] = {
    Literal: _Checker._literal,  # noqa: SLF001
    Name: _Checker._name,  # noqa: SLF001
    Select: _Checker._select,  # noqa: SLF001
    Has: _Checker._has,  # noqa: SLF001
    Index: _Checker._index,  # noqa: SLF001
    ListNode: _Checker._list,  # noqa: SLF001
    MapNode: _Checker._map,  # noqa: SLF001
    Not: _Checker._not,  # noqa: SLF001
    And: _Checker._row,  # noqa: SLF001
    Or: _Checker._row,  # noqa: SLF001
    Negate: _Checker._negate,  # noqa: SLF001
    Conditional: _Checker._conditional,  # noqa: SLF001
    Compare: _Checker._compare,  # noqa: SLF001
    Arithmetic: _Checker._arithmetic,  # noqa: SLF001
    Call: _Checker._call,  # noqa: SLF001
    Macro: _Checker._macro,  # noqa: SLF001
}
