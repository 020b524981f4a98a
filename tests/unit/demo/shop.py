"""A demo company with its books and its mail, and what stands in for a rail where none is tested."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handrail.demo.tools import Desk


@dataclass(frozen=True, slots=True)
class Company:
    """One company: its tools, its books, its sent mail."""

    desk: Desk
    database: Path
    mail: Path

    def ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Look into the books."""
        with closing(sqlite3.connect(self.database)) as db:
            return db.execute(sql, values).fetchall()

    def letters(self) -> list[bytes]:
        """Every message sent so far, in order."""
        return [path.read_bytes() for path in sorted(self.mail.iterdir())]


class NoRail:
    """Lets everything through, and notes how sure the agent was."""

    def __init__(self) -> None:
        self.said: list[tuple[float, str]] = []

    def session(self, *, agent: str, task: str) -> AbstractContextManager[object]:
        return nullcontext()

    def about(self, *, confidence: float, rationale: str) -> AbstractContextManager[object]:
        self.said.append((confidence, rationale))
        return nullcontext()
