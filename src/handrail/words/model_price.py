"""What a policy says that a model costs, for models that the price list does not know or prices otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """Exact prices in units of the policy's currency; tokens are priced per million.

    None is no price: a call that would need it is refused as unpriced. Only what an ``input`` that was kept
    or read from a cache costs falls back to ``input``, and a call costs nothing by itself unless it says so.
    """

    input: Decimal | None = None
    output: Decimal | None = None
    cached_input: Decimal | None = None
    cache_write: Decimal | None = None
    image: Decimal | None = None
    """One image that is made."""
    call: Decimal | None = None
    """Each call, on top of its tokens and images."""
