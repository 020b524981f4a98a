"""The types that operators give, and the comparisons that can never be true."""

from __future__ import annotations

from decimal import Decimal
from typing import NoReturn

from handrail.policy.expressions.errors import ExpressionError
from handrail.policy.expressions.spelling import nearest_to
from handrail.policy.expressions.tree import ListNode, Node, Value
from handrail.policy.expressions.types import (
    BOOL,
    DECIMAL,
    DURATION,
    DYN,
    INT,
    NULL,
    NUMBER,
    STRING,
    TIMESTAMP,
    Kind,
    ListOf,
    Object,
    OneOf,
    Type,
    bare,
    join,
    join_all,
    solid,
)
from handrail.policy.expressions.values import ORDERED, ORDERINGS

_OF_LITERAL: dict[type, Type] = {
    type(None): NULL,
    bool: BOOL,
    int: INT,
    Decimal: DECIMAL,
}


def of_literal(value: Value) -> Type:
    """Return the type of a value written in the text."""
    return OneOf(frozenset({value})) if isinstance(value, str) else _OF_LITERAL[type(value)]


def of_element(operand: Node, index: Node) -> Type:
    """Return the type of `operand[index]`. Raises ExpressionError."""
    found = bare(operand.type)
    if isinstance(found, ListOf):
        _want(index, INT)
        return found.item
    if isinstance(found, Object):
        _want(index, STRING)
        return DYN if found.open else join_all(found.fields.values()) or DYN
    if found == DYN:
        if not solid(index.type) & {Kind.STRING, Kind.NUMBER}:
            _want(index, INT)
        return DYN
    raise ExpressionError(f"{operand.type} has no elements", operand.end, expected="a list or an object")


def _want(index: Node, expected: Type) -> None:
    if bare(index.type) not in (expected, DYN) and not (
        expected == STRING and solid(index.type) == STRING.kinds
    ):
        message = f"{index.type} stands where {expected} belongs"
        raise ExpressionError(message, index.offset, expected=str(expected))


def of_negation(operand: Node) -> Type:
    """Return the type of `-operand`. Raises ExpressionError."""
    if Kind.NUMBER not in operand.type.kinds:
        message = f"{operand.type} has no opposite"
        raise ExpressionError(message, operand.offset, expected="a number")
    return NUMBER if bare(operand.type) == DYN else bare(operand.type)


def of_arithmetic(sign: str, left: Node, right: Node) -> Type:
    """Return the type of `left sign right`. Raises ExpressionError."""
    one, other = bare(left.type), bare(right.type)
    if sign == "/" and DYN in (one, other):
        message = "it is not known whether this divides whole numbers or decimals"
        offset = (left if one == DYN else right).offset
        raise ExpressionError(message, offset, expected="int(…) or decimal(…) around it")
    found = [
        result
        for first, second, result in _RESULTS[sign]
        if first.kinds <= one.kinds and second.kinds <= other.kinds
    ]
    if not found:
        message = f"{left.type} {sign} {right.type} has no meaning"
        raise ExpressionError(message, left.offset, expected=_WANTED[sign])
    if len(found) > 1:
        return DYN
    return _narrowed(sign, one, other, found[0])


def _narrowed(sign: str, one: Type, other: Type, found: Type) -> Type:
    if found == NUMBER and {one, other} <= {INT, DECIMAL}:
        return INT if one == other == INT else DECIMAL
    if found == NUMBER and sign == "/":
        return DECIMAL
    if isinstance(one, ListOf) and isinstance(other, ListOf):
        return ListOf(join(one.item, other.item) or DYN)
    return found


_NUMBERS = (NUMBER, NUMBER, NUMBER)
_RESULTS: dict[str, tuple[tuple[Type, Type, Type], ...]] = {
    "+": (
        _NUMBERS,
        (STRING, STRING, STRING),
        (ListOf(DYN), ListOf(DYN), ListOf(DYN)),
        (TIMESTAMP, DURATION, TIMESTAMP),
        (DURATION, TIMESTAMP, TIMESTAMP),
        (DURATION, DURATION, DURATION),
    ),
    "-": (
        _NUMBERS,
        (TIMESTAMP, TIMESTAMP, DURATION),
        (TIMESTAMP, DURATION, TIMESTAMP),
        (DURATION, DURATION, DURATION),
    ),
    "*": (_NUMBERS,),
    "/": (_NUMBERS,),
    "%": (_NUMBERS,),
}
_WANTED = {
    "+": "two numbers, texts or lists, or times and durations",
    "-": "two numbers, or times and durations",
    **dict.fromkeys("*/%", "two numbers"),
}


def refuse_vain_comparison(sign: str, left: Node, right: Node) -> None:
    """Raise ExpressionError when a comparison is always true, always false or never has an answer."""
    if sign in ORDERINGS:
        _refuse_vain_order(sign, left, right)
    elif sign == "in":
        _refuse_vain_search(left, right)
    else:
        _refuse_unequal(left, right)


def _refuse_vain_order(sign: str, left: Node, right: Node) -> None:
    if not left.type.kinds & right.type.kinds & ORDERED:
        message = f"{left.type} {sign} {right.type} has no meaning"
        raise ExpressionError(message, left.offset, expected="two numbers, texts, times or durations")


def _refuse_vain_search(left: Node, right: Node) -> None:
    found = bare(right.type)
    if isinstance(right, ListNode):
        for item in right.items:
            _refuse_unequal(left, item)
        if right.items:
            return
        raise ExpressionError("nothing is in an empty list", right.offset, expected="at least one element")
    if isinstance(found, ListOf):
        _refuse_absent(left, right, found.item)
    elif isinstance(found, Object):
        _refuse_unknown_field(left, found)
    elif found != DYN:
        message = f"nothing can be looked for in {right.type}"
        nearest = "contains()" if Kind.STRING in found.kinds else None
        raise ExpressionError(message, right.offset, expected="a list or an object", nearest=nearest)


def _refuse_absent(left: Node, right: Node, item: Type) -> None:
    if _is_written(left):
        _refuse_disjoint(item, left.type, left)
    else:
        _refuse_disjoint(left.type, item, right)


def _refuse_unknown_field(left: Node, whole: Object) -> None:
    if Kind.STRING not in left.type.kinds:
        message = f"{left.type} is not the name of a field"
        raise ExpressionError(message, left.offset, expected="string")
    if not whole.open:
        _refuse_disjoint(OneOf(frozenset(whole.fields)), left.type, left)


def _is_written(node: Node) -> bool:
    """Tell whether a node is one known text: a mistake is most likely there."""
    return len(_values(node.type)) == 1


def _refuse_unequal(left: Node, right: Node) -> None:
    if _is_written(left):
        _refuse_disjoint(right.type, left.type, left)
    else:
        _refuse_disjoint(left.type, right.type, right)


def _refuse_disjoint(first: Type, second: Type, at: Node) -> None:
    """Raise, at the second's place, when no value of the first type equals one of the second."""
    if NULL in (first, second):
        if not first.kinds & second.kinds:
            _never(at, first, second)
        return
    if not solid(first) & solid(second):
        _never(at, first, second)
    left, right = _values(first), _values(second)
    both_nullable = Kind.NULL in first.kinds and Kind.NULL in second.kinds
    if left and right and not left & right and not both_nullable:
        _never_among(at, left, right)


def _values(of: Type) -> frozenset[str]:
    found = bare(of)
    return found.values if isinstance(found, OneOf) else frozenset()


def _never(at: Node, one: Type, other: Type) -> NoReturn:
    raise ExpressionError(f"{one} and {other} are never equal", at.offset, expected=str(one))


def _never_among(at: Node, possible: frozenset[str], wanted: frozenset[str]) -> NoReturn:
    known = sorted(possible)
    message = f"the two are never equal: {' or '.join(map(repr, sorted(wanted)))} is not among the values"
    nearest = nearest_to(min(wanted), known)
    raise ExpressionError(
        message, at.offset, expected=f"one of {', '.join(map(repr, known))}", nearest=nearest
    )
