"""Payloads go when their time is over; what is under way keeps its own, and the log stays proven."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import handrail
from handrail.engine import jobs, retention
from handrail.engine.keeper import LOOK_EVERY, Keeper
from handrail.words.entry import Kind
from handrail.words.lifecycle import State
from tests.support import postgres
from tests.support.rail import POLICY, Desk, opened

KEEPS = POLICY + "data: {keep: {payloads: 30 days}}\n"
LONG_AGO = 31 * 24 * 3_600_000


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A store of either kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'handrail.db'}"
        return
    with postgres.database(request.getfixturevalue("postgres_url")) as found:
        yield found


def worked(desk: Desk) -> tuple[str, str]:
    """An action that is done and one that is held, both long ago; their ids."""

    @desk.rail.tool
    def refund(order: str, amount: float, reason: str = "") -> str:
        return f"paid {order}"

    with desk.rail.session("support", "t"):
        refund("o-1", 5)
        with pytest.raises(handrail.Held):
            refund("o-2", 500)
    desk.sql(f"update actions set updated_at = updated_at - {LONG_AGO}")
    [done], [held] = desk.actions(State.DONE), desk.actions(State.HELD)
    return done.id, held.id


def kept(desk: Desk, action: str) -> bool:
    """Whether its payload is there."""
    return desk.app.store.read(lambda tx: tx.actions.payload(action)) is not None


def test_what_ended_long_ago_loses_its_payload_and_the_log_stays_proven(url: str, tmp_path: Path) -> None:
    """What still waits keeps its own, the entries stay, and one tells how many were erased."""
    with opened(tmp_path, url, KEEPS, keeper=False) as desk:
        done, held = worked(desk)
        jobs.seal(desk.app.engine)
        before = desk.entries(done)
        assert retention.erase(desk.app.engine) == 1
        assert (kept(desk, done), kept(desk, held)) == (False, True)
        assert desk.entries(done) == before
        jobs.seal(desk.app.engine)
        report = desk.verified()
        assert (report.ok, report.unsealed.count) == (True, 0)
        erased = desk.entries()[-1]
        assert erased.kind is Kind.ERASED
        assert b'"payloads":1' in erased.body
        assert retention.erase(desk.app.engine) == 0
        assert desk.kinds().count(Kind.ERASED) == 1


def test_nothing_is_erased_before_its_time_or_without_a_word_in_the_policy(url: str, tmp_path: Path) -> None:
    """The twins: a policy that keeps, and an action that ended just now."""
    with opened(tmp_path, url, POLICY, keeper=False) as desk:
        done, _ = worked(desk)
        assert retention.erase(desk.app.engine) == 0
        desk.activate(KEEPS)
        desk.sql(f"update actions set updated_at = updated_at + {LONG_AGO}")
        assert retention.erase(desk.app.engine) == 0
        assert kept(desk, done)
        desk.sql(f"update actions set updated_at = updated_at - {LONG_AGO}")
        assert retention.erase(desk.app.engine) == 1


def test_more_than_one_batch_is_erased(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batch after batch, each told of."""
    monkeypatch.setattr(retention, "BATCH", 2)
    with opened(tmp_path, f"sqlite:///{tmp_path / 'h.db'}", KEEPS, keeper=False) as desk:

        @desk.rail.tool
        def find(text: str) -> str:
            return text

        with desk.rail.session("support", "t"):
            for number in range(5):
                find(str(number))
        desk.sql(f"update actions set updated_at = updated_at - {LONG_AGO}")
        assert retention.erase(desk.app.engine) == 5
        assert desk.kinds().count(Kind.ERASED) == 3


def test_an_embedded_rails_keeper_erases_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At its first look, and then once an hour."""
    with opened(tmp_path, f"sqlite:///{tmp_path / 'h.db'}", KEEPS, keeper=False) as desk:
        done, _ = worked(desk)
        keeper = Keeper(desk.app.engine)
        monkeypatch.setattr(keeper, "_looked", keeper._looked - LOOK_EVERY)
        keeper._round(desk.app.engine)
        assert not kept(desk, done)
        keeper.stop()
