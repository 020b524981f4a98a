"""Pages speak to people who do not program: none of the code's words of the board's glossary is on a page."""

from __future__ import annotations

import re

import pytest

from handrail.gate.level import ASKS
from handrail.server.pages.drawing import TEMPLATES, capital

NAMES = sorted(each.name for each in TEMPLATES.glob("*.html"))
CODE = re.compile(
    r"\b(halt|halts|halted|halting|shadow|shadowed|preapproved|bounded|autonomous)\b", re.IGNORECASE
)
COMMENT, PRINTED, TAG = (re.compile(each, re.DOTALL) for each in (r"{#.*?#}", r"{[{%].*?[}%]}", r"<[^>]*>"))
QUOTED = re.compile(r'"([^"]*)"')


def spoken(text: str) -> str:
    """What of a template people may read: its text, and the sentences that it prints."""
    said = [each for code in PRINTED.findall(COMMENT.sub("", text)) for each in QUOTED.findall(code)]
    sentences = [each for each in said if re.match(r"[A-Z]|\w+ ", each)]
    return "\n".join([TAG.sub(" ", PRINTED.sub(" ", COMMENT.sub("", text))), *sentences])


@pytest.mark.parametrize("name", NAMES)
def test_no_word_of_the_code_is_on_a_page(name: str) -> None:
    """The glossary of the board has another one, which every page uses."""
    assert CODE.findall(spoken((TEMPLATES / name).read_text())) == []


def test_a_word_of_the_code_would_be_found() -> None:
    """In a text, and in a sentence that is chosen; not in an address, a class or a name of the code."""
    assert CODE.findall(spoken('<p>Halted: {{ each }}</p>{{ "Halts" if x else "It is bounded" }}')) == [
        "Halted",
        "Halts",
        "bounded",
    ]
    assert (
        CODE.findall(spoken('{# halt #}<a class="halted" href="/halts">{{ halt.scope }}</a>{{ "halts" }}'))
        == []
    )


def test_why_a_step_asks_is_said_without_a_word_of_the_code() -> None:
    """What the gate says of where a tool stands is read on pages, in chats and by agents."""
    told = [step.reason for finding in ASKS.values() for step in finding.steps]
    assert told
    assert [CODE.findall(each) for each in told] == [[]] * len(told)


@pytest.mark.parametrize(
    ("reason", "rule", "told"),
    [
        ("the agent is not sure", "unsure", "The agent is not sure"),
        ("Ask us first.", "first", "Ask us first."),
        ("big: amount > 100", "big", "big: amount > 100"),
        ("", "", ""),
    ],
)
def test_a_reason_begins_as_a_sentence_unless_it_begins_with_its_rule(
    reason: str, rule: str, told: str
) -> None:
    assert capital(reason, rule) == told
