"""Whatever is claimed, settled, lost and told late: no budget is exceeded, and the ledger adds up exactly."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from handrail.engine import jobs
from handrail.engine.models.calls import ModelGate
from handrail.journal.prompts import readable
from handrail.words.errors import BudgetExhausted
from handrail.words.model_call import MILLION, Bound, CallState, ModelCall, ModelEnded, Usage
from tests.support.models import asked, calls
from tests.support.rail import Desk, opened

POLICY = """
handrail: 1
agents: {support: {may: []}, sales: {may: []}}
models: {"openai:*": {}}
budgets:
  - {id: all, cost: 0.000001, per: day}
  - {id: each, agents: sales, cost: 0.0000004, per: task}
  - {id: words, tokens: 900, per: session}
"""
LIMITS = {"all": 1_000, "each": 400, "words": 900}
AGENTS = {"support": ("s-1", None), "sales": ("s-2", "t-1")}
BOUNDS = st.builds(
    Bound,
    cost=st.integers(0, 300),
    tokens=st.integers(0, 200),
    rate=st.integers(0, 3 * MILLION),
    output=st.integers(0, 300),
    least=st.integers(1, 50),
    choices=st.integers(1, 3),
)
STEPS = st.one_of(
    st.tuples(st.just("claim"), st.sampled_from(sorted(AGENTS)), BOUNDS),
    st.tuples(st.just("settle"), st.integers(0, 9), st.floats(0, 1)),
    st.tuples(st.just("unknown"), st.integers(0, 9), st.none()),
    st.tuples(st.just("unspent"), st.integers(0, 9), st.none()),
    st.tuples(st.just("crash"), st.integers(0, 9), st.none()),
)


def tokens_of(call: ModelCall) -> int:
    """What a call counts for in tokens: what was measured, nothing if nothing left, else the bound."""
    if call.cost == 0 and not call.presumed and call.usage is None and call.state is CallState.FAILED:
        return 0
    return call.bound_tokens if call.usage is None or call.presumed else call.usage.tokens


def adds_up(desk: Desk) -> None:
    """Every window holds what the calls say, and none holds more than its limit."""
    known = calls(desk)
    costs = {call.id: call.bound_cost if call.cost is None else call.cost for call in known}
    wanted = {
        "all": sum(costs.values()),
        "each": sum(costs[call.id] for call in known if call.agent == "sales"),
    }
    for session, _ in AGENTS.values():
        wanted[session] = sum(tokens_of(call) for call in known if call.session == session)
    rows = desk.sql("select budget, scope, used from budget_windows")
    found = {"all": 0, "each": 0, "s-1": 0, "s-2": 0}
    for budget, scope, used in rows:
        assert used <= LIMITS[budget]
        place = budget if budget != "words" else next(each for each in ("s-1", "s-2") if each in scope)
        found[place] += used
    assert found == wanted


def step(desk: Desk, gate: ModelGate, what: str, which: object, more: object) -> None:
    """One thing that happens."""
    if what == "claim":
        assert isinstance(which, str)
        assert isinstance(more, Bound)
        session, task = AGENTS[which]
        refused: list[BudgetExhausted] = []
        try:
            call = gate.claim(asked(agent=which, session=session, task=task, bound=more))
        except BudgetExhausted as error:
            refused.append(error)
        else:
            assert min(more.least, more.output) <= call.output <= more.output
            bounds = more.cost_of(call.output), more.tokens_of(call.output)
            assert (call.bound_cost, call.bound_tokens) == bounds
        assert all(0 <= error.left <= error.limit for error in refused)
        return
    known = [call for call in calls(desk) if call.state in {CallState.RUNNING, CallState.UNKNOWN}]
    if not known:
        return
    assert isinstance(which, int)
    call = known[which % len(known)]
    if what == "crash":
        desk.sql(f"update model_calls set lease_until = 1 where id = '{call.id}' and state = 'running'")
        jobs.reap(desk.app.engine)
    elif what == "settle":
        assert isinstance(more, float)
        cost, used = int(call.bound_cost * more), int(call.bound_tokens * more)
        assert gate.settle(call, ModelEnded(CallState.DONE, Usage(input=used), cost))
    elif what == "unspent":
        assert gate.settle(call, ModelEnded(CallState.FAILED, unspent=True))
    else:
        assert gate.settle(call, ModelEnded(CallState.FAILED))
    if what != "crash":
        assert not gate.settle(call, ModelEnded(CallState.DONE, cost=0))


@settings(max_examples=40)
@given(st.lists(STEPS, max_size=25))
def test_no_order_of_events_exceeds_a_budget_or_loses_a_nano_unit(
    steps: list[tuple[str, object, object]],
) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        opened(Path(folder), "memory:", POLICY, keeper=False) as desk,
    ):
        gate = ModelGate(desk.app.engine)
        for each in steps:
            step(desk, gate, *each)
            adds_up(desk)


@given(BOUNDS, st.integers(-50, 2_000), st.sampled_from(["cost", "tokens"]))
def test_what_a_budget_affords_is_the_most_that_it_can_pay(bound: Bound, left: int, unit: str) -> None:
    output = bound.affords(unit, left)
    take = bound.cost_of if unit == "cost" else bound.tokens_of
    if output < 0:
        assert take(0) > left
        return
    assert take(min(output, bound.output)) <= left
    if output < bound.output:
        assert take(output + 1) > left


@given(st.binary(max_size=300))
def test_no_answer_can_break_what_reads_it(body: bytes) -> None:
    for begin in (b"", b"data: ", b'event: x\ndata: {"choices": ', b"{"):
        assert readable(begin + body) is not NotImplemented
