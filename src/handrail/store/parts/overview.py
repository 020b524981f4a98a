"""The numbers that pages show, in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from handrail.store.parts.base import Runner
from handrail.words.overview import Met, Tally

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MET = {each.value: each for each in Met}


@dataclass(frozen=True, slots=True)
class SqlOverview:
    """``ports.Overview`` over named queries."""

    sql: Runner

    def tallies(self, first: str, end: str, digits: int, since: int, width: int) -> Sequence[Tally]:
        """In no order, and only those with any."""
        between = {"first": first, "end": end, "digits": digits, "since": since, "width": width}
        return [
            Tally(begin, number * width, agent, tool, MET[met], count, wrong)
            for begin, number, agent, tool, met, count, wrong in self.sql.rows("tallies", between)
        ]

    def mark(self) -> int:
        """SQLite: the newest entry. PostgreSQL: the oldest transaction that may still be under way."""
        row = self.sql.row("mark")
        return 0 if row is None else int(row[0])

    def told_of(self, mark: int, digits: int) -> Sequence[str]:
        """By the journal's own order. On PostgreSQL it may tell of what was seen already, too."""
        return [row[0] for row in self.sql.rows("told_of", {"mark": mark, "digits": digits})]

    def written(self, mark: int) -> int:
        """As ``told_of``: on PostgreSQL some may have been seen already, but none is ever missing."""
        row = self.sql.row("written", {"mark": mark})
        return 0 if row is None else int(row[0])

    def waiting(self) -> Mapping[tuple[str, str], int]:
        """Only those with any."""
        return {(agent, tool): count for agent, tool, count in self.sql.rows("waiting")}

    def questions(self) -> int:
        """All of them."""
        row = self.sql.row("open_questions")
        return 0 if row is None else int(row[0])
