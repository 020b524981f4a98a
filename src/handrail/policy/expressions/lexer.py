"""Text into tokens, each with its place. Anything outside the subset is named in the error."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from handrail.policy.expressions.arithmetic import decimal_of_text
from handrail.policy.expressions.errors import EvaluationError, ExpressionError
from handrail.policy.expressions.limits import INT_MAX, MAX_TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(
    r"""(?P<space>[\t\n\f\r\ ]+|//[^\n]*)
      | (?P<decimal>[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)
      | (?P<int>0x[0-9a-fA-F]+|[0-9]+)
      | (?P<string>[rRbB]{0,2}(?:\"{3}|'{3}|["']))
      | (?P<name>[_a-zA-Z][_a-zA-Z0-9]*)
      | (?P<op>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()\[\]{}])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(
    r"""\\(?:(?P<simple>[abfnrtv\\?"'`]) | [xX](?P<hex>[0-9a-fA-F]{2}) | (?P<octal>[0-3][0-7]{2})
           | u(?P<short>[0-9a-fA-F]{4}) | U(?P<long>[0-9a-fA-F]{8}))""",
    re.VERBOSE,
)
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_INSTEAD = {
    "=": "==",
    "&": "&&",
    "|": "||",
    "\u2018": "a straight quote '",
    "\u2019": "a straight quote '",
    "\u201c": 'a straight quote "',
    "\u201d": 'a straight quote "',
    "\u2260": "!=",
    "\u2264": "<=",
    "\u2265": ">=",
}
_SURROGATES = range(0xD800, 0xE000)
_LAST_CHARACTER = 0x10FFFF
_INT_DIGITS = 40


@dataclass(frozen=True, slots=True)
class Token:
    """One word of the text: its kind (int, decimal, string, name, op, end), itself, its value, its place."""

    kind: str
    text: str
    value: Any
    offset: int
    end: int


def tokens(text: str) -> list[Token]:
    """Return the tokens of an expression, an `end` token last. Raises ExpressionError."""
    if len(text) > MAX_TEXT:
        message = f"the expression is {len(text)} characters long"
        raise ExpressionError(message, MAX_TEXT, expected=f"at most {MAX_TEXT}")
    return [*_scan(text), Token("end", "", None, len(text), len(text))]


def _scan(text: str) -> Iterator[Token]:
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _unexpected(text, place)
        kind, word = str(match.lastgroup), match.group()
        if kind == "string":
            token = _string(text, word, place)
        else:
            token = Token(kind, word, _VALUES[kind](word, place), place, match.end())
        if kind in ("int", "decimal"):
            _refuse_tail(text, token)
        if kind != "space":
            yield token
        place = token.end


def _unexpected(text: str, place: int) -> ExpressionError:
    character = text[place]
    return ExpressionError(f"unexpected character {character!a}", place, nearest=_INSTEAD.get(character))


def _refuse_tail(text: str, number: Token) -> None:
    tail = text[number.end : number.end + 1]
    if tail in ("u", "U"):
        message = "unsigned numbers are not in the subset"
        raise ExpressionError(message, number.offset, nearest=number.text)
    if tail.isalnum() or tail == "_":
        message = f"a number cannot be followed by {tail!a}"
        raise ExpressionError(message, number.end)


def _int(word: str, place: int) -> int:
    value = int(word, 0 if word.startswith("0x") else 10) if len(word) <= _INT_DIGITS else INT_MAX + 2
    # One more than the largest is allowed for the parser, which refuses it unless a minus stands before it.
    if value > INT_MAX + 1:
        message = "the number does not fit into 64 bits"
        raise ExpressionError(message, place, expected=f"at most {INT_MAX}")
    return value


def _decimal(word: str, place: int) -> Decimal:
    try:
        return decimal_of_text(word)
    except EvaluationError as error:
        raise ExpressionError(error.why, place) from None


def _string(text: str, opening: str, place: int) -> Token:
    quote = opening.lstrip("rRbB")
    prefix = opening.removesuffix(quote).lower()
    if "b" in prefix or len(prefix) > 1:
        message = "bytes are not in the subset"
        raise ExpressionError(message, place, expected="a text without the prefix")
    start = place + len(opening)
    end = _closing(text, quote, start, raw=prefix == "r")
    if end < 0 or (len(quote) == 1 and re.search(r"[\r\n]", text[start:end])):
        message = "the text is not closed"
        raise ExpressionError(message, place, expected=quote)
    body = text[start:end]
    value = body if prefix == "r" else _unescape(body, start)
    return Token("string", text[place : end + len(quote)], value, place, end + len(quote))


def _closing(text: str, quote: str, start: int, *, raw: bool) -> int:
    """Return where the closing quote stands, or -1."""
    place = start
    while place < len(text):
        if text.startswith(quote, place):
            return place
        place += 2 if text[place] == "\\" and not raw else 1
    return -1


def _unescape(body: str, start: int) -> str:
    parts: list[str] = []
    place = 0
    while (slash := body.find("\\", place)) >= 0:
        match = _ESCAPE.match(body, slash)
        if match is None:
            message = "unknown escape in a text"
            raise ExpressionError(message, start + slash, expected=r"\\ \" \' \n \r \t \xHH or \uHHHH")
        parts += (body[place:slash], _character(match, start + slash))
        place = match.end()
    return "".join((*parts, body[place:]))


def _character(match: re.Match[str], place: int) -> str:
    simple = match["simple"]
    if simple is not None:
        return _SIMPLE.get(simple, simple)
    digits = match["hex"] or match["short"] or match["long"]
    code = int(match["octal"], 8) if digits is None else int(digits, 16)
    if code in _SURROGATES or code > _LAST_CHARACTER:
        message = "the escape names no character"
        raise ExpressionError(message, place)
    return chr(code)


def _itself(word: str, place: int) -> str:  # noqa: ARG001 - all readers of tokens are called alike
    return word


_VALUES: dict[str, Any] = {"int": _int, "decimal": _decimal, "name": _itself, "op": _itself, "space": _itself}
