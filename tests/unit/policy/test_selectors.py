"""Selectors: exactly the tools that a term is for, and never one whose name only begins alike."""

from __future__ import annotations

import pytest

from handrail.policy.load import load
from handrail.policy.model import Place, Selector
from handrail.policy.selectors import selected

POLICY = load("""\
handrail: 1
agents: {a: {may: [bash]}}
tools:
  find: {does: read, category: crm}
  bash_session: {does: run, category: shell}
  pay: {does: pay, category: crm, touches: [money, mail]}
""")
HERE = Place("p.yaml", 1, 1)


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        (("bash",), {"bash"}),
        (("BASH",), set()),
        (("*",), {"find", "bash_session", "pay", "bash"}),
        (("writes",), {"bash_session", "pay", "bash"}),
        (("does:run",), {"bash_session", "bash"}),
        (("category:crm",), {"find", "pay"}),
        (("category:cr",), set()),
        (("touches:mail",), {"pay"}),
        (("touches:",), set()),
        (("category:",), set()),
        (("find", "does:pay"), {"find", "pay"}),
    ],
)
def test_a_selector_is_for_these_tools(terms: tuple[str, ...], expected: set[str]) -> None:
    """Names match exactly; an undescribed tool counts as a write that runs."""
    assert set(selected(Selector(terms, HERE), POLICY.tools)) == expected
