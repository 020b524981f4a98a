"""Patterns for language models, ``upstream:model``: ``*`` stands for any text, all else for itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import re2

MODEL = re.compile(r"[a-z0-9*][a-z0-9_.*-]{0,59}:\S{1,200}")
"""An upstream's name and, after the first colon, a model's; each may have stars."""
SPELLED = 'a model as "upstream:model", such as "openai:gpt-5*"'
LONGEST = 300
"""Characters of a name that is compared with patterns; a longer one matches none."""


def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a name such as ``openai:gpt-5-mini`` is one of the pattern's."""
    options = re2.Options()
    options.log_errors = False
    text = ".*".join(re2.escape(part) for part in re.split(r"\*+", pattern))
    matches = re2.compile(text, options).fullmatch
    return lambda name: len(name) <= LONGEST and matches(name) is not None


def overlap(one: str, other: str) -> bool:
    """Whether some name matches both patterns."""

    @cache
    def meet(left: int, right: int) -> bool:
        if left == len(one) or right == len(other):
            return not one[left:].strip("*") and not other[right:].strip("*")
        if "*" in (one[left], other[right]):
            return meet(left + 1, right) or meet(left, right + 1)
        return one[left] == other[right] and meet(left + 1, right + 1)

    return meet(0, 0)
