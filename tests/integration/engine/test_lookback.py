"""Searching the log back from its newest entry: page by page, in time, and never for long."""

from __future__ import annotations

import pytest

from handrail.engine.views import lookback
from handrail.engine.views.lookback import Look, look_back
from handrail.ports import Commit
from handrail.words.entry import Entry, Kind
from handrail.words.query import EntryFilter
from tests.support.rail import Desk

AT = 1_700_000_000_000
MINUTE = 60_000


def told(desk: Desk, count: int) -> list[int]:
    """So many entries, a minute apart; every tenth is another agent's. Their numbers, oldest first."""
    entries = [
        Entry(
            Kind.PROMOTED, AT + MINUTE * each, b'{"n":%d}' % each, agent="rare" if each % 10 == 0 else "often"
        )
        for each in range(count)
    ]
    store = desk.app.store
    before = {each.seq for each in store.read(lambda tx: tx.journal.after(0, 1_000_000))}
    store.write(Commit.PROPOSE, lambda tx: tx.journal.append(entries))
    found = store.read(lambda tx: tx.journal.after(0, 1_000_000))
    return [each.seq for each in found if each.seq not in before]


def look(desk: Desk, patience: float = 10.0, **wanted: int | str) -> Look:
    """What one look finds."""
    return desk.app.store.read(lambda tx: look_back(tx, EntryFilter(**wanted), patience))  # type: ignore[arg-type]


def numbers(found: Look) -> list[int]:
    """The numbers of what was found."""
    return [each.seq for each in found.entries]


def test_pages_follow_each_other_without_gap_or_repeat(desk: Desk) -> None:
    seqs = told(desk, 25)[::-1]
    first = look(desk, limit=10)
    assert numbers(first) == seqs[:10]
    assert first.full
    second = look(desk, limit=10, before=first.before or 0)
    assert numbers(second) == seqs[10:20]
    last = look(desk, limit=1_000, before=second.before or 0, agent="often")
    assert numbers(last) == [each for each in seqs[20:] if each != seqs[-1]]
    assert last.before is None
    assert not last.full


def test_a_look_whose_time_is_over_says_how_far_it_came_and_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookback, "SLICE", 4)
    seqs = told(desk, 21)
    first = look(desk, 0.0, agent="rare", limit=10)
    assert numbers(first) == [seqs[20]]
    assert not first.full
    assert first.reached == AT + 17 * MINUTE
    found, before = numbers(first), first.before
    while before is not None:
        further = look(desk, 0.0, agent="rare", limit=10, before=before)
        found, before = found + numbers(further), further.before
    assert found == [seqs[20], seqs[10], seqs[0]]


def test_a_time_long_ago_is_found_without_reading_what_came_since(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookback, "SLICE", 16)
    monkeypatch.setattr(lookback, "NEARBY", 2)
    seqs = told(desk, 300)
    found = look(desk, 0.0, since=AT + 50 * MINUTE, until=AT + 53 * MINUTE)
    assert numbers(found) == [seqs[52], seqs[51], seqs[50]]


def test_nothing_is_looked_at_before_the_wanted_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookback, "SLICE", 4)
    told(desk, 100)
    found = look(desk, agent="nobody", since=AT + 90 * MINUTE)
    assert numbers(found) == []
    assert found.before is None
    assert found.reached is not None
    assert found.reached > AT + 80 * MINUTE


def test_an_empty_journal_has_no_page_that_follows(desk: Desk) -> None:
    found = look(desk, kind=Kind.ERASED)
    assert found == Look((), None, found.reached, full=False)
