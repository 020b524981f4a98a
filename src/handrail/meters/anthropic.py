"""The meter for Anthropic's Python client."""

from __future__ import annotations

from handrail.meters.metering import Served
from handrail.meters.usage import Api

PACKAGE = "anthropic"
HOME = "api.anthropic.com"
NAME = "anthropic"
ROUTES = {"v1/messages": Api.MESSAGES, "v1/messages/count_tokens": Api.MESSAGES}
NEEDS = None
"""Its clients open no WebSockets, so there is nothing that they must have."""


def served(upstream: str) -> Served:
    """An upstream that speaks Anthropic's API."""
    free = frozenset({"v1/messages/count_tokens"})
    return Served(upstream, NAME if upstream == NAME else None, ROUTES, free, "v1/models")
