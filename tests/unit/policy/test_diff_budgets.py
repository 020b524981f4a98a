"""What a new version changes of budgets, models and loops, and what of it lets agents do more."""

from __future__ import annotations

import pytest

from handrail.policy.diff.changes import diff
from handrail.policy.load import load

HEAD = """handrail: 1
currency: EUR
agents: {support: {may: [pay]}, clerk: {may: [pay]}}
tools: {pay: {does: pay, amount: args.amount, cost: 0.02}}
approvers: {leads: {people: [a@example.com]}, heads: {people: [b@example.com]}}
"""
BUDGET = "budgets: [{id: b, tools: pay, amount: 5, per: day%s}]\n"
ANEW = "; it starts anew: what was spent so far counts no more"
MISREAD = "; what was spent so far would be read in the new unit: give it another id"
LIMIT = BUDGET % ", at_limit: "
MODELS = 'models: {"o:gpt-5*": {agents: support%s}}\n'


def told(before: str, after: str) -> list[tuple[str, bool | None]]:
    """Every change as one line, and whether it widens."""
    return [(str(change), change.widens) for change in diff(load(HEAD + before), load(HEAD + after))]


@pytest.mark.parametrize(
    ("before", "after", "line", "widens"),
    [
        (
            BUDGET % "",
            BUDGET.replace("5", "50") % "",
            "budgets: b changed: amount: 5 → amount: 50",
            True,
        ),
        (BUDGET % "", "", "budgets: b removed: amount: 5, per: day, tools: pay, at_limit: deny", True),
        ("", BUDGET % "", "budgets: b added: amount: 5, per: day, tools: pay, at_limit: deny", False),
        (LIMIT.replace("}]", "deny}]"), LIMIT.replace("}]", "ask}]"), "at_limit: deny → at_limit: ask", True),
        (LIMIT.replace("}]", "pause}]"), LIMIT.replace("}]", "deny}]"), "pause → at_limit: deny", False),
        (LIMIT.replace("}]", "ask}]"), LIMIT.replace("}]", "pause}]"), "ask → at_limit: pause", None),
        (
            LIMIT.replace("}]", "{ask: leads}}]"),
            LIMIT.replace("}]", "{ask: heads}}]"),
            "budgets: b changed: at_limit: ask leads → at_limit: ask heads",
            None,
        ),
        (
            BUDGET % ", alert_at: [50%]",
            BUDGET % ", alert_at: [90%]",
            "budgets: b changed: alert_at: 50% → alert_at: 90%",
            False,
        ),
        (BUDGET % "", BUDGET.replace("amount: 5", "amount: 4") % "", "amount: 5 → amount: 4", False),
        (BUDGET % "", BUDGET.replace("day", "24h") % "", f"per: day → per: any 1 day{ANEW}", True),
        (BUDGET % "", BUDGET.replace("day", "total") % "", f"per: day → per: total{ANEW}", True),
        (BUDGET % "", BUDGET.replace("amount", "cost") % "", f"cost: 5{MISREAD}", True),
        (BUDGET % "", BUDGET % ", each: args.to", f"each: nothing → each: args.to{ANEW}", True),
        (
            BUDGET % ", each: args.to",
            BUDGET.replace("5", "4") % ", each: args.order",
            f"amount: 4, each: args.order{ANEW}",
            True,
        ),
        (BUDGET.replace("day", "24h") % "", BUDGET.replace("day", "12h") % "", f"any 12 h{ANEW}", True),
        ("", MODELS % "", "models: o:gpt-5* added: agents: support", True),
        (MODELS % "", "", "models: o:gpt-5* removed: agents: support", False),
        (
            MODELS % "",
            MODELS.replace("agents: support", "") % "",
            "models: o:gpt-5* changed: agents: support → agents: nothing",
            True,
        ),
        (
            MODELS % "",
            MODELS.replace("support", "[support, clerk]") % "",
            "agents: support → agents: support, clerk",
            True,
        ),
        (
            MODELS.replace("support", "[support, clerk]") % "",
            MODELS % "",
            "agents: support, clerk → agents: support",
            False,
        ),
        (
            MODELS % ", price: {input: 1, output: 2.50}",
            MODELS % ", price: {input: 1, output: 2}",
            "price: input 1, output 2.5 → price: input 1, output 2",
            None,
        ),
        ("", "loops: {same_call: 20}\n", "loops: same_call changed: 10 → 20", True),
        ("", "loops: {same_call: 4}\n", "loops: same_call changed: 10 → 4", False),
        ("", "loops: {depth: off}\n", "loops: depth changed: 5 → off", True),
        ("loops: {depth: off}\n", "", "loops: depth changed: off → 5", False),
        ("", "loops: {within: 1 min}\n", "loops: within changed: 10 min → 1 min", True),
        ("", "dollar: 0.93\n", "dollar: dollar added: 0.93", None),
        ("dollar: 0.93\n", "dollar: 0.9\n", "dollar: dollar changed: 0.93 → 0.9", None),
    ],
)
def test_a_change_is_told_in_the_words_of_the_file(
    before: str, after: str, line: str, *, widens: bool | None
) -> None:
    [(said, known)] = told(before, after)
    assert line in said
    assert known is widens


def test_another_cost_of_a_tool_takes_thought() -> None:
    one = load(HEAD)
    other = load(HEAD.replace("cost: 0.02", "cost: 0.01"))
    [change] = diff(one, other)
    assert (str(change), change.widens) == ("tools: pay changed: cost: 0.02 → cost: 0.01", None)


def test_a_pattern_beside_another_for_the_same_models_takes_thought() -> None:
    wide = 'models: {"o:*": {}}\n'
    both = 'models: {"o:gpt-5*": {agents: support}, "o:*": {}}\n'
    for before, after in ((wide, both), (both, wide)):
        [(_, widens)] = told(before, after)
        assert widens is None


def test_the_order_of_patterns_counts_where_they_are_for_the_same_models() -> None:
    first, second = '"o:gpt*": {agents: support}', '"o:*mini": {}'
    found = told(f"models: {{{first}, {second}}}\n", f"models: {{{second}, {first}}}\n")
    assert found == [
        ("models: o:*mini stands below removed: o:gpt*", None),
        ("models: o:gpt* stands below added: o:*mini", None),
    ]
    apart = '"p:*": {}'
    assert told(f"models: {{{first}, {apart}}}\n", f"models: {{{apart}, {first}}}\n") == []
