"""The nearest valid word to a mistaken one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest_to(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that `word` was probably meant to be, or None."""
    by_case = {each.lower(): each for each in known}
    close = get_close_matches(word.lower(), by_case, n=1)
    return by_case[close[0]] if close else None
