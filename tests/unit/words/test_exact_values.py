"""Values from outside reach rules as plain values: nobody's own == or hash() decides a rule."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum, IntEnum, StrEnum

import pytest

from handrail.words.exact import MOST_BITS, exact


class Named(str, Enum):  # noqa: UP042 - the old way, with a hash of its own
    """A tier that hashes by its name, not by its value."""

    GOLD = "gold"

    def __hash__(self) -> int:
        """By name."""
        return hash(self.name)


class Tier(StrEnum):
    """A tier."""

    GOLD = "gold"


class Size(IntEnum):
    """A size."""

    LARGE = 3


class Never(str):
    """A text that says it equals nothing."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        """Never."""
        return False


class Small(Decimal):
    """A number that says it is never more."""

    __slots__ = ()

    def __gt__(self, other: object) -> bool:
        """Never."""
        return False


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        (Named.GOLD, "gold"),
        (Tier.GOLD, "gold"),
        (Never("gold"), "gold"),
        (Size.LARGE, 3),
        (Small(7), Decimal(7)),
    ],
)
def test_a_subclass_becomes_the_plain_value_that_it_holds(given: object, plain: object) -> None:
    """An index of texts finds it, and it compares as what it is."""
    found = exact({"it": [given]})
    assert found == {"it": [plain]}
    assert isinstance(found, dict)
    assert type(found["it"][0]) is type(plain)


def test_a_number_that_could_never_be_written_as_text_is_refused() -> None:
    """Python itself writes no integer of more than 4,300 digits."""
    with pytest.raises(ValueError, match="whole number of"):
        exact({"n": 1 << MOST_BITS})


def test_the_longest_number_that_is_accepted_is_kept_exactly() -> None:
    """Nothing is rounded on the way."""
    assert exact((1 << MOST_BITS) - 1) == (1 << MOST_BITS) - 1
