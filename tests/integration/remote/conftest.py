"""A real server in a process of its own, and rails that talk to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import handrail
from handrail.engine.questions.votes import vote
from handrail.words.approval import Choice
from tests.support.rail import LEAD
from tests.support.server import Served, make_key, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests of a file."""
    with served(tmp_path_factory.mktemp("server")) as running:
        yield running


@contextmanager
def connected(server: Served, agent: str = "support") -> Iterator[handrail.Rail]:
    """A rail with a key of its own."""
    with server.engine() as engine:
        key = make_key(engine, agent)
    with handrail.connect(server.url, key=key) as rail:
        yield rail


@pytest.fixture
def rail(server: Served) -> Iterator[handrail.Rail]:
    """A rail that talks to the server."""
    with connected(server) as opened:
        yield opened


def answered(server: Served, action: str, choice: Choice = Choice.APPROVE) -> None:
    """What a person answers."""
    with server.engine() as engine:
        engine.refresh()
        question = engine.store.read(lambda tx: tx.approvals.of(action))
        assert question is not None
        vote(engine, question.id, LEAD, choice, None, verified=False)


__all__ = ["answered", "connected"]
