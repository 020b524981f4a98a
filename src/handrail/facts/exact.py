"""Values from outside as expressions know them: exact, finite, and of few kinds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from math import isfinite


def exact(value: object) -> object:
    """``value`` as None, bool, int, Decimal, str, aware datetime, list or dict.

    Raises:
        ValueError: it is nothing of the kind, or not finite; the fact has then failed.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float | Decimal):
        return _number(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): exact(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [exact(item) for item in value]
    raise ValueError(f"a {type(value).__name__} is no value that a rule can use")


def _number(value: float | Decimal) -> Decimal:
    if not isfinite(value):
        raise ValueError(f"{value} is not a finite number")
    return value if isinstance(value, Decimal) else Decimal(repr(value))
