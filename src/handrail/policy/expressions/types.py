"""What an expression's parts can be: the types the checker reasons about."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Kind(Enum):
    """What a value is at run time, in words for people. Whole numbers and decimals are one kind."""

    BOOL = "true or false"
    NUMBER = "a number"
    STRING = "text"
    TIMESTAMP = "a time"
    DURATION = "a duration"
    NULL = "null"
    LIST = "a list"
    MAP = "an object"


ALL_KINDS = frozenset(Kind)


@dataclass(frozen=True, slots=True)
class Type:
    """A set of values that an expression can have."""

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds a value of this type can be."""
        return ALL_KINDS


@dataclass(frozen=True, slots=True)
class Scalar(Type):
    """One of the named types below."""

    name: str
    kind: Kind | None

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds a value of this type can be."""
        return ALL_KINDS if self.kind is None else frozenset({self.kind})

    def __str__(self) -> str:
        """Return the type's name."""
        return self.name


BOOL = Scalar("bool", Kind.BOOL)
INT = Scalar("int", Kind.NUMBER)
DECIMAL = Scalar("decimal", Kind.NUMBER)
NUMBER = Scalar("number", Kind.NUMBER)
STRING = Scalar("string", Kind.STRING)
TIMESTAMP = Scalar("timestamp", Kind.TIMESTAMP)
DURATION = Scalar("duration", Kind.DURATION)
NULL = Scalar("null", Kind.NULL)
DYN = Scalar("dyn", None)


@dataclass(frozen=True, slots=True)
class OneOf(Type):
    """A text out of a known set: a JSON Schema `enum`, or a text written in the expression."""

    values: frozenset[str]

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds a value of this type can be."""
        return STRING.kinds

    def __str__(self) -> str:
        """Return the type's name."""
        return "string"


@dataclass(frozen=True, slots=True)
class ListOf(Type):
    """A list whose elements are of one type."""

    item: Type

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds a value of this type can be."""
        return frozenset({Kind.LIST})

    def __str__(self) -> str:
        """Return the type's name."""
        return f"list({self.item})"


@dataclass(frozen=True, slots=True)
class Object(Type):
    """Named fields. An open object may have more than those named; a field not required may be missing."""

    fields: Mapping[str, Type]
    open: bool = False
    required: frozenset[str] = frozenset()

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds a value of this type can be."""
        return frozenset({Kind.MAP})

    def __str__(self) -> str:
        """Return the type's name."""
        return "object"


@dataclass(frozen=True, slots=True)
class Nullable(Type):
    """A value of another type, or null."""

    of: Type

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds a value of this type can be."""
        return self.of.kinds | NULL.kinds

    def __str__(self) -> str:
        """Return the type's name."""
        return f"{self.of} or null"


def nullable(of: Type) -> Type:
    """Return the type of `of` or null."""
    return of if Kind.NULL in of.kinds else Nullable(of)


def bare(of: Type) -> Type:
    """Return the type without its null."""
    return of.of if isinstance(of, Nullable) else of


def solid(of: Type) -> frozenset[Kind]:
    """Return the kinds a value of this type can be when it is not null."""
    return of.kinds - NULL.kinds


def join(one: Type, other: Type) -> Type | None:
    """Return the narrowest type that holds both, or None when they have nothing in common."""
    if one == other:
        return one
    if DYN in (one, other):
        return DYN
    if NULL in (one, other) or Nullable in (type(one), type(other)):
        return _join_with_null(one, other)
    if one.kinds != other.kinds:
        return None
    return _join_of_kind(one, other)


def _join_with_null(one: Type, other: Type) -> Type | None:
    left, right = bare(one), bare(other)
    if NULL in (left, right):
        return nullable(right if left == NULL else left)
    both = join(left, right)
    return None if both is None else nullable(both)


def _join_of_kind(one: Type, other: Type) -> Type | None:
    if isinstance(one, OneOf) and isinstance(other, OneOf):
        return OneOf(one.values | other.values)
    if isinstance(one, ListOf) and isinstance(other, ListOf):
        item = join(one.item, other.item)
        return None if item is None else ListOf(item)
    if isinstance(one, Object):
        return Object({}, open=True)
    return NUMBER if one.kinds == NUMBER.kinds else STRING


def join_all(types: Iterable[Type]) -> Type | None:
    """Return the narrowest type that holds them all: DYN for none of them, None when they don't fit."""
    found: Type | None = None
    for each in types:
        found = each if found is None else join(found, each)
        if found is None:
            return None
    return found or DYN


def fits(actual: Type, expected: Type) -> bool:
    """Tell whether what `actual` promises is `expected`, or could be: dyn and null are left to run time."""
    if DYN in (actual, expected) or bare(actual) == DYN:
        return True
    if bare(expected) == INT:
        return bare(actual) == INT
    kinds = solid(actual)
    return (bool(kinds) and kinds <= expected.kinds) or actual.kinds <= expected.kinds
