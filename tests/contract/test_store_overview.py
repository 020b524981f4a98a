"""The store's contract for the numbers that pages show."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from handrail.ports import Store, Transaction
from handrail.words.lifecycle import State
from handrail.words.overview import Met, Tally
from tests.contract.conftest import Opener
from tests.contract.things import ASK, AT, SOON, action, add, approval_for, entry, write

MINUTE, DAY = 60_000, 86_400_000
FIRST, LATER = AT // MINUTE * MINUTE, AT // MINUTE * MINUTE + MINUTE
TODAY = AT // DAY * DAY
SHORT, LONG = 5, 9
_made = iter(range(1, 10_000))


def proposed(store: Store, minutes: int = 0, then: State | None = None, **changes: Any) -> str:
    """An action proposed that many minutes after the beginning, with an id of that time; its id."""
    at = AT + minutes * MINUTE
    claimed = {"attempt": 1, "token": "token", "lease_until": at}
    new = {"id": f"{at:012x}{next(_made):016x}", "proposed_at": at, **changes}
    known = add(store, action(**(claimed if changes.get("state") is State.RUNNING else {}), **new))
    if then is State.UNKNOWN:
        write(store, lambda tx: tx.actions.lapse(at + 1, 9))
    elif known.state is State.RUNNING and then is not None:
        assert write(store, lambda tx: tx.actions.finish(known.id, "token", then, at, None))
    elif then is not None:
        assert write(store, lambda tx: tx.actions.move(known.id, known.state, then, at))
    return known.id


def begin(minutes: int = 0, digits: int = SHORT) -> str:
    """What ids of that time begin with."""
    return f"{AT + minutes * MINUTE:012x}"[:digits]


def tallies(
    store: Store, first: str = "", end: str = "g", since: int = AT, width: int = DAY, digits: int = SHORT
) -> set[Tally]:
    return set(store.read(lambda tx: tx.overview.tallies(first, end, digits, since, width)))


def told_of(store: Store, mark: int) -> set[str]:
    found = store.read(lambda tx: tx.overview.told_of(mark, LONG))
    assert len(found) == len(set(found))
    return set(found)


class TestTallies:
    @pytest.mark.parametrize(
        ("changes", "met", "wrong"),
        [
            ({"state": State.RUNNING}, Met.RAN, 0),
            ({"state": State.RUNNING, "then": State.DONE}, Met.RAN, 0),
            ({"state": State.RUNNING, "then": State.FAILED}, Met.RAN, 1),
            ({"state": State.RUNNING, "then": State.UNKNOWN}, Met.RAN, 1),
            ({"state": State.HELD}, Met.ASKED, 0),
            ({"state": State.HELD, "then": State.REJECTED}, Met.ASKED, 0),
            ({"state": State.DENIED}, Met.DENIED, 0),
            ({"state": State.SHADOWED, "shadow": True}, Met.RECORDED, 0),
            ({"state": State.DENIED, "shadow": True}, Met.RECORDED, 0),
        ],
    )
    def test_each_action_meets_with_one_thing(
        self, store: Store, changes: dict[str, Any], met: Met, wrong: int
    ) -> None:
        proposed(store, **changes)
        assert tallies(store) == {Tally(begin(), TODAY, "support", "issue_refund", met, 1, wrong)}

    def test_what_a_person_approved_was_asked_also_when_it_runs(self, store: Store) -> None:
        """And what a standing approval let through was not."""
        held = proposed(store, state=State.HELD)
        assert write(store, lambda tx: tx.actions.approve(held, frozenset({ASK}), AT, SOON))
        proposed(store, state=State.RUNNING, standing="s")
        assert {each.met: each.count for each in tallies(store)} == {Met.ASKED: 1, Met.RAN: 1}

    def test_they_are_counted_by_agent_and_tool_and_by_stretch(self, store: Store) -> None:
        """From the beginning on, and nothing before it."""
        for minutes in (-1, 0, 0, 1):
            proposed(store, minutes, state=State.DENIED)
        proposed(store, 1, state=State.DENIED, tool="find")
        proposed(store, 1, state=State.HELD, agent="sales")
        assert tallies(store) == {
            Tally(begin(), TODAY, "support", "issue_refund", Met.DENIED, 3, 0),
            Tally(begin(), TODAY, "support", "find", Met.DENIED, 1, 0),
            Tally(begin(), TODAY, "sales", "issue_refund", Met.ASKED, 1, 0),
        }
        assert tallies(store, width=MINUTE) == {
            Tally(begin(), FIRST, "support", "issue_refund", Met.DENIED, 2, 0),
            Tally(begin(), LATER, "support", "issue_refund", Met.DENIED, 1, 0),
            Tally(begin(), LATER, "support", "find", Met.DENIED, 1, 0),
            Tally(begin(), LATER, "sales", "issue_refund", Met.ASKED, 1, 0),
        }

    def test_they_are_counted_by_what_their_ids_begin_with_and_only_between_two(self, store: Store) -> None:
        """The first is counted, the end is not."""
        for minutes in (0, 0, 5, 60):
            proposed(store, minutes, state=State.DENIED)
        first, second, third = (begin(each, LONG) for each in (0, 5, 60))
        assert {each.begin: each.count for each in tallies(store, digits=LONG)} == {
            first: 2,
            second: 1,
            third: 1,
        }
        assert {each.begin for each in tallies(store, second, third, digits=LONG)} == {second}

    def test_what_a_person_ran_by_hand_is_no_agents(self, store: Store) -> None:
        proposed(store, state=State.RUNNING, person="head@example.com")
        assert tallies(store) == set()


class TestToldOf:
    def test_it_is_what_the_ids_begin_with_of_the_actions_that_entries_tell_of(self, store: Store) -> None:
        """After the mark; an entry may tell of no action."""
        early, late = (proposed(store, minutes, state=State.HELD) for minutes in (1, 5))
        write(store, lambda tx: tx.journal.append([entry(action=early), entry(action=late)]))
        write(store, lambda tx: tx.journal.append([entry(action=None)]))
        assert told_of(store, 0) == {begin(1, LONG), begin(5, LONG)}
        mark = store.read(lambda tx: tx.overview.mark())
        assert told_of(store, mark) == set()
        write(store, lambda tx: tx.journal.append([entry(action=late), entry(action=late)]))
        assert told_of(store, mark) == {begin(5, LONG)}

    def test_nothing_is_told_of_in_an_empty_journal(self, store: Store) -> None:
        assert told_of(store, store.read(lambda tx: tx.overview.mark())) == set()


class TestWritten:
    def test_it_is_how_many_entries_came_after_the_mark(self, store: Store) -> None:
        """Whoever only looks changes nothing."""

        def written(mark: int) -> int:
            return store.read(lambda tx: tx.overview.written(mark))

        write(store, lambda tx: tx.journal.append([entry(action=None)]))
        mark = store.read(lambda tx: tx.overview.mark())
        before = written(mark)
        assert written(mark) == before
        write(store, lambda tx: tx.journal.append([entry(action=None), entry(action=None)]))
        assert written(mark) == before + 2


def test_a_transaction_that_commits_after_a_later_one_is_not_missed(postgres_opener: Opener) -> None:
    """It had its number before the mark was made, and nobody saw it."""
    store = postgres_opener()
    early, late = (proposed(store, minutes, state=State.HELD) for minutes in (1, 5))
    with ThreadPoolExecutor(1) as other:
        begun, go_on = Event(), Event()

        def slow(tx: Transaction) -> None:
            tx.journal.append([entry(action=early)])
            begun.set()
            assert go_on.wait(120)

        writing = other.submit(write, store, slow)
        assert begun.wait(120)
        write(store, lambda tx: tx.journal.append([entry(action=late)]))
        mark, seen = store.read(lambda tx: (known := tx.overview.mark(), tx.overview.written(known)))
        go_on.set()
        writing.result(120)
    assert store.read(lambda tx: tx.overview.written(mark)) == seen + 1
    assert told_of(store, mark) == {begin(1, LONG), begin(5, LONG)}


def test_what_waits_is_counted_by_agent_and_tool(store: Store) -> None:
    """And the open questions, all together."""
    assert store.read(lambda tx: tx.overview.questions()) == 0
    held = [action(), action(), action(tool="find"), action(state=State.DENIED)]
    for each in held:
        add(store, each)
    write(store, lambda tx: tx.approvals.add(approval_for(held[0])))
    assert store.read(lambda tx: tx.overview.waiting()) == {
        ("support", "issue_refund"): 2,
        ("support", "find"): 1,
    }
    assert store.read(lambda tx: tx.overview.questions()) == 1
