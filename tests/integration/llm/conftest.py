"""One gateway for all tests of a file; each begins with an upstream that behaves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.gateway import Front, front


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with front(tmp_path_factory.mktemp("llm"), HANDRAIL_UPSTREAM_GONE_URL="http://127.0.0.1:1/v1") as found:
        yield found


@pytest.fixture
def gateway(running: Front) -> Front:
    running.up.behaves()
    return running
