"""What each part of a call costs, what a call did cost, and the worst that one can: exact, rounded up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

from handrail.words.errors import ModelRefused
from handrail.words.model_call import MILLION
from handrail.words.money import NANO

if TYPE_CHECKING:
    from handrail.words.model_call import Usage
    from handrail.words.model_price import ModelPrice

INPUTS = ("cached", "cache_write", "cache_write_long", "audio_input", "image_input")
"""Parts of the input that may have a price of their own, as ``Usage`` names them."""
OUTPUTS = ("reasoning", "audio_output", "image_output")
PIECES = {"searches": "search", "images": "image"}
"""What is counted, and the price of one."""
FALLS_BACK = {"cached": "input", "cache_write": "input", "image_input": "input", "reasoning": "output"}
"""Which price a part without one of its own has. Sound has none: it is never priced as text."""
LONG = 2
"""A long cache write without a price of its own costs at least so many times its input, as Anthropic's do."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Nano-units for one token or piece; another rate for all when the input is longer than a start."""

    base: Decimal
    tiers: tuple[tuple[int, Decimal], ...] = ()
    """Where each begins, ascending, and what all tokens then cost."""

    def at(self, tokens: int) -> Decimal:
        """The rate for an input of so many tokens."""
        return next((rate for start, rate in reversed(self.tiers) if tokens > start), self.base)

    def worst(self, tokens: int) -> Decimal:
        """The highest rate for an input of at most so many tokens."""
        return max((self.base, *(rate for start, rate in self.tiers if tokens > start)))


@dataclass(frozen=True, slots=True)
class Rates:
    """All that one model's calls are priced by. A part without a price is refused, never free."""

    model: str
    source: str
    """Where they come from, for people."""
    parts: Mapping[str, Rate]
    window: int | None = None
    """The largest input that the model reads, in tokens, where the price list says it."""

    def cost(self, usage: Usage) -> int:
        """What was used costs this much, in nano-units. Where parts overlap, both are charged: never less.

        Raises:
            ModelRefused: a part that was used has no price.
        """
        tokens = usage.input
        total = self._call()
        total += self._sum(usage, "input", usage.input, INPUTS, tokens)
        total += self._sum(usage, "output", usage.output, OUTPUTS, tokens)
        for counted, piece in PIECES.items():
            if number := getattr(usage, counted):
                total += number * self.of(piece).at(tokens)
        return int(total.to_integral_value(ROUND_CEILING))

    def input_rate(self, tokens: int, parts: Iterable[str] = ()) -> Decimal:
        """The most that one token of an input of at most ``tokens`` can cost, with these parts in it.

        Raises:
            ModelRefused: one of them has no price.
        """
        return max(self.of(part).worst(tokens) for part in ("input", "cached", *parts))

    def output_rate(self, tokens: int, parts: Iterable[str] = ()) -> Decimal:
        """The most that one token of an output can cost, after an input of at most ``tokens``.

        Raises:
            ModelRefused: one of the parts has no price.
        """
        return max(self.of(part).worst(tokens) for part in ("output", "reasoning", *parts))

    def of(self, part: str) -> Rate:
        """The rate of one part.

        Raises:
            ModelRefused: it has none.
        """
        found = self.parts.get(part)
        if found is not None:
            return found
        if part == "cache_write_long":
            return self._long()
        if (other := FALLS_BACK.get(part)) is not None:
            return self.of(other)
        raise ModelRefused(
            f"{self.source} has no price for {part} of {self.model}: give it one in the policy's models",
            "price",
        )

    def _long(self) -> Rate:
        short, plain = self.of("cache_write"), self.of("input")
        starts = sorted({start for rate in (short, plain) for start, _ in rate.tiers})
        tiers = tuple((start, max(short.at(start + 1), LONG * plain.at(start + 1))) for start in starts)
        return Rate(max(short.base, LONG * plain.base), tiers)

    def _call(self) -> Decimal:
        call = self.parts.get("call")
        return Decimal(0) if call is None else call.base

    def _sum(self, usage: Usage, name: str, whole: int, parts: Iterable[str], tokens: int) -> Decimal:
        total, rest = Decimal(0), whole
        for part in parts:
            if number := getattr(usage, part):
                total += number * self.of(part).at(tokens)
                rest -= number
        return total + rest * self.of(name).at(tokens) if rest > 0 else total


def of_policy(model: str, price: ModelPrice) -> Rates:
    """The rates that a policy gives a model; it then counts alone."""
    million = Decimal(NANO) / MILLION
    given = {
        "input": (price.input, million),
        "output": (price.output, million),
        "cached": (price.cached_input, million),
        "cache_write": (price.cache_write, million),
        "image": (price.image, Decimal(NANO)),
        "call": (price.call, Decimal(NANO)),
    }
    parts = {name: Rate(value * unit) for name, (value, unit) in given.items() if value is not None}
    return Rates(model, "the policy", parts)
