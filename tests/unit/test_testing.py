"""The helpers for users' tests work on rails in memory, and on nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

import handrail
from handrail import testing

POLICY = """
handrail: 1
agents: {support: {may: [issue_refund], told: ["Be kind."]}}
tools: {issue_refund: {does: pay, amount: args.amount, starts: bounded, at_most: bounded}}
rules: [{id: big, tools: issue_refund, when: "amount > 100", ask: leads}]
approvers: {leads: {people: [ada@example.com], need: 1, answer_within: 4 h, if_no_answer: reject}}
"""


def behind(rail: handrail.Rail) -> list[float]:
    """Put a tool behind the rail and ask for 400; what it did."""
    done: list[float] = []

    @rail.tool
    def issue_refund(amount: float) -> str:
        """Refund."""
        done.append(amount)
        return "refunded"

    with rail.session(agent="support"), pytest.raises(handrail.Held):
        issue_refund(400.0)
    return done


def test_a_test_can_approve_and_see_what_runs() -> None:
    """A held action runs after the answer, and the journal tells of both."""
    with testing.rail(POLICY) as rail:
        done = behind(rail)
        action = next(stored.entry.action for stored in testing.entries(rail) if stored.entry.action)
        testing.answer(rail, action, "ada@example.com", approve=True)
        assert rail.resume(action) == "refunded"
        assert done == [400.0]
        kinds = [str(stored.entry.kind) for stored in testing.entries(rail)]
        assert kinds[-5:] == ["voted", "approved", "redecided", "intended", "done"]


def test_a_real_rail_can_not_be_answered_by_code(tmp_path: Path) -> None:
    """The helper refuses a rail with a file, so that no agent can approve itself by importing it."""
    policy = tmp_path / "handrail.yaml"
    policy.write_text(POLICY, "utf-8")
    with handrail.connect(policy) as rail:
        done = behind(rail)
        with pytest.raises(handrail.Refused, match="only people"):
            testing.answer(rail, "any", "ada@example.com", approve=True)
        assert done == []


def test_an_agent_s_boundaries_name_its_tools_and_what_it_is_told() -> None:
    """The lines for the system prompt have the tools and the policy's own advice."""
    with testing.rail(POLICY) as rail:
        lines = rail.boundaries("support")
        assert "issue_refund" in lines
        assert lines.endswith("Be kind.\n")
        with pytest.raises(handrail.NotFound, match="no agent 'stranger'"):
            rail.boundaries("stranger")
