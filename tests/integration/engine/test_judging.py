"""Judging ends in a refusal when a fact is asked for twice or never comes, and settling counts once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from handrail.engine import judge as judging
from handrail.engine import settle
from handrail.engine.context import NOTHING, Session
from handrail.engine.effects import Facts
from handrail.engine.judge import Judged, judge
from handrail.engine.restrict import halt
from handrail.engine.settle import Outcome, resolve
from handrail.ports import Commit, Transaction
from handrail.words.action import Action
from handrail.words.budget import Room
from handrail.words.entry import Kind
from handrail.words.errors import Conflict, Denied, Held, OutcomeUnrecorded, StoreError
from handrail.words.lifecycle import State
from handrail.words.verdict import Decision, Need, Query
from tests.support.rail import POLICY, Desk

Open = Callable[..., Desk]
ASKED = POLICY.replace("budgets:", '  - {id: noted, tools: note, when: "true", ask: leads}\nbudgets:')


def noting(desk: Desk, act: Callable[[], object] = lambda: "noted") -> Callable[[], object]:
    """The tool ``note`` as the agent calls it."""

    @desk.rail.tool
    def note() -> Any:
        return act()

    def call() -> object:
        with desk.rail.session(agent="support", task="T-1"):
            return note()

    return call


def judged(desk: Desk, answer: Callable[[Facts], dict[str, object]]) -> Judged:
    """The verdict on a note, with a driver that answers as it likes."""
    noting(desk)
    proposal = desk.app.engine.proposal("note", {}, Session("s", "support", None), NOTHING)
    road = judge(desk.app.engine, proposal)
    try:
        effect = next(road)
        while True:
            assert isinstance(effect, Facts)
            effect = road.send(answer(effect))
    except StopIteration as end:
        found: Judged = end.value
        return found


def test_a_fact_that_never_comes_denies(one_desk: Desk) -> None:
    """A driver that forgets one must not make it nothing."""
    found = judged(one_desk, lambda _: {}).verdict
    assert found.decision is Decision.DENY
    assert found.reasons == ("this budget can't be told: it was not supplied",)


def test_facts_that_come_allow(one_desk: Desk) -> None:
    """The twin of the test above."""
    found = judged(one_desk, lambda effect: {query.name: Room(0) for query in effect.queries}).verdict
    assert found.decision is Decision.ALLOW


def test_a_fact_that_is_asked_for_twice_denies(one_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate that never has enough would ask for ever."""
    monkeypatch.setattr(judging, "decide", lambda *_, **__: Need((Query("tier"),)))
    asked: list[str] = []

    def answer(effect: Facts) -> dict[str, object]:
        asked.extend(query.name for query in effect.queries)
        return {"tier": "small"}

    found = judged(one_desk, answer).verdict
    assert (asked, found.decision) == (["tier"], Decision.DENY)
    assert found.reasons == ("The gate asked twice for tier.",)


def test_what_the_gate_stumbles_over_is_denied(one_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of ours is no permission, and its text, which may hold anything, is not told."""
    call = noting(one_desk)

    def broken(*_: object, **__: object) -> object:
        raise KeyError("a mistake of ours")

    with monkeypatch.context() as patch:
        patch.setattr(judging, "decide", broken)
        with pytest.raises(Denied, match="The gate could not decide: KeyError") as raised:
            call()
    assert "mistake" not in str(raised.value)
    assert call() == "noted"


def test_a_report_by_anyone_but_the_tokens_holder_changes_nothing(one_desk: Desk) -> None:
    """Neither state, nor budget, nor journal: a stale worker is not believed."""
    seen: list[Action] = []
    call = noting(one_desk, lambda: seen.extend(one_desk.actions(State.RUNNING)))
    call()
    action = one_desk.actions()[-1]
    before = one_desk.kinds()
    stale = Outcome(
        seen[0],
        "another token",
        State.FAILED,
        None,
        "late",
        nothing_done=True,
        milliseconds=1,
        salt="00" * 16,
    )
    store = one_desk.app.store
    assert store.write(Commit.SETTLE, lambda tx: settle.write(one_desk.app.engine, tx, stale)) is False
    assert (one_desk.action(action.id), one_desk.kinds(), one_desk.used()) == (action, before, 1)


def test_a_report_after_a_persons_word_changes_nothing(one_desk: Desk) -> None:
    """A person said what became of it; the tool's own end comes too late, and is told once."""
    engine = one_desk.app.engine

    def lose() -> str:
        running = one_desk.actions(State.RUNNING)[0]
        one_desk.sql("update actions set state = 'unknown'")
        resolve(engine, running.id, State.FAILED, "ops@example.com", "the provider has no trace of it")
        return "noted"

    assert noting(one_desk, lose)() == "noted"
    action = one_desk.actions()[-1]
    assert action.state is State.FAILED
    assert Kind.DONE not in one_desk.kinds(action.id)


def test_nothing_is_resumed_while_an_outcome_waits_to_be_written(
    open_desk: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What this process did last is not known to anybody else yet."""
    desk = open_desk("memory:", ASKED)
    ran: list[str] = []
    call = noting(desk, lambda: ran.append("ran"))
    held = []
    for _ in range(2):
        with pytest.raises(Held) as raised:
            call()
        held.append(raised.value.action_id)
        desk.vote(held[-1])
        desk.sql("update actions set session = id")
    store = desk.app.store
    plain = store.write

    def full(kind: Commit, work: Callable[[Transaction], object]) -> object:
        if kind is Commit.SETTLE:
            raise StoreError("the disk is full")
        return plain(kind, work)

    with monkeypatch.context() as patch:
        patch.setattr(store, "write", full)
        with pytest.raises(OutcomeUnrecorded):
            desk.rail.resume(held[0])
        with pytest.raises(StoreError, match="the disk is full"):
            desk.rail.resume(held[1])
    assert ran == ["ran"]
    desk.rail.resume(held[1])
    assert ran == ["ran", "ran"]


@pytest.mark.parametrize(("agent", "listed"), [("support", 1), ("sales", 0), (None, 1)])
def test_a_halt_lists_what_it_covers_of_what_is_running(
    one_desk: Desk, agent: str | None, listed: int
) -> None:
    """Whoever waits for the rest to end must not wait for another agent's work."""
    found: list[int] = []

    def act() -> None:
        found.append(len(halt(one_desk.app.engine, "stop", "ops@example.com", agent)[1]))

    noting(one_desk, act)()
    assert found == [listed]


def test_an_answer_to_a_question_whose_action_is_no_longer_held_is_refused(one_desk: Desk) -> None:
    """Whatever moved it, an approval must not bring it back; the question stays as it was."""

    @one_desk.rail.tool
    def refund(amount: int, reason: str = "late") -> int:
        return amount

    with one_desk.rail.session(agent="support"), pytest.raises(Held) as raised:
        refund(200)
    action = raised.value.action_id
    one_desk.sql("update actions set state = 'cancelled'")
    with pytest.raises(Conflict, match="no longer held"):
        one_desk.vote(action)
    assert one_desk.action(action).state is State.CANCELLED
    assert one_desk.question(action).state == "open"
