"""A mistake in a policy file, placed so that a person can go to it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where it stands (line and column count from 1), what it is, and what was expected."""

    file: str
    line: int
    column: int
    message: str
    expected: str | None = None
    nearest: str | None = None

    def __str__(self) -> str:
        """``file:line:column: message; expected …; did you mean …?``."""
        text = f"{self.file}:{self.line}:{self.column}: {self.message}"
        if self.expected:
            text += f"; expected {self.expected}"
        return f"{text}; did you mean {self.nearest!r}?" if self.nearest else text
