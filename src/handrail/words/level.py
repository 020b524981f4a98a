"""Rungs and levels: how much an agent may do alone with a tool, from least to most."""

from __future__ import annotations

from enum import IntEnum


class Rung(IntEnum):
    """Where a tool stands on the ladder. Rungs are ordered: a higher one never asks for more supervision."""

    SHADOW = 0
    SUGGEST = 1
    PREAPPROVED = 2
    BOUNDED = 3
    AUTONOMOUS = 4

    @property
    def word(self) -> str:
        """The name as people write it in a policy file."""
        return self.name.lower()

    @property
    def plain(self) -> str:
        """The name on pages, for people who do not program."""
        return PLAIN[self]

    @property
    def level(self) -> int | None:
        """The level of autonomy, 0 to 3; None on the shadow rung, where nothing runs."""
        return None if self is Rung.SHADOW else self.value - 1

    @classmethod
    def of(cls, word: str) -> Rung:
        """The rung that a policy file calls ``word``.

        Raises:
            ValueError: there is no such rung.
        """
        rung = WORDS.get(word)
        if rung is None:
            raise ValueError(f"{word!r} is no rung: expected one of {', '.join(WORDS)}")
        return rung


PLAIN = dict(zip(Rung, ("on trial", "asks", "pre-approved", "within limits", "on its own"), strict=True))
"""How pages call each rung."""
WORDS = {rung.word: rung for rung in Rung}
"""Every rung by the word that a policy file uses for it."""
