"""The kill switch: what a halt covers does not pass, and what it does not cover does."""

from __future__ import annotations

import pytest

from handrail.words.fact import Failed
from handrail.words.level import Rung
from handrail.words.restriction import Halt
from handrail.words.verdict import Decision, Outcome
from tests.unit.gate.cases import NOW, facts_of, policy_of, proposal_of, restrictions, verdict


def thrown(agent: str | None, tool: str | None) -> Halt:
    return Halt("h-1", agent, tool, "odd payments", "admin", NOW)


@pytest.mark.parametrize("rung", list(Rung))
@pytest.mark.parametrize(
    ("agent", "tool", "scope"),
    [
        (None, None, "everything"),
        ("support", None, "agent support"),
        (None, "pay", "tool pay"),
        ("support", "pay", "pay for support"),
    ],
)
def test_what_is_halted_is_denied_on_every_rung_with_the_reason(
    agent: str | None, tool: str | None, scope: str, rung: Rung
) -> None:
    policy = policy_of()
    facts = facts_of() | {"restrictions": restrictions(rung, thrown(agent, tool))}
    found = verdict(policy, proposal_of(policy), facts)
    assert (found.decision, found.enforced) == (Decision.DENY, Decision.DENY)
    assert found.reasons == (f"{scope} is stopped: odd payments",)


@pytest.mark.parametrize(
    ("agent", "tool"), [("other", None), (None, "look"), ("support", "look"), ("other", "pay")]
)
def test_a_halt_of_something_else_lets_pass(agent: str, tool: str) -> None:
    policy = policy_of()
    facts = facts_of() | {"restrictions": restrictions(None, thrown(agent, tool))}
    assert verdict(policy, proposal_of(policy), facts).decision is Decision.ALLOW


def test_every_halt_that_covers_it_is_named() -> None:
    policy = policy_of()
    halts = (thrown(None, None), thrown("other", None), thrown("support", "pay"))
    found = verdict(policy, proposal_of(policy), facts_of() | {"restrictions": restrictions(None, *halts)})
    assert len(found.reasons) == 2


def test_restrictions_that_could_not_be_had_deny() -> None:
    policy = policy_of()
    found = verdict(policy, proposal_of(policy), facts_of() | {"restrictions": Failed("the store is gone")})
    assert found.decision is Decision.DENY
    assert "the store is gone" in found.reasons[0]


def test_a_halt_ends_the_road_before_any_other_room() -> None:
    policy = policy_of()
    facts = facts_of() | {"restrictions": restrictions(None, thrown(None, None))}
    found = verdict(policy, proposal_of(policy, "unknown"), facts)
    assert [step.outcome for step in found.steps] == [Outcome.DENY]
