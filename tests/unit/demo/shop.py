"""A demo company with its books and its mail, and what takes the place of rail and gateway."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handrail.demo.company import tickets
from handrail.demo.stand_in import StandIn
from handrail.demo.tools import Desk

STAND_IN = StandIn(tickets())


def ask(path: str, body: Mapping[str, object], **_: str) -> Any:
    """Ask the stand-in with no gateway between."""
    assert path == "shop/v1/chat/completions"
    status, answer = STAND_IN.answer(body)
    assert status == 200, answer
    return answer


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

    def resume(self, action: str) -> object:
        return f"{action} ran"
