"""Whatever restricts holds from the moment it returned, however calls and restrictions fall together."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import handrail
from handrail.engine.restrict import halt, lift, set_rung
from handrail.words.entry import Kind
from handrail.words.level import Rung
from tests.support.rail import Desk, opened

POLICY = """
handrail: 1
agents:
  support: {may: [one, two]}
  sales: {may: [one]}
tools:
  one: {does: update, starts: bounded, at_most: bounded}
  two: {does: update, starts: bounded, at_most: bounded}
"""
CALLERS = [("support", "one"), ("support", "two"), ("sales", "one")]

AGENTS = st.sampled_from([None, "support", "sales"])
TOOLS = st.sampled_from([None, "one", "two"])
HALTS = st.tuples(st.just("halt"), AGENTS, TOOLS)
LIFTS = st.tuples(st.just("lift"), st.none(), st.none())
RUNGS = st.tuples(
    st.sampled_from(["shadow", "suggest", "bounded"]), st.just("support"), st.sampled_from(["one", "two"])
)
POLICIES = st.tuples(st.just("activate"), st.none(), st.none())
STEPS = st.lists(st.one_of(HALTS, LIFTS, RUNGS, POLICIES), min_size=1, max_size=6)


def calling(desk: Desk, go: threading.Barrier, caller: tuple[str, str], tools: dict[str, Any]) -> None:
    """Call one tool again and again, whatever becomes of it."""
    agent, tool = caller
    go.wait(10)
    with desk.rail.session(agent, "t"):
        for _ in range(6):
            with suppress(handrail.NotRun):
                tools[tool]()


def restrict(desk: Desk, step: tuple[str, str | None, str | None], thrown: list[str], number: int) -> None:
    """One restriction, or one made free."""
    engine, (what, agent, tool) = desk.app.engine, step
    if what == "halt":
        thrown.append(halt(engine, "odd", "ops", agent, tool)[0])
    elif what == "lift":
        if thrown:
            lift(engine, thrown.pop(0), "well", "ops")
    elif what == "activate":
        desk.activate(POLICY + f"# version {number}\n")
    else:
        assert agent is not None
        assert tool is not None
        set_rung(engine, agent, tool, Rung.of(what), "by hand", "ops")


def wrongly_started(desk: Desk) -> Iterator[str]:
    """Every action that was started against what the journal says was in force then."""
    halts: dict[str, tuple[str | None, str | None]] = {}
    low: set[tuple[str | None, str | None]] = set()
    policy = ""
    actions = {action.id: action for action in desk.actions()}
    for entry in desk.entries():
        body = json.loads(entry.body)
        if entry.kind is Kind.HALTED:
            halts[body["halt"]] = (body["agent"], body["tool"])
        elif entry.kind is Kind.LIFTED:
            del halts[body["halt"]]
        elif entry.kind in (Kind.PROMOTED, Kind.DEMOTED):
            (low.discard if body["to"] == "bounded" else low.add)((entry.agent, entry.tool))
        elif entry.kind is Kind.POLICY_ACTIVATED:
            policy = body["policy"]
        elif entry.kind is Kind.INTENDED:
            covered = [(None, entry.agent), (None, entry.tool)]
            if any(agent in covered[0] and tool in covered[1] for agent, tool in halts.values()):
                yield f"{entry.agent} {entry.tool} in spite of a halt"
            if (entry.agent, entry.tool) in low:
                yield f"{entry.agent} {entry.tool} in spite of its rung"
            if actions[entry.action or ""].policy != policy:
                yield f"{entry.agent} {entry.tool} by a policy that was replaced"


def played(folder: Path, steps: list[tuple[str, str | None, str | None]], desk: Desk) -> None:
    """Threads call while this one restricts."""
    ran = {"one": 0, "two": 0}

    @desk.rail.tool
    def one() -> None:
        ran["one"] += 1

    @desk.rail.tool
    def two() -> None:
        ran["two"] += 1

    go = threading.Barrier(len(CALLERS) + 1)
    tools = {"one": one, "two": two}
    threads = [threading.Thread(target=calling, args=(desk, go, caller, tools)) for caller in CALLERS]
    for thread in threads:
        thread.start()
    go.wait(10)
    thrown: list[str] = []
    for number, step in enumerate(steps):
        restrict(desk, step, thrown, number)
    for thread in threads:
        thread.join()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_nothing_starts_against_a_halt_rung_or_policy_in_force(tmp_path: Path, steps: Any) -> None:
    with opened(tmp_path, "memory:", POLICY, keeper=False) as desk:
        played(tmp_path, steps, desk)
        assert list(wrongly_started(desk)) == []
        assert desk.actions()


def test_the_watch_would_see_what_starts_against_a_halt(tmp_path: Path) -> None:
    with opened(tmp_path, "memory:", POLICY, keeper=False) as desk:
        played(tmp_path, [], desk)
        assert list(wrongly_started(desk)) == []
        first = desk.entries()[0].at
        body = '{"halt":"h","agent":null,"tool":"one"}'
        desk.sql(f"update entries set kind = 'halted', body = '{body}', at = {first} where seq = 2")
        assert "support one in spite of a halt" in list(wrongly_started(desk))
