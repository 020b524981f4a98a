"""The store's contract for questions to people and their answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handrail.ports import Store
from handrail.words.approval import Approval, ApprovalState, Choice, Seat
from tests.contract.things import (
    ASK,
    AT,
    SOON,
    action,
    add,
    approval_for,
    new_id,
    vote_on,
    write,
)


def ask(store: Store, **changes: object) -> Approval:
    """A stored question about a new action."""
    asked = approval_for(add(store, action()), **changes)
    write(store, lambda tx: tx.approvals.add(asked))
    return asked


def get(store: Store, asked: Approval) -> Approval | None:
    return store.read(lambda tx: tx.approvals.get(asked.id))


def test_a_question_comes_back_with_its_asks_and_seats(store: Store) -> None:
    """Under its own id, by its action, and locked."""
    asks = frozenset({ASK, replace(ASK, audience="heads")})
    asked = ask(store, asks=asks)
    assert get(store, asked) == asked
    assert store.read(lambda tx: tx.approvals.of(asked.action)) == asked
    assert write(store, lambda tx: tx.approvals.lock(asked.id)) == asked


def test_nothing_is_found_under_an_unknown_id(store: Store) -> None:
    """Neither a question nor votes."""
    assert store.read(lambda tx: (tx.approvals.get("no"), tx.approvals.of("no"))) == (None, None)
    assert store.read(lambda tx: tx.approvals.votes("no")) == []
    assert write(store, lambda tx: tx.approvals.lock("no")) is None


def test_the_newest_question_about_an_action_counts(store: Store) -> None:
    """A recheck asks anew."""
    first = ask(store)
    again = replace(first, id=new_id(), opened_at=AT + 1)
    write(store, lambda tx: tx.approvals.add(again))
    assert store.read(lambda tx: tx.approvals.of(first.action)) == again


def test_every_question_about_an_action_is_found_oldest_first(store: Store) -> None:
    """What was answered about it, and no other action's."""
    first = ask(store)
    ask(store)
    again = replace(first, id=new_id(), opened_at=AT + 1)
    write(store, lambda tx: tx.approvals.add(again))
    assert store.read(lambda tx: tx.approvals.about(first.action)) == [first, again]
    assert store.read(lambda tx: tx.approvals.about("no")) == []


def test_one_answer_a_person(store: Store) -> None:
    """The second changes nothing, whatever it says; another person's counts."""
    asked = ask(store)
    first = vote_on(asked)
    assert write(store, lambda tx: tx.approvals.vote(first))
    assert not write(store, lambda tx: tx.approvals.vote(replace(first, choice=Choice.REJECT)))
    other = vote_on(asked, "head@example.com", choice=Choice.REJECT, reason=None, verified=False, at=AT + 1)
    assert write(store, lambda tx: tx.approvals.vote(other))
    assert store.read(lambda tx: tx.approvals.votes(asked.id)) == [first, other]


@pytest.mark.parametrize(
    "end", [ApprovalState.APPROVED, ApprovalState.REJECTED, ApprovalState.EXPIRED, ApprovalState.CANCELLED]
)
def test_a_question_is_closed_once(store: Store, end: ApprovalState) -> None:
    """Of two, one is told that somebody was faster."""
    asked = ask(store)
    assert write(store, lambda tx: tx.approvals.close(asked.id, end, AT + 3, "why"))
    assert get(store, asked) == replace(asked, state=end, closed_at=AT + 3, reason="why")
    assert not write(store, lambda tx: tx.approvals.close(asked.id, ApprovalState.APPROVED, AT + 4, None))


def test_a_question_is_due_when_a_seats_time_is_over(store: Store) -> None:
    """At its last millisecond, once however many seats, while it is open."""
    seats = (Seat("a", "a", 1, AT + 5, "reject"), Seat("b", "b", 1, AT + 5, "reject"))
    asked, never = ask(store, seats=seats), (Seat("a", "a", 1, None, "reject"),)
    ask(store, seats=never)
    assert store.read(lambda tx: tx.approvals.due(AT + 4, 9)) == []
    assert store.read(lambda tx: tx.approvals.due(AT + 5, 9)) == [asked.id]
    write(store, lambda tx: tx.approvals.close(asked.id, ApprovalState.EXPIRED, AT, None))
    assert store.read(lambda tx: tx.approvals.due(AT + 5, 9)) == []


def test_no_more_are_due_than_asked_for(store: Store) -> None:
    """The rest waits for the next round."""
    asked = [ask(store) for _ in range(3)]
    assert store.read(lambda tx: tx.approvals.due(SOON, 2)) == [asked[0].id, asked[1].id]


def test_an_escalated_seat_goes_to_the_next_group(store: Store) -> None:
    """The audience stays, the other seat too."""
    asked = ask(store)
    following = Seat("support-leads", "heads", 1, SOON, "reject")
    write(store, lambda tx: tx.approvals.escalate(asked.id, following))
    assert get(store, asked) == replace(asked, seats=(asked.seats[0], following))


def test_a_listing_is_oldest_first_by_state(store: Store) -> None:
    """All of them without a state; never more than asked for."""
    asked = [ask(store, opened_at=AT + offset) for offset in (2, 1, 3)]
    write(store, lambda tx: tx.approvals.close(asked[2].id, ApprovalState.APPROVED, AT, None))
    assert store.read(lambda tx: tx.approvals.listing(ApprovalState.OPEN, 9)) == [asked[1], asked[0]]
    assert [each.id for each in store.read(lambda tx: tx.approvals.listing(None, 9))] == [
        asked[1].id,
        asked[0].id,
        asked[2].id,
    ]
    assert store.read(lambda tx: tx.approvals.listing("open", 1)) == [asked[1]]


def test_the_questions_put_just_before_and_after_one_are_its_neighbours(store: Store) -> None:
    """Only open ones; also for one that is closed itself."""
    asked = [ask(store, opened_at=AT + offset) for offset in (0, 0, 1, 2)]
    write(store, lambda tx: tx.approvals.close(asked[2].id, ApprovalState.APPROVED, AT, None))
    first, second, closed, last = asked
    found = [store.read(lambda tx, each=each: tx.approvals.neighbours(each)) for each in asked]  # type: ignore[misc]
    assert found == [
        (None, second.id),
        (first.id, last.id),
        (second.id, last.id),
        (second.id, None),
    ]
    assert closed.id not in {each for pair in found for each in pair}


def test_the_end_of_its_own_or_its_actions_id_finds_an_open_question(store: Store) -> None:
    """A closed one is not found: there is nothing to answer."""
    asked = ask(store)
    assert store.read(lambda tx: tx.approvals.find(asked.id[-8:])) == [asked.id]
    assert store.read(lambda tx: tx.approvals.find(asked.action[-8:])) == [asked.id]
    assert store.read(lambda tx: tx.approvals.find("%")) == []
    write(store, lambda tx: tx.approvals.close(asked.id, ApprovalState.APPROVED, AT, None))
    assert store.read(lambda tx: tx.approvals.find(asked.id[-8:])) == []


LEADS, HEADS = Seat("big", "leads", 1, None, "reject"), Seat("legal", "heads", 1, None, "reject")


def test_what_waits_for_a_person_is_found_before_all_else(store: Store) -> None:
    """Oldest first in each part, a page at a time; an answer takes it out of the first part."""
    benches = ((HEADS,), (LEADS,), (HEADS,), (LEADS, HEADS), (LEADS,))
    asked = [ask(store, opened_at=AT + at, seats=seats) for at, seats in enumerate(benches)]
    known = {each.id: at for at, each in enumerate(asked)}

    def found(
        person: str, *groups: str, limit: int = 9, after: int | None = None, mine: bool = True
    ) -> list[int]:
        last = None if after is None else asked[after].id
        rows = store.read(lambda tx: tx.approvals.waiting(groups, person, limit, last, asked=mine))
        return [known[each.id] for each in rows]

    assert found("lead", "leads", "anyone") == [1, 3, 4]
    assert found("lead", "leads", mine=False) == [0, 2]
    assert found("lead", "leads", limit=1, after=1) == [3]
    assert found("head", "heads", "leads") == [0, 1, 2, 3, 4]
    assert found("nobody") == []
    assert found("nobody", mine=False) == [0, 1, 2, 3, 4]
    assert found("lead", "lead", "eads") == []
    write(store, lambda tx: tx.approvals.vote(vote_on(asked[1], "lead")))
    write(store, lambda tx: tx.approvals.close(asked[4].id, ApprovalState.REJECTED, AT, None))
    assert found("lead", "leads") == [3]
    assert found("lead", "leads", mine=False) == [0, 1, 2]
    assert found("second", "leads") == [1, 3]
    assert store.read(lambda tx: tx.approvals.waiting(["leads"], "lead", 9, "no", asked=True)) == []


def test_the_questions_beside_one_are_those_that_wait_for_the_same_person(store: Store) -> None:
    benches = ((LEADS,), (HEADS,), (LEADS,), (HEADS,), (LEADS,))
    first, _, middle, _, last = (
        ask(store, opened_at=AT + at, seats=seats) for at, seats in enumerate(benches)
    )

    def beside(approval: Approval) -> tuple[str | None, str | None]:
        return store.read(lambda tx: tx.approvals.waiting_beside(approval, ["leads"], "lead"))

    assert beside(middle) == (first.id, last.id)
    assert beside(first) == (None, middle.id)
    write(store, lambda tx: tx.approvals.vote(vote_on(last, "lead")))
    assert beside(middle) == (first.id, None)
