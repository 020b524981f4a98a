"""Colleagues answer what the visitor leaves for a while, and always leave some questions to the visitor."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from handrail.demo import ledger, live
from handrail.demo.company import build, tickets
from handrail.demo.day import Day
from handrail.demo.folder import VISITOR, prepared
from handrail.demo.office import opened
from handrail.demo.people import late_answers
from handrail.demo.run import Headless
from handrail.demo.show import Show
from handrail.demo.stops import Over, Stops, begin
from handrail.demo.visitor import Mailbox
from handrail.words.approval import Vote
from tests.support.processes import until

SOME = 60
"""Tickets that are enough for a handful of questions."""
LEFT = 3
pytestmark = pytest.mark.timeout(900)


class Some(Headless):
    """A day that is over early."""

    def before(self, number: int) -> None:
        if number > SOME:
            raise Over


def _stood_in(place: Path, pace: Headless) -> list[Vote]:
    """What they answered until a few questions were left, which are the oldest."""
    inbox = tickets()
    with (place / "printed").open("w") as printed, prepared(place / "demo") as folder:
        build(folder.database, inbox, datetime.now(UTC))
        show = Show(Console(file=printed), moving=False)
        with opened(folder, inbox) as office:
            stops, mailbox = Stops(office.store, show.say), Mailbox()
            with suppress(Over):
                Day(office, inbox, show, stops, pace).work(None)
            before = ledger.waiting(office.store, 100)
            assert len(before) > LEFT + 3
            begin("colleagues", partial(live.stand_in, office, inbox, stops), stops, mailbox)
            until(lambda: not mailbox.empty() or len(ledger.waiting(office.store, 100)) == LEFT)
            stops.end()
            assert mailbox.empty(), mailbox.get()
            left = ledger.waiting(office.store, 100)
            assert [each.id for each in left] == [each.id for each in before[:LEFT]]
            answered = before[LEFT:]
            votes = office.store.read(lambda tx: [tx.approvals.votes(each.id) for each in answered])
    assert all(len(given) == 1 for given in votes)
    return [vote for given in votes for vote in given]


@pytest.fixture
def at_once(no_keys: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """They wait for nobody."""
    no_keys.setattr(live, "LEFT_ALONE", 0.0)
    no_keys.setattr(live, "COLLEAGUES_EVERY", 0.01)
    no_keys.setattr(live, "KEPT", LEFT)
    return no_keys


@pytest.mark.usefixtures("at_once")
def test_they_take_the_newest_questions_over_until_a_few_are_left(tmp_path: Path) -> None:
    """The whole day: each says what the script has for them, in their own name."""
    votes = _stood_in(tmp_path, Headless())
    assert all(each.verified and each.person != VISITOR for each in votes)
    assert {each.reason for each in votes} <= {given.note for given in late_answers(tickets())}


def test_whoever_is_not_asked_leaves_the_answer_to_somebody_who_is(
    at_once: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A real model asks other questions than the script expects."""
    jonas = "jonas@copperandthyme.example"
    script = tuple(replace(given, person=jonas) for given in late_answers(tickets()))
    at_once.setattr(live, "late_answers", lambda _: script)
    votes = _stood_in(tmp_path, Some())
    others = [each for each in votes if each.person != jonas]
    assert others
    assert {each.reason for each in others} == {live.NOTE}
