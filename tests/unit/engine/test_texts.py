"""Texts from outside: what no store can keep is refused, or made fit where nobody could answer a refusal."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from handrail.engine.context import confidence_of
from handrail.engine.texts import LONGEST_ERROR, LONGEST_NAME, error_text, fit, name_of, reason_of
from handrail.words.errors import BadArguments


@pytest.mark.parametrize("bad", [None, 7, b"x", "", " ", "nul\0", "\ud800", "x" * (LONGEST_NAME + 1)])
def test_a_name_that_no_store_can_keep_is_refused(bad: Any) -> None:
    with pytest.raises(BadArguments, match="agent"):
        name_of(bad, "agent")


@pytest.mark.parametrize("good", ["a", "żółw 🐢", "x" * LONGEST_NAME, "two words"])
def test_any_other_name_is_taken_as_it_is(good: str) -> None:
    assert name_of(good, "agent") == good


def test_a_reason_may_be_empty_and_long_but_not_endless() -> None:
    assert reason_of("", "rationale") == ""
    assert reason_of("x" * 20_000, "rationale")
    with pytest.raises(BadArguments, match="at most 20,000"):
        reason_of("x" * 20_001, "rationale")


def test_an_errors_text_is_made_fit_for_every_store() -> None:
    text = error_text(ValueError("nul \0, half \ud800"))
    assert text == r"ValueError: nul \x00, half \ud800"
    assert len(fit("x" * 10_000_000)) == LONGEST_ERROR + 1
    assert fit("as it is") == "as it is"


@pytest.mark.parametrize("bad", [-0.1, 1.1, float("nan"), float("inf"), "0.5", True, Decimal("sNaN"), [], 2])
def test_a_confidence_that_is_no_number_from_0_to_1_is_refused(bad: Any) -> None:
    with pytest.raises(BadArguments, match="from 0 to 1"):
        confidence_of(bad)


@pytest.mark.parametrize(("value", "exact"), [(0, "0"), (1, "1"), (0.1, "0.1"), (Decimal("0.90"), "0.90")])
def test_a_confidence_is_kept_exactly(value: Any, exact: str) -> None:
    assert str(confidence_of(value)) == exact
    assert confidence_of(None) is None
