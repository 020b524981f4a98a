"""What is different between two policies: each change in the file's words, and whether it widens."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import Enum

import pytest
from hypothesis import given, settings

from handrail.policy.diff.changes import Change, Kind, diff
from handrail.policy.load import load
from handrail.policy.model import Place, Selector, Text
from handrail.policy.units import duration, spelled
from handrail.words.errors import PolicyError
from tests.unit.policy.reading import BASE, DESIGN, design, included
from tests.unit.policy.test_mutations import mutated

WHOLE = (
    BASE.replace("{may: [find_customer, issue_refund", "{may: [find_customer, {issue_refund: {kind: [a, b]}}")
    + """\
  heads: {people: [head@example.com, boss@example.com], need: 2, hours: "mon-fri 09:00-17:00"}
rules:
  - {id: r, tools: [issue_refund, send_offer], when: "amount > 100 || confidence < 0.5", ask: leads}
  - {id: d, tools: issue_refund, when: "amount > 500", deny: "Too much."}
preapproved:
  - {id: p, tools: issue_refund, when: "amount < 5"}
checks:
  words: {tools: send_offer, in: args.body, phrases: [always, never], if_not_ok: deny}
budgets:
  - {id: b, tools: issue_refund, actions: 5, per: day}
data: {redact: [args.card], keep: {payloads: 90 days}}
""".replace("amount > 100 || confidence", "args.n > 100 || confidence")
)


def changed(*pairs: tuple[str, str]) -> tuple[Change, ...]:
    text = WHOLE
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return diff(load(WHOLE), load(text))


ANEW = "it starts anew: what was spent so far counts no more"


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        # agents: tools and the values of their arguments
        (
            "send_offer]}\n",
            "send_offer, more]}\n",
            ("agents", "support may more", "added", None, "with any arguments", True),
        ),
        (
            ", send_offer]}\n",
            "]}\n",
            ("agents", "support may send_offer", "removed", "with any arguments", None, False),
        ),
        (
            "{issue_refund: {kind: [a, b]}}",
            "{issue_refund: {kind: [a, b, c]}}",
            ("agents", "support may issue_refund", "changed", "kind: a, b", "kind: a, b, c", True),
        ),
        (
            "{issue_refund: {kind: [a, b]}}",
            "{issue_refund: {kind: a}}",
            ("agents", "support may issue_refund", "changed", "kind: a, b", "kind: a", False),
        ),
        (
            "{issue_refund: {kind: [a, b]}}",
            "{issue_refund: {kind: [a, c]}}",
            ("agents", "support may issue_refund", "changed", "kind: a, b", "kind: a, c", None),
        ),
        (
            "{issue_refund: {kind: [a, b]}}",
            "issue_refund",
            ("agents", "support may issue_refund", "changed", "kind: a, b", "with any arguments", True),
        ),
        (
            "{may: [find",
            "{told: [Be short.], may: [find",
            ("agents", "support", "changed", "told: nothing", "told: Be short.", False),
        ),
        # tools: ceilings and where they start
        (
            "at_most: bounded",
            "at_most: autonomous",
            ("tools", "issue_refund", "changed", "at_most: bounded", "at_most: autonomous", True),
        ),
        (
            "at_most: bounded",
            "at_most: suggest",
            ("tools", "issue_refund", "changed", "at_most: bounded", "at_most: suggest", False),
        ),
        (
            "at_most: bounded",
            "starts: suggest, at_most: bounded",
            ("tools", "issue_refund", "changed", "starts: shadow", "starts: suggest", True),
        ),
        (
            "category: offers",
            "category: letters",
            ("tools", "send_offer", "changed", "category: offers", "category: letters", None),
        ),
        # rules, with their text
        (
            '  - {id: d, tools: issue_refund, when: "amount > 500", deny: "Too much."}\n',
            "",
            ("rules", "d", "removed", "tools: issue_refund, when: amount > 500, deny: Too much.", None, True),
        ),
        (
            '"amount > 500"',
            '"amount > 900"',
            ("rules", "d", "changed", "when: amount > 500", "when: amount > 900", None),
        ),
        (
            'deny: "Too much."',
            "ask: leads",
            ("rules", "d", "changed", "deny: Too much., ask: nothing", "deny: nothing, ask: leads", True),
        ),
        (
            'deny: "Too much."',
            'deny: "Far too much."',
            ("rules", "d", "changed", "deny: Too much.", "deny: Far too much.", False),
        ),
        (
            "ask: leads}",
            "ask: leads, lifted_at: autonomous}",
            ("rules", "r", "changed", "lifted_at: nothing", "lifted_at: autonomous", True),
        ),
        ("ask: leads}", "ask: heads}", ("rules", "r", "changed", "ask: leads", "ask: heads", None)),
        (
            "[issue_refund, send_offer], when",
            "issue_refund, when",
            ("rules", "r", "changed", "tools: issue_refund, send_offer", "tools: issue_refund", True),
        ),
        (
            "[issue_refund, send_offer], when",
            "[issue_refund, send_offer, find_customer], when",
            (
                "rules",
                "r",
                "changed",
                "tools: issue_refund, send_offer",
                "tools: issue_refund, send_offer, find_customer",
                False,
            ),
        ),
        # preapproved, checks, budgets
        (
            '"amount < 5"',
            '"amount < 9"',
            ("preapproved", "p", "changed", "when: amount < 5", "when: amount < 9", None),
        ),
        (
            "preapproved:\n",
            "preapproved:\n  - {id: q, tools: send_offer, when: 'true'}\n",
            ("preapproved", "q", "added", None, "tools: send_offer, when: true", True),
        ),
        (
            "[always, never]",
            "[always]",
            ("checks", "words", "changed", "phrases: always, never", "phrases: always", True),
        ),
        (
            "[always, never]",
            "[always, never, ever]",
            ("checks", "words", "changed", "phrases: always, never", "phrases: always, never, ever", False),
        ),
        (
            "if_not_ok: deny",
            "if_not_ok: ask",
            ("checks", "words", "changed", "if_not_ok: deny", "if_not_ok: ask anyone", True),
        ),
        ("actions: 5", "actions: 50", ("budgets", "b", "changed", "actions: 5", "actions: 50", True)),
        ("actions: 5", "actions: 2", ("budgets", "b", "changed", "actions: 5", "actions: 2", False)),
        (
            "per: day",
            "per: hour",
            ("budgets", "b", "changed", "per: day", f"per: hour; {ANEW}", True),
        ),
        (
            "- {id: b, tools: issue_refund, actions",
            "- {id: b, actions",
            ("budgets", "b", "changed", "tools: issue_refund", "tools: nothing", False),
        ),
        # people, data and the rest
        ("need: 2", "need: 1", ("approvers", "heads", "changed", "need: 2", "need: 1", True)),
        (
            "mon-fri 09",
            "mon-fri 08",
            (
                "approvers",
                "heads",
                "changed",
                "hours: mon-fri 09:00-17:00",
                "hours: mon-fri 08:00-17:00",
                None,
            ),
        ),
        (
            "[args.card]",
            "[args.card, args.pin]",
            ("data", "redact", "changed", "args.card", "args.card, args.pin", False),
        ),
        ("90 days", "30 days", ("data", "payloads", "changed", "90 days", "30 days", False)),
        (
            "handrail: 1\n",
            "handrail: 1\ntimezone: Europe/Warsaw\n",
            ("timezone", "timezone", "changed", "UTC", "Europe/Warsaw", None),
        ),
        (
            "handrail: 1\n",
            "handrail: 1\nalerts: {to: [heads]}\n",
            ("alerts", "to", "added", None, "heads", False),
        ),
    ],
)
def test_a_change_is_told_in_the_words_of_the_file(
    old: str, new: str, change: tuple[str, str, str, str | None, str | None, bool | None]
) -> None:
    """Exactly this one, and whether it lets agents do more: yes, no, or that a person must think."""
    section, name, kind, before, after, widens = change
    assert changed((old, new)) == (Change(section, name, Kind(kind), before, after, widens),)


def test_the_way_back_narrows_what_widened() -> None:
    """Of each pair at most one widens."""
    ceiling = load(WHOLE.replace("at_most: bounded", "at_most: autonomous"))
    assert [one.widens for one in diff(load(WHOLE), ceiling)] == [True]
    assert [one.widens for one in diff(ceiling, load(WHOLE))] == [False]
    free = load(
        WHOLE.replace('  - {id: d, tools: issue_refund, when: "amount > 500", deny: "Too much."}\n', "")
    )
    assert [one.widens for one in diff(load(WHOLE), free)] == [True]
    assert [one.widens for one in diff(free, load(WHOLE))] == [False]


def test_comments_order_and_spacing_are_no_change() -> None:
    assert diff(load(WHOLE), load(WHOLE + "# more\n")) == ()
    assert changed(("[issue_refund, send_offer], when", "[issue_refund,  send_offer], when")) == ()


def test_spaces_inside_an_expression_are_a_change() -> None:
    """Two spaces in a quoted text mean another text."""
    one = WHOLE.replace('"args.n > 100', "\"args.t == 'a b'")
    two = WHOLE.replace('"args.n > 100', "\"args.t == 'a  b'")
    assert [change.name for change in diff(load(one), load(two))] == ["r"]


def test_several_changes_come_in_the_order_of_the_file() -> None:
    found = changed(
        ("per: day", "per: hour"), ("at_most: bounded", "at_most: suggest"), ("need: 2", "need: 1")
    )
    assert [one.section for one in found] == ["tools", "budgets", "approvers"]


def test_a_change_that_widens_and_one_nobody_knows_widen_together() -> None:
    found = changed(('"amount > 500", deny: "Too much."', '"amount > 5", ask: leads'))
    assert [one.widens for one in found] == [True]


def test_an_agent_and_a_tool_that_are_new_are_told_whole() -> None:
    """An agent with what it may do, and a tool with what it does."""
    text = WHOLE.replace(
        "tools:\n",
        "  clerk: {may: [{look: {path: ['/a/*', /b]}}], told: [Be kind.]}\ntools:\n  look: {does: read}\n",
        1,
    )
    agent, tool = diff(load(WHOLE), load(text))
    said = "may: look (path: /a/*, /b), told: Be kind."
    assert agent == Change("agents", "clerk", Kind.ADDED, None, said, widens=True)
    does = "does: read, starts: preapproved, at_most: preapproved"
    assert tool == Change("tools", "look", Kind.ADDED, None, does, widens=None)
    gone_tool = diff(load(text), load(WHOLE))[1]
    assert (gone_tool.kind, gone_tool.widens) == (Kind.REMOVED, False)


def test_describing_a_tool_that_agents_may_use_can_widen() -> None:
    """Undescribed it asks at most; a read runs alone, and a text that only says the same does not widen."""
    bare = WHOLE.replace("  send_offer: {does: send, category: offers}\n", "")
    said = "  - {id: x, tools: send_offer, when: 'true', ask: leads}"
    bare, whole = (one.replace("preapproved:\n", said + "\npreapproved:\n") for one in (bare, WHOLE))
    assert [(one.kind, one.widens) for one in diff(load(bare), load(whole))] == [(Kind.ADDED, None)]
    read = whole.replace("{does: send, category: offers}", "{does: read}")
    assert [(one.kind, one.widens) for one in diff(load(bare), load(read))] == [(Kind.ADDED, True)]


def test_the_first_policy_is_all_new() -> None:
    found = diff(None, design())
    assert {one.kind for one in found if one.section != "timezone"} == {Kind.ADDED}
    assert len([one for one in found if one.section == "rules"]) == len(design().rules)
    assert diff(design(), design()) == ()


def test_a_change_is_one_line_for_people() -> None:
    (limit,) = changed(("actions: 5", "actions: 50"))
    assert str(limit) == "budgets: b changed: actions: 5 → actions: 50"


@pytest.mark.parametrize(
    ("text", "said"),
    [("90 days", "90 days"), ("1 day", "1 day"), ("24 h", "1 day"), ("90 min", "90 min"), ("1.5 s", "1.5 s")],
)
def test_times_are_spelled_as_a_policy_has_them(text: str, said: str) -> None:
    assert spelled(duration(text)) == said
    assert duration(said) == duration(text)


def plain(value: object) -> object:
    """What a policy says, without where it says it."""
    if isinstance(value, Text):
        return value.value
    if isinstance(value, Selector):
        return value.terms
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value) if one.name not in _WHERE}
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items() if not isinstance(one, Place)}
    if isinstance(value, tuple):
        parts = [plain(one) for one in value]
        # the order of rules, budgets and permissions says nothing
        return sorted(parts, key=str) if parts and isinstance(parts[0], dict) else parts
    return value if not isinstance(value, Enum) else str(value)


_WHERE = {"place", "places", "digest", "files", "marks"}


@settings(max_examples=200, deadline=None)
@given(mutated())
def test_two_policies_without_a_difference_say_the_same(text: str) -> None:
    """Whatever is changed in the design's policy, it is told, unless it says what it said before."""
    try:
        policy = load(text, "handrail.yaml", included)
    except PolicyError:
        return
    before = load(DESIGN, "handrail.yaml", included)
    if diff(before, policy) == ():
        assert plain(before) == plain(policy)
