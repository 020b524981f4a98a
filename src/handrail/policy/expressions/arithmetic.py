"""Arithmetic without surprises: 64-bit whole numbers and decimals of 34 digits, and never a binary float.

Sums, differences and products are exact or an error. Only division rounds: half to even, at 34 digits.
"""

from __future__ import annotations

import decimal
import re
from decimal import Decimal
from typing import TYPE_CHECKING

from handrail.policy.expressions.errors import EvaluationError
from handrail.policy.expressions.limits import DIGITS, INT_MAX, INT_MIN, MAX_EXPONENT

if TYPE_CHECKING:
    from collections.abc import Callable

Number = int | Decimal

_FATAL = [decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow, decimal.Underflow]


def _context(traps: list[type[decimal.DecimalException]]) -> decimal.Context:
    return decimal.Context(
        prec=DIGITS,
        rounding=decimal.ROUND_HALF_EVEN,
        Emin=1 - MAX_EXPONENT,
        Emax=MAX_EXPONENT,
        capitals=1,
        clamp=0,
        flags=[],
        traps=traps,
    )


_EXACT = _context([*_FATAL, decimal.Inexact])
_ROUNDING = _context([*_FATAL])
_DECIMAL_TEXT = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,5})?")
_INT_TEXT = re.compile(r"-?[0-9]{1,19}")
_INT_EXPONENT = 18


def decimal_of_text(text: str) -> Decimal:
    """Return the decimal a text writes, exactly. Raises EvaluationError."""
    if not _DECIMAL_TEXT.fullmatch(text):
        raise EvaluationError("the text is not a decimal number")
    return _guarded(_EXACT.create_decimal, text)


def int_of_text(text: str) -> int:
    """Return the whole number a text writes. Raises EvaluationError."""
    if not _INT_TEXT.fullmatch(text):
        raise EvaluationError("the text is not a whole number")
    return whole(int(text))


def whole(value: int) -> int:
    """Return the number if it fits into 64 bits. Raises EvaluationError."""
    if INT_MIN <= value <= INT_MAX:
        return value
    raise EvaluationError("the number does not fit into 64 bits")


def truncated(value: Number) -> int:
    """Return the number without its fraction, as a whole number. Raises EvaluationError."""
    # Tested before it is made: int(Decimal("1E+999999999")) would take all memory.
    if isinstance(value, Decimal) and value.adjusted() > _INT_EXPONENT:
        raise EvaluationError("the number does not fit into 64 bits")
    return whole(int(value))


def to_decimal(value: Number) -> Decimal:
    """Return the number as a decimal. Raises EvaluationError."""
    return _guarded(_EXACT.create_decimal, value)


def plus(left: Number, right: Number) -> Number:
    """Return left + right. Raises EvaluationError."""
    if isinstance(left, int) and isinstance(right, int):
        return whole(left + right)
    return _guarded(_EXACT.add, left, right)


def minus(left: Number, right: Number) -> Number:
    """Return left - right. Raises EvaluationError."""
    if isinstance(left, int) and isinstance(right, int):
        return whole(left - right)
    return _guarded(_EXACT.subtract, left, right)


def times(left: Number, right: Number) -> Number:
    """Return left * right. Raises EvaluationError."""
    if isinstance(left, int) and isinstance(right, int):
        return whole(left * right)
    return _guarded(_EXACT.multiply, left, right)


def quotient(left: Number, right: Number) -> Decimal:
    """Return left / right as a decimal, rounded half to even. Raises EvaluationError."""
    _refuse_zero(right)
    return _guarded(_ROUNDING.divide, left, right)


def whole_quotient(left: Number, right: Number) -> int:
    """Return left / right of whole numbers, cut towards zero. Raises EvaluationError."""
    _refuse_zero(right)
    if not (isinstance(left, int) and isinstance(right, int)):
        raise EvaluationError("a decimal stands where a whole number was promised")
    size = abs(left) // abs(right)
    return whole(size if (left < 0) == (right < 0) else -size)


def remainder(left: Number, right: Number) -> Number:
    """Return what is left of left / right, with the sign of left. Raises EvaluationError."""
    _refuse_zero(right)
    if isinstance(left, int) and isinstance(right, int):
        return left - right * whole_quotient(left, right)
    return _guarded(_EXACT.remainder, left, right)


def negated(value: Number) -> Number:
    """Return -value. Raises EvaluationError."""
    return whole(-value) if isinstance(value, int) else _guarded(_EXACT.minus, value)


def _refuse_zero(divisor: Number) -> None:
    if divisor == 0:
        raise EvaluationError("division by zero")


def _guarded(operation: Callable[..., Decimal], *operands: object) -> Decimal:
    """Run one decimal operation, its signals said in plain words."""
    try:
        return operation(*operands)
    except decimal.Inexact:
        # Overflow and underflow are inexact too.
        raise EvaluationError(f"the number does not fit into {DIGITS} digits") from None
    except decimal.DecimalException:
        raise EvaluationError("the decimal operation has no result") from None
