"""The plain gates and the people run exactly what they say, and a replay counts it right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from evals.agentdojo.gates import PEOPLE, Call, PlainGate, allow_all, ask_writes, read_only
from evals.agentdojo.replay import Meter, play

READ = Call("get_page", {"url": "a"}, wanted=True)
WRITE = Call("send_mail", {"to": "b"}, wanted=True)
ATTACK = Call("send_mail", {"to": "thief"}, wanted=False)


class Tools:
    """Keeps a list of what was executed."""

    def __init__(self, meter: Meter) -> None:
        self.done: list[tuple[str, Mapping[str, Any]]] = []
        self._meter = meter

    def execute(self, tool: str, arguments: Mapping[str, Any]) -> str:
        with self._meter.tool():
            self.done.append((tool, arguments))
        return "done"


@pytest.mark.parametrize(
    ("make", "person", "runs", "asked"),
    [
        (allow_all, "nobody", [READ, WRITE, ATTACK], 0),
        (read_only, "rubber stamp", [READ], 0),
        (ask_writes, "nobody", [READ], 2),
        (ask_writes, "rubber stamp", [READ, WRITE, ATTACK], 2),
        (ask_writes, "ideal", [READ, WRITE], 2),
    ],
)
def test_a_call_runs_when_the_gate_or_the_person_says_so(
    make: Any, person: str, runs: list[Call], asked: int
) -> None:
    """What is said to have run was executed, once and in order, and nothing else was."""
    meter = Meter()
    tools = Tools(meter)
    gate: PlainGate = make(tools.execute)
    played = play([READ, WRITE, ATTACK], gate, PEOPLE[person], meter, "task")
    assert list(played.ran) == runs
    assert tools.done == [(call.tool, call.arguments) for call in runs]
    assert played.asked == asked


def test_only_calls_that_ran_alone_are_timed() -> None:
    """A person's time is nobody's overhead: of a read and an approved write, one time is kept."""
    meter = Meter()
    gate = ask_writes(Tools(meter).execute)
    played = play([READ, WRITE], gate, PEOPLE["ideal"], meter, "task")
    assert len(played.alone) == 1
    assert played.alone[0].wall > 0


def test_the_tools_own_time_is_not_the_gates() -> None:
    """A tool that works for 20 ms of processor time adds less than that to the gate's own."""
    meter = Meter()

    def slow(_tool: str, _arguments: Mapping[str, Any]) -> str:
        with meter.tool():
            sum(range(1_000_000))
        return "done"

    played = play([READ], allow_all(slow), PEOPLE["nobody"], meter, "task")
    assert 0 <= played.alone[0].cpu < meter.tools.cpu
