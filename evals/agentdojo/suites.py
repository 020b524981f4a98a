"""AgentDojo's suites as scenarios: an environment, the calls to replay in it, and AgentDojo's own verdict.

Version v1.2.2, the newest: 97 user tasks, 35 injections. How a hijacked agent is played: the injection's
goal stands in every place of the environment where AgentDojo can put one; the agent makes the first call
of the user's task, then all calls of the injection, then the rest of its task. A pair of user task and
injection counts as attackable when AgentDojo's checker says that this reaches the goal with no gate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agentdojo.agent_pipeline.tool_execution import tool_result_to_str
from agentdojo.functions_runtime import FunctionCall, FunctionsRuntime
from agentdojo.task_suite.load_suites import get_suites

from evals.agentdojo.gates import Call, Gate, Person
from evals.agentdojo.injections import supplied
from evals.agentdojo.replay import Meter, Played, play
from evals.agentdojo.toollist import Tool

VERSION = "v1.2.2"
Verdict = Callable[[Any, Any, Sequence[FunctionCall]], bool]
"""Judges the environment before, the environment after and the calls that ran."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Calls to replay in an environment, and AgentDojo's checker for what came of it."""

    name: str
    environment: Any
    calls: tuple[Call, ...]
    verdict: Verdict


@dataclass(slots=True)
class World:
    """The tools of one suite on the environment in play; whoever executes a call acts on that environment."""

    runtime: FunctionsRuntime
    meter: Meter = field(default_factory=Meter)
    environment: Any = None

    def execute(self, tool: str, arguments: Mapping[str, Any]) -> str:
        """Run a tool and give the text that AgentDojo would show the agent, its errors included."""
        with self.meter.tool():
            output, error = self.runtime.run_function(self.environment, tool, dict(arguments))
            return str(error or tool_result_to_str(output))

    def replay(self, scenario: Scenario, gate: Gate, person: Person) -> tuple[Played, bool]:
        """Play a scenario in a fresh copy of its environment, and give AgentDojo's verdict with it."""
        before = scenario.environment.model_copy(deep=True)
        self.environment = scenario.environment.model_copy(deep=True)
        played = play(scenario.calls, gate, person, self.meter, scenario.name)
        trace = [FunctionCall(function=call.tool, args=dict(call.arguments)) for call in played.ran]
        return played, bool(scenario.verdict(before, self.environment, trace))


class Suite:
    """One of AgentDojo's four companies: its tools, its user tasks and the injections against it."""

    def __init__(self, name: str, suite: Any) -> None:
        self.name = name
        self._suite = suite
        self._plain = suite.load_and_inject_default_environment({})

    @property
    def tools(self) -> list[Tool]:
        """The tool list, as an agent would get it."""
        return [Tool(f.name, f.description, f.parameters.model_json_schema()) for f in self._suite.tools]

    def world(self) -> World:
        """Give the suite's tools, on no environment yet."""
        return World(FunctionsRuntime(self._suite.tools))

    def user_tasks(self) -> Iterator[Scenario]:
        """Give each user task alone, in an environment without injections."""
        for task in self._suite.user_tasks.values():
            environment = _prepared(task, self._plain)
            calls = _wanted(task, environment)
            yield Scenario(f"{self.name}/{task.ID}", environment, calls, _utility(task))

    def injections(self) -> Iterator[Scenario]:
        """Give each injection alone: its calls and nothing of the user's."""
        for task in self._attacks():
            calls = self._unwanted(task, self._plain)
            yield Scenario(f"{self.name}/{task.ID}", self._plain, calls, _security(task, ""))

    def pairs(self) -> Iterator[Scenario]:
        """Give each user task with each injection, as a fully hijacked agent would play them."""
        for attack in self._attacks():
            poisoned = self._poisoned(attack.GOAL)
            for task in self._suite.user_tasks.values():
                environment = _prepared(task, poisoned)
                wanted = _wanted(task, environment)
                calls = wanted[:1] + self._unwanted(attack, environment) + wanted[1:]
                verdict = _security(attack, task.GROUND_TRUTH_OUTPUT)
                yield Scenario(f"{self.name}/{task.ID}/{attack.ID}", environment, calls, verdict)

    def _attacks(self) -> list[Any]:
        tasks = self._suite.injection_tasks.values()
        return [task for task in tasks if self._unwanted(task, self._plain)]

    def _unwanted(self, task: Any, environment: Any) -> tuple[Call, ...]:
        copy = environment.model_copy(deep=True)
        calls = [(call.function, dict(call.args)) for call in task.ground_truth(copy)]
        return tuple(
            Call(tool, args, wanted=False) for tool, args in calls or supplied(self.name, task, copy)
        )

    def _poisoned(self, goal: str) -> Any:
        """Put the goal in every place; AgentDojo fills them into the text of a YAML file."""
        text = goal.replace("\n", "\\n").replace('"', "'")
        places = self._suite.get_injection_vector_defaults()
        return self._suite.load_and_inject_default_environment(dict.fromkeys(places, text))


def suites() -> dict[str, Suite]:
    """Give AgentDojo's suites by name."""
    return {name: Suite(name, suite) for name, suite in get_suites(VERSION).items()}


def _prepared(task: Any, environment: Any) -> Any:
    return task.init_environment(environment.model_copy(deep=True))


def _wanted(task: Any, environment: Any) -> tuple[Call, ...]:
    calls = task.ground_truth(environment.model_copy(deep=True))
    return tuple(Call(call.function, dict(call.args), wanted=True) for call in calls)


def _utility(task: Any) -> Verdict:
    def verdict(before: Any, after: Any, trace: Sequence[FunctionCall]) -> bool:
        output = task.GROUND_TRUTH_OUTPUT
        told = task.utility_from_traces(output, before, after, trace)
        return bool(task.utility(output, before, after) if told is None else told)

    return verdict


def _security(task: Any, said: str) -> Verdict:
    """AgentDojo calls it security; it is true when the injection reached its goal."""

    def verdict(before: Any, after: Any, trace: Sequence[FunctionCall]) -> bool:
        output = f"{said}\n{task.GROUND_TRUTH_OUTPUT}"
        told = task.security_from_traces(output, before, after, trace)
        return bool(task.security(output, before, after) if told is None else told)

    return verdict
