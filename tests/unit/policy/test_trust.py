"""Names carry trust: what the agent says of itself may only restrict."""

from __future__ import annotations

import pytest

from tests.unit.policy.reading import BASE, told, with_rule


def rule(when: str, effect: str = "ask: leads") -> list[str]:
    return told(with_rule(f"{{id: r, tools: issue_refund, when: '{when}', {effect}}}"))


@pytest.mark.parametrize(
    "when",
    [
        "confidence < 0.85",
        "0.85 > confidence",
        "confidence <= 0.5 || amount > 100",
        "confidence == null",
        "confidence != null",
        'task == "ticket-1"',
        'task in ["a", "b"]',
        "args.ticket != task",
        'tool == "issue_refund" && confidence < 0.9',
        'does == "pay" && agent == "support" && confidence < 0.9',
        'confidence < 0.9 && task == "x"',
        '(confidence < 0.9 || amount > 100) && category == "refunds"',
        'ticket.category == "legal" && amount > 100',
        "amount > 100 && confidence < 0.85",
        "confidence < 0.85 && amount > 100",
        'amount > 100 && task == "vip"',
        'amount > 100 && (confidence < 0.9 || customer.tier == "x")',
        "amount > 1 || amount > 0 && confidence < 0.1",
        "!(amount < 100)",
        "amount > 100 ? args.a == 1 : false",
    ],
)
def test_a_claim_that_only_restricts_loads(when: str) -> None:
    """Alone, or joined with || and &&; trusted names may be used in any way."""
    assert rule(when) == []
    assert rule(when, "deny: no") == []


@pytest.mark.parametrize(
    ("when", "column"),
    [
        ("!(confidence > 0.9)", 43),
        ('amount > 100 && !(task == "vip")', 59),
        ('task != "vip"', 41),
        ('"vip" != task', 50),
        ("confidence > 0.5", 41),
        ("0.5 <= confidence", 48),
        ("confidence < 0.5 ? amount > 1 : amount > 100", 41),
        ("amount > 100 ? confidence < 0.9 : false", 56),
        ("args.items.exists(i, i > confidence)", 66),
        ('session.id != "s"', 41),
    ],
)
def test_a_claim_that_could_switch_a_guard_off_is_a_load_error(when: str, column: int) -> None:
    """Under !, in ?:, in a macro, != a value, from above: the place is the claim."""
    found = rule(when)
    assert len(found) == 1
    assert found[0].startswith(f"14:{column} '")
    assert "is what the agent says" in found[0]
    assert rule(when, "deny: no") == found


@pytest.mark.parametrize(
    "when",
    ["confidence > 0.9", "confidence < 0.9", 'task == "x"', 'session.id == "s"', 'ticket.category == "a"'],
)
def test_nothing_the_agent_says_preapproves(when: str) -> None:
    """Not directly, and not through a fact that is looked up by the task."""
    text = f"{BASE}preapproved:\n  - {{id: p, tools: issue_refund, when: 'amount < 5 && {when}'}}\n"
    found = told(text)
    assert len(found) == 1
    assert found[0].startswith("14:55 ")
    assert "what the agent says" in found[0]


@pytest.mark.parametrize(
    "when", ["amount < 5", 'customer.tier == "small"', "args.a == 1", 'agent == "support"']
)
def test_arguments_amounts_and_trusted_facts_preapprove(when: str) -> None:
    """The twins: what executes, and what comes from a trusted source."""
    assert told(f"{BASE}preapproved:\n  - {{id: p, tools: issue_refund, when: '{when}'}}\n") == []


def test_rationale_is_no_name_at_all() -> None:
    """What the agent gives as its reason can't be used in any expression."""
    assert rule('rationale == "x"')[0].startswith("14:41 unknown name rationale")
