"""One upstream for all tests of a file; each begins with one that behaves, and a desk of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.metered import POLICY, given_out
from tests.support.rail import Desk, opened
from tests.support.upstream import Upstream, upstream


@pytest.fixture(scope="module")
def running() -> Iterator[Upstream]:
    with upstream() as found:
        yield found


@pytest.fixture
def up(running: Upstream) -> Upstream:
    running.behaves()
    return running


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with opened(tmp_path, f"sqlite:///{tmp_path / 'handrail.db'}", POLICY) as found:
        yield found
        while given_out:
            given_out.pop().close()
