"""A demo company for every test here: its books in a temporary folder, its mail in a real sink."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from handrail.demo.company import build, tickets
from handrail.demo.sink import outbox
from handrail.demo.tools import Desk, Office
from tests.unit.demo.shop import Company

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    database = tmp_path / "company.db"
    build(database, tickets(), NOW)
    with outbox(tmp_path / "outbox") as (host, port):
        yield Company(Desk(Office(database, host, port)), database, tmp_path / "outbox")
