"""Money: exact whatever the caller's decimal context says, or refused."""

from __future__ import annotations

import decimal
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.words.money import LARGEST, from_nano, shown, spoken, to_nano, to_nano_up


@given(st.integers(0, LARGEST // 10**9 * 10**9), st.integers(1, 60))
def test_nano_units_come_back_exactly_in_every_context(nano: int, precision: int) -> None:
    with decimal.localcontext() as context:
        context.prec = precision
        assert to_nano(from_nano(nano)) == nano


@pytest.mark.parametrize(
    ("amount", "why"),
    [
        ("NaN", "not an amount"),
        ("sNaN", "not an amount"),
        ("-Infinity", "not an amount"),
        ("-0.01", "negative"),
        ("1E-10", "finer"),
        ("1.00000000000000000000000000001", "finer"),
        ("1E-999999", "finer"),
        ("1E+999999", "larger"),
        ("9223372037", "larger"),
    ],
)
def test_what_is_no_amount_is_refused(amount: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        to_nano(Decimal(amount))


@pytest.mark.parametrize(
    ("amount", "nano"),
    [("0", 0), ("-0", 0), ("1E-9", 1), ("1234567.89", 1_234_567_890_000_000), ("1." + "0" * 90, 10**9)],
)
def test_an_amount_is_kept_exactly_even_where_the_context_would_round(amount: str, nano: int) -> None:
    with decimal.localcontext() as context:
        context.prec = 6
        assert to_nano(Decimal(amount)) == nano


@pytest.mark.parametrize(
    ("nano", "text"),
    [(0, "0.00 USD"), (1_250_500_000_000, "1,250.50 USD"), (1, "0.000000001 USD"), (10**10, "10.00 USD")],
)
def test_money_is_shown_with_cents_or_with_all_it_has(nano: int, text: str) -> None:
    assert shown(nano, "USD") == text


@pytest.mark.parametrize(
    ("amount", "nano"),
    [
        ("0", 0),
        ("-0", 0),
        ("1E-10", 1),
        ("1E-999999", 1),
        ("0.000000001", 1),
        ("0.0000000011", 2),
        ("1." + "0" * 80 + "1", 10**9 + 1),
        ("9223372036.854775807", LARGEST),
    ],
)
def test_what_is_spent_is_rounded_up_and_never_counted_short(amount: str, nano: int) -> None:
    with decimal.localcontext() as context:
        context.prec = 6
        assert to_nano_up(Decimal(amount)) == nano


@pytest.mark.parametrize(
    ("amount", "why"),
    [
        ("NaN", "not an amount"),
        ("Infinity", "not an amount"),
        ("-1E-20", "negative"),
        ("9223372037", "larger"),
    ],
)
def test_what_is_no_amount_is_not_rounded_to_one(amount: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        to_nano_up(Decimal(amount))


@pytest.mark.parametrize(
    ("nano", "currency", "text"),
    [
        (48_200_000_000, "USD", "$48.20"),
        (50 * 10**9, "USD", "$50"),
        (1_250 * 10**9, "PLN", "1,250 PLN"),
        (500_000_000, "EUR", "€0.50"),
        (1_234_567, "GBP", "£0.001234567"),
    ],
)
def test_money_in_a_sentence_is_short_and_exact(nano: int, currency: str, text: str) -> None:
    assert spoken(nano, currency) == text
