"""Fixtures for tests of the whole demo."""

from __future__ import annotations

import pytest

from tests.support.demo import KEYS


@pytest.fixture
def no_keys(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No real model plays the agents, and no other store is named."""
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch
