"""The caps: what keeps a policy's expressions small, and their evaluation bounded."""

from __future__ import annotations

MAX_TEXT = 4_000
"""Characters of one expression."""

MAX_DEPTH = 32
"""Levels of nesting, in the text and in the tree."""

MAX_NODES = 1_000
"""Nodes of one expression's tree."""

MAX_PATTERN = 1_000
"""Characters of a regular expression."""

MAX_PATTERN_MEMORY = 1 << 20
"""Bytes that RE2 may spend on one regular expression."""

MAX_STRING = 100_000
"""Characters of a text that `+` makes."""

MAX_LIST = 10_000
"""Elements of a list that `+` makes."""

MAX_STEPS = 10_000
"""Elements that one outermost `all`, `exists` or `exists_one` may look at, with all that it does to them."""

CHARACTERS_PER_STEP = 1_000
"""Characters of a text that cost as much as one element, where a macro's condition searches texts."""

INT_MIN = -(2**63)
INT_MAX = 2**63 - 1

DIGITS = 34
"""Significant digits of a decimal, as in IEEE 754 decimal128."""

MAX_EXPONENT = 6144
"""Largest exponent of a decimal, as in IEEE 754 decimal128."""

MAX_DURATION_SECONDS = 315_576_000_000
"""About ten thousand years, CEL's own bound."""
