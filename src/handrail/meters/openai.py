"""The meter for OpenAI's Python client, and for whatever else is asked with it."""

from __future__ import annotations

from handrail.meters.metering import Served
from handrail.meters.usage import Api

PACKAGE = "openai"
HOME = "api.openai.com"
NAME = "openai"
ROUTES = {
    "chat/completions": Api.CHAT,
    "responses": Api.RESPONSES,
    "embeddings": Api.EMBEDDINGS,
    "images/generations": Api.IMAGES,
}
NEEDS = "websocket_base_url"
"""What its clients must have, or their WebSockets would pass by the meter."""


def served(upstream: str) -> Served:
    """An upstream that speaks OpenAI's API. OpenAI's own has a price list, and newer names."""
    own = upstream == NAME
    return Served(upstream, NAME if own else None, ROUTES, limit_field=None if own else "max_tokens")
