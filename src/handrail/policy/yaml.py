"""From text to positioned nodes: YAML 1.2's core schema, and nothing of YAML that can mean two things.

Anchors, aliases, tags, merge keys, directives, several documents, duplicate keys and invisible characters are
problems with a place. Numbers are exact: a decimal is made of its text, never of a binary float.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from handrail.policy.model import Place
from handrail.words.errors import PolicyError
from handrail.words.problem import Problem

if TYPE_CHECKING:
    from ruamel.yaml.error import YAMLError

LARGEST_TEXT = 1_000_000
"""The longest policy text, in bytes of UTF-8."""
MOST_PROBLEMS = 100
"""How many problems are told at once; more help nobody."""
DEEPEST = 20
"""How deeply lists and mappings may be nested."""

Value = str | int | Decimal | bool | None


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value: what it means, and how the file spells it (``raw``, with its quotes or block header)."""

    place: Place
    value: Value
    text: str
    raw: str
    style: str


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    place: Place
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Pairs:
    """A mapping. Its keys are texts, each once."""

    place: Place
    entries: tuple[tuple[Scalar, Node], ...]


@dataclass(frozen=True, slots=True)
class Broken:
    """What stands where nothing could be read; its problem was reported already."""

    place: Place


Node = Scalar | Items | Pairs | Broken


def decoded(data: bytes, file: str) -> str:
    """``data`` as text.

    Raises:
        PolicyError: it is not UTF-8; the problem names the line and column of the first bad byte.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        line, column = _line_and_column(before, len(before))
        problem = Problem(file, line, column, "this is not UTF-8", "a file saved as UTF-8")
        raise PolicyError((problem,)) from error


def parsed(text: str, file: str) -> tuple[Node, list[Problem]]:
    """The nodes of ``text``, with the problems that leave the rest readable.

    Raises:
        PolicyError: nothing can be read: no YAML, too large, too deep, invisible characters.
    """
    _refuse_unreadable(text, file)
    builder = _Builder(text, file)
    try:
        for event in _events(text):
            builder.take(event)
    except _Unreadable as error:
        raise PolicyError((*builder.problems, error.problem)) from error
    except _yaml_error() as error:
        raise PolicyError((*builder.problems, _syntax_problem(error, text, file))) from error
    if builder.root is None:
        builder.problems.append(
            Problem(file, 1, 1, "the file is empty", "a policy that begins with `handrail: 1`")
        )
        raise PolicyError(tuple(builder.problems))
    return builder.root, builder.problems


def _events(text: str) -> Iterable[Any]:
    from ruamel.yaml import YAML

    events: Iterable[Any] = YAML(typ="safe", pure=True).parse(text)
    return events


def _yaml_error() -> type[YAMLError]:
    from ruamel.yaml.error import YAMLError

    return YAMLError


class _Unreadable(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    place: Place
    mapping: bool
    nodes: list[Node] = field(default_factory=list)


class _Builder:
    """Makes nodes of YAML events, and remembers what is wrong with them."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.problems: list[Problem] = []
        self.root: Node | None = None
        self.open: list[_Open] = []

    def take(self, event: Any) -> None:
        """Take one event in; the ends of the document and of the stream mean nothing here."""
        method = _METHODS.get(type(event).__name__)
        if method is not None:
            method(self, event)

    def _place(self, event: Any) -> Place:
        return Place(self.file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _report(self, place: Place, message: str, expected: str | None = None) -> None:
        self.problems.append(Problem(self.file, place.line, place.column, message, expected))
        if len(self.problems) >= MOST_PROBLEMS:
            raise PolicyError(tuple(self.problems))

    def document(self, event: Any) -> None:
        """Begin a document; there is only one."""
        place = self._place(event)
        if event.version or event.tags:
            self._report(Place(self.file, 1, 1), "YAML directives (%) are not used here", "plain YAML 1.2")
        if self.root is not None:
            problem = "a second document begins here"
            raise _Unreadable(Problem(self.file, place.line, place.column, problem, "one document in a file"))

    def begin_mapping(self, event: Any) -> None:
        """Open a mapping."""
        self._begin(event, mapping=True)

    def begin_items(self, event: Any) -> None:
        """Open a list."""
        self._begin(event, mapping=False)

    def _begin(self, event: Any, *, mapping: bool) -> None:
        place = self._place(event)
        self._refuse_decorations(event, place)
        if len(self.open) >= DEEPEST:
            raise _Unreadable(
                Problem(self.file, place.line, place.column, "nested too deeply", f"at most {DEEPEST} levels")
            )
        self.open.append(_Open(place, mapping))

    def end_mapping(self, _event: Any) -> None:
        """Close the innermost mapping."""
        done = self.open.pop()
        self._add(Pairs(done.place, tuple(self._entries(done.nodes))))

    def end_items(self, _event: Any) -> None:
        """Close the innermost list."""
        done = self.open.pop()
        self._add(Items(done.place, tuple(done.nodes)))

    def alias(self, event: Any) -> None:
        """Refuse an alias."""
        place = self._place(event)
        self._report(place, f"an alias (*{event.anchor}) is not allowed", "the value itself")
        self._add(Broken(place))

    def scalar(self, event: Any) -> None:
        """Add a single value."""
        place = self._place(event)
        self._refuse_decorations(event, place)
        raw = self.text[event.start_mark.index : event.end_mark.index]
        style = event.style or ""
        self._refuse_escaped(event.value, place)
        try:
            value = event.value if style else plain_value(event.value)
        except ValueError as error:
            self._report(place, str(error), "an exact number")
            self._add(Broken(place))
        else:
            self._add(Scalar(place, value, event.value, raw, style))

    def _add(self, node: Node) -> None:
        if self.open:
            self.open[-1].nodes.append(node)
        else:
            self.root = node

    def _entries(self, nodes: list[Node]) -> Iterable[tuple[Scalar, Node]]:
        seen: dict[str, Place] = {}
        for key, node in zip(nodes[::2], nodes[1::2], strict=True):
            if not self._good_key(key) or not isinstance(key, Scalar):
                continue
            if key.text in seen:
                first = seen[key.text].line
                self._report(
                    key.place, f"{key.text!r} stands here twice, first in line {first}", "each key once"
                )
                continue
            seen[key.text] = key.place
            yield key, _beside(key, node)

    def _good_key(self, key: Node) -> bool:
        if isinstance(key, Scalar) and isinstance(key.value, str):
            if key.text == "<<" and not key.style:
                self._report(key.place, "a merge key (<<) is not allowed", "the values themselves")
                return False
            return True
        if not isinstance(key, Broken):
            shown = repr(key.text) if isinstance(key, Scalar) else "a list or mapping"
            self._report(key.place, f"{shown} can't be a key", "a word (in quotes if it looks like a number)")
        return False

    def _refuse_decorations(self, event: Any, place: Place) -> None:
        if event.anchor is not None:
            self._report(place, f"an anchor (&{event.anchor}) is not allowed", "the value itself")
        if event.ctag is not None:
            self._report(place, f"a tag ({event.ctag}) is not allowed", "a plain value")

    def _refuse_escaped(self, value: str, place: Place) -> None:
        bad = next((char for char in value if _hidden(char) and unicodedata.category(char) != "Cf"), None)
        if bad is not None:
            self._report(place, f"the text has the control character U+{ord(bad):04X}", "readable text")


def _beside(key: Scalar, node: Node) -> Node:
    """The key's value; where there is none, it stands after the key and not where the next thing begins."""
    if isinstance(node, Scalar) and not node.raw:
        return replace(node, place=replace(key.place, column=key.place.column + len(key.raw) + 1))
    return node


_METHODS: dict[str, Callable[[_Builder, Any], None]] = {
    "DocumentStartEvent": _Builder.document,
    "MappingStartEvent": _Builder.begin_mapping,
    "MappingEndEvent": _Builder.end_mapping,
    "SequenceStartEvent": _Builder.begin_items,
    "SequenceEndEvent": _Builder.end_items,
    "AliasEvent": _Builder.alias,
    "ScalarEvent": _Builder.scalar,
}
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {
    word: value
    for value in (True, False)
    for text in [str(value)]
    for word in (text, text.lower(), text.upper())
}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LONGEST_NUMBER = 40
_LARGEST_EXPONENT = 30


def plain_value(text: str) -> Value:
    """What an unquoted ``text`` means in YAML 1.2's core schema.

    Raises:
        ValueError: a number that is not finite, or has more digits than anything here needs.
    """
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is not a finite number")
    if _INTEGER.fullmatch(text) and len(text) <= _LONGEST_NUMBER:
        return int(text, 10) if text[:2] not in {"0o", "0x"} else int(text, 0)
    if _DECIMAL.fullmatch(text):
        return _exact(text)
    return text


def _exact(text: str) -> Decimal:
    number = Decimal(text) if len(text) <= _LONGEST_NUMBER else None
    if number is None or abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise ValueError(f"{text[:_LONGEST_NUMBER]} is too large or too fine a number")
    return number


def _hidden(char: str) -> bool:
    """Whether ``char`` can't be seen, and so could make a text mean something else than it shows."""
    return char not in "\n\t\r" and unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def _refuse_unreadable(text: str, file: str) -> None:
    if len(text) > LARGEST_TEXT or len(text.encode("utf-8", "surrogatepass")) > LARGEST_TEXT:
        raise PolicyError((Problem(file, 1, 1, "the file is too large", f"at most {LARGEST_TEXT:,} bytes"),))
    lonely = re.search(r"\r(?!\n)", text)
    problems = [] if lonely is None else [_invisible(text, lonely.start(), file)]
    if not text.isascii() or not text.replace("\n", "").replace("\r", "").replace("\t", "").isprintable():
        problems += [_invisible(text, index, file) for index, char in enumerate(text) if _hidden(char)][:10]
    if problems:
        raise PolicyError(tuple(problems))


def _invisible(text: str, index: int, file: str) -> Problem:
    code = f"U+{ord(text[index]):04X}"
    line, column = _line_and_column(text, index)
    if index == 0 and code == "U+FEFF":
        return Problem(file, line, column, "the file begins with a byte order mark", "UTF-8 without one")
    expected = f'visible text (or an escape such as "\\u{ord(text[index]):04x}" in double quotes)'
    return Problem(file, line, column, f"an invisible character ({code})", expected)


def _line_and_column(text: str, index: int) -> tuple[int, int]:
    return text.count("\n", 0, index) + 1, index - (text.rfind("\n", 0, index) + 1) + 1


def _syntax_problem(error: YAMLError, text: str, file: str) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    index = min(mark.index if mark is not None else 0, len(text))
    line, column = _line_and_column(text, index)
    if text[index : index + 1] == "\t":
        return Problem(file, line, column, "a tab", "spaces")
    said = getattr(error, "problem", None) or "this can't be read"
    context = getattr(error, "context", None)
    return Problem(file, line, column, f"{said} {context}" if context else said, "YAML")
