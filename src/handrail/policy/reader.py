"""Reads typed values from nodes, and remembers every problem with its place.

A value that can't be read gives a problem and a stand-in of the right type: reading goes on, so that a person
sees every mistake at once. A policy with problems is never handed out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

from handrail.policy.marks import text_of
from handrail.policy.model import Place, Text
from handrail.policy.nearest import nearest
from handrail.policy.units import DURATION, PERCENT, duration, percent
from handrail.policy.yaml import MOST_PROBLEMS, Broken, Items, Node, Pairs, Scalar
from handrail.words.errors import PolicyError
from handrail.words.problem import Problem

T = TypeVar("T")
D = TypeVar("D")

TOOL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,199}")
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_SPELLED = {
    TOOL_NAME: "letters a-z, digits and _ . : - in it, and no spaces",
    IDENTIFIER: "letters a-z, digits and _ . - in it, and no spaces",
    VARIABLE: "letters a-z, digits and _ in it, and no spaces",
}
REDACT_PATH = re.compile(
    r"(args|output|facts|prompts)(\[\*\])*(\.(\*|[^.\[\]*\s]([^.\[\]*]*[^.\[\]*\s])?)(\[\*\])*)*"
)


@dataclass(slots=True)
class Reader:
    """One reading of one policy: the problems so far, and where each key and each key's value stands."""

    file: str
    problems: list[Problem] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)
    values: dict[str, Place] = field(default_factory=dict)

    def report(
        self, place: Place, message: str, expected: str | None = None, near: str | None = None
    ) -> None:
        """Remember a problem.

        Raises:
            PolicyError: there are so many that reading on helps nobody.
        """
        self.problems.append(Problem(place.file, place.line, place.column, message, expected, near))
        if len(self.problems) >= MOST_PROBLEMS:
            raise PolicyError(tuple(self.problems))

    def wrong(self, node: Node, expected: str) -> None:
        """Report that ``node`` is not what was expected, unless it is broken and was reported."""
        if not isinstance(node, Broken):
            self.report(node.place, f"{described(node)} stands here", expected)

    def fields(
        self, node: Node, what: str, *, required: Collection[str] = (), optional: Collection[str] = ()
    ) -> Fields:
        """The mapping at ``node`` with exactly these keys; missing and unknown ones are problems."""
        words = [*required, *optional]
        if not isinstance(node, Pairs):
            self.wrong(node, f"{what} as `key: value` pairs: {', '.join(words)}")
            return Fields(self, node.place, {}, {}, readable=False)
        for key, _ in node.entries:
            if key.text not in words:
                near = nearest(key.text, words)
                self.report(
                    key.place, f"unknown word {key.text!r} in {what}", f"one of {', '.join(words)}", near
                )
        known = {key.text: (key, value) for key, value in node.entries if key.text in words}
        for word in required:
            if word not in known:
                self.report(node.place, f"{what} has no {word!r}", f"`{word}: …`")
        nodes = {word: value for word, (_, value) in known.items()}
        return Fields(self, node.place, nodes, {word: key.place for word, (key, _) in known.items()})

    def entries(self, node: Node, what: str) -> list[tuple[str, Place, Node]]:
        """Name, place of the name, and node of each entry of a mapping whose keys are free."""
        if not isinstance(node, Pairs):
            self.wrong(node, what)
            return []
        return [(key.text, key.place, value) for key, value in node.entries]

    def items(self, node: Node, what: str) -> tuple[Node, ...]:
        """The nodes of a list."""
        if not isinstance(node, Items):
            self.wrong(node, what)
            return ()
        return node.nodes

    def one_or_more(self, node: Node) -> tuple[Node, ...]:
        """The nodes of a list, or the single value that stands for a list of one."""
        return node.nodes if isinstance(node, Items) else (node,)

    def text(self, node: Node, expected: str = "a text") -> str:
        """A text that says something."""
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            quoted = isinstance(node, Scalar) and node.value is not None
            self.wrong(node, f"{expected} (in quotes)" if quoted else expected)
            return ""
        if not node.value.strip():
            self.report(node.place, "an empty text stands here", expected)
        return node.value

    def texts(self, node: Node, what: str = "a list of texts") -> tuple[str, ...]:
        """A list of texts, each once and at least one."""
        nodes = self.items(node, what)
        if isinstance(node, Items) and not nodes:
            self.report(node.place, "an empty list stands here", what)
        found: dict[str, None] = {}
        for item in nodes:
            text = self.text(item)
            if text and text in found:
                self.report(item.place, f"{text!r} stands in this list twice", "each once")
            found[text] = None
        return tuple(found)

    def located(self, node: Node, expected: str = "a text") -> Text:
        """A text with the place of each of its characters."""
        self.text(node, expected)
        return text_of(node) if isinstance(node, Scalar) else Text("", node.place)

    def expression(self, node: Node) -> Text:
        """An expression; ``true`` and numbers need no quotes. It is type-checked later."""
        if not isinstance(node, Scalar) or node.value is None or not node.text.strip():
            self.wrong(node, 'an expression in quotes, such as "amount > 100"')
            return Text("", node.place)
        return text_of(node)

    def named(self, node: Node, pattern: re.Pattern[str], what: str, expected: str | None = None) -> str:
        """A name in normal form: no padding, no look-alike letters."""
        text = self.text(node, what)
        if text.strip():
            self.check_name(text, node.place, pattern, what, expected)
        return text

    def check_name(
        self, text: str, place: Place, pattern: re.Pattern[str], what: str, expected: str | None = None
    ) -> None:
        """Report a name that is not in normal form."""
        if not pattern.fullmatch(text):
            near = text.strip() if pattern.fullmatch(text.strip()) else None
            self.report(place, f"{text!r} is not {what}", expected or _SPELLED[pattern], near)

    def identifier(self, node: Node) -> str:
        """The id of a rule, check or budget, or the name of a group."""
        return self.named(node, IDENTIFIER, "an id")

    def choice(self, node: Node, words: Mapping[str, T], also: str = "") -> T:
        """One of ``words``; the first stands in for an unknown one. ``also`` is what else may stand here."""
        expected = f"one of {', '.join(words)}{also}"
        word = node.text if isinstance(node, Scalar) else None
        if word in words and isinstance(node, Scalar):
            return words[node.text]
        if word is not None:
            near = nearest(word, words)
            self.report(node.place, f"unknown word {word!r}", expected, near)
        else:
            self.wrong(node, expected)
        return next(iter(words.values()))

    def flag(self, node: Node) -> bool:
        """``true`` or ``false``."""
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        self.wrong(node, "true or false")
        return False

    def number(self, node: Node) -> Decimal:
        """An exact number that is not negative."""
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            self.wrong(node, "a number")
        elif value < 0:
            self.report(node.place, f"{value} is negative", "zero or more")
        else:
            return Decimal(value)
        return Decimal(0)

    def whole(self, node: Node) -> int:
        """A whole number that is not negative."""
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
            return value
        self.wrong(node, "a whole number, zero or more")
        return 0

    def spelled(self, node: Node, read: Callable[[str], T], expected: str, instead: T) -> T:
        """What ``read`` makes of a text; a ValueError of it is a problem."""
        text = node.text if isinstance(node, Scalar) else None
        if text is None:
            self.wrong(node, expected)
            return instead
        try:
            return read(text)
        except ValueError as error:
            self.report(node.place, str(error), expected)
            return instead

    def duration(self, node: Node) -> int:
        """A time such as ``4 h``, in milliseconds."""
        return self.spelled(node, duration, DURATION, 1)

    def percent(self, node: Node) -> Decimal:
        """A percentage such as ``90%``, as 90."""
        return self.spelled(node, percent, PERCENT, Decimal(0))

    def remember(self, path: str, fields: Fields) -> None:
        """Remember where each key of ``fields`` and its value stands, as ``path.key``."""
        self.places.setdefault(path, fields.place)
        self.places.update({f"{path}.{word}": place for word, place in fields.places.items()})
        self.values.update({f"{path}.{word}": node.place for word, node in fields.nodes.items()})


@dataclass(frozen=True, slots=True)
class Fields:
    """The keys of one mapping that are known, with their nodes and places."""

    reader: Reader
    place: Place
    nodes: Mapping[str, Node]
    places: Mapping[str, Place]
    readable: bool = True

    def get(self, word: str, read: Callable[[Node], T], default: D) -> T | D:
        """What ``read`` makes of the key's value, or ``default`` if the key is absent."""
        return read(self.nodes[word]) if word in self.nodes else default

    def one_of(self, words: Collection[str], what: str) -> str | None:
        """The one of ``words`` that is there; none and several are problems."""
        found = [word for word in words if word in self.nodes]
        if len(found) > 1:
            message = f"{what} has both {found[0]!r} and {found[1]!r}"
            self.reader.report(self.places[found[1]], message, f"exactly one of {', '.join(words)}")
        elif not found and self.readable:
            self.reader.report(self.place, f"{what} has none of {', '.join(words)}", "exactly one of them")
        return found[0] if found else None


def described(node: Node) -> str:
    """What ``node`` is, in words for people."""
    if isinstance(node, Items):
        return "a list"
    if isinstance(node, Pairs):
        return "a mapping"
    if isinstance(node, Broken) or node.value is None:
        return "nothing"
    return f"{node.text!r}" if len(node.text) <= 60 else f"{node.text[:57]!r}…"  # noqa: PLR2004 fits a line
