"""Which paths are metered, and where each leads. Every other one is refused: that is how caps leak."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from handrail.llm.settings import Upstream
from handrail.llm.shapes import Refusal
from handrail.meters.usage import Api

MOUNT = "/llm/"
POSTS: Mapping[str, Mapping[str, tuple[Api, str]]] = {
    "openai": {
        "/v1/chat/completions": (Api.CHAT, "chat/completions"),
        "/v1/responses": (Api.RESPONSES, "responses"),
        "/v1/embeddings": (Api.EMBEDDINGS, "embeddings"),
        "/v1/images/generations": (Api.IMAGES, "images/generations"),
    },
    "anthropic": {
        "/v1/messages": (Api.MESSAGES, "messages"),
        "/v1/messages/count_tokens": (Api.MESSAGES, "messages/count_tokens"),
    },
    "gemini": {},
}
"""What is posted, by the API that an upstream speaks."""
FREE = frozenset({"messages/count_tokens"})
"""Routes that providers bill nothing for."""
_GEMINI = re.compile(r"/v1(?:beta)?/models/([A-Za-z0-9][A-Za-z0-9._-]{0,199}):(\w+)")
_MODELS = re.compile(r"/v1(?:beta)?/models(?:/[A-Za-z0-9][A-Za-z0-9._:-]{0,199})?")
GEMINI = {"generateContent": False, "streamGenerateContent": True}
QUERY = frozenset({"alt", "beta"})
"""What may stand in a query, and is passed on."""
LISTING = frozenset({"limit", "after_id", "before_id", "pageSize", "pageToken"})


@dataclass(frozen=True, slots=True)
class Route:
    """A request that may be forwarded, as far as its path and method say."""

    upstream: Upstream
    target: str
    """Path and query at the upstream, to be put behind its address."""
    name: str
    """What the route is called in the journal; empty for the list of models, which is no call."""
    api: Api | None = None
    model: str | None = None
    stream: bool | None = None
    """Model and stream, where the path says them."""

    @property
    def free(self) -> bool:
        """Whether nobody bills for it."""
        return self.name in FREE


def upstream_of(upstreams: Mapping[str, Upstream], path: str) -> Upstream | None:
    """The upstream that a path names."""
    return upstreams.get(path.removeprefix(MOUNT).partition("/")[0])


def route_of(upstream: Upstream, method: str, path: str, query: str) -> Route:
    """Where a request leads.

    Raises:
        Refusal: it is not metered.
    """
    rest = path.removeprefix(f"{MOUNT}{upstream.name}")
    if method in {"GET", "HEAD"} and _MODELS.fullmatch(rest):
        return Route(upstream, _target(upstream, rest, _passed(query, QUERY | LISTING)), "")
    if method == "POST":
        passed = _passed(query, QUERY)
        if (known := POSTS[upstream.api].get(rest)) is not None:
            return Route(upstream, _target(upstream, rest, passed), known[1], known[0])
        found = _GEMINI.fullmatch(rest) if upstream.api == "gemini" else None
        if found is not None and found[2] in GEMINI:
            return _gemini(upstream, rest, passed, found)
    raise Refusal(
        404,
        f"Handrail does not meter {method} {rest[:200] or '/'}, so it is not forwarded. "
        "The documentation lists the routes that are.",
        "unmetered",
    )


def _gemini(upstream: Upstream, rest: str, passed: str, found: re.Match[str]) -> Route:
    streams = GEMINI[found[2]]
    if streams != ("alt=sse" in passed.split("&")):
        raise Refusal(
            400, "A stream is metered as server-sent events only: ask for alt=sse.", "unmetered", "alt"
        )
    return Route(upstream, _target(upstream, rest, passed), found[2], Api.GEMINI, found[1], streams)


def _target(upstream: Upstream, rest: str, passed: str) -> str:
    """OpenAI's address holds the version already, as its clients' does."""
    path = rest.removeprefix("/v1") if upstream.api == "openai" else rest
    return f"{path}?{passed}" if passed else path


def _passed(query: str, allowed: frozenset[str]) -> str:
    """What of a query is passed on. An agent's key in it is not."""
    kept = []
    for part in query.split("&") if query else ():
        name = unquote(part.partition("=")[0])
        if name == "key":
            continue
        if name not in allowed or not part.isascii():
            raise Refusal(400, f"{name[:60]}: this part of the query is not metered.", "unmetered", name[:60])
        kept.append(part)
    return "&".join(kept)


def key_in(query: str) -> str | None:
    """The key that a query holds, as Gemini's older clients send it."""
    return next((value for name, value in parse_qsl(query) if name == "key"), None)
