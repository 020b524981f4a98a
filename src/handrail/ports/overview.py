"""The numbers that pages show, counted by the store: reads only, each fast with a million actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from handrail.words.overview import Tally


class Overview(Protocol):
    """Counts for people."""

    def tallies(self, first: str, end: str, digits: int, since: int, width: int) -> Sequence[Tally]:
        """The agents' actions proposed since then whose ids lie between two, the second one excluded.

        By the first ``digits`` of their ids, stretch of time, agent, tool and what they met with. A stretch
        is ``width`` milliseconds long and begins at a multiple of it.
        """

    def mark(self) -> int:
        """Where ``told_of`` begins for what is written after this snapshot."""

    def told_of(self, mark: int, digits: int) -> Sequence[str]:
        """What the ids begin with of all actions of which entries tell that came after the mark, each once.

        Nothing becomes of an action that no entry tells of.
        """

    def written(self, mark: int) -> int:
        """How many entries came after the mark: more than before, once anything changed that pages show."""

    def waiting(self) -> Mapping[tuple[str, str], int]:
        """How many actions wait for people now, by agent and tool."""

    def questions(self) -> int:
        """How many questions are open."""
