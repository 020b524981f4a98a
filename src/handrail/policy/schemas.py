"""JSON Schema validation that says why, and never repeats the value: reasons go into the journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from handrail.policy.expressions import EvaluationError

if TYPE_CHECKING:
    import jsonschema_rs

BACKTRACKS = 100_000
"""Steps that a ``pattern`` with look-around may take; without it, patterns are linear."""
LONGEST = 300
"""Characters of a reason that come from the validator."""


def validator(schema: Mapping[str, object]) -> Callable[[object], str | None]:
    """A function that says why a value is not valid; None when it is. Decimals are compared exactly.

    It raises EvaluationError for what is no JSON: what can't be validated is not valid.

    Raises:
        ValueError: the schema itself is wrong, or refers to another document.
    """
    import jsonschema_rs

    options = jsonschema_rs.FancyRegexOptions(backtrack_limit=BACKTRACKS)
    try:
        compiled = jsonschema_rs.validator_for(
            dict(schema), pattern_options=options, mask="the value", offline=True
        )
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        raise ValueError(str(error).split("\n", 1)[0][:LONGEST]) from error
    is_valid = compiled.is_valid

    def check(value: object) -> str | None:
        try:
            return None if is_valid(value) else _why(compiled, value)
        except (ValueError, TypeError, RecursionError) as error:
            raise EvaluationError(f"it can't be validated: {str(error)[:LONGEST]}") from error

    return check


def _why(compiled: jsonschema_rs.Validator, value: object) -> str:
    error = next(iter(compiled.iter_errors(value)))
    where = ".".join(map(str, error.instance_path))
    return f"{where}: {error.message[:LONGEST]}" if where else error.message[:LONGEST]
