"""The tree of an expression: small frozen nodes, each with its place in the text and its type.

The parser makes it, the checker types it, the evaluator runs it, and a solver can read it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from handrail.policy.expressions.types import DYN, Type

if TYPE_CHECKING:
    from collections.abc import Iterator

Value = Any
"""What an expression works on: None, bool, int, Decimal, str, datetime, timedelta, list or dict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One part of an expression: `text[offset:end]`. Its type is `dyn` until the checker has seen it."""

    offset: int
    end: int
    type: Type = DYN

    @property
    def children(self) -> tuple[Node, ...]:
        """The nodes directly below."""
        return ()


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A value written in the text, or known at load, as that of `duration("4h")`."""

    value: Value


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A root name: `args`, `amount`, a fact."""

    id: str


@dataclass(frozen=True, slots=True)
class Variable(Node):
    """The element that a macro is looking at."""

    id: str


@dataclass(frozen=True, slots=True)
class Select(Node):
    """`operand.field`."""

    operand: Node
    field: str

    @property
    def children(self) -> tuple[Node, ...]:
        """The nodes directly below."""
        return (self.operand,)


@dataclass(frozen=True, slots=True)
class Has(Node):
    """`has(operand.field)`: whether the field is there, null or not."""

    operand: Node
    field: str

    @property
    def children(self) -> tuple[Node, ...]:
        """The nodes directly below."""
        return (self.operand,)


@dataclass(frozen=True, slots=True)
class Index(Node):
    """`operand[index]`, of a list by position or of an object by name."""

    operand: Node
    index: Node

    @property
    def children(self) -> tuple[Node, ...]:
        """The nodes directly below."""
        return (self.operand, self.index)


@dataclass(frozen=True, slots=True)
class ListNode(Node):
    """`[a, b]`."""

    items: tuple[Node, ...]

    @property
    def children(self) -> tuple[Node, ...]:
        """The nodes directly below."""
        return self.items


@dataclass(frozen=True, slots=True)
class MapNode(Node):
    """`{"a": b}`: keys are texts written in the expression."""

    keys: tuple[str, ...]
    values: tuple[Node, ...]

    @property
    def children(self) -> tuple[Node, ...]:
        """The nodes directly below."""
        return self.values


@dataclass(frozen=True, slots=True)
class Not(Node):
    """`!operand`."""

    operand: Node

    @property
    def children(self) -> tuple[Node, ...]:
        """The nodes directly below."""
        return (self.operand,)


@dataclass(frozen=True, slots=True)
class Negate(Node):
    """`-operand`."""

    operand: Node

    @property
    def children(self) -> tuple[Node, ...]:
        """The nodes directly below."""
        return (self.operand,)


@dataclass(frozen=True, slots=True)
class And(Node):
    """`a && b && …`: false if any is false, else without an answer if any is, else true."""

    operands: tuple[Node, ...]

    @property
    def children(self) -> tuple[Node, ...]:
        """The nodes directly below."""
        return self.operands


@dataclass(frozen=True, slots=True)
class Or(Node):
    """`a || b || …`: true if any is true, else without an answer if any is, else false."""

    operands: tuple[Node, ...]

    @property
    def children(self) -> tuple[Node, ...]:
        """The nodes directly below."""
        return self.operands


@dataclass(frozen=True, slots=True)
class Conditional(Node):
    """`test ? then : otherwise`."""

    test: Node
    then: Node
    otherwise: Node

    @property
    def children(self) -> tuple[Node, ...]:
        """The nodes directly below."""
        return (self.test, self.then, self.otherwise)


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """`left op right`, op one of `== != < <= > >= in`."""

    op: str
    left: Node
    right: Node

    @property
    def children(self) -> tuple[Node, ...]:
        """The nodes directly below."""
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """`left op right`, op one of `+ - * / %`; the checker makes `//` of a division of whole numbers."""

    op: str
    left: Node
    right: Node

    @property
    def children(self) -> tuple[Node, ...]:
        """The nodes directly below."""
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function of the subset; of a method call the receiver is the first operand.

    `constant` is what the checker prepared: a compiled regular expression, a time zone.
    """

    function: str
    operands: tuple[Node, ...]
    method: bool = False
    constant: Value = field(default=None, compare=False)

    @property
    def children(self) -> tuple[Node, ...]:
        """The nodes directly below."""
        return self.operands


@dataclass(frozen=True, slots=True)
class Macro(Node):
    """`over.kind(variable, body)`, kind one of `all`, `exists`, `exists_one`."""

    kind: str
    variable: str
    over: Node
    body: Node

    @property
    def children(self) -> tuple[Node, ...]:
        """The nodes directly below."""
        return (self.over, self.body)


def walk(root: Node) -> Iterator[tuple[Node, int]]:
    """Yield every node with its depth, the root at 1, without recursion."""
    waiting = [(root, 1)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting.extend((child, depth + 1) for child in node.children)


def path_of(node: Node) -> tuple[str, ...] | None:
    """Return the names of `a.b.c` from the root, or None when the node is no such path."""
    fields: list[str] = []
    while isinstance(node, Select):
        fields.append(node.field)
        node = node.operand
    return (node.id, *reversed(fields)) if isinstance(node, Name) else None


def names_of(root: Node) -> frozenset[str]:
    """Return the root names that an expression reads."""
    return frozenset(node.id for node, _ in walk(root) if isinstance(node, Name))
