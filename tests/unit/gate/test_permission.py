"""Permission: exact names, bound tools, and the values that arguments may have."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handrail.policy.binding import binding
from handrail.policy.compile import CompiledPolicy, compile_policy
from handrail.policy.load import load
from handrail.words.action import Proposal
from handrail.words.verdict import Decision, Measure, Verdict
from tests.unit.gate.cases import facts_of, policy_of, proposal_of, verdict

CRM = """
handrail: 1
agents:
  support:
    may:
      - bash
      - unbound
      - crm: {path: ["/api/customers/*", "/api/orders/**"], method: [GET, POST], dry: true, times: [1, 2]}
  other: {may: [bash_session]}
tools:
  bash: {does: run, starts: bounded, at_most: bounded}
  bash_session: {does: run, starts: bounded, at_most: bounded}
  crm: {does: update, starts: bounded, at_most: bounded}
  drop: {does: delete, starts: bounded, at_most: bounded}
rules:
  - {id: no-drop, tools: drop, when: "true == true", deny: "Nothing is dropped."}
"""
SCHEMA = {
    "type": "object",
    "properties": {"path": {}, "method": {}, "dry": {}, "times": {}},
    "additionalProperties": False,
}
GOOD = {"path": "/api/customers/7", "method": "GET", "dry": True, "times": 1}


def crm() -> CompiledPolicy:
    policy = compile_policy(load(CRM.replace('when: "true == true"', "when: 'tool == \"drop\"'")))
    for name in ("bash", "bash_session", "crm", "drop"):
        policy = policy.bind(binding(name, SCHEMA))
    return policy


def asked(tool: str, args: dict[str, object] | None = None, agent: str = "support") -> Verdict:
    policy = crm()
    proposal: Proposal = replace(proposal_of(policy, tool), agent=agent, args=args or {})
    return verdict(policy, proposal, facts_of())


@pytest.mark.parametrize(
    ("agent", "tool", "why"),
    [
        ("support", "bash_session", "may not use"),
        ("support", "bas", "knows no tool"),
        ("support", "Bash", "knows no tool"),
        ("support", "bash ", "knows no tool"),
        ("support", " bash", "knows no tool"),
        ("support", "bash\u200b", "knows no tool"),
        ("support", "bаsh", "knows no tool"),
        ("support", "*", "knows no tool"),
        ("support", "", "knows no tool"),
        ("Support", "bash", "knows no agent"),
        ("stranger", "bash", "knows no agent"),
        ("other", "bash", "may not use"),
        ("support", "drop", "may not use"),
        ("support", "DROP", "knows no tool"),
        ("support", "drop ", "knows no tool"),
        ("support", "unbound", "bound to nothing"),
    ],
)
def test_only_the_exact_names_that_an_agent_may_use_pass(agent: str, tool: str, why: str) -> None:
    found = asked(tool, agent=agent)
    assert found.decision is Decision.DENY
    assert found.steps[-1].measure is Measure.PERMISSION
    assert why in found.reasons[0]


@pytest.mark.parametrize(("agent", "tool"), [("support", "bash"), ("other", "bash_session")])
def test_the_exact_name_passes(agent: str, tool: str) -> None:
    assert asked(tool, agent=agent).decision is Decision.ALLOW


@pytest.mark.parametrize(
    "change",
    [{}, {"path": "/api/orders/1/items"}, {"method": "POST"}, {"times": 2}],
)
def test_allowed_values_pass(change: dict[str, object]) -> None:
    assert asked("crm", {**GOOD, **change}).decision is Decision.ALLOW


@pytest.mark.parametrize(
    "change",
    [
        {"path": "/api/customers/7/x"},
        {"path": "/api/customers/../admin"},
        {"path": "/api/orders/%2e%2e/admin"},
        {"path": "/api/orders/x%2Fy"},
        {"path": None},
        {"path": 7},
        {"path": ["/api/customers/7"]},
        {"method": "get"},
        {"method": "DELETE"},
        {"method": "GET "},
        {"method": None},
        {"dry": 1},
        {"dry": "true"},
        {"dry": False},
        {"times": True},
        {"times": "1"},
        {"times": 3},
    ],
)
def test_any_other_value_is_refused(change: dict[str, object]) -> None:
    found = asked("crm", {**GOOD, **change})
    assert found.decision is Decision.DENY
    assert found.steps[-1].name == f"permission:{next(iter(change))}"


@pytest.mark.parametrize("missing", list(GOOD))
def test_an_argument_that_is_restricted_can_not_be_left_out(missing: str) -> None:
    found = asked("crm", {name: value for name, value in GOOD.items() if name != missing})
    assert found.reasons == (f"the argument {missing!r} is not allowed: it is missing",)


def test_arguments_that_could_not_be_read_are_refused_with_that_reason() -> None:
    policy = crm()
    proposal = replace(proposal_of(policy, "crm"), args={}, refusal="nested too deep")
    assert "nested too deep" in verdict(policy, proposal, facts_of()).reasons[0]


def test_permitted_lists_an_agents_tools_in_the_policys_order() -> None:
    assert crm().permitted("support") == ("bash", "unbound", "crm")
    assert crm().permitted("stranger") == ()


def test_a_tool_that_is_bound_and_unknown_to_the_policy_is_denied() -> None:
    policy = policy_of().bind(binding("extra", SCHEMA))
    found = verdict(policy, proposal_of(policy, "extra"), facts_of())
    assert found.decision is Decision.DENY
