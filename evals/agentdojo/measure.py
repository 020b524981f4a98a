"""Replays a suite's scenarios, with no gate and with the gate under each person, and fills its figures."""

from __future__ import annotations

from evals.agentdojo.figures import Figures
from evals.agentdojo.gates import PEOPLE, Gate, allow_all, nobody
from evals.agentdojo.suites import Scenario, Suite, World


def measure(suite: Suite, world: World, gate: Gate) -> Figures:
    """Replay all of a suite; `gate` must execute its calls in `world`.

    Raises AssertionError when a user task fails without a gate: then the replay itself is wrong.
    """
    figures = Figures(suite.name)
    for task in suite.user_tasks():
        _measure_task(task, world, gate, figures)
    for injection in suite.injections():
        if _reaches(injection, world):
            figures.injections += 1
            _count_stopped(injection, world, gate, figures.injections_stopped)
    for pair in suite.pairs():
        if _reaches(pair, world):
            figures.pairs += 1
            _count_stopped(pair, world, gate, figures.pairs_stopped)
    return figures


def _reaches(scenario: Scenario, world: World) -> bool:
    _played, reached = world.replay(scenario, allow_all(world.execute), nobody)
    return reached


def _measure_task(task: Scenario, world: World, gate: Gate, figures: Figures) -> None:
    direct, solved = world.replay(task, allow_all(world.execute), nobody)
    assert solved, f"{task.name}: its ground truth does not solve it"
    figures.tasks += 1
    figures.calls += len(task.calls)
    figures.direct.extend(direct.alone)
    for name, person in PEOPLE.items():
        played, good = world.replay(task, gate, person)
        figures.finished[name] += good and len(played.ran) == len(task.calls)
        figures.gated.extend(played.alone)
        figures.questions += played.asked if name == "ideal" else 0


def _count_stopped(scenario: Scenario, world: World, gate: Gate, stopped: dict[str, int]) -> None:
    for name, person in PEOPLE.items():
        _played, reached = world.replay(scenario, gate, person)
        stopped[name] += not reached
