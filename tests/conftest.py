"""Fixtures and settings for every test."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support import postgres

# The same examples in every run, and no deadlines; HANDRAIL_HYPOTHESIS=deep looks for new ones.
settings.register_profile("dev", derandomize=True, deadline=None, max_examples=100)
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=200, print_blob=True)
settings.register_profile(
    "deep", deadline=None, max_examples=5_000, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile(os.environ.get("HANDRAIL_HYPOTHESIS") or ("ci" if os.environ.get("CI") else "dev"))


# Programs under test are interrupted as from a terminal, also where the tests themselves run behind nohup
# or a script's &: an ignored signal is inherited by every program that is started.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are processors: tests wait for processes and servers.

    None on a PostgreSQL that was named: sealing waits for every open transaction of a server, so whoever
    shares one disturbs the others. Otherwise each worker starts its own.
    """
    return 0 if os.environ.get(postgres.VARIABLE) else (os.cpu_count() or 1) + 1


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes that are no readable text are named by their parameter.

    Packed bytes may hold the time, and the test processes of one run must find the same names.
    """
    readable = not isinstance(val, bytes) or (val.isascii() and val.decode().isprintable())
    return None if readable else argname


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of a PostgreSQL server for the whole run; where none can run, tests fail."""
    with postgres.server_url(postgres.FAST) as url:
        yield url


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """URL of a fresh, empty PostgreSQL database, dropped after the test."""
    with postgres.database(postgres_url) as url:
        yield url
