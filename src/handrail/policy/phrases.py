"""Phrase lists: one linear search (RE2) for many phrases at once, through every disguise that we know."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import groupby

import re2

from handrail.policy.disguise import undisguised

MEMORY = 64 << 20
"""Bytes that RE2 may spend on one phrase list."""
_OTHER = r"[^\p{L}\p{N}]"
# linear like RE2, as it is one class repeated, and much faster at replacing
_between = re.compile(r"[\W_]+")

Find = Callable[[str], str | None]


def finder(phrases: tuple[str, ...]) -> Find:
    """A function that gives a phrase that a text has as whole words, else None.

    Raises:
        ValueError: a phrase is blank or invisible, or the list is too large.
    """
    plain = {_plain(phrase): phrase for phrase in phrases}
    words = {_words(text): phrase for text, phrase in plain.items() if _words(text) == _spaced(text)}
    signs = [text for text in plain if _words(text) != _spaced(text)]
    find_words, find_signs = _words_finder(words), _signs_finder(signs, plain)

    def find(text: str) -> str | None:
        bare = undisguised(text)
        return find_words(bare) or find_signs(bare)

    return find


def _plain(phrase: str) -> str:
    plain = undisguised(phrase).strip()
    if not plain:
        raise ValueError(f"the phrase {phrase!r} has nothing to look for")
    return plain


def _words(text: str) -> str:
    """The words alone, whatever stands between them: "limited-time" is "limited time"."""
    return _between.sub(" ", text).strip()


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _words_finder(phrases: dict[str, str]) -> Find:
    """Finds phrases that are words only, in a text of which the words are left."""
    if not phrases:
        return _nothing
    some = "|".join(map(re2.escape, phrases))
    search = _compiled(f"(?:^| )(?:{some})(?: |$)").search

    def find(text: str) -> str | None:
        found = search(_words(text))
        return phrases[found.group().strip()] if found else None

    return find


def _signs_finder(phrases: list[str], plain: dict[str, str]) -> Find:
    """Finds phrases with signs in them, such as "100% guarantee"; between its words there may be anything."""
    if not phrases:
        return _nothing
    groups = groupby(sorted(phrases, key=_edges), key=_edges)
    search = _compiled("|".join(_group(edges, group) for edges, group in groups)).search
    known = {_words(phrase): plain[phrase] for phrase in phrases}

    def find(text: str) -> str | None:
        found = search(text)
        return known.get(_words(found.group()), plain[phrases[0]]) if found else None

    return find


def _nothing(_text: str) -> str | None:
    return None


def _compiled(pattern: str) -> re2._Regexp:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MEMORY
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise ValueError(f"the phrases can't be searched for: {error}") from error


def _edges(phrase: str) -> tuple[bool, bool]:
    return phrase[0].isalnum(), phrase[-1].isalnum()


def _group(edges: tuple[bool, bool], phrases: Iterable[str]) -> str:
    left = f"(?:^|{_OTHER})" if edges[0] else ""
    right = f"(?:$|{_OTHER})" if edges[1] else ""
    some = "|".join(f"{_OTHER}+".join(map(re2.escape, phrase.split())) for phrase in phrases)
    return f"{left}(?:{some}){right}"
