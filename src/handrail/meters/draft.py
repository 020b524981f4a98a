"""What a request can cost at most, gathered while it is read; and the refusal of what nobody can bound."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from handrail.words.errors import BadArguments

CHOICES = 128
"""Answers that one request may ask for at most."""
SEARCHES = 20
"""Searches that one request may allow at most."""


class FieldRefused(BadArguments):
    """A request with something in it that is not metered, or that is not what its name means."""

    def __init__(self, param: str, why: str) -> None:
        """``param`` is the path of what is refused."""
        super().__init__(f"{param}: {why}")
        self.param = param


@dataclass(slots=True)
class Draft:
    """What the fields of one request add up to."""

    images: int = 0
    """Pictures that the model is to read."""
    whole: bool = False
    """Whether something is read that the request does not hold, so that the largest length counts."""
    instructed: bool = False
    """Whether the provider adds instructions of its own: for tools, or for a shape of the answer."""
    choices: int = 1
    limit: int | None = None
    """The most that the client wants to be written, in tokens."""
    limits: list[str] = field(default_factory=list)
    """The fields that say so."""
    tier: str = ""
    searches: int = 0
    searching: bool = False
    inputs: set[str] = field(default_factory=set)
    outputs: set[str] = field(default_factory=set)
    """Parts with a price of their own that may be read and written."""
    made: int = 0
    """Pictures that are to be made, by the API for pictures."""
    made_tokens: int = 0
    """Tokens of one of them at most."""

    def tokens_at_most(self, name: str, value: Any) -> None:
        """Take a limit of what is written."""
        number = whole_number(name, value, 1, 10**9)
        self.limit = max(number, self.limit or 0)
        self.limits.append(name)


def whole_number(name: str, value: Any, least: int, most: int) -> int:
    """A whole number in a range.

    Raises:
        FieldRefused: it is something else.
    """
    if type(value) is not int or not least <= value <= most:
        raise FieldRefused(name, f"expected a whole number from {least:,} to {most:,}")
    return value


def text(name: str, value: Any) -> str:
    """A text.

    Raises:
        FieldRefused: it is something else.
    """
    if not isinstance(value, str):
        raise FieldRefused(name, "expected a text")
    return value


def objects(name: str, value: Any) -> list[tuple[str, dict[str, Any]]]:
    """The objects of a list, each with its path.

    Raises:
        FieldRefused: it is something else.
    """
    if not isinstance(value, list):
        raise FieldRefused(name, "expected a list")
    found = []
    for place, each in enumerate(value):
        if not isinstance(each, dict):
            raise FieldRefused(f"{name}[{place}]", "expected an object")
        found.append((f"{name}[{place}]", each))
    return found


def one_of(name: str, value: Any, *allowed: str) -> None:
    """Refuse all but these values.

    Raises:
        FieldRefused: it is another one.
    """
    if value not in allowed:
        raise FieldRefused(name, f"only {', '.join(map(repr, allowed))} is metered here")
