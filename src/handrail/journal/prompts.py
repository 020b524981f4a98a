"""Prompts as people read them: streams put together, pictures and vectors cut, keys never shown.

What is kept of a call of a model is made here from the bytes that went out and came back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import count
from typing import Any, Final

import msgspec
import re2

from handrail.journal.redaction import REDACTED

LARGEST: Final = 1_048_576
"""Characters of one request, or of one response, that are kept."""
_SHAPES: Final = (
    r"\bsk-[A-Za-z0-9_-]{16,}",
    r"\bhr_[as]_[0-9A-Za-z]+_[0-9a-f]{16,}",
    r"\bxox[a-z]-[A-Za-z0-9-]{10,}",
    r"\bgh[pousr]_[A-Za-z0-9]{20,}",
    r"\bgithub_pat_\w{20,}",
    r"\bA[KS]IA[0-9A-Z]{16}\b",
    r"\bAIza[0-9A-Za-z_-]{30,}",
    r"\b(?:gsk|hf|pypi|glpat|sk_live|rk_live)[_-][A-Za-z0-9_-]{20,}",
    r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+",
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]*(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?",
)
KEYS: Final = re2.compile("|".join(_SHAPES))
"""Keys of providers, of Handrail and of other services, by their shapes."""
_NUMBERS: Final = 32
_BASE64: Final = 1_000
_PLAIN: Final = re.compile(r"[A-Za-z0-9+/_=\r\n-]+")
_DATA: Final = re.compile(r"data:[\w.+/;=-]{0,100};base64,[A-Za-z0-9+/_=\r\n-]{200,}")
_EVENT_END: Final = re.compile(rb"\r?\n\r?\n|\r\r")
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_decode = msgspec.json.Decoder().decode


def readable(body: bytes) -> object:
    """A body as a value: JSON decoded, the events of a stream put together, anything else as text.

    Pictures, sound and vectors are cut: they are large, and nobody reads them.
    """
    return read(body)[0]


def read(body: bytes) -> tuple[object, bool]:
    """As ``readable``, and whether its fields stand where the API has them: a stream's pieces do not."""
    value, placed = _value(body)
    return _short(value), placed


def without(
    value: object, hidden: Collection[str], take_out: Callable[[str, Collection[str]], str]
) -> object:
    """A value without keys, and without the values that are ``hidden``, which ``take_out`` finds in texts."""
    # one search through all texts, which meet in no key, is many times faster than one for each
    if not hidden and not KEYS.search("\0".join(_texts(value))):
        return value
    return _without(value, hidden, take_out)


def _texts(value: object) -> list[str]:
    """Every text in a value, in no order."""
    found: list[str] = []
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, str):
            found.append(each)
        elif isinstance(each, dict):
            left.extend(each)
            left.extend(each.values())
        elif isinstance(each, list):
            left.extend(each)
    return found


def _without(
    value: object, hidden: Collection[str], take_out: Callable[[str, Collection[str]], str]
) -> object:
    if isinstance(value, str):
        text = KEYS.sub(REDACTED, value)
        return take_out(text, hidden) if hidden else text
    if isinstance(value, dict):
        names = _names(value, hidden, take_out)
        return {
            name: _without(item, hidden, take_out) for name, item in zip(names, value.values(), strict=True)
        }
    if isinstance(value, list):
        return [_without(item, hidden, take_out) for item in value]
    if hidden and not isinstance(value, bool) and isinstance(value, int | float) and str(value) in hidden:
        return REDACTED
    return value


def _names(
    value: Mapping[str, object], hidden: Collection[str], take_out: Callable[[str, Collection[str]], str]
) -> Iterator[str]:
    """The names in an object, without what they hide; two that become one are told apart by a number."""
    taken, number = set(value), count(2)
    for name in value:
        less = first = str(_without(name, hidden, take_out))
        while less != name and less in taken:
            less = f"{first} {next(number)}"
        taken.add(less)
        yield less


def words_of(text: str) -> tuple[str, ...]:
    """What is looked for: every word must be found."""
    return tuple(text.casefold().split())


def found_in(text: str, words: Collection[str]) -> bool:
    """Whether every word stands in the text."""
    plain = text.casefold()
    return all(word in plain for word in words)


def _value(body: bytes) -> tuple[object, bool]:
    start = body[:200].lstrip()
    if start.startswith((b"data:", b"event:", b":", b"id:", b"retry:")):
        events = list(_events(body))
        if events:
            return _together(events)
    try:
        return _decode(body), True
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body.decode("utf-8", "replace"), False


def _events(body: bytes) -> Iterator[Mapping[str, Any]]:
    """The data of each event of a stream, as far as it is a JSON object."""
    for event in _EVENT_END.split(body):
        lines = [line[5:].strip() for line in _LINE_END.split(event) if line.startswith(b"data:")]
        try:
            data = _decode(b"\n".join(lines)) if lines else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        if isinstance(data, Mapping):
            yield data


def _together(events: list[Mapping[str, Any]]) -> tuple[object, bool]:
    """What a stream said, as its API would have said it whole; else the pieces of text joined."""
    for event in reversed(events):
        if isinstance(event.get("response"), Mapping) and event.get("type") != "response.created":
            whole: object = event["response"]
            if event.get("type") in {"response.completed", "response.incomplete", "response.failed"}:
                return whole, True
    parts: dict[str, list[str]] = {}
    for event in events:
        for name, piece in _pieces(event):
            parts.setdefault(name, []).append(piece)
    told: dict[str, object] = {name: "".join(pieces) for name, pieces in parts.items()}
    for name in ("model", "usage", "usageMetadata", "error"):
        found = [each[name] for each in events if each.get(name)]
        if found:
            told[name] = found[-1]
    return {"events": len(events), **told}, False


def _pieces(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The pieces of text in one event, each with the name of what it belongs to."""
    for choice in _maps(event.get("choices")):
        yield from _delta(choice.get("delta"), _numbered("text", choice.get("index")))
    for candidate in _maps(event.get("candidates")):
        content = candidate.get("content")
        for part in _maps(content.get("parts") if isinstance(content, Mapping) else None):
            yield from _strings({"text": part.get("text"), "call": _json(part.get("functionCall"))})
    place = event.get("index", event.get("output_index"))
    for block in (event.get("content_block"), event.get("item")):
        if isinstance(block, Mapping) and isinstance(block.get("name"), str):
            yield _numbered("tool", place), block["name"]
    delta = event.get("delta")
    if isinstance(delta, Mapping):
        yield from _strings(
            {
                _numbered("text", place): delta.get("text"),
                _numbered("thinking", place): delta.get("thinking"),
                _numbered("arguments", place): delta.get("partial_json"),
            }
        )
    elif isinstance(delta, str):
        kind = "arguments" if "arguments" in str(event.get("type")) else "text"
        yield _numbered(kind, place), delta


def _delta(delta: object, name: str) -> Iterator[tuple[str, str]]:
    """The pieces of one delta of chat completions."""
    if not isinstance(delta, Mapping):
        return
    yield from _strings(
        {
            name: delta.get("content"),
            "thinking": delta.get("reasoning_content"),
            "refusal": delta.get("refusal"),
        }
    )
    for call in _maps(delta.get("tool_calls")):
        function = call.get("function")
        if isinstance(function, Mapping):
            place = call.get("index")
            named = {_numbered("tool", place): function.get("name")}
            yield from _strings({**named, _numbered("arguments", place): function.get("arguments")})


def _strings(pieces: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, piece in pieces.items():
        if isinstance(piece, str) and piece:
            yield name, piece


def _maps(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        yield from (each for each in value if isinstance(each, Mapping))


def _json(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _numbered(name: str, place: object) -> str:
    """The first of several has no number."""
    return f"{name} {place + 1}" if isinstance(place, int) and place > 0 else name


def _short(value: object) -> object:
    if isinstance(value, str):
        return _short_text(value)
    if isinstance(value, dict):
        return {key: _short(item) for key, item in value.items()}
    if isinstance(value, list):
        if len(value) > _NUMBERS and all(isinstance(each, int | float) for each in value):
            return f"[{len(value):,} numbers]"
        return [_short(item) for item in value]
    return value


def _short_text(text: str) -> str:
    if len(text) > _BASE64 and _PLAIN.fullmatch(text):
        return f"[{len(text):,} characters of base64]"
    return (
        _DATA.sub(lambda found: f"[{len(found[0]):,} characters of base64]", text)
        if ";base64," in text
        else text
    )
