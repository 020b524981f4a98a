"""Ids sort in the order in which they were made, and no two are alike."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from handrail.engine.ids import new_id, new_secret


def test_ids_of_one_process_grow_within_a_millisecond() -> None:
    """Newest first is right for actions that were proposed in the same millisecond."""
    made = [new_id() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert all(re.fullmatch("[0-9a-f]{28}", each) for each in made[:100])


def test_ids_grow_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that jumps back an hour does not put new actions behind old ones."""
    before = new_id()
    back = time.time_ns() - 3_600_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: back)
    assert new_id() > before


def test_threads_never_share_an_id_or_a_secret() -> None:
    """Many threads at once get different ids and different secrets."""
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: new_id(), range(4_000)))
        secrets = list(pool.map(lambda _: new_secret(), range(4_000)))
    assert len(set(ids)) == len(set(secrets)) == 4_000
