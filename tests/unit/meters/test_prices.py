"""What models cost: exact to the nano-unit, never less than the list says, refused where unknown."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal

import genai_prices
import pytest
from genai_prices import data_snapshot
from hypothesis import given
from hypothesis import strategies as st

from handrail.meters.prices import PriceBook
from handrail.meters.rates import Rate, of_policy
from handrail.words.errors import ModelRefused
from handrail.words.model_call import Usage
from handrail.words.model_price import ModelPrice
from handrail.words.money import NANO

NOW = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp() * 1000)
WHEN = datetime.fromtimestamp(NOW / 1000, UTC)
PLAIN = [("openai", "gpt-5"), ("openai", "gpt-4o"), ("google", "gemini-2.5-flash"), ("openai", "gpt-5.5")]
CACHING = [
    ("anthropic", "claude-sonnet-4-5"),
    ("anthropic", "claude-opus-5"),
    ("anthropic", "claude-haiku-5-5"),
]
BOOK = PriceBook()


def listed(provider: str, model: str, **usage: int) -> int:
    """What the package itself says, in nano-dollars, rounded up."""
    found = genai_prices.calc_price(
        genai_prices.Usage(**usage), model, provider_id=provider, genai_request_timestamp=WHEN
    )
    return int((found.total_price * NANO).to_integral_value(ROUND_CEILING))


@given(
    which=st.sampled_from(PLAIN),
    total=st.integers(0, 600_000),
    cached=st.floats(0, 1),
    output=st.integers(0, 100_000),
)
def test_tokens_cost_exactly_what_the_price_list_says(
    which: tuple[str, str], total: int, cached: float, output: int
) -> None:
    part = int(total * cached)
    ours = BOOK.rates(*which, None, NOW, "default").cost(Usage(input=total, cached=part, output=output))
    theirs = listed(*which, input_tokens=total, cache_read_tokens=part, output_tokens=output)
    assert ours == theirs


@given(which=st.sampled_from(CACHING), parts=st.tuples(*[st.integers(0, 200_000)] * 5))
def test_cache_writes_of_both_kinds_cost_exactly_what_the_price_list_says(
    which: tuple[str, str], parts: tuple[int, ...]
) -> None:
    plain, cached, short, long, output = parts
    used = Usage(
        input=plain + cached + short + long,
        output=output,
        cached=cached,
        cache_write=short,
        cache_write_long=long,
    )
    theirs = listed(
        *which,
        input_tokens=used.input,
        cache_read_tokens=cached,
        cache_write_tokens=short + long,
        cache_write_1h_tokens=long,
        output_tokens=output,
    )
    assert BOOK.rates(*which, None, NOW).cost(used) == theirs


def test_a_picture_of_a_model_that_writes_both_costs_what_pictures_cost() -> None:
    rates = BOOK.rates("google", "gemini-3-pro-image-preview", None, NOW)
    as_text = rates.cost(Usage(input=10, output=1120))
    as_picture = rates.cost(Usage(input=10, output=1120, image_output=1120))
    assert as_picture == 10 * 2_000 + 1120 * 120_000
    assert as_picture > 9 * as_text


def test_sound_without_a_price_of_its_own_is_refused_and_with_one_it_is_priced() -> None:
    said = Usage(input=10, output=20, audio_output=5)
    with pytest.raises(ModelRefused, match="audio_output of gpt-4o-audio-preview"):
        BOOK.rates("openai", "gpt-4o-audio-preview", None, NOW).cost(said)
    assert BOOK.rates("openai", "gpt-audio", None, NOW).cost(said) == 10 * 2_500 + 15 * 10_000 + 5 * 64_000


def test_a_part_of_a_nano_unit_is_rounded_up() -> None:
    rates = of_policy("small", ModelPrice(input=Decimal("0.0001"), output=Decimal(0)))
    assert rates.cost(Usage(input=1)) == 1
    assert rates.cost(Usage(input=10)) == 1
    assert rates.cost(Usage(input=11)) == 2


@pytest.mark.parametrize(
    ("provider", "model", "why"),
    [
        ("openai", "gpt-unheard-of", "does not know it"),
        ("google", "gemma-3-27b", "no price of its tokens"),
        (None, "gpt-5", "no price list"),
        ("nobody", "gpt-5", "does not know it"),
        ("openai", "gpt-4o-search-preview", "searches the web for each answer"),
        ("openai", "gpt-5-search-api", "searches the web for each answer"),
        ("openai", "GPT-4o-Search-Preview", "searches the web for each answer"),
        ("openrouter", "perplexity/sonar-pro", "searches the web for each answer"),
        ("perplexity", "sonar-deep-research", "searches the web for each answer"),
        ("openrouter", "openai/o3-deep-research", "searches the web for each answer"),
    ],
)
def test_an_unknown_price_is_refused(provider: str | None, model: str, why: str) -> None:
    with pytest.raises(ModelRefused, match=why) as refused:
        BOOK.rates(provider, model, None, NOW)
    assert refused.value.cause == "price"


def test_a_price_of_the_policy_makes_an_unknown_model_known_and_goes_before_the_list() -> None:
    own = ModelPrice(input=Decimal(1), output=Decimal(2), image=Decimal("0.04"), call=Decimal("0.001"))
    used = Usage(input=1_000, output=1_000, images=2)
    expected = 1_000 * 1_000 + 1_000 * 2_000 + 2 * 40_000_000 + 1_000_000
    assert BOOK.rates(None, "mine", own, NOW).cost(used) == expected
    assert BOOK.rates("openai", "gpt-5", own, NOW).cost(used) == expected


def test_a_dear_tier_is_not_had_at_the_price_of_the_policy() -> None:
    own = ModelPrice(input=Decimal(1), output=Decimal(2))
    for tier in ("priority", "fast"):
        with pytest.raises(ModelRefused, match=f"says nothing of the service tier '{tier}'") as refused:
            BOOK.rates("openai", "gpt-5", own, NOW, tier)
        assert refused.value.cause == "price"
        # which one the upstream chose by itself is the operator's, who gave the price
        assert BOOK.rates("openai", "gpt-5", own, NOW, tier, answered=True).cost(Usage(input=1)) == 1_000
    for tier in ("", "auto", "default", "flex"):
        assert BOOK.rates("openai", "gpt-5", own, NOW, tier).cost(Usage(input=1)) == 1_000


def test_a_policy_in_another_currency_needs_to_say_what_a_dollar_costs() -> None:
    with pytest.raises(ModelRefused, match="what a dollar costs"):
        PriceBook(None).rates("openai", "gpt-5", None, NOW)
    euros = PriceBook(Decimal("0.93")).rates("openai", "gpt-5", None, NOW, "default")
    assert euros.cost(Usage(input=1_000_000)) == 1_162_500_000


def test_a_dear_service_tier_has_its_own_price_or_none() -> None:
    million = Usage(input=1_000_000)
    assert BOOK.rates("openai", "o3", None, NOW, "priority").cost(million) == 3_500_000_000
    assert BOOK.rates("openai", "o3", None, NOW, "flex").cost(million) == 2_000_000_000
    with pytest.raises(ModelRefused, match="service tier 'priority'"):
        BOOK.rates("openai", "gpt-4-turbo", None, NOW, "priority")
    with pytest.raises(ModelRefused, match="service tier 'new'"):
        BOOK.rates("openai", "o3", None, NOW, "new")


@pytest.mark.parametrize("tier", ["", "auto"])
def test_where_the_upstream_chooses_the_tier_the_dearest_one_counts(tier: str) -> None:
    rates = [BOOK.rates("openai", "gpt-5", None, NOW, each) for each in (tier, "priority", "default")]
    for used in (Usage(input=1_000), Usage(input=1_000, cached=1_000), Usage(input=1, output=1_000)):
        chosen, dear, standard = (each.cost(used) for each in rates)
        assert chosen == dear > standard
    one, other = (BOOK.rates("openai", "gpt-4-turbo", None, NOW, each) for each in (tier, "default"))
    assert one == other, "it is sold in one tier"


def test_the_worst_rate_holds_for_any_input_up_to_the_bound() -> None:
    rate = Rate(Decimal(3), ((100, Decimal(6)), (200, Decimal(5))))
    assert [rate.at(tokens) for tokens in (0, 100, 101, 200, 201)] == [3, 3, 6, 6, 5]
    assert [rate.worst(tokens) for tokens in (0, 100, 101, 201)] == [3, 3, 6, 6]


def test_a_price_that_changes_within_the_call_counts_as_the_dearer_one() -> None:
    change = datetime(2025, 6, 10, tzinfo=UTC)
    at = int(change.timestamp() * 1000)
    before = BOOK.rates("openai", "o3", None, at - 60_000).cost(Usage(input=1_000_000))
    after = BOOK.rates("openai", "o3", None, at + 60_000).cost(Usage(input=1_000_000))
    assert (before, after) == (10_000_000_000, 2_000_000_000)


def test_every_model_of_the_list_is_priced_or_refused() -> None:
    seen = {"priced": 0, "refused": 0}
    for provider in data_snapshot.get_snapshot().providers:
        for model in provider.models:
            try:
                BOOK.rates(provider.id, model.id, None, NOW)
                seen["priced"] += 1
            except ModelRefused:
                seen["refused"] += 1
    assert seen["priced"] > 1_000
    assert seen["refused"] > 0


def test_a_model_that_searches_unasked_is_priced_where_the_policy_prices_its_calls() -> None:
    own = ModelPrice(input=Decimal(1), output=Decimal(2), call=Decimal("0.03"))
    assert BOOK.rates("openai", "gpt-4o-search-preview", own, NOW).cost(Usage()) == 30_000_000
    assert "call" in BOOK.rates("perplexity", "sonar-pro", None, NOW).parts, "the list prices its calls"


def test_a_model_for_research_that_searches_only_when_told_to_is_priced_by_its_searches() -> None:
    assert "search" in BOOK.rates("openai", "o3-deep-research", None, NOW).parts
