"""One run of the demo in this process, and a look at what it left."""

from __future__ import annotations

import io
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from handrail.app import open_app
from handrail.demo.company import tickets
from handrail.demo.folder import Folder
from handrail.demo.ledger import Row, everything
from handrail.demo.run import run

INBOX = {ticket.slug: ticket for ticket in tickets()}
KEYS = (
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "OPENAI_BASE_URL",
    "ANTHROPIC_BASE_URL",
    "HANDRAIL_DATABASE_URL",
)


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of the demo: what it printed, and its folder."""

    code: int
    text: str
    folder: Folder

    def rows(self) -> list[Row]:
        """Every action in the journal it left."""
        app = open_app(None, database=self.folder.store_url, databases={"shop": "sqlite:///"})
        try:
            return everything(app.store)
        finally:
            app.close()

    def store(self, sql: str) -> list[tuple[Any, ...]]:
        """Look into the store with SQL of one's own."""
        with closing(sqlite3.connect(self.folder.path / "handrail.db")) as db:
            return db.execute(sql).fetchall()

    def books(self, sql: str) -> list[tuple[Any, ...]]:
        """Look into the company's books."""
        with closing(sqlite3.connect(self.folder.database)) as db:
            return db.execute(sql).fetchall()


def headless(path: Path) -> Ran:
    """Run it with nobody looking on."""
    out = io.StringIO()
    code = run(path, headless=True, console=Console(file=out, width=200))
    return Ran(code, out.getvalue(), Folder(path))
