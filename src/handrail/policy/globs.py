"""Globs over paths, URLs and names: ``*`` is one segment, ``**`` is one or more; matching is linear (RE2).

A value is matched only in normal form: two spellings of one place must never get two answers. What is not in
normal form is refused with a reason, never repaired.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import re2

LONGEST = 4_096
"""The longest value that a glob is matched against, in characters."""
WILD = r"[^/?#;]"
LOOKALIKES = frozenset("⁄∕⧸⟋∖⧵⧹∗․‥…。·܁܂۔ꓸ٪﹪〳〵")
"""Characters that look like a slash, backslash, dot, star or percent sign (Unicode TR39, IDNA)."""
INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

_scheme = re.compile(r"[a-z][a-z0-9+.-]*://")
_escape = re.compile(r"(?:%[0-9A-F]{2})+")
_harmless = frozenset(" \"'<>[]^`{|}")


def is_glob(pattern: str) -> bool:
    """Whether ``pattern`` has a wildcard; without one it is an exact value."""
    return "*" in pattern


def abnormal(value: str) -> str | None:
    """Why ``value`` (a path or name, or a URL without its scheme) is not in normal form; None when it is."""
    if len(value) > LONGEST:
        return f"it is longer than {LONGEST} characters"
    return _letters(value) or _percent(value) or _segments(value)


def _letters(value: str) -> str | None:
    if not value:
        return "it is empty"
    if value.isascii() and value.isprintable():
        return "it has a backslash" if "\\" in value else None
    return _disguised(value) or ("it has a backslash" if "\\" in value else None)


def _disguised(value: str) -> str | None:
    for char in value:
        category = unicodedata.category(char)
        if category in INVISIBLE or (category == "Zs" and char != " "):
            return f"it has the invisible character U+{ord(char):04X}"
        if char in LOOKALIKES:
            return f"it has the look-alike character U+{ord(char):04X}"
    if unicodedata.normalize("NFC", value) != value:
        return "its letters are not composed (Unicode NFC)"
    return "it has compatibility characters" if unicodedata.normalize("NFKC", value) != value else None


def _percent(value: str) -> str | None:
    if "%" not in value:
        return None
    if "%" in _escape.sub("", value):
        return "it has a percent sign that is no escape of two capital hex digits"
    return next((why for found in _escape.findall(value) if (why := _escaped(found))), None)


def _escaped(found: str) -> str | None:
    try:
        meant = bytes.fromhex(found.replace("%", "")).decode("utf-8")
    except UnicodeDecodeError:
        return f"its escape {found} is no UTF-8"
    if any(char.isascii() and char not in _harmless for char in meant) or _disguised(meant):
        return f"its escape {found} hides a character that must stand by itself"
    return None


def _segments(value: str) -> str | None:
    if "//" in value:
        return "it has an empty segment (//)"
    for segment in value.replace("%20", " ").split("/"):
        if segment and not segment.strip("."):
            return f"it has a segment of dots ({segment})"
        if segment != segment.strip():
            return "it has a segment that begins or ends with a blank"
    return None


def glob(pattern: str) -> Callable[[str], str | None]:
    """A function that says why a value does not match ``pattern``; None when it matches.

    Raises:
        ValueError: the pattern can't match anything in normal form, or ``**`` does not stand alone.
    """
    scheme, rest = _split(pattern)
    # "*" and "**" are letters like any other here: only their surroundings must be in normal form
    why = abnormal(rest)
    if why:
        raise ValueError(f"the pattern {pattern!r} can never match: {why}")
    matches = re2.compile(_regex(rest, authority=bool(scheme)), _options()).fullmatch

    def check(value: str) -> str | None:
        if not value.startswith(scheme):
            return f"it does not match {pattern}"
        tail = value[len(scheme) :]
        return abnormal(tail) or (None if matches(tail) else f"it does not match {pattern}")

    return check


def _split(pattern: str) -> tuple[str, str]:
    found = _scheme.match(pattern)
    scheme = found.group() if found else ""
    return scheme, pattern[len(scheme) :]


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    return options


def _regex(rest: str, *, authority: bool) -> str:
    parts = rest.split("/")
    return "/".join(_segment(part, host=authority and index == 0) for index, part in enumerate(parts))


def _segment(part: str, *, host: bool) -> str:
    # in a URL's host a wildcard must not reach over "@" or ":" into another host
    wild = r"[^/?#;@:]" if host else WILD
    if part == "**":
        return f"{wild}+(?:/{WILD}+)*"
    if "**" in part:
        raise ValueError(f"** must stand alone between slashes, not in {part!r}")
    if part == "*":
        return f"{wild}+"
    return f"{wild}*".join(re2.escape(piece) for piece in part.split("*"))
