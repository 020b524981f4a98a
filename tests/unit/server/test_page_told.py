"""The pages have a word for everything that the journal tells, and for everything that an action can be."""

from __future__ import annotations

from handrail.server.pages.told import DELIVERIES, KINDS, STATES
from handrail.words.delivery import DeliveryKind
from handrail.words.entry import Kind
from handrail.words.lifecycle import State


def test_every_kind_of_entry_and_every_state_has_a_word() -> None:
    """The log draws one row for each kind: one without a word would be a page that can't be drawn."""
    assert set(KINDS) == set(Kind)
    assert set(STATES) == set(State)
    assert set(DELIVERIES) == set(DeliveryKind)
