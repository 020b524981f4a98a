"""Values from outside as expressions know them: exact and of few kinds, or refused."""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from handrail.words.exact import exact, found
from handrail.words.fact import Failed

WARSAW = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (2**80, 2**80),
        (0.1, Decimal("0.1")),
        (1e300, Decimal("1e300")),
        (Decimal("2.50"), Decimal("2.50")),
        ("żółw", "żółw"),
        (datetime(2026, 1, 1, 12, tzinfo=UTC).replace(tzinfo=None), datetime(2026, 1, 1, 12, tzinfo=UTC)),
        (datetime(2026, 1, 1, 12, tzinfo=WARSAW), datetime(2026, 1, 1, 11, tzinfo=UTC)),
        (date(2026, 1, 1), "2026-01-01"),
        (OrderedDict(a=(1, 0.5)), {"a": [1, Decimal("0.5")]}),
        ([[None]], [[None]]),
    ],
)
def test_a_plain_value_is_taken_exactly(value: Any, wanted: Any) -> None:
    assert exact(value) == wanted
    assert type(exact(value)) is type(wanted)


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), Decimal("NaN"), Decimal("sNaN"), b"x", object(), {1, 2}, 1j, "half \ud800"],
    ids=lambda value: "object" if type(value) is object else str(value),
)
def test_anything_else_is_refused_wherever_it_stands(value: Any) -> None:
    for whole in (value, [value], {"a": {"b": value}}):
        with pytest.raises(ValueError, match=r"finite|rule can use"):
            exact(whole)


def test_nothing_found_is_a_failed_fact() -> None:
    assert found(None) == Failed("nothing was found")
    assert found(0.5) == Decimal("0.5")
