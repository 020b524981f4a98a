"""Every path that a policy may list for redaction is one that the journal can follow, and no other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.journal.redaction import Redactor
from handrail.policy.load import load
from handrail.words.errors import PolicyError


def loads(path: str) -> bool:
    """Whether a policy that lists this path loads."""
    try:
        load(f"handrail: 1\ndata: {{redact: ['{path}']}}\n")
    except PolicyError:
        return False
    return True


def works(path: str) -> bool:
    """Whether the journal can follow it."""
    try:
        Redactor((path,))
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    "path",
    [
        "args.card_number",
        "output.token",
        "facts.customer.email",
        "args.items[*].secret",
        "output.*.id",
        "output",
    ],
)
def test_fields_of_arguments_outputs_and_facts_can_be_redacted(path: str) -> None:
    """All three kinds of values that an entry may hold."""
    assert loads(path)
    assert works(path)


@given(st.text(alphabet="aogrsutpfc.*[] -_", max_size=24).map(lambda rest: f"args{rest}"))
def test_a_policy_takes_exactly_the_paths_that_the_journal_can_follow(path: str) -> None:
    """No path loads and then hides nothing; none that would work is refused."""
    assert loads(path) == works(path)
