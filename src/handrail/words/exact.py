"""Values from outside as expressions know them: exact, finite, and of few kinds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from math import isfinite

from handrail.words.fact import Failed

MOST_BITS = 4_096
"""A longer whole number can't be written as text, and nothing that counts is as large."""


def found(value: object) -> object:
    """What a Python function found: None means that there is nothing.

    Raises:
        ValueError: as for ``exact``.
    """
    return Failed("nothing was found") if value is None else exact(value)


def exact(value: object) -> object:
    """``value`` as None, bool, int, Decimal, str, aware datetime, list or dict.

    Raises:
        ValueError: it is nothing of the kind, or not finite; the fact has then failed.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return _whole(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float | Decimal):
        return _number(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {_text(str(name)): exact(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [exact(item) for item in value]
    raise ValueError(f"a {type(value).__name__} is no value that a rule can use")


def _whole(value: int) -> int:
    if value.bit_length() > MOST_BITS:
        raise ValueError(f"a whole number of {value.bit_length():,} bits is no value that a rule can use")
    return int.__int__(value)


def _text(value: str) -> str:
    # a subclass may have its own idea of == and hash(): a rule would be told another value than it has
    plain = str.__str__(value)
    try:
        plain.encode()
    except UnicodeEncodeError as error:
        raise ValueError("a text with half of a surrogate pair is no value that a rule can use") from error
    return plain


def _number(value: float | Decimal) -> Decimal:
    if not (value.is_finite() if isinstance(value, Decimal) else isfinite(value)):
        raise ValueError(f"{value} is not a finite number")
    return Decimal(value) if isinstance(value, Decimal) else Decimal(float.__repr__(value))
