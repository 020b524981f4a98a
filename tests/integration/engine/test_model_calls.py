"""Calls of models: nothing is forwarded without its claim, what was set aside is settled once, halts hold."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import handrail
from handrail.engine import jobs
from handrail.engine.identity.keys import make_key, revoke_key
from handrail.engine.loops import hold, release
from handrail.engine.models.calls import flush
from handrail.engine.restrict import halt, lift
from handrail.engine.sessions import end_session, open_session
from handrail.ports import Commit
from handrail.words.entry import Kind
from handrail.words.errors import ModelRefused, StoreError
from handrail.words.model_call import Bound, CallState, ModelEnded, Usage
from handrail.words.person import KeyKind
from tests.support.models import BOUND, DOLLAR, MODELS, asked, calls, done, gate_of, used
from tests.support.rail import Desk, lose_policy, opened


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'handrail.db'}"
    found: str = request.getfixturevalue("postgres_database")
    return found


@pytest.fixture
def desk(url: str, tmp_path: Path) -> Iterator[Desk]:
    with opened(tmp_path, url, MODELS, keeper=False) as found:
        yield found


def bodies(desk: Desk, kind: Kind) -> list[dict[str, Any]]:
    """What the entries of a kind tell."""
    return [json.loads(entry.body) for entry in desk.entries() if entry.kind is kind]


def test_a_call_sets_its_bound_aside_and_settles_what_was_measured(desk: Desk) -> None:
    gate = gate_of(desk)
    call = gate.claim(asked(task="t-1", model="gpt-5-tasks"))
    assert (call.state, call.bound_cost, call.bound_tokens) == (CallState.RUNNING, DOLLAR, 100)
    assert (used(desk), used(desk, "ticket")) == (DOLLAR, DOLLAR)
    assert gate.settle(call, done())
    assert (used(desk), used(desk, "ticket")) == (DOLLAR // 2, DOLLAR // 2)
    [kept] = calls(desk)
    assert (kept.state, kept.cost, kept.presumed, kept.status) == (CallState.DONE, DOLLAR // 2, False, 200)
    assert kept.usage == Usage(input=20, output=5)
    [told] = bodies(desk, Kind.MODEL_DONE)
    assert (told["cost"], told["usage"], told["call"]) == (DOLLAR // 2, {"input": 20, "output": 5}, call.id)
    assert told["model"] == "openai:gpt-5-tasks"
    assert "Ann" not in "".join(entry.body.decode() for entry in desk.entries())


def test_a_second_settlement_changes_nothing(desk: Desk) -> None:
    gate = gate_of(desk)
    call = gate.claim(asked())
    assert gate.settle(call, done())
    assert not gate.settle(call, done(DOLLAR))
    assert used(desk) == DOLLAR // 2
    assert len(bodies(desk, Kind.MODEL_DONE)) == 1


@pytest.mark.parametrize("state", [CallState.DONE, CallState.FAILED])
def test_what_nobody_measured_is_presumed_spent_at_the_bound(desk: Desk, state: CallState) -> None:
    gate = gate_of(desk)
    gate.settle(gate.claim(asked()), ModelEnded(state, error="the connection broke"))
    assert used(desk) == DOLLAR
    [kept] = calls(desk)
    assert (kept.state, kept.cost, kept.presumed) == (state, DOLLAR, True)


def test_what_provably_never_left_is_given_back(desk: Desk) -> None:
    gate = gate_of(desk)
    gate.settle(gate.claim(asked()), ModelEnded(CallState.FAILED, unspent=True, error="no route"))
    assert used(desk) == 0
    [kept] = calls(desk)
    assert (kept.cost, kept.presumed) == (0, False)


def test_an_upstream_that_took_more_than_the_bound_is_charged_as_it_is_and_told_of(desk: Desk) -> None:
    gate = gate_of(desk)
    gate.settle(gate.claim(asked()), done(3 * DOLLAR))
    assert used(desk) == 3 * DOLLAR
    assert Kind.BUDGET_OVERRUN in desk.kinds()


def test_a_budget_that_is_used_up_refuses_and_says_what_is_left_and_when_it_renews(desk: Desk) -> None:
    gate = gate_of(desk)
    for _ in range(9):
        gate.settle(gate.claim(asked()), done(DOLLAR))
    gate.claim(asked())
    with pytest.raises(handrail.BudgetExhausted, match=r"\$10 of \$10 of the budget day") as refused:
        gate.claim(asked())
    error = refused.value
    assert (error.budget, error.unit, error.left, error.limit) == ("day", "cost", 0, 10 * DOLLAR)
    assert error.renews_at is not None
    assert error.renews_at > desk.app.engine.clock()
    assert "it renews at" in str(error)
    assert len(calls(desk)) == 10
    assert used(desk) == 10 * DOLLAR


def test_an_answer_is_clamped_to_what_the_tightest_budget_can_pay_and_just_that_is_set_aside(
    desk: Desk,
) -> None:
    """Ten dollars for a million tokens: nine dollars are 900,000; the task's three are 300,000."""
    gate = gate_of(desk)
    open_end = Bound(cost=DOLLAR, tokens=100, rate=10 * DOLLAR, output=2_000_000)
    assert gate.claim(asked(bound=open_end, task="t-1", model="gpt-5-tasks")).output == 300_000
    assert used(desk, "ticket") == 4 * DOLLAR
    assert gate.claim(asked(bound=open_end)).output == 500_000
    assert used(desk) == 10 * DOLLAR
    little = Bound(cost=0, tokens=0, rate=10 * DOLLAR, output=100)
    with pytest.raises(handrail.BudgetExhausted):
        gate.claim(asked(bound=little))


def test_a_budget_in_tokens_clamps_by_tokens_and_for_each_choice(desk: Desk) -> None:
    gate = gate_of(desk)
    bound = Bound(cost=0, tokens=100, rate=1, output=4_000, choices=3)
    call = gate.claim(asked(agent="sales", bound=bound, session="s-2"))
    assert (call.output, call.bound_tokens) == (300, 1_000)
    assert used(desk, "words") == 1_000
    gate.settle(call, done(10, usage=Usage(input=40, output=60)))
    assert (used(desk, "words"), used(desk)) == (100, 10)


def test_an_answer_that_could_not_be_useful_is_refused_instead_of_cut_short(desk: Desk) -> None:
    gate = gate_of(desk)
    bound = Bound(cost=0, tokens=900, rate=1, output=4_000, least=101)
    with pytest.raises(handrail.BudgetExhausted, match="budget words"):
        gate.claim(asked(agent="sales", session="s-2", bound=bound))
    assert used(desk, "words") == 0
    assert gate.claim(asked(agent="sales", session="s-2", bound=Bound(0, 900, 1, 4_000, 100))).output == 100


@pytest.mark.parametrize(
    ("changes", "cause", "why"),
    [
        ({"model": "o3"}, "policy", "lets no agent call the model openai:o3"),
        (
            {"upstream": "local", "model": "llama", "agent": "sales", "session": "s-2"},
            "policy",
            "only support",
        ),
        ({"via": "nobody"}, "key", "key has ended"),
        ({"agent": "sales"}, "session", "not of this agent"),
    ],
)
def test_what_the_policy_the_key_or_the_session_does_not_let_is_refused_and_told(
    desk: Desk, changes: dict[str, Any], cause: str, why: str
) -> None:
    gate = gate_of(desk)
    gate.claim(asked())
    with pytest.raises(ModelRefused, match=why) as refused:
        gate.claim(asked(**changes))
    assert refused.value.cause == cause
    [told] = bodies(desk, Kind.MODEL_REFUSED)
    assert (told["cause"], told["reason"]) == (cause, str(refused.value))
    assert len(calls(desk)) == 1
    gate.claim(asked())


def test_a_call_without_a_session_or_a_task_passes_what_counts_for_neither(desk: Desk) -> None:
    gate = gate_of(desk)
    with pytest.raises(ModelRefused, match="counts per task, and this call proves none") as refused:
        gate.claim(asked(session="", model="gpt-5-tasks"))
    assert refused.value.cause == "session", "nothing is frozen: a session with a task helps"
    assert gate.claim(asked(session="")).session == ""
    desk.activate(MODELS.replace("per: task", "per: session"))
    with pytest.raises(ModelRefused, match="counts per session"):
        gate.claim(asked(session="", model="gpt-5-tasks"))
    assert gate.claim(asked(session="s-9", model="gpt-5-tasks")).session == "s-9"


@pytest.mark.parametrize("agent", [None, "support"])
def test_nothing_starts_after_a_halt_has_returned_and_what_runs_is_told_to_stop(
    desk: Desk, agent: str | None
) -> None:
    gate = gate_of(desk)
    call = gate.claim(asked())
    other = gate.claim(asked(agent="sales", session="s-2", bound=Bound(1, 1)))
    assert gate.stopped(call) is None
    gate = gate_of(desk)
    thrown, _ = halt(desk.app.engine, "odd", "ops", agent=agent)
    with pytest.raises(ModelRefused, match="stopped: odd"):
        gate.claim(asked())
    assert "stopped: odd" in str(gate.stopped(call))
    assert (gate.stopped(other) is None) is (agent is not None)
    assert gate.settle(call, done())
    lift(desk.app.engine, thrown, "well", "ops")
    assert gate.claim(asked()).state is CallState.RUNNING


def test_a_halt_stops_what_runs_also_while_the_active_policy_can_not_be_read(desk: Desk) -> None:
    gate = gate_of(desk)
    call, other = gate.claim(asked()), gate.claim(asked(agent="sales", session="s-2", bound=Bound(1, 1)))
    lose_policy(desk.app.store)
    assert (gate.stopped(call), gate.stopped(other)) == (None, None)
    gate = gate_of(desk)
    halt(desk.app.engine, "odd", "ops", agent="support")
    assert "stopped: odd" in str(gate.stopped(call))
    assert gate.stopped(other) is None


def test_a_halted_tool_stops_no_model(desk: Desk) -> None:
    halt(desk.app.engine, "odd", "ops", tool="look")
    assert gate_of(desk).claim(asked()).state is CallState.RUNNING


def test_a_session_that_has_ended_or_is_held_forwards_nothing(desk: Desk) -> None:
    gate = gate_of(desk)
    gate.claim(asked())
    hold(desk.app.engine, "s-1", "odd", "ops")
    with pytest.raises(ModelRefused, match="held: odd"):
        gate.claim(asked())
    release(desk.app.engine, "s-1", "well", "ops")
    gate.claim(asked())
    end_session(desk.app.engine, "s-1", "ops")
    with pytest.raises(ModelRefused, match="is over"):
        gate.claim(asked())
    assert len(calls(desk)) == 2


def test_a_revoked_key_forwards_nothing(desk: Desk) -> None:
    engine, gate = desk.app.engine, gate_of(desk)
    key = make_key(engine, KeyKind.AGENT, "support", ("support",), by="ops@example.com", digest="d" * 64)
    assert gate.claim(asked(via=key.id)).via == key.id
    revoke_key(engine, key.id, "ops@example.com")
    with pytest.raises(ModelRefused, match="key has ended"):
        gate.claim(asked(via=key.id))


def test_a_flood_of_equal_refusals_leaves_one_entry_a_minute_with_how_many_came_before(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, now = gate_of(desk), desk.app.engine.clock()
    monkeypatch.setattr(desk.app.engine, "clock", lambda: now)
    for _ in range(100):
        with pytest.raises(ModelRefused):
            gate.claim(asked(model="o3"))
    with pytest.raises(ModelRefused):
        gate.claim(asked(model="o4"))
    assert len(bodies(desk, Kind.MODEL_REFUSED)) == 2
    monkeypatch.setattr(desk.app.engine, "clock", lambda: now + 60_000)
    with pytest.raises(ModelRefused):
        gate.claim(asked(model="o3"))
    assert bodies(desk, Kind.MODEL_REFUSED)[-1]["before"] == 99


def test_a_lost_process_leaves_its_call_presumed_spent_and_the_truth_may_come_late(
    desk: Desk, url: str, tmp_path: Path
) -> None:
    with opened(tmp_path, url, lease=1, keeper=False) as lost:
        call = gate_of(lost).claim(asked())
        while not jobs.reap(desk.app.engine):
            pass
    [found] = calls(desk)
    assert (found.state, found.presumed, found.cost) == (CallState.UNKNOWN, True, DOLLAR)
    assert used(desk) == DOLLAR
    [hold] = desk.app.store.read(lambda tx: tx.budgets.presumed(9))
    assert hold.holder == call.id
    [told] = bodies(desk, Kind.MODEL_PRESUMED)
    assert told["cost"] == DOLLAR
    assert gate_of(desk).settle(call, done())
    assert used(desk) == DOLLAR // 2
    assert not gate_of(desk).settle(call, done(1))
    assert used(desk) == DOLLAR // 2


def test_a_stream_may_idle_longer_than_its_lease_while_its_process_lives(
    desk: Desk, url: str, tmp_path: Path
) -> None:
    with opened(tmp_path, url, lease=5_000, keeper=False) as other:
        gate = gate_of(other)
        call = gate.claim(asked())
        desk.sql(f"update model_calls set lease_until = 1 where id = '{call.id}'")
        jobs.beat(other.app.engine)
        assert jobs.reap(desk.app.engine) == 0
        gate.settle(call, done())
        desk.sql(f"update model_calls set lease_until = 1 where id = '{call.id}'")
        jobs.beat(other.app.engine)
        assert desk.sql("select lease_until from model_calls") == [(1,)]


def test_an_end_that_cannot_be_written_is_kept_and_nothing_is_claimed_before_it_is(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, store = gate_of(desk), desk.app.engine.store
    call = gate.claim(asked())
    real = type(store).write

    def full(self: Any, commit: Commit, work: Any) -> Any:
        if commit is Commit.MODEL_SETTLE:
            raise StoreError("the disk is full")
        return real(self, commit, work)

    with monkeypatch.context() as patched:
        patched.setattr(type(store), "write", full)
        gate.settle(call, done())
        with pytest.raises(StoreError, match="disk is full"):
            gate.claim(asked())
    assert calls(desk)[0].state is CallState.RUNNING
    flush(desk.app.engine)
    assert calls(desk)[0].cost == DOLLAR // 2
    gate.claim(asked())


def test_a_call_that_cannot_be_written_is_not_forwarded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, store = gate_of(desk), desk.app.engine.store

    def full(*_: Any) -> Any:
        raise StoreError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(type(store), "write", full)
        with pytest.raises(StoreError):
            gate.claim(asked())
    assert (calls(desk), used(desk)) == ([], 0)
    assert not desk.app.engine.calling.running


def test_fifty_calls_at_once_never_exceed_ten_dollars(desk: Desk, url: str, tmp_path: Path) -> None:
    """Two processes' engines, each with 25 threads; ten get through."""
    with opened(tmp_path, url, keeper=False) as other:
        gates = [gate_of(desk), gate_of(other)]
        start = threading.Barrier(50)

        def ask(place: int) -> bool:
            start.wait(60)
            try:
                gates[place % 2].claim(asked(session=f"s-{place}"))
            except handrail.BudgetExhausted:
                return False
            return True

        with ThreadPoolExecutor(50) as pool:
            through = sum(pool.map(ask, range(50)))
    assert through == 10
    assert used(desk) == 10 * DOLLAR


def test_a_session_that_calls_too_often_is_held_until_a_person_releases_it(desk: Desk) -> None:
    desk.activate(MODELS + "loops: {calls_per_minute: 3}\n")
    gate = gate_of(desk)
    for _ in range(3):
        gate.claim(asked(bound=Bound(1, 1)))
    with pytest.raises(ModelRefused, match="more than 3 calls of models in a minute"):
        gate.claim(asked(bound=Bound(1, 1)))
    with pytest.raises(ModelRefused, match="held"):
        gate.claim(asked(bound=Bound(1, 1)))
    assert Kind.SESSION_HELD in desk.kinds()
    assert gate.claim(asked(session="s-2", bound=BOUND)).session == "s-2"
    release(desk.app.engine, "s-1", "looked", "ops")
    assert gate.claim(asked(bound=Bound(1, 1))).session == "s-1"


def test_sessions_that_were_opened_too_deep_inside_each_other_call_no_model(desk: Desk) -> None:
    desk.activate(MODELS + "loops: {depth: 2}\n")
    engine, gate = desk.app.engine, gate_of(desk)
    nested = [open_session(engine, "support", "ops")]
    for _ in range(3):
        nested.append(open_session(engine, "support", "ops", inside=nested[-1]))
    assert gate.claim(asked(session=nested[2].id, bound=BOUND)).session == nested[2].id
    with pytest.raises(ModelRefused, match="nested 3 deep; the policy's limit is 2"):
        gate.claim(asked(session=nested[3].id, bound=BOUND))
    with pytest.raises(ModelRefused, match="held"):
        gate.claim(asked(session=nested[0].id, bound=BOUND))
