"""The store's contract for repeats: by key, or by an equal proposal that is still open."""

from __future__ import annotations

import pytest

from handrail.ports import Store
from handrail.words.lifecycle import State
from tests.contract.things import (
    ASK,
    AT,
    PAYLOAD,
    SOON,
    action,
    add,
    proposal_of,
    running,
    write,
)


def test_a_key_finds_its_action_whatever_the_arguments(store: Store) -> None:
    """By agent, tool and key alone."""
    new = add(store, action(key="k"))
    again = proposal_of(new, digest="0" * 64, session="other", task=None)
    assert store.read(lambda tx: tx.actions.twin(again, shadow=False)) == new.id


@pytest.mark.parametrize("changes", [{"agent": "sales"}, {"tool": "send_offer"}, {"key": "other"}])
def test_a_key_of_another_agent_or_tool_is_another_key(store: Store, changes: dict[str, str]) -> None:
    """It is unique per agent and tool."""
    new = add(store, action(key="k"))
    assert store.read(lambda tx: tx.actions.twin(proposal_of(new, **changes), shadow=False)) is None
    add(store, action(**{"key": "k"} | changes))


def test_a_key_is_tied_to_shadow_or_live(store: Store) -> None:
    """What was only recorded never stands in for what should run."""
    new = add(store, action(key="k", shadow=True, state=State.SHADOWED))
    assert store.read(lambda tx: tx.actions.twin(proposal_of(new), shadow=False)) is None
    assert store.read(lambda tx: tx.actions.twin(proposal_of(new), shadow=True)) == new.id
    add(store, action(key="k"))


@pytest.mark.parametrize("state", [State.HELD, State.ALLOWED, State.RUNNING])
def test_a_taken_key_takes_no_second_action(store: Store, state: State) -> None:
    """Nothing of it is stored, and the transaction goes on."""
    new = add(store, action(key="k", state=state))
    second = action(key="k")
    assert write(store, lambda tx: (tx.actions.add(second, PAYLOAD), tx.actions.get(new.id) is not None)) == (
        False,
        True,
    )
    assert store.read(lambda tx: (tx.actions.get(second.id), tx.actions.payload(second.id))) == (
        None,
        None,
    )


def test_a_key_that_ran_stays_taken(store: Store) -> None:
    """That is what a key is for."""
    new = add(store, running(key="k"))
    write(store, lambda tx: tx.actions.finish(new.id, "token", State.DONE, AT, None))
    assert not write(store, lambda tx: tx.actions.add(action(key="k"), PAYLOAD))
    assert store.read(lambda tx: tx.actions.twin(proposal_of(new), shadow=False)) == new.id


@pytest.mark.parametrize("end", [State.EXPIRED, State.CANCELLED, State.SUPERSEDED])
def test_a_key_is_free_again_when_its_action_never_ran(store: Store, end: State) -> None:
    """And nobody refused it."""
    new = add(store, action(key="k"))
    write(store, lambda tx: tx.actions.move(new.id, State.HELD, end, AT))
    assert store.read(lambda tx: tx.actions.twin(proposal_of(new), shadow=False)) is None
    add(store, action(key="k"))


def test_a_key_that_a_person_rejected_stays_taken(store: Store) -> None:
    """Asking again until somebody says yes is not a way round a no."""
    new = add(store, action(key="k"))
    write(store, lambda tx: tx.actions.move(new.id, State.HELD, State.REJECTED, AT))
    assert not write(store, lambda tx: tx.actions.add(action(key="k"), PAYLOAD))


@pytest.mark.parametrize("state", [State.HELD, State.ALLOWED])
@pytest.mark.parametrize("task", ["ticket-812", None])
def test_an_equal_proposal_meets_its_open_twin(store: Store, state: State, task: str | None) -> None:
    """Of the same agent, session, task and digest, also without a task."""
    new = add(store, action(state=state, task=task))
    assert store.read(lambda tx: tx.actions.twin(proposal_of(new), shadow=False)) == new.id


@pytest.mark.parametrize(
    "changes",
    [{"agent": "sales"}, {"session": "other"}, {"task": "other"}, {"task": None}, {"digest": "0"}],
)
def test_anything_else_is_no_twin(store: Store, changes: dict[str, str | None]) -> None:
    """A difference in one of them is another action."""
    new = add(store, action())
    assert store.read(lambda tx: tx.actions.twin(proposal_of(new, **changes), shadow=False)) is None


@pytest.mark.parametrize("state", [State.RUNNING, State.DENIED, State.SHADOWED])
def test_what_runs_or_is_over_is_no_open_twin(store: Store, state: State) -> None:
    """After it ran, a repeat is a new action."""
    new = add(store, action(state=state))
    assert store.read(lambda tx: tx.actions.twin(proposal_of(new), shadow=False)) is None


def test_an_approved_action_whose_time_is_over_is_no_twin(store: Store) -> None:
    """By the database's clock, before any job has marked it as expired."""
    new = add(store, action())
    write(store, lambda tx: tx.actions.approve(new.id, frozenset({ASK}), AT, AT + 1))
    assert store.read(lambda tx: tx.actions.twin(proposal_of(new), shadow=False)) is None


def test_an_approved_action_in_time_is_a_twin(store: Store) -> None:
    """The twin of the refusal above."""
    new = add(store, action())
    write(store, lambda tx: tx.actions.approve(new.id, frozenset({ASK}), AT, SOON))
    assert store.read(lambda tx: tx.actions.twin(proposal_of(new), shadow=False)) == new.id


def test_an_action_with_a_key_is_met_by_its_key_only(store: Store) -> None:
    """A proposal without one is a new action."""
    new = add(store, action(key="k"))
    assert store.read(lambda tx: tx.actions.twin(proposal_of(new, key=None), shadow=False)) is None
