"""The nearest valid word, for people who mistyped one."""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST = 60


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The one of ``words`` that ``word`` was probably meant to be, or None."""
    if len(word) > _LONGEST:
        return None
    from difflib import get_close_matches

    folded = {known.casefold(): known for known in words}
    found = get_close_matches(word.strip().casefold(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None
