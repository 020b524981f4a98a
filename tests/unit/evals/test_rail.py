"""The embedded rail on the generated policy rules as a gate that asks for every write; its journal agrees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.agentdojo.gates import PEOPLE, Call, Gate, Person, Ruling, ask_writes
from evals.agentdojo.rail import open_rail
from evals.agentdojo.toollist import Tool

TEXT = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
TOOLS = [Tool(name, "", TEXT) for name in ("get_page", "send_mail", "send_money", "mystery")]
READ = Call("get_page", {"a": "url"}, wanted=True)
WRITE = Call("send_mail", {"a": "friend"}, wanted=True)
ATTACK = Call("send_mail", {"a": "thief"}, wanted=False)

Done = list[tuple[str, dict[str, Any]]]
calls = st.builds(
    Call,
    st.sampled_from([tool.name for tool in TOOLS]),
    st.fixed_dictionaries({"a": st.sampled_from(["x", "y"])}),
    st.booleans(),
)


class Tools:
    """Keeps a list of what was executed."""

    def __init__(self) -> None:
        self.done: Done = []

    def execute(self, tool: str, arguments: Mapping[str, Any]) -> str:
        self.done.append((tool, dict(arguments)))
        return "done"


def rulings(gate: Gate, proposed: list[Call], person: Person) -> list[Ruling]:
    with gate.session("task"):
        return [gate.propose(call, person) for call in proposed]


@settings(max_examples=30, deadline=None)
@given(st.lists(calls, max_size=6), st.sampled_from(sorted(PEOPLE)))
def test_the_rail_rules_and_runs_as_a_gate_that_asks_for_every_write(
    proposed: list[Call], person: str
) -> None:
    """Whatever is proposed and whoever answers: same rulings, and the same executed in the same order."""
    plain, railed = Tools(), Tools()
    expected = rulings(ask_writes(plain.execute), proposed, PEOPLE[person])
    with open_rail(TOOLS, railed.execute) as gate:
        assert rulings(gate, proposed, PEOPLE[person]) == expected
    assert railed.done == plain.done


@pytest.mark.parametrize(
    ("person", "runs"),
    [("nobody", [READ]), ("rubber stamp", [READ, WRITE, ATTACK]), ("ideal", [READ, WRITE])],
)
def test_a_write_runs_only_when_the_person_says_so(person: str, runs: list[Call]) -> None:
    """A read runs alone; an open or rejected question runs nothing, though the agent tries to resume."""
    tools = Tools()
    with open_rail(TOOLS, tools.execute) as gate:
        found = rulings(gate, [READ, WRITE, ATTACK], PEOPLE[person])
    assert tools.done == [(call.tool, call.arguments) for call in runs]
    assert [ruling.asked for ruling in found] == [False, True, True]


@pytest.mark.parametrize(("argument", "ran"), [("url", True), (17, False)])
def test_arguments_must_fit_the_schema_of_the_tool_list(argument: object, ran: bool) -> None:  # noqa: FBT001
    """What the schema refuses is not executed and asks nobody; the same read with a text runs."""
    tools = Tools()
    with open_rail(TOOLS, tools.execute) as gate:
        assert rulings(gate, [Call("get_page", {"a": argument}, wanted=True)], PEOPLE["nobody"]) == [
            Ruling(ran=ran, asked=False)
        ]
    assert bool(tools.done) is ran


def test_a_run_that_the_journal_does_not_tell_of_is_an_error() -> None:
    """Something executed behind the rail's back fails the check; before it the same replay passes."""
    with open_rail(TOOLS, Tools().execute) as gate:
        rulings(gate, [READ, WRITE], PEOPLE["ideal"])
        gate.check()
        gate._executed["send_mail"] += 1
        with pytest.raises(AssertionError, match="intended in the journal"):
            gate.check()
        gate._executed["send_mail"] -= 1
