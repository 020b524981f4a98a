"""The store's contract for calls of models: told once by who holds the token, presumed spent when lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from handrail.ports import Store
from handrail.words.errors import IllegalMove
from handrail.words.model_call import CallFilter, CallState, ModelCall, Prompt, Usage
from tests.contract.model_things import model_call
from tests.contract.things import AT, SOON, new_id, write

USED = Usage(input=812, output=90, cached=512, reasoning=40)


def kept(store: Store, **changes: Any) -> ModelCall:
    """A call that is in the store."""
    call = model_call(**changes)
    write(store, lambda tx: tx.model_calls.add(call))
    return call


def now(store: Store, call: ModelCall) -> ModelCall:
    """As it stands."""
    found = store.read(lambda tx: tx.model_calls.get(call.id))
    assert found is not None
    return found


def ended(call: ModelCall, **changes: Any) -> ModelCall:
    """As its gateway would report it."""
    told = {"state": CallState.DONE, "ended_at": AT + 900, "cost": 1_234_567, "usage": USED, "status": 200}
    return replace(call, **{**told, **changes})


def test_a_call_comes_back_as_it_was_kept(store: Store) -> None:
    call = kept(store)
    assert now(store, call) == call
    assert store.read(lambda tx: tx.model_calls.get("nothing")) is None


def test_a_call_enters_only_running(store: Store) -> None:
    with pytest.raises(IllegalMove):
        kept(store, state=CallState.DONE)


@pytest.mark.parametrize("state", [CallState.DONE, CallState.FAILED])
def test_the_holder_of_the_token_tells_the_end_once(store: Store, state: CallState) -> None:
    call = kept(store)
    told = ended(call, state=state, first_byte_at=AT + 300, error="no", presumed=True)
    assert write(store, lambda tx: tx.model_calls.finish(told))
    assert now(store, call) == told
    assert not write(store, lambda tx: tx.model_calls.finish(replace(told, cost=1)))
    assert now(store, call) == told


def test_another_token_tells_nothing(store: Store) -> None:
    call = kept(store)
    assert not write(store, lambda tx: tx.model_calls.finish(ended(call, token="stolen")))
    assert not write(store, lambda tx: tx.model_calls.finish(ended(call, token=None)))
    assert now(store, call) == call


def test_nobody_reports_a_call_as_running_or_unknown(store: Store) -> None:
    call = kept(store)
    with pytest.raises(IllegalMove):
        write(store, lambda tx: tx.model_calls.finish(call))


def test_a_call_whose_lease_ended_is_presumed_spent_at_its_bound_and_may_still_be_told(store: Store) -> None:
    lost, lives = kept(store, lease_until=AT - 1), kept(store)
    assert store.read(lambda tx: tx.model_calls.anything_due(AT))
    [found] = write(store, lambda tx: tx.model_calls.lapse(AT, 10))
    assert found == now(store, lost)
    assert (found.state, found.presumed, found.cost) == (CallState.UNKNOWN, True, lost.bound_cost)
    assert write(store, lambda tx: tx.model_calls.lapse(AT, 10)) == []
    assert not store.read(lambda tx: tx.model_calls.anything_due(AT))
    assert now(store, lives) == lives
    assert write(store, lambda tx: tx.model_calls.finish(ended(lost)))
    assert (now(store, lost).cost, now(store, lost).presumed) == (1_234_567, False)


def test_a_heartbeat_keeps_a_running_call_for_its_holder_alone(store: Store) -> None:
    call = kept(store, lease_until=AT)
    assert not write(store, lambda tx: tx.model_calls.beat(call.id, "stolen", SOON))
    assert write(store, lambda tx: tx.model_calls.beat(call.id, "token", SOON))
    assert write(store, lambda tx: tx.model_calls.lapse(AT + 1, 10)) == []
    write(store, lambda tx: tx.model_calls.finish(ended(call)))
    assert not write(store, lambda tx: tx.model_calls.beat(call.id, "token", SOON))


@pytest.mark.parametrize(
    ("wanted", "places"),
    [
        ({}, [3, 2, 1, 0]),
        ({"agent": "sales"}, [1]),
        ({"session": "session-2"}, [2]),
        ({"task": "ticket-9"}, [3]),
        ({"model": "gpt-5"}, [0]),
        ({"state": "running"}, [3, 2, 1, 0]),
        ({"state": "done"}, []),
        ({"since": AT + 1}, [3, 2]),
        ({"until": AT + 1}, [1, 0]),
        ({"limit": 2}, [3, 2]),
    ],
)
def test_calls_are_listed_newest_first_by_what_is_asked(
    store: Store, wanted: dict[str, Any], places: list[int]
) -> None:
    calls = [
        kept(store, model="gpt-5"),
        kept(store, agent="sales"),
        kept(store, session="session-2", asked_at=AT + 1),
        kept(store, task="ticket-9", asked_at=AT + 2),
    ]
    found = store.read(lambda tx: tx.model_calls.listing(CallFilter(**wanted)))
    assert list(found) == [calls[place] for place in places]


def test_pages_follow_each_other(store: Store) -> None:
    calls = [kept(store) for _ in range(3)]
    first = store.read(lambda tx: tx.model_calls.listing(CallFilter(limit=2)))
    after = store.read(lambda tx: tx.model_calls.listing(CallFilter(before=first[-1].id)))
    assert [*first, *after] == calls[::-1]


def test_a_sessions_calls_come_oldest_first_from_where_one_stopped(store: Store) -> None:
    calls = [kept(store, session="s") for _ in range(3)]
    kept(store)
    assert list(store.read(lambda tx: tx.model_calls.in_session("s", "", 9))) == calls
    assert list(store.read(lambda tx: tx.model_calls.in_session("s", calls[0].id, 1))) == [calls[1]]


def test_a_prompt_is_kept_answered_shortened_and_erased(store: Store) -> None:
    call, other = kept(store), kept(store, asked_at=AT + 5)
    for each in (call, other):
        write(store, lambda tx, each=each: tx.prompts.add(Prompt(each.id, b"asked")))  # type: ignore[misc]
    write(store, lambda tx: tx.prompts.answered(call.id, b"answer", cut=True))
    whole = Prompt(call.id, b"asked", b"answer", cut=True)
    assert list(store.read(lambda tx: tx.prompts.of([call.id, "none"]))) == [whole]
    less = replace(whole, request=b"a", response=b"b")
    write(store, lambda tx: tx.prompts.write_again(less))
    assert list(store.read(lambda tx: tx.prompts.of([call.id]))) == [less]
    for each in (call, other):
        write(store, lambda tx, each=each: tx.model_calls.finish(ended(each)))  # type: ignore[misc]
    assert write(store, lambda tx: tx.prompts.erase(AT + 5, 10)) == [call.id]
    assert store.read(lambda tx: tx.prompts.of([call.id])) == []
    assert len(store.read(lambda tx: tx.prompts.of([other.id]))) == 1
    assert now(store, call).cost == 1_234_567


def test_the_prompt_of_a_call_that_runs_is_not_erased(store: Store) -> None:
    call = kept(store)
    write(store, lambda tx: tx.prompts.add(Prompt(call.id, b"asked")))
    assert write(store, lambda tx: tx.prompts.erase(SOON, 10)) == []


def test_an_answer_that_comes_after_its_prompt_was_erased_leaves_nothing(store: Store) -> None:
    call = kept(store)
    write(store, lambda tx: tx.prompts.answered(call.id, b"answer", cut=False))
    assert store.read(lambda tx: tx.prompts.of([call.id, new_id()])) == []
