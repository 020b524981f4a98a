"""What an entry may hold of a value: redacted where the policy says so, short, and always writable as JSON.

The payload keeps the exact value; see ``digests`` for how a field can be proven later.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import Final, TypeAlias

REDACTED: Final = "[redacted]"
ROOTS: Final = ("args", "output", "facts", "prompts")
MAX_TEXT: Final = 2_000
"""Longer strings are cut to this many characters in an entry."""
MAX_DEPTH: Final = 32
MAX_VALUES: Final = 2_000
"""How many values of one argument list or output an entry holds; the payload holds them all."""
MAX_BITS: Final = 4_096
_FLAT: Final = 32
_STEP: Final = re.compile(r"(\*|[^.\[\]*\s](?:[^.\[\]*]*[^.\[\]*\s])?)(?:\[\*\])*")
_SCALARS: Final = frozenset((int, bool, type(None)))

Node: TypeAlias = "dict[str, Node | None]"
"""What comes after a step; None where a path ends."""


class Redactor:
    """The policy's ``data.redact``, compiled. Paths begin with one of ``ROOTS``.

    ``args.card.number`` names a nested field; ``*`` stands for any field; lists are gone through by
    themselves, with or without ``[*]``. A path that meets a plain value before its end redacts that value:
    what was to be hidden may be inside it.
    """

    __slots__ = ("_roots",)

    def __init__(self, paths: tuple[str, ...] = ()) -> None:
        """Compile ``paths``. Raises ValueError for one that could never redact anything."""
        self._roots: dict[str, tuple[Node | None, ...]] = dict.fromkeys(ROOTS, ())
        trees: Node = {}
        for path in paths:
            _plant(trees, _steps(path))
        self._roots.update({root: (tree,) for root, tree in trees.items()})

    def redact(self, root: str, value: object) -> object:
        """The value as an entry may hold it: ``value`` itself if it is fit, else a copy.

        What JSON can't hold is described in brackets. ``root`` is one of ``ROOTS``, else KeyError.
        """
        nodes = self._roots[root]
        return value if not nodes and _is_fit(value) else _Walk().keep(value, nodes, 0)

    def hide(self, root: str, value: object) -> object:
        """The value without what the paths name, and otherwise whole: for what no entry holds."""
        nodes = self._roots[root]
        return _hidden(value, nodes) if nodes else value


def _hidden(value: object, nodes: tuple[Node | None, ...]) -> object:
    if None in nodes:
        return REDACTED
    if isinstance(value, Mapping):
        return {
            key: _hidden(item, after) if (after := _after(nodes, key)) else item
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_hidden(item, nodes) for item in value]
    return value if value is None or isinstance(value, bool) else REDACTED


@dataclass(slots=True)
class _Walk:
    """One value gone through; ``left`` is how many more values the entry takes."""

    left: int = MAX_VALUES

    def keep(self, value: object, nodes: tuple[Node | None, ...], depth: int) -> object:
        """What the entry keeps of ``value``, where ``nodes`` are the paths still open here."""
        if None in nodes:
            return REDACTED
        self.left -= 1
        if isinstance(value, Mapping):
            return "[cut: too deep]" if depth >= MAX_DEPTH else self._fields(value, nodes, depth)
        if isinstance(value, list | tuple):
            return "[cut: too deep]" if depth >= MAX_DEPTH else self._items(value, nodes, depth)
        return REDACTED if nodes and value is not None and not isinstance(value, bool) else _scalar(value)

    def _fields(self, value: Mapping[object, object], nodes: tuple[Node | None, ...], depth: int) -> object:
        kept: dict[str, object] = {}
        for done, (key, item) in enumerate(value.items()):
            if self.left <= 0:
                kept["…"] = f"[cut: {len(value) - done:,} more]"
                break
            name = _name(key)
            kept[_text(name)] = self.keep(item, _after(nodes, name), depth + 1)
        return kept

    def _items(
        self, value: list[object] | tuple[object, ...], nodes: tuple[Node | None, ...], depth: int
    ) -> object:
        kept: list[object] = []
        for done, item in enumerate(value):
            if self.left <= 0:
                kept.append(f"[cut: {len(value) - done:,} more]")
                break
            kept.append(self.keep(item, nodes, depth + 1))
        return kept


def _is_fit(value: object) -> bool:
    """Whether a value can stand in an entry as it is: the common case, few plain fields, found quickly."""
    if type(value) is not dict or len(value) > _FLAT:
        return False
    for key, item in value.items():
        if type(key) is not str or not key.isascii() or len(key) > MAX_TEXT:
            return False
        kind = type(item)
        if kind is str:
            if not item.isascii() or len(item) > MAX_TEXT:
                return False
        elif kind is Decimal:
            if not item.is_finite() or len(str(item)) > MAX_TEXT:
                return False
        elif kind not in _SCALARS or (kind is int and item.bit_length() > MAX_BITS):
            return False
    return True


def _scalar(value: object) -> object:
    """A plain value that JSON can hold, or in brackets what it was."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return int(value) if value.bit_length() <= MAX_BITS else f"[number of {value.bit_length():,} bits]"
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, Decimal):
        return value if value.is_finite() and len(str(value)) <= MAX_TEXT else _text(str(value))
    if isinstance(value, bytes | bytearray):
        return f"[{len(value):,} bytes]"
    return f"[{type(value).__name__}]"


def _text(value: str) -> str:
    """At most ``MAX_TEXT`` characters and the length there was; lone surrogates as escapes."""
    short = value[:MAX_TEXT]
    if not short.isascii():
        short = short.encode("utf-8", "backslashreplace").decode()
    return short if len(value) <= MAX_TEXT else f"{short}… [cut: {len(value):,} characters]"


def _name(key: object) -> str:
    """A field's name as text."""
    if isinstance(key, str):
        return key[:]
    return str(_scalar(key))


def _after(nodes: tuple[Node | None, ...], name: str) -> tuple[Node | None, ...]:
    """The paths still open one field further on."""
    if not nodes:
        return nodes
    return tuple(node[step] for node in nodes if node for step in dict.fromkeys((name, "*")) if step in node)


def _steps(path: str) -> list[str]:
    """The steps of one path. Raises ValueError for a path that can't be read."""
    steps = []
    for step in path.split("."):
        found = _STEP.fullmatch(step)
        if found is None:
            raise ValueError(f"redact path {path!r} has a step {step!r}; expected a field's name, * or [*]")
        steps.append(found[1])
    if steps[0] not in ROOTS:
        raise ValueError(f"redact path {path!r} begins with {steps[0]!r}; expected one of {', '.join(ROOTS)}")
    return steps


def _plant(tree: Node, steps: list[str]) -> None:
    """Add one path; a shorter one that is there already covers it."""
    *way, last = steps
    for step in way:
        below = tree.setdefault(step, {})
        if below is None:
            return
        tree = below
    tree[last] = None
