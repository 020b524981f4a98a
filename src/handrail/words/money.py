"""Money: whole nano-units of a currency. One dollar is 1,000,000,000 nano-dollars; nothing is rounded."""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, ROUND_CEILING, Context, Decimal, Inexact, InvalidOperation

NANO = 1_000_000_000
"""Nano-units in one unit of currency."""

LARGEST = 2**63 - 1
"""The largest amount that a store can keep, in nano-units."""

_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_CENT = NANO // 100
_TWO_PLACES = Decimal("0.01")
_NANO = Decimal(NANO)
_LONGEST = 18
"""A decimal exponent that no amount which can be kept has: checked before digits are made of it."""
# the caller's own decimal context may round; this one refuses to
_EXACT = Context(prec=60, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[InvalidOperation, Inexact])
_UP = Context(prec=60, rounding=ROUND_CEILING, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[InvalidOperation])


def to_nano(amount: Decimal | int) -> int:
    """``amount`` units of currency in whole nano-units.

    Raises:
        ValueError: not finite, negative, finer than a nano-unit, or larger than a store can keep.
    """
    exact = amount if type(amount) is Decimal else Decimal(amount)
    if not exact.is_finite():
        raise ValueError(f"{amount} is not an amount of money")
    if exact.adjusted() > _LONGEST:
        raise ValueError(f"{amount} is {'negative' if exact < 0 else 'larger than can be kept'}")
    try:
        scaled = _EXACT.multiply(exact, _NANO)
    except Inexact:
        raise ValueError(f"{amount} is finer than a nano-unit") from None
    nano = int(scaled)
    if 0 <= nano <= LARGEST and nano == scaled:
        return nano
    if exact < 0:
        raise ValueError(f"{amount} is negative")
    raise ValueError(
        f"{amount} is {'larger than can be kept' if nano > LARGEST else 'finer than a nano-unit'}"
    )


def to_nano_up(amount: Decimal | int) -> int:
    """``amount`` units of currency in nano-units, rounded up: what is spent is never counted short.

    Raises:
        ValueError: not finite, negative, or larger than a store can keep.
    """
    exact = amount if type(amount) is Decimal else Decimal(amount)
    if exact.is_finite() and exact >= 0 and exact.adjusted() <= _LONGEST:
        nano = int(_UP.multiply(exact, _NANO).to_integral_value(ROUND_CEILING))
        if nano <= LARGEST:
            return nano
    return to_nano(amount)  # which says what is wrong


def from_nano(nano: int) -> Decimal:
    """``nano`` nano-units as an exact decimal number of units, without trailing zeros beyond the cents."""
    exact = _EXACT.scaleb(Decimal(nano), -9)
    return exact.quantize(_TWO_PLACES, context=_EXACT) if nano % _CENT == 0 else exact.normalize(_EXACT)


def shown(nano: int, currency: str) -> str:
    """``nano`` nano-units for people: ``1,250.00 USD``."""
    return f"{from_nano(nano):,f} {currency}"


def spoken(nano: int, currency: str) -> str:
    """``nano`` nano-units within a sentence: ``$48.20``, ``€50``, ``1,250 PLN``."""
    exact = from_nano(nano)
    text = f"{exact:,f}".removesuffix(".00")
    sign = _SIGNS.get(currency)
    return f"{sign}{text}" if sign else f"{text} {currency}"
