"""The two ways an expression can go wrong: refused when it is loaded, or without an answer when it runs."""

from __future__ import annotations


class ExpressionError(ValueError):
    """An expression that is refused at load: what is wrong, where, and what would be right.

    `offset` counts characters from 0 in the expression's text.
    """

    def __init__(
        self, message: str, offset: int, *, expected: str | None = None, nearest: str | None = None
    ) -> None:
        """Keep the parts, so that a loader can turn `offset` into a line and a column."""
        super().__init__(message, offset, expected, nearest)
        self.message = message
        self.offset = offset
        self.expected = expected
        self.nearest = nearest

    def __str__(self) -> str:
        """Return the parts as one sentence."""
        parts = [f"{self.message} (at character {self.offset + 1})"]
        if self.expected is not None:
            parts.append(f"expected {self.expected}")
        if self.nearest is not None:
            parts.append(f"did you mean {self.nearest}?")
        return "; ".join(parts)


class EvaluationError(Exception):
    """An expression that has no answer for these values. `why` says so in plain words, without the values."""

    def __init__(self, why: str) -> None:
        """Keep the reason."""
        super().__init__(why)
        self.why = why
