"""Random changes to the design's policy: it loads, or is refused with places inside the file."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from handrail.policy.alive import not_alive
from handrail.policy.boundaries import boundaries
from handrail.policy.load import load
from handrail.words.errors import PolicyError
from handrail.words.problem import Problem
from tests.unit.policy.reading import DESIGN, included

LINES = DESIGN.splitlines(keepends=True)
TOKENS = re.findall(r"\w+|\W", DESIGN)
PIECES = st.one_of(
    st.sampled_from(
        [
            "",
            " ",
            "\n",
            "\t",
            "[",
            "]",
            "{",
            "}",
            ":",
            "- ",
            "'",
            '"',
            "|",
            ">",
            "&a ",
            "*a",
            "!!str ",
            "#",
            "<<: ",
            "null",
        ]
    ),
    st.sampled_from(
        ["0", "-1", "1e9", ".nan", "true", "writes", "*", "task", "confidence", "!(", "&&", "9" * 30]
    ),
    st.sampled_from(TOKENS),
    st.text(max_size=5),
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """The design's text with one to four tokens or lines dropped, doubled, swapped or replaced."""
    parts = list(draw(st.sampled_from([TOKENS, LINES])))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(parts) - 1))
        end = min(len(parts), at + draw(st.integers(0, 3)))
        parts[at:end] = draw(st.sampled_from([[], parts[at:end] * 2, [draw(PIECES)], parts[at:end][::-1]]))
        parts = parts or [""]
    return "".join(parts)


def check(text: str) -> None:
    """Load ``text``; what fails must be a PolicyError whose problems can be found."""
    try:
        policy = load(text, "handrail.yaml", included)
    except PolicyError as error:
        check_places(text, error.problems)
    else:
        not_alive(policy)
        for agent in policy.agents:
            assert boundaries(policy, agent)


def check_places(text: str, problems: tuple[Problem, ...]) -> None:
    """At least one problem, and each at a character of the file or just after a line's end."""
    lines = text.split("\n")
    assert problems
    for one in problems:
        assert one.file == "handrail.yaml"
        assert 1 <= one.line <= len(lines)
        assert 1 <= one.column <= len(lines[one.line - 1]) + 1


@settings(max_examples=150)
@given(mutated())
def test_a_changed_policy_loads_or_says_where_it_is_wrong(text: str) -> None:
    """Nothing but PolicyError comes out, and every problem has a line and column inside the file."""
    check(text)


@settings(max_examples=60)
@given(st.text(max_size=60))
def test_any_text_loads_or_says_where_it_is_wrong(text: str) -> None:
    """The same for texts that never were a policy."""
    check(text)
    check(f"handrail: 1\nrules: {text}")
