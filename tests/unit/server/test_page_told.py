"""The pages have a word for everything that the journal tells, and for everything that an action can be."""

from __future__ import annotations

import pytest

from handrail.server.pages.told import DELIVERIES, KINDS, STATES, aligned
from handrail.words.delivery import DeliveryKind
from handrail.words.entry import Kind
from handrail.words.lifecycle import State


def test_every_kind_of_entry_and_every_state_has_a_word() -> None:
    """The log draws one row for each kind: one without a word would be a page that can't be drawn."""
    assert set(KINDS) == set(Kind)
    assert set(STATES) == set(State)
    assert set(DELIVERIES) == set(DeliveryKind)


@pytest.mark.parametrize(
    ("told", "stand"),
    [
        (["€0.0016", None, "€0.002305", "€1,250"], ["€0.001600", None, "€0.002305", "€1,250.000000"]),
        (["0.5 PLN", "12 PLN"], ["0.5 PLN", "12.0 PLN"]),
        (["6 actions", "1,200 actions"], ["6 actions", "1,200 actions"]),
        (["nothing", "$0.1"], ["nothing", "$0.1"]),
        ([], []),
    ],
)
def test_amounts_of_a_column_have_as_many_digits_behind_the_point(
    told: list[str | None], stand: list[str | None]
) -> None:
    assert aligned(told) == stand
