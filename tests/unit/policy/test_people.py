"""Groups, channels and what agents are told: each mistake at its place, and a twin that loads."""

from __future__ import annotations

import pytest

from handrail.policy.channels import setting
from handrail.policy.load import load
from tests.unit.policy.reading import BASE, problems, told


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("{people: []}", "13:15 a group without people could never answer"),
        ("{need: 1}", "13:6 a group has no 'people'"),
        ("{people: lead@example.com}", "13:15 'lead@example.com' stands here"),
        ("{people: [a, a]}", "13:19 'a' stands in this group twice"),
        ("{people: [a@x, A@X]}", "13:21 'A@X' stands in this group twice"),
        ("{people: ['a b']}", "13:16 'a b' names nobody"),
        ("{people: [a], need: 2}", "13:26 2 must answer, but the group has 1"),
        ("{people: [a], need: 0}", "13:26 at least one person must answer"),
        ("{people: [a], answer_within: soon}", "13:35 'soon' is no duration"),
        ("{people: [a], if_no_answer: nobody}", "13:34 no group of approvers is named 'nobody'"),
        ("{people: [a], if_no_answer: approve}", "13:34 no group of approvers is named 'approve'"),
        ("{people: [a], if_no_answer: g}", "13:34 a question would go round for ever: g → g"),
        ("{people: [a], hours: always}", "13:27 'always' names no working hours"),
        ("{people: [a], hours: 'mon-fri 17:00-09:00'}", "13:27 'mon-fri 17:00-09:00' names no working hours"),
        ("{people: [a], via: [slack]}", "13:26 'slack' names no channel"),
        ("{people: [a], via: ['slack:#a', 'mail:a@x']}", "13:38 'mail:a@x' names no channel"),
        ("{people: [a], via: ['notify:ON']}", "13:26 'notify:ON' names no channel"),
        ("{people: [a], deputies: [b]}", "13:30 a list stands here"),
        ("{people: [a], deputies: {}}", "13:30 nothing stands here"),
        ("{people: [a], deputies: {a: []}}", "13:34 nobody stands in for 'a'"),
        ("{people: [a], deputies: {a: [A]}}", "13:34 'a' can't stand in for themselves"),
        ("{people: [a], deputies: {a: [b, B]}}", "13:38 'B' stands in this group twice"),
        ("{people: [a], deputies: {b: [c]}}", "13:31 'b' is not in this group"),
        ("{people: [a], deputies: {a: [b], A: [c]}}", "13:39 'A' stands here twice"),
        ("{people: [a, b], need: 3, deputies: {a: [c]}}", "13:29 3 must answer, but the group has 2"),
        ("{people: [a], edits_need_another: maybe}", "13:40 'maybe' stands here"),
        ("{people: [a], edits_need_another: true}", "13:20 nobody else is in this group to approve"),
        (
            "{people: [a], answer_within: 2 years, hours: 'mon 09:00-09:05'}",
            "13:20 with these hours it would take more than a hundred years",
        ),
    ],
)
def test_a_mistake_in_a_group_is_told_at_its_place(group: str, expected: str) -> None:
    """A question must reach somebody, be answerable, and end."""
    found = told(f"{BASE}  g: {group}\n")
    assert any(one.startswith(expected) for one in found), found


@pytest.mark.parametrize(
    "group",
    [
        "{people: [a], via: ['slack:#offers', 'slack:C0123456789', 'notify:on_call']}",
        "{people: [a], hours: 'fri-mon 09:00-17:00, wed 22:00-24:00'}",
        "{people: [a], answer_within: 2 years, hours: 'mon-fri 09:00-17:00'}",
        "{people: [a, b], deputies: {A: [c, d], b: [a]}}",
        "{people: [a, b], edits_need_another: true}",
        "{people: [a], deputies: {a: [b]}, edits_need_another: true}",
        "{people: [a], edits_need_another: false}",
    ],
)
def test_every_kind_of_group_loads(group: str) -> None:
    """The twins of the groups above."""
    assert told(f"{BASE}  g: {group}\n") == []


@pytest.mark.parametrize(
    ("channel", "meant"),
    [
        ("slak:#offers", "slack:#offers"),
        ("slack:offers", "slack:#offers"),
        ("slack:#Offers", "slack:#offers"),
        ("Slack: #offers", "slack:#offers"),
        ("notify:On-Call", "notify:on_call"),
        ("notfy:oncall", "notify:oncall"),
        ("notify:oncall_file", None),
        ("slack:#", None),
        ("mail:lead@example.com", None),
    ],
)
def test_the_channel_that_was_meant_is_named(channel: str, meant: str | None) -> None:
    """Where it can be told; else only what was expected."""
    (found,) = problems(f"{BASE}  g: {{people: [a], via: ['{channel}']}}\n")
    assert (found.nearest, found.expected) == (meant, "slack:#name, slack:CHANNELID or notify:name")
    assert meant is None or told(f"{BASE}  g: {{people: [a], via: ['{meant}']}}\n") == []


@pytest.mark.parametrize(
    ("told_when", "expected"),
    [
        ("{}", "3:24 nothing stands here"),
        ("[a]", "3:24 a list stands here"),
        ("{refused: x}", "3:25 unknown word 'refused' in told_when"),
        ("{rejected: ''}", "3:35 an empty text stands here"),
        ("{rejected: 5}", "3:35 '5' stands here"),
        (f"{{expired: {'x' * 501}}}", "3:34 a text of 501 characters"),
    ],
)
def test_a_mistake_in_what_an_agent_is_told_is_told_at_its_place(told_when: str, expected: str) -> None:
    """Only the ways in which an action can end, and short texts."""
    found = told(BASE.replace("{may", f"{{told_when: {told_when}, may"))
    assert any(one.startswith(expected) for one in found), found


def test_what_an_agent_is_told_loads() -> None:
    """The twin: every word, and a text of the greatest length."""
    words = "{rejected: a, expired: b, cancelled: c, answered: d, denied: " + "x" * 500 + "}"
    assert told(BASE.replace("{may", f"{{told_when: {words}, may")) == []


def test_an_alert_to_a_group_that_is_not_there_is_a_mistake() -> None:
    """Whoever is to be told must be somebody."""
    assert told(f"{BASE}alerts: {{to: [lead]}}\n") == ["13:14 no group of approvers is named 'lead'"]
    assert told(f"{BASE}alerts: {{to: [leads]}}\n") == []


def test_a_circle_of_groups_is_told_once() -> None:
    """Escalation that comes back is one problem; a chain that ends with reject loads."""
    circle = f"{BASE}  a: {{people: [a], if_no_answer: b}}\n  b: {{people: [b], if_no_answer: a}}\n"
    assert told(circle) == ["13:34 a question would go round for ever: a → b → a"]
    assert told(circle.replace("if_no_answer: a}", "if_no_answer: leads}")) == []


@pytest.mark.parametrize("name", ["anyone", "reject"])
def test_a_group_must_not_be_named_like_a_word(name: str) -> None:
    """`anyone` and `reject` mean something else already; any other name loads."""
    assert told(f"{BASE}  {name}: {{people: [a]}}\n") == [f"13:3 {name!r} means something else here"]
    assert told(f"{BASE}  others: {{people: [a]}}\n") == []


def test_groups_are_read_whole() -> None:
    """Members are named as the group spells them; what is not said is off."""
    text = "{people: [a, b], hours: 'mon 09:00-10:00', deputies: {A: [c]}, edits_need_another: true}"
    policy = load(f"{BASE}  g: {text}\n")
    group, leads = policy.approvers["g"], policy.approvers["leads"]
    assert (group.hours, group.deputies, group.edits_need_another) == ("mon 09:00-10:00", {"a": ("c",)}, True)
    assert (leads.hours, leads.deputies, leads.edits_need_another) == (None, {}, False)
    agent = load(BASE.replace("{may", "{told_when: {expired: Hand it over.}, may")).agents["support"]
    assert agent.told_when == {"expired": "Hand it over."}
    assert load(BASE).agents["support"].told_when == {}


def test_a_channel_has_its_setting() -> None:
    """What `notify:` names is reached by the setting of that name."""
    assert setting("notify:on_call") == "HANDRAIL_NOTIFY_ON_CALL"
