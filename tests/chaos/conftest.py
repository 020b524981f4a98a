"""Processes to kill, and stores that outlive them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.nursery import Nursery, nursery


@pytest.fixture(scope="package")
def processes() -> Iterator[Nursery]:
    """Starts processes that may be killed."""
    with nursery("tests.chaos.crashers") as found:
        yield found
