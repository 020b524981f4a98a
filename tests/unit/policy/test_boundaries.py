"""Prompt boundaries: the lines that an agent is given, and that they say what the policy says."""

from __future__ import annotations

import pytest

from handrail.policy.boundaries import boundaries
from handrail.policy.load import load
from handrail.words.errors import NotFound
from tests.unit.policy.reading import design


def test_an_agent_is_told_its_tools_limits_and_lines() -> None:
    """Tools by name, allowed arguments, what can happen to an action, and the lines of `told` at the end."""
    lines = boundaries(design(), "support").splitlines()
    assert lines[0] == (
        "You may use these tools and no others: find_customer, categorize_ticket, draft_offer, send_offer, "
        "issue_refund, crm_request."
    )
    assert lines[1] == (
        "- crm_request only with path: /api/customers/* or /api/orders/**; method: GET or POST."
    )
    assert [line.split(":")[0] for line in lines[3:6]] == ["- refused", "- waits for a person", "- on trial"]
    assert lines[-1] == "All output must be valid JSON."


def test_an_agent_without_tools_is_told_so() -> None:
    """An empty `may` is said in words, not as an empty list."""
    text = boundaries(load("handrail: 1\nagents: {a: {may: []}}\n"), "a")
    assert text.startswith("You may use no tools.\n")


def test_an_unknown_agent_is_an_error() -> None:
    """The message names the agents that there are."""
    with pytest.raises(NotFound, match="no agent 'suport'; it knows support"):
        boundaries(design(), "suport")
