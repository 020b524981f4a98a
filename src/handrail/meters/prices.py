"""What models cost: the policy's own prices first, then the price list of genai-prices, in dollars.

A model that neither knows is refused. The list stands in the package: nothing is fetched.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Lock
from typing import TYPE_CHECKING, Any

from handrail.meters.rates import Rate, Rates, of_policy
from handrail.words.errors import ModelRefused, Refused
from handrail.words.model_call import MILLION
from handrail.words.money import NANO

if TYPE_CHECKING:
    from collections.abc import Iterable

    from handrail.words.model_price import ModelPrice

LISTED = {
    "input_mtok": ("input", MILLION),
    "cache_read_mtok": ("cached", MILLION),
    "cache_write_mtok": ("cache_write", MILLION),
    "cache_write_5m_mtok": ("cache_write", MILLION),
    "cache_write_1h_mtok": ("cache_write_long", MILLION),
    "input_audio_mtok": ("audio_input", MILLION),
    "input_image_mtok": ("image_input", MILLION),
    "output_mtok": ("output", MILLION),
    "output_reasoning_mtok": ("reasoning", MILLION),
    "output_audio_mtok": ("audio_output", MILLION),
    "output_image_mtok": ("image_output", MILLION),
    "web_searches_kcount": ("search", 1_000),
    "requests_kcount": ("call", 1_000),
}
"""The list's names of prices, ours, and for how many of them its price is."""
MINUTES = 10
"""Prices are looked up anew after so long, so that one which changes at an hour or a date is taken up."""
AHEAD = timedelta(minutes=2 * MINUTES)
"""A call may be billed so much later than it was asked for: the dearer price of both moments counts."""
KNOWN = 1_000
"""Models whose rates are remembered."""
STANDARD = frozenset({"default", "flex", "standard", "standard_only", "on_demand"})
"""Service tiers that cost the standard price or less."""
CHOSEN = frozenset({"", "auto"})
"""Words for: whichever tier the upstream chooses, by settings that are kept there. The dearest one counts."""
SEARCHING = ("-search-preview", "-search-api", "sonar", "-deep-research")
"""In the names of models that search unasked: each search is billed, and no usage tells of it."""
TOLD = "openai"
"""The one provider whose models for research search only by the tools of a request, each by its bound."""


class PriceBook:
    """Prices in the policy's currency. Threads may share it."""

    def __init__(self, dollar: Decimal | None = Decimal(1)) -> None:
        """``dollar`` is what a dollar costs; None where nobody said: then only the policy's prices count."""
        self._dollar = dollar
        self._known: OrderedDict[tuple[object, ...], Rates] = OrderedDict()
        self._lock = Lock()

    def rates(
        self,
        provider: str | None,
        model: str,
        own: ModelPrice | None,
        at: int,
        tier: str = "",
        *,
        answered: bool = False,
    ) -> Rates:
        """The rates of a model. ``provider`` is its name in the list, ``own`` the policy's price for it.

        ``at`` is now, in milliseconds since the epoch; ``tier`` the service tier that is asked for, or was
        ``answered``. Where the upstream chooses it, they are the dearest of all that it may choose. The
        policy's price is that of the tier which the upstream chooses, so nobody may ask for a dear one.

        Raises:
            ModelRefused: nobody priced it.
        """
        if own is not None and not answered and tier not in STANDARD | CHOSEN:
            raise ModelRefused(
                f"the policy's price of {model} says nothing of the service tier {tier[:40]!r}: "
                "leave service_tier out",
                "price",
            )
        key = (provider, model, own, tier, at // (MINUTES * 60_000))
        found = self._known.get(key)
        if found is None:
            found = of_policy(model, own) if own is not None else self._listed(provider, model, at, tier)
            with self._lock:
                self._known[key] = found
                while len(self._known) > KNOWN:
                    self._known.popitem(last=False)
        return found

    def _listed(self, provider: str | None, model: str, at: int, tier: str) -> Rates:
        if provider is None or self._dollar is None:
            why = "this upstream has no price list" if provider is None else "nobody said what a dollar costs"
            raise _unpriced(model, why)
        home, entry = _entry(provider, model)
        when = datetime.fromtimestamp(at / 1_000, UTC)
        parts: dict[str, Rate] = {}
        for moment in (when, when + AHEAD):
            for prices in _prices(home, entry, moment, tier, model):
                for name, rate in _parts(prices, self._dollar):
                    known = parts.get(name)
                    parts[name] = rate if known is None else _dearer(known, rate)
        if "input" not in parts:
            raise _unpriced(model, "the price list has no price of its tokens")
        if _searches(home.id, model) and "call" not in parts:
            raise _unpriced(
                model, "it searches the web for each answer, and the price list has no price of that"
            )
        return Rates(model, f"the price list ({home.id})", parts, entry.context_window)


def providers() -> tuple[str, ...]:
    """The names of providers whose prices are known.

    Raises:
        Refused: the extra is not installed.
    """
    return tuple(each.id for each in _list().providers)


def _list() -> Any:
    try:
        from genai_prices import data_snapshot
    except ImportError as error:
        raise Refused(
            f"prices of models need 'pip install handrail[llm]' ({error.name} is missing)"
        ) from error
    return data_snapshot.get_snapshot()


def _entry(provider: str, model: str) -> tuple[Any, Any]:
    try:
        found: tuple[Any, Any] = _list().find_provider_model(model, None, provider, None)
    except LookupError as error:
        raise _unpriced(model, f"the price list does not know it at {provider}") from error
    return found


def _prices(home: Any, entry: Any, moment: datetime, tier: str, model: str) -> list[Any]:
    """The prices of one moment, in each tier that it may be; a dear tier that is not listed has none."""
    conditions = [each.when for each in entry.price_variants or ()]
    listed = [when["service_tier"] for when in conditions if [*when] == ["service_tier"]]
    if tier in CHOSEN:
        found = [entry.get_prices(moment, {"service_tier": each}) for each in listed]
        return [entry.get_prices(moment), *found]
    if tier in STANDARD:
        return [entry.get_prices(moment)]
    if tier not in listed or not any(each is entry for each in home.models):
        raise _unpriced(model, f"the price list has no price for the service tier {tier[:40]!r}")
    return [entry.get_prices(moment, {"service_tier": tier})]


def _parts(prices: Any, dollar: Decimal) -> Iterable[tuple[str, Rate]]:
    for name, value in vars(prices).items():
        if value is None or name not in LISTED:
            continue
        ours, per = LISTED[name]
        unit = dollar * NANO / per
        if isinstance(value, Decimal):
            yield ours, Rate(value * unit)
        else:
            yield (
                ours,
                Rate(value.base * unit, tuple((each.start, each.price * unit) for each in value.tiers)),
            )


def _searches(provider: str, model: str) -> bool:
    """Whether a model searches although nobody asked for it; the list knows names in any case."""
    marks = [mark for mark in SEARCHING if mark in model.lower()]
    return bool(marks) and not (provider == TOLD and marks == ["-deep-research"])


def _dearer(one: Rate, other: Rate) -> Rate:
    """At any input the dearer of both."""
    if one == other:
        return one
    starts = sorted({start for rate in (one, other) for start, _ in rate.tiers})
    tiers = tuple((start, max(one.at(start + 1), other.at(start + 1))) for start in starts)
    return Rate(max(one.base, other.base), tiers)


def _unpriced(model: str, why: str) -> ModelRefused:
    return ModelRefused(
        f"nobody knows what {model} costs: {why}. Give it a price in the policy's models", "price"
    )
