"""Phrase lists: one linear search (RE2) for many phrases at once, through every disguise that we know."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import groupby

import re2

from handrail.policy.disguise import undisguised

MEMORY = 64 << 20
"""Bytes that RE2 may spend on one phrase list."""
_OTHER = r"[^\p{L}\p{N}_]"


def finder(phrases: tuple[str, ...]) -> Callable[[str], str | None]:
    """A function that gives the first phrase found in a text as whole words, else None.

    Raises:
        ValueError: a phrase is blank or invisible, or the list is too large.
    """
    plain = {_collapsed(undisguised(phrase)): phrase for phrase in phrases}
    search = _compiled([_plain(phrase) for phrase in phrases]).search

    def find(text: str) -> str | None:
        found = search(undisguised(text))
        return plain.get(_collapsed(found.group()), phrases[0]) if found else None

    return find


def _plain(phrase: str) -> str:
    plain = undisguised(phrase).strip()
    if not plain:
        raise ValueError(f"the phrase {phrase!r} has nothing to look for")
    return plain


def _compiled(phrases: list[str]) -> re2._Regexp:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MEMORY
    groups = groupby(sorted(phrases, key=_edges), key=_edges)
    try:
        return re2.compile("|".join(_group(edges, group) for edges, group in groups), options)
    except re2.error as error:
        raise ValueError(f"the phrases can't be searched for: {error}") from error


def _edges(phrase: str) -> tuple[bool, bool]:
    return phrase[0].isalnum(), phrase[-1].isalnum()


def _group(edges: tuple[bool, bool], phrases: Iterable[str]) -> str:
    left = f"(?:^|{_OTHER})" if edges[0] else ""
    right = f"(?:$|{_OTHER})" if edges[1] else ""
    return f"{left}(?:" + "|".join(_words(phrase) for phrase in phrases) + f"){right}"


def _words(phrase: str) -> str:
    # whatever stands between the words, "limited-time" is "limited time"
    return f"{_OTHER}+".join(re2.escape(word) for word in phrase.split())


def _collapsed(text: str) -> str:
    return " ".join(re.split(r"[\W_]+", text)).strip()
