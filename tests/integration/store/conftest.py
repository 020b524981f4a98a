"""Stores of both kinds, as many as a test asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from tests.support import postgres

NewUrl = Callable[[str], str]


@pytest.fixture
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewUrl]:
    """The URL of a store that does not exist yet, of the kind that is asked for."""
    numbers = count()
    with ExitStack() as stack:

        def make(kind: str) -> str:
            if kind == "sqlite":
                return f"sqlite:///{tmp_path / f'store-{next(numbers)}.db'}"
            url: str = stack.enter_context(postgres.database(request.getfixturevalue("postgres_url")))
            return url

        yield make
