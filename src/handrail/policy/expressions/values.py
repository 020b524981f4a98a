"""What the operators do with values. Whatever is not plainly right raises: no rule passes by an error."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NoReturn

from handrail.policy.expressions import arithmetic
from handrail.policy.expressions.errors import EvaluationError
from handrail.policy.expressions.limits import (
    INT_MAX,
    INT_MIN,
    MAX_DURATION_SECONDS,
    MAX_LIST,
    MAX_STRING,
)
from handrail.policy.expressions.tree import Value
from handrail.policy.expressions.types import Kind
from handrail.words.fact import Failed


class _Missing:
    """Stands where a path leads nowhere."""


MISSING: Final = _Missing()

_KINDS: dict[type, Kind] = {
    type(None): Kind.NULL,
    bool: Kind.BOOL,
    int: Kind.NUMBER,
    Decimal: Kind.NUMBER,
    str: Kind.STRING,
    datetime: Kind.TIMESTAMP,
    timedelta: Kind.DURATION,
    list: Kind.LIST,
    dict: Kind.MAP,
}
ORDERED: Final = frozenset({Kind.NUMBER, Kind.STRING, Kind.TIMESTAMP, Kind.DURATION})
ORDERINGS: Final[dict[str, Callable[[Value, Value], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def kind_of(value: Value) -> Kind:
    """Return what a value is. Raises EvaluationError for what an expression cannot work on."""
    kind = _KINDS.get(type(value)) or _kind_of_subclass(value)
    if kind is Kind.NUMBER:
        _refuse_odd_number(value)
    elif kind is Kind.TIMESTAMP and value.utcoffset() is None:
        raise EvaluationError("a time without a time zone")
    return kind


def _kind_of_subclass(value: Value) -> Kind:
    for known, kind in _KINDS.items():
        if isinstance(value, known):
            return kind
    if isinstance(value, float):
        raise EvaluationError("a binary float where a decimal belongs")
    if isinstance(value, Failed):
        raise EvaluationError(value.why)
    if value is MISSING:
        raise EvaluationError("a value is missing")
    raise EvaluationError("a value of a kind that expressions do not know")


def _refuse_odd_number(value: int | Decimal) -> None:
    if isinstance(value, int):
        if not INT_MIN <= value <= INT_MAX:
            raise EvaluationError("a whole number that does not fit into 64 bits")
    elif not value.is_finite():
        raise EvaluationError("a number that is infinite or not a number")


def truth(value: Value) -> bool:
    """Return a value that must be true or false. Raises EvaluationError."""
    if value is True or value is False:
        return bool(value)
    raise EvaluationError(f"{kind_of(value).value} stands where true or false belongs")


def equal(left: Value, right: Value) -> bool:
    """Return left == right. Null equals only null; else both must be of one kind. Raises EvaluationError."""
    kind, other = kind_of(left), kind_of(right)
    if Kind.NULL in (kind, other):
        return kind is other
    if kind is not other:
        raise EvaluationError(f"{kind.value} cannot be compared with {other.value}")
    if kind is Kind.LIST:
        return _equal_lists(left, right)
    if kind is Kind.MAP:
        return _equal_maps(left, right)
    return bool(left == right)


def _equal_lists(left: list[Value], right: list[Value]) -> bool:
    return len(left) == len(right) and _all_equal(zip(left, right, strict=True))


def _equal_maps(left: dict[str, Value], right: dict[str, Value]) -> bool:
    return left.keys() == right.keys() and _all_equal((left[key], right[key]) for key in left)


def _all_equal(pairs: Iterable[tuple[Value, Value]]) -> bool:
    """Return whether all pairs are equal: a pair that differs decides, even beside one that has no answer."""
    trouble: EvaluationError | None = None
    for left, right in pairs:
        try:
            if not equal(left, right):
                return False
        except EvaluationError as error:
            trouble = trouble or error
    if trouble is not None:
        raise trouble
    return True


def different(left: Value, right: Value) -> bool:
    """Return left != right. Raises EvaluationError as `equal` does."""
    return not equal(left, right)


def order(symbol: str, left: Value, right: Value) -> bool:
    """Return left < right, or as `symbol` says. Raises EvaluationError."""
    kind, other = kind_of(left), kind_of(right)
    if kind is not other or kind not in ORDERED:
        raise EvaluationError(f"{kind.value} {symbol} {other.value} has no meaning")
    return ORDERINGS[symbol](left, right)


def member(item: Value, whole: Value) -> bool:
    """Return whether a list has that element, or an object that name. Raises EvaluationError."""
    kind = kind_of(whole)
    if kind is Kind.MAP:
        if kind_of(item) is not Kind.STRING:
            raise EvaluationError("only a text can be looked for in an object")
        return item in whole
    if kind is not Kind.LIST:
        raise EvaluationError(f"nothing can be looked for in {kind.value}")
    return _in_list(item, whole)


def _in_list(item: Value, whole: list[Value]) -> bool:
    trouble: EvaluationError | None = None
    for each in whole:
        try:
            if equal(item, each):
                return True
        except EvaluationError as error:
            trouble = trouble or error
    if trouble is not None:
        raise trouble
    kind_of(item)
    return False


def field(value: Value, name: str) -> Value:
    """Return a field of an object. Raises EvaluationError when there is none."""
    kind = kind_of(value)
    if kind is not Kind.MAP:
        raise EvaluationError(f"{kind.value} has no fields")
    if name not in value:
        raise EvaluationError("it is missing")
    return value[name]


def has_field(value: Value, name: str) -> bool:
    """Return whether an object has a field, null or not. Raises EvaluationError."""
    kind = kind_of(value)
    if kind is not Kind.MAP:
        raise EvaluationError(f"{kind.value} has no fields")
    return name in value


def item_of(value: Value, index: Value) -> Value:
    """Return an element of a list, or a field of an object. Raises EvaluationError."""
    kind, by = kind_of(value), kind_of(index)
    if kind is Kind.MAP and by is Kind.STRING:
        return field(value, index)
    if kind is not Kind.LIST or type(index) is not int:
        raise EvaluationError(f"{kind.value} has no elements by {by.value}")
    if not 0 <= index < len(value):
        raise EvaluationError("the list has no element there")
    return value[index]


def add(left: Value, right: Value) -> Value:
    """Return left + right of numbers, texts, lists, times. Raises EvaluationError."""
    pair = (kind_of(left), kind_of(right))
    if pair == (Kind.NUMBER, Kind.NUMBER):
        return arithmetic.plus(left, right)
    if pair in ((Kind.STRING, Kind.STRING), (Kind.LIST, Kind.LIST)):
        return _concatenated(left, right, MAX_STRING if pair[0] is Kind.STRING else MAX_LIST)
    if pair in _SUMS_OF_TIME:
        return _timed(operator.add, left, right)
    return _nonsense("+", *pair)


def subtract(left: Value, right: Value) -> Value:
    """Return left - right of numbers or times. Raises EvaluationError."""
    pair = (kind_of(left), kind_of(right))
    if pair == (Kind.NUMBER, Kind.NUMBER):
        return arithmetic.minus(left, right)
    if pair in _DIFFERENCES_OF_TIME:
        return _timed(operator.sub, left, right)
    return _nonsense("-", *pair)


_T, _D = Kind.TIMESTAMP, Kind.DURATION
_SUMS_OF_TIME = frozenset({(_T, _D), (_D, _T), (_D, _D)})
_DIFFERENCES_OF_TIME = frozenset({(_T, _T), (_T, _D), (_D, _D)})


def _concatenated(left: Value, right: Value, most: int) -> Value:
    if len(left) + len(right) > most:
        raise EvaluationError(f"the result of + would be longer than {most}")
    return left + right


def _timed(operation: Callable[[Value, Value], Value], left: Value, right: Value) -> Value:
    try:
        result = operation(left, right)
    except OverflowError:
        raise EvaluationError("the time is out of range") from None
    return within_range(result) if isinstance(result, timedelta) else result


def within_range(duration: timedelta) -> timedelta:
    """Return a duration that is no longer than CEL allows. Raises EvaluationError."""
    if abs(duration) > timedelta(seconds=MAX_DURATION_SECONDS):
        raise EvaluationError("the duration is out of range")
    return duration


def _of_numbers(symbol: str, operation: Callable[[Value, Value], Value]) -> Callable[[Value, Value], Value]:
    """Return an operation that raises unless both operands are numbers."""

    def checked(left: Value, right: Value) -> Value:
        kind, other = kind_of(left), kind_of(right)
        if kind is not Kind.NUMBER or other is not Kind.NUMBER:
            return _nonsense(symbol, kind, other)
        return operation(left, right)

    return checked


def _nonsense(symbol: str, kind: Kind, other: Kind) -> NoReturn:
    raise EvaluationError(f"{kind.value} {symbol} {other.value} has no meaning")


def negate(value: Value) -> Value:
    """Return -value. Raises EvaluationError."""
    kind = kind_of(value)
    if kind is not Kind.NUMBER:
        raise EvaluationError(f"minus {kind.value} has no meaning")
    return arithmetic.negated(value)


ARITHMETIC: Final[dict[str, Callable[[Value, Value], Value]]] = {
    "+": add,
    "-": subtract,
    "*": _of_numbers("*", arithmetic.times),
    "/": _of_numbers("/", arithmetic.quotient),
    "//": _of_numbers("/", arithmetic.whole_quotient),
    "%": _of_numbers("%", arithmetic.remainder),
}


def compare(symbol: str) -> Callable[[Value, Value], bool]:
    """Return the function behind a comparison's symbol."""
    if symbol in ORDERINGS:
        return lambda left, right: order(symbol, left, right)
    return {"==": equal, "!=": different, "in": member}[symbol]
