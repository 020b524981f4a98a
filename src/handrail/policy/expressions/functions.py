"""The functions of the subset: one table, from which the checker, the evaluator and the docs' test read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from functools import partial
from typing import Final

import re2

from handrail.policy.expressions import arithmetic
from handrail.policy.expressions.errors import EvaluationError
from handrail.policy.expressions.limits import MAX_PATTERN, MAX_PATTERN_MEMORY
from handrail.policy.expressions.times import (
    CALENDAR,
    duration_of_text,
    timestamp_of_text,
    zone_of_text,
)
from handrail.policy.expressions.tree import Value
from handrail.policy.expressions.types import (
    BOOL,
    DECIMAL,
    DURATION,
    INT,
    STRING,
    TIMESTAMP,
    Kind,
    Type,
)
from handrail.policy.expressions.values import kind_of

Kinds = frozenset[Kind]


@dataclass(frozen=True, slots=True)
class Function:
    """One function: how it is called, what it takes, what it gives and what it does.

    `prepare` turns one more operand, which must be written as a text (a pattern, a time zone), into a
    constant at load; `default` stands for it when it is left out. `folds` means that a written operand is
    worked out at load.
    """

    name: str
    takes: tuple[Kinds, ...]
    gives: Type
    run: Callable[..., Value]
    as_method: bool = False
    as_function: bool = False
    folds: bool = False
    prepare: Callable[[str], Value] | None = None
    default: Value = None

    def __call__(self, *operands: Value) -> Value:
        """Test the operands' kinds and run. Raises EvaluationError."""
        for operand, kinds in zip(operands, self.takes, strict=False):
            kind = kind_of(operand)
            if kind not in kinds:
                raise EvaluationError(f"{self.name}() does not take {kind.value}")
        return self.run(*operands)


def _pattern(text: str) -> Value:
    """Compile a regular expression at load. Raises EvaluationError."""
    options = re2.Options()
    options.max_mem = MAX_PATTERN_MEMORY
    options.log_errors = False
    if len(text) > MAX_PATTERN:
        raise EvaluationError(f"the pattern is longer than {MAX_PATTERN} characters")
    try:
        return re2.compile(text, options)
    except (re2.error, UnicodeError):
        raise EvaluationError("RE2 does not accept the pattern") from None


def _matches(text: str, pattern: Value) -> bool:
    try:
        return pattern.search(text) is not None
    except UnicodeError:
        raise EvaluationError("the text is not valid Unicode") from None


def _int(value: Value) -> int:
    return arithmetic.int_of_text(value) if isinstance(value, str) else arithmetic.truncated(value)


def _decimal(value: Value) -> Decimal:
    return arithmetic.decimal_of_text(value) if isinstance(value, str) else arithmetic.to_decimal(value)


def _string(value: Value) -> str:
    if isinstance(value, Decimal):
        # 10 and 10.0 are equal, and their texts are not: a text would tell them apart by accident.
        raise EvaluationError("string() does not take a decimal")
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _moment(value: Value) -> Value:
    return timestamp_of_text(value) if isinstance(value, str) else value


def _span(value: Value) -> Value:
    return duration_of_text(value) if isinstance(value, str) else value


_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_UPPER = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def _lower(text: str) -> str:
    return text.translate(_LOWER)


def _upper(text: str) -> str:
    return text.translate(_UPPER)


_TEXT: Kinds = frozenset({Kind.STRING})
_MOMENT: Kinds = frozenset({Kind.TIMESTAMP})
_MEASURED: Kinds = frozenset({Kind.STRING, Kind.LIST, Kind.MAP})
_NUMERIC: Kinds = frozenset({Kind.STRING, Kind.NUMBER})

_method = partial(Function, as_method=True)
_convert = partial(Function, as_function=True, folds=True)

FUNCTIONS: Final[dict[str, Function]] = {
    function.name: function
    for function in (
        Function("size", (_MEASURED,), INT, len, as_method=True, as_function=True),
        _method("startsWith", (_TEXT, _TEXT), BOOL, str.startswith),
        _method("endsWith", (_TEXT, _TEXT), BOOL, str.endswith),
        _method("contains", (_TEXT, _TEXT), BOOL, str.__contains__),
        _method("matches", (_TEXT,), BOOL, _matches, prepare=_pattern),
        _method("lowerAscii", (_TEXT,), STRING, _lower),
        _method("upperAscii", (_TEXT,), STRING, _upper),
        _convert("int", (_NUMERIC,), INT, _int),
        _convert("decimal", (_NUMERIC,), DECIMAL, _decimal),
        _convert("string", (frozenset({Kind.STRING, Kind.NUMBER, Kind.BOOL}),), STRING, _string),
        _convert("timestamp", (_TEXT | _MOMENT,), TIMESTAMP, _moment),
        _convert("duration", (_TEXT | DURATION.kinds,), DURATION, _span),
        *(
            _method(name, (_MOMENT,), INT, run, prepare=zone_of_text, default=UTC)
            for name, run in CALENDAR.items()
        ),
    )
}


ELSEWHERE: Final[dict[str, str]] = {
    "double": "decimal()",
    "float": "decimal()",
    "uint": "int()",
    "len": "size()",
    "lower": "lowerAscii()",
    "upper": "upperAscii()",
    "map": "all() or exists()",
    "filter": "exists()",
    "any": "exists()",
}
"""Functions that are not in the subset, and what stands in for them."""
