"""What parses and is not alive yet: listed with its place, and told in the docs by the same table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from handrail.policy.alive import FEATURES, not_alive
from handrail.policy.load import SECTIONS, load
from tests.unit.policy.reading import BASE, DESIGN, design

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "policy.md"

EXPECTED = [
    (19, "undo"),
    (20, "undo"),
    (25, "undo"),
    (29, "risk"),
    (51, "judge"),
    (66, "ladder"),
    (74, "journal in keep"),
    (74, "undo in keep"),
    (76, "never"),
]


MORE = """\
  more: {people: [a@example.com], hours: "mon-fri 09:00-17:00", via: ["slack:#offers", "notify:oncall"],
          deputies: {a@example.com: [b@example.com]}, edits_need_another: true}
"""
"""A group with everything that a group can have."""


def test_the_designs_block_lists_exactly_what_is_not_alive() -> None:
    """Every use by line and feature, in the order of the file, and nothing else."""
    found = [(one.line, one.message.split(" is not alive yet")[0]) for one in not_alive(design())]
    assert found == EXPECTED


def test_each_use_stands_at_its_word() -> None:
    """Line and column lead to the key that is not alive, in the design's own text."""
    lines = DESIGN.splitlines()
    words = {feature.word: re.split(r"\W", feature.word)[0] for feature in FEATURES}
    for one in not_alive(design()):
        word = words[one.message.split(" is not alive yet")[0]]
        assert lines[one.line - 1][one.column - 1 :].startswith(word)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("checks:\n  c: {tools: writes, in: args.a, sql: postgres, if_not_ok: ask}\n", "sql in a check"),
    ],
)
def test_what_the_design_does_not_use_is_listed_too(text: str, word: str) -> None:
    """The features that the design's block has no example of."""
    assert [one.message.split(" is not alive yet")[0] for one in not_alive(load(BASE + text))] == [word]


def test_a_tool_that_says_it_is_idempotent_is_listed_and_one_that_says_it_is_not_is_not() -> None:
    """Only what would change something is listed."""
    said = BASE.replace("category: offers}", "category: offers, idempotent: true}")
    assert [one.line for one in not_alive(load(said))] == [7]
    assert not_alive(load(said.replace("true", "false"))) == ()


def test_what_is_alive_is_not_listed() -> None:
    """The twin: everything that works now, in one policy."""
    text = f"""{BASE.replace("{may", "{told_when: {rejected: Write to a person.}, may")}{MORE}rules:
  - {{id: r, tools: writes, when: "confidence < 0.9", ask: leads, lifted_at: autonomous}}
preapproved:
  - {{id: p, tools: issue_refund, when: "amount < 5"}}
checks:
  a: {{tools: writes, in: args.a, phrases: [x], if_not_ok: ask}}
  b: {{tools: writes, in: args.a, regex: x, if_not_ok: ask}}
  c: {{tools: writes, when: "args.a == 1", if_not_ok: ask}}
budgets:
  - {{id: a, actions: 1, per: task, at_limit: deny}}
  - {{id: b, actions: 1, per: session}}
  - {{id: c, actions: 1, per: hour}}
  - {{id: d, actions: 1, per: day, each: args.customer_id}}
  - {{id: e, amount: 1, per: week, tools: issue_refund, alert_at: [50%], at_limit: ask}}
  - {{id: f, cost: 1, per: 24h, agents: support, at_limit: {{pause: leads}}}}
  - {{id: g, tokens: 1, per: month}}
  - {{id: h, cost: 1, per: total, models: "openai:*"}}
models: {{"openai:gpt-5*": {{agents: support}}}}
loops: {{same_call: 4, depth: off}}
alerts: {{to: [more]}}
data: {{redact: [args.card], keep: {{payloads: 90 days, prompts: 30 days}}}}
"""
    assert not_alive(load(text)) == ()


def test_the_docs_have_the_same_table() -> None:
    """docs/reference/policy.md says of each feature what the table says, in the same order, and no more."""
    section = PAGE.read_text(encoding="utf-8").split("## Not alive yet")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(.+)` \| (.+) \| (.+) \|$", section, re.MULTILINE)
    assert rows == [(one.word, one.why, one.instead) for one in FEATURES]


def test_every_section_has_a_heading_in_the_docs() -> None:
    """What can stand at the top of a policy file has a heading of its own, in the same order."""
    headings = re.findall(r"^## (\w+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[: len(SECTIONS) + 1] == ["handrail", *SECTIONS]
