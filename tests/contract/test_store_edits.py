"""The store's contract for edited actions, for those that wait to be run, and for what is like another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from handrail.ports import Store, Transaction
from handrail.words.action import Action
from handrail.words.approval import ApprovalState, Choice
from handrail.words.lifecycle import ENDED, State
from handrail.words.payload import Payload
from tests.contract.people_things import at_once
from tests.contract.things import (
    ASK,
    AT,
    SOON,
    VERDICT,
    action,
    add,
    approval_for,
    new_id,
    running,
    state_of,
    vote_on,
    write,
)


def of(store: Store, known: Action) -> Action:
    found = store.read(lambda tx: tx.actions.get(known.id))
    assert found is not None
    return found


def set_state(store: Store, known: Action, state: State) -> None:
    """Behind the life cycle's back: each state has a road of its own, and only where it ends counts here."""
    statement = f"update actions set state = '{state}' where id = '{known.id}'"
    write(store, lambda tx: tx.actions.sql._cursor.execute(statement))  # type: ignore[attr-defined]


def answered(store: Store, state: ApprovalState, **changes: object) -> Action:
    """An action about which people were asked, and what became of the question."""
    known = add(store, replace(action(), **changes))  # type: ignore[arg-type]
    question = approval_for(known)
    write(store, lambda tx: tx.approvals.add(question))
    if state is not ApprovalState.OPEN:
        assert write(store, lambda tx: tx.approvals.close(question.id, state, AT, None))
    target = {
        ApprovalState.REJECTED: State.REJECTED,
        ApprovalState.EXPIRED: State.EXPIRED,
        ApprovalState.ANSWERED: State.CANCELLED,
        ApprovalState.CANCELLED: State.CANCELLED,
        ApprovalState.SUPERSEDED: State.SUPERSEDED,
    }.get(state)
    if state is ApprovalState.APPROVED:
        write(store, lambda tx: tx.actions.approve(known.id, frozenset({ASK}), AT, SOON))
    elif target is not None:
        write(store, lambda tx: tx.actions.move(known.id, State.HELD, target, AT))
    return known


class TestEdits:
    def test_an_edited_action_names_what_it_replaces_and_who_edited_it(self, store: Store) -> None:
        """And the standing approval that it ran on, and the asks that are answered."""
        old = add(store, action())
        new = running(
            supersedes=old.id, edited_by="ann@example.com", standing="s-1", approved=frozenset({ASK})
        )
        assert of(store, add(store, new)) == new

    def test_a_held_action_is_superseded_once(self, store: Store) -> None:
        """By what took its place; an action that is not held is not."""
        old, other = add(store, action()), add(store, running())
        assert not write(store, lambda tx: tx.actions.supersede(other.id, "x", AT + 1))
        assert write(store, lambda tx: tx.actions.supersede(old.id, "x", AT + 1))
        assert not write(store, lambda tx: tx.actions.supersede(old.id, "y", AT + 2))
        assert of(store, old) == replace(old, state=State.SUPERSEDED, superseded_by="x", updated_at=AT + 1)
        assert state_of(store, other) is State.RUNNING

    def test_of_those_who_edit_at_once_one_is_first(self, store: Store) -> None:
        """Eight threads, one action."""
        old = add(store, action())
        assert sum(at_once(lambda: write(store, lambda tx: tx.actions.supersede(old.id, new_id(), AT)))) == 1

    def test_a_claim_keeps_the_standing_approval_that_it_ran_on(self, store: Store) -> None:
        """One without does not take it away."""
        for standing, found in [("s-2", "s-2"), (None, "s-1")]:
            known = add(store, action(state=State.ALLOWED, standing="s-1"))
            claimed = replace(known, token="t", owner="o", lease_until=SOON, standing=standing)
            assert write(store, lambda tx, c=claimed: tx.actions.claim(c, VERDICT, AT)) == 1  # type: ignore[misc]
            assert of(store, known).standing == found

    @pytest.mark.parametrize("choice", Choice)
    def test_every_choice_is_an_answer(self, store: Store, choice: Choice) -> None:
        """Also an edit and an answer in words."""
        question = approval_for(add(store, action()))
        write(store, lambda tx: tx.approvals.add(question))
        vote = vote_on(question, choice=choice)
        assert write(store, lambda tx: tx.approvals.vote(vote))
        assert store.read(lambda tx: tx.approvals.votes(question.id)) == [vote]


def test_questions_are_listed_page_by_page(store: Store) -> None:
    """Oldest first, from the last one seen, also among those of one moment."""
    known = add(store, action())
    new = [approval_for(known, opened_at=AT + number // 2) for number in range(5)]
    for question in new:
        write(store, lambda tx, q=question: tx.approvals.add(q))  # type: ignore[misc]
    pages, after = [], None
    while page := store.read(lambda tx, after=after: tx.approvals.listing("open", 2, after)):  # type: ignore[misc]
        pages.append([question.id for question in page])
        after = page[-1].id
    ids = [question.id for question in new]
    assert pages == [ids[:2], ids[2:4], ids[4:]]
    assert store.read(lambda tx: tx.approvals.listing(None, 9, "x")) == []


class TestApproved:
    def found(self, store: Store, tools: Sequence[str], limit: int = 9) -> list[str]:
        return list(store.read(lambda tx: tx.actions.approved(tools, limit)))

    def test_what_may_be_run_is_found_by_its_tool(self, store: Store) -> None:
        """Approved or allowed, oldest first; neither held ones, nor those of other tools."""
        new = [answered(store, ApprovalState.APPROVED), add(store, action(state=State.ALLOWED, tool="b"))]
        new.append(answered(store, ApprovalState.APPROVED))
        add(store, action())
        add(store, running())
        ids = [each.id for each in new]
        assert self.found(store, ["issue_refund", "b"]) == ids
        assert self.found(store, ["issue_refund", "b"], 2) == ids[:2]
        assert self.found(store, ["b", "c"]) == [ids[1]]
        assert self.found(store, []) == []

    def test_what_is_too_late_is_not(self, store: Store) -> None:
        """By the database's clock, before any job has marked it."""
        add(store, action(state=State.ALLOWED, expires_at=AT))
        live = add(store, action(state=State.ALLOWED, expires_at=SOON))
        assert self.found(store, ["issue_refund"]) == [live.id]


class TestSimilar:
    @pytest.mark.parametrize("state", ApprovalState)
    def test_only_what_people_answered_tells_anything(self, store: Store, state: ApprovalState) -> None:
        """Not what is open, what expired, or what was taken back."""
        known = answered(store, state)
        told = {"approved", "rejected", "answered", "superseded"}
        found = store.read(lambda tx: tx.actions.similar(action(), 9))
        assert [each.id for each in found] == ([known.id] if state in told else [])

    def test_it_is_of_the_same_agent_and_tool_and_another_action(self, store: Store) -> None:
        """Newest first, and no more than are wanted."""
        new = [answered(store, ApprovalState.REJECTED) for _ in range(3)]
        answered(store, ApprovalState.REJECTED, agent="sales")
        answered(store, ApprovalState.REJECTED, tool="send_offer")
        add(store, running())
        found = store.read(lambda tx: tx.actions.similar(new[1], 9))
        assert [each.id for each in found] == [new[2].id, new[0].id]
        assert len(store.read(lambda tx: tx.actions.similar(action(), 2))) == 2


def erased(tx: Transaction, limit: int) -> Sequence[str]:
    """What was due a moment after ``AT``, and is erased now."""
    due = tx.actions.erasable(AT + 1, limit)
    tx.actions.erase(due)
    return due


class TestErasing:
    @pytest.mark.parametrize("state", sorted(State))
    def test_only_what_has_ended_is_erased(self, store: Store, state: State) -> None:
        """Of every state; an unknown outcome may still be settled by what is in it."""
        known = add(store, action(state=State.HELD))
        set_state(store, known, state)
        assert write(store, lambda tx: erased(tx, 9)) == ([known.id] if state in ENDED else [])
        payload = store.read(lambda tx: tx.actions.payload(known.id))
        assert (payload is None) == (state in ENDED)

    def test_it_goes_with_its_salt_and_once(self, store: Store) -> None:
        """Oldest first, up to a limit; what ended later stays."""
        new = [add(store, action(), Payload('{"iban":"DE00"}', None, "5" * 32)) for _ in range(3)]
        for known, at in zip(new, (AT, AT, AT + 5), strict=True):
            write(store, lambda tx, k=known, at=at: tx.actions.move(k.id, State.HELD, State.REJECTED, at))  # type: ignore[misc]
        assert write(store, lambda tx: erased(tx, 1)) == [new[0].id]
        assert write(store, lambda tx: erased(tx, 9)) == [new[1].id]
        assert write(store, lambda tx: erased(tx, 9)) == []
        assert store.read(lambda tx: tx.actions.payload(new[0].id)) is None
        assert of(store, new[0]).state is State.REJECTED
        assert store.read(lambda tx: tx.actions.payload(new[2].id)) is not None

    def test_a_payload_is_never_erased_in_part(self, store: Store) -> None:
        """With its transaction, or not at all."""
        known = add(store, action())
        set_state(store, known, State.DONE)

        def work(tx: Transaction) -> None:
            assert erased(tx, 9) == [known.id]
            raise LookupError

        with pytest.raises(LookupError):
            write(store, work)
        assert store.read(lambda tx: tx.actions.payload(known.id)) is not None
