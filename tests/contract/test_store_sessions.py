"""The store's contract for sessions: opened once, ended once, with a clock that stands still for people."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handrail.ports import Store
from handrail.words.session import Pace, SessionRecord
from tests.contract.people_things import at_once, session
from tests.contract.things import AT, action, add, new_id, write

HOUR = 3_600_000


def opened(store: Store, new: SessionRecord) -> SessionRecord:
    assert write(store, lambda tx: tx.sessions.open(new))
    return new


def of(store: Store, known: SessionRecord) -> SessionRecord:
    found = store.read(lambda tx: tx.sessions.get(known.id))
    assert found is not None
    return found


def test_a_session_is_opened_once(store: Store) -> None:
    """The second time it is known, and stays as it was: also when eight threads begin in it at once."""
    new = opened(store, session())
    assert not write(store, lambda tx: tx.sessions.open(replace(new, agent="sales", task=None)))
    assert of(store, new) == new
    assert store.read(lambda tx: tx.sessions.get("x")) is None
    other = session()
    assert sum(at_once(lambda: write(store, lambda tx: tx.sessions.open(other)))) == 1


def test_a_session_of_an_embedded_rail_has_no_end(store: Store) -> None:
    """Nor an opener."""
    plain = opened(store, SessionRecord("s", "support", None, AT))
    assert of(store, plain) == plain
    assert not of(store, plain).over(AT + 1000 * HOUR)


def test_a_session_is_ended_once(store: Store) -> None:
    """The second time, and one that nobody knows, are told so."""
    known = opened(store, session())
    assert write(store, lambda tx: tx.sessions.end(known.id, AT + 5))
    assert not write(store, lambda tx: tx.sessions.end(known.id, AT + 6))
    assert not write(store, lambda tx: tx.sessions.end("x", AT))
    assert of(store, known).ended_at == AT + 5
    assert of(store, known).over(AT + 5)


class TestClock:
    def test_it_stands_still_while_a_question_is_open(self, store: Store) -> None:
        """Two hours of thinking end no session of one hour; its end moves on by them."""
        known = opened(store, session())
        write(store, lambda tx: tx.sessions.pause(known.id, AT + HOUR // 2))
        assert not of(store, known).over(AT + 2 * HOUR)
        write(store, lambda tx: tx.sessions.go_on(known.id, AT + 2 * HOUR + HOUR // 2))
        assert of(store, known) == replace(known, expires_at=AT + 3 * HOUR)
        assert not of(store, known).over(AT + 3 * HOUR - 1)
        assert of(store, known).over(AT + 3 * HOUR)

    def test_it_goes_on_after_the_last_of_several_questions(self, store: Store) -> None:
        """Not after the first, and the time counts once."""
        known = opened(store, session())
        for at in (AT + 10, AT + 20):
            write(store, lambda tx, at=at: tx.sessions.pause(known.id, at))  # type: ignore[misc]
        write(store, lambda tx: tx.sessions.go_on(known.id, AT + 30))
        assert of(store, known) == replace(known, questions=1, paused_at=AT + 10)
        write(store, lambda tx: tx.sessions.go_on(known.id, AT + 40))
        assert of(store, known) == replace(known, expires_at=AT + HOUR + 30)

    def test_one_answer_too_many_changes_nothing(self, store: Store) -> None:
        """Nor does a clock that was set back in between."""
        known = opened(store, session())
        write(store, lambda tx: tx.sessions.go_on(known.id, AT + 40))
        assert of(store, known) == known
        write(store, lambda tx: tx.sessions.pause(known.id, AT + 50))
        write(store, lambda tx: tx.sessions.go_on(known.id, AT + 20))
        assert of(store, known) == known

    def test_a_session_without_an_end_keeps_none(self, store: Store) -> None:
        """Its questions are counted all the same."""
        known = opened(store, session(expires_at=None))
        write(store, lambda tx: tx.sessions.pause(known.id, AT + 50))
        assert of(store, known).questions == 1
        write(store, lambda tx: tx.sessions.go_on(known.id, AT + 60))
        assert of(store, known) == known

    def test_questions_that_open_at_once_are_all_counted(self, store: Store) -> None:
        """None is lost, else the clock would go on too early."""
        known = opened(store, session())
        at_once(lambda: write(store, lambda tx: tx.sessions.pause(known.id, AT + 1)))
        assert of(store, known).questions == 8


@pytest.mark.parametrize(
    ("agent", "task", "found"),
    [(None, None, [2, 1, 0]), ("support", None, [2, 0]), (None, "b", [2]), ("x", None, [])],
)
def test_sessions_are_listed_newest_first(
    store: Store, agent: str | None, task: str | None, found: list[int]
) -> None:
    """Narrowed by agent and task."""
    new = [
        opened(store, session(task="a")),
        opened(store, session(agent="sales")),
        opened(store, session(task="b")),
    ]
    listed = store.read(lambda tx: tx.sessions.listing(agent, task, None, 9))
    assert [new.index(each) for each in listed] == found


def test_the_list_goes_on_page_by_page(store: Store) -> None:
    """From the last one seen."""
    new = [opened(store, session()) for _ in range(3)]
    assert store.read(lambda tx: tx.sessions.listing(None, None, None, 2)) == new[:0:-1]
    assert store.read(lambda tx: tx.sessions.listing(None, None, new[1].id, 2)) == [new[0]]


class TestPace:
    def test_it_counts_calls_of_one_session_from_an_id_on_and_no_further_than_asked(
        self, store: Store
    ) -> None:
        """Calls of the last minute, and equal ones of a longer time; those of other sessions not at all."""
        for first, digest in (("01", "same"), ("02", "same"), ("03", "other"), ("04", "same")):
            add(store, action(id=f"{first}{new_id()[2:]}", session="s-1", digest=digest))
        add(store, action(session="s-2", digest="same"))

        def pace(since: str, minute: str, most: Pace) -> Pace:
            return store.read(lambda tx: tx.sessions.pace("s-1", "same", since, minute, most))

        assert pace("00", "00", Pace(9, 9)) == Pace(4, 3)
        assert pace("02", "03", Pace(9, 9)) == Pace(2, 2)
        assert pace("00", "00", Pace(2, 1)) == Pace(2, 1)

    def test_errors_are_counted_while_they_are_the_same_and_not_too_far_apart(self, store: Store) -> None:
        """Another error, or one after the time, begins anew."""
        known = opened(store, session())

        def failed(error: str, at: int, since: int) -> tuple[str | None, int, int | None]:
            write(store, lambda tx: tx.sessions.failed(known.id, error, at, since))
            found = of(store, known)
            return found.error, found.errors, found.errors_since

        assert failed("one", 10, 0) == ("one", 1, 10)
        assert failed("one", 20, 0) == ("one", 2, 10)
        assert failed("two", 30, 0) == ("two", 1, 30)
        assert failed("two", 99, 30) == ("two", 1, 99)


class TestHold:
    def test_a_session_is_held_once_and_released_once(self, store: Store) -> None:
        """What was counted before its release counts no more."""
        known = opened(store, session())
        write(store, lambda tx: tx.sessions.failed(known.id, "one", AT, 0))
        assert write(store, lambda tx: tx.sessions.hold(known.id, "it loops", AT + 1))
        assert not write(store, lambda tx: tx.sessions.hold(known.id, "again", AT + 2))
        assert [each.id for each in store.read(lambda tx: tx.sessions.held(9))] == [known.id]
        found = of(store, known)
        assert (found.held_at, found.held_reason, found.released_at) == (AT + 1, "it loops", None)
        assert write(store, lambda tx: tx.sessions.release(known.id, AT + 3))
        assert not write(store, lambda tx: tx.sessions.release(known.id, AT + 4))
        found = of(store, known)
        assert (found.held_at, found.held_reason, found.released_at) == (None, None, AT + 3)
        assert (found.error, found.errors, found.errors_since) == (None, 0, None)
        assert not store.read(lambda tx: tx.sessions.held(9))

    def test_a_nested_session_knows_those_around_it(self, store: Store) -> None:
        """From the first one down."""
        inner = opened(store, replace(session(), lineage=("a", "b")))
        assert (of(store, inner).lineage, of(store, inner).root) == (("a", "b"), "a")
        assert of(store, opened(store, session())).lineage == ()
