"""Which headers pass: those that a provider understands, never a key of one side to the other."""

from __future__ import annotations

from collections.abc import Iterable

from handrail.llm.settings import Upstream

Headers = list[tuple[bytes, bytes]]
PASSED = frozenset(
    {
        b"accept",
        b"user-agent",
        b"openai-beta",
        b"idempotency-key",
        b"http-referer",
        b"x-title",
        b"x-app",
        b"x-goog-api-client",
        b"traceparent",
        b"tracestate",
    }
)
PASSED_BEGIN = (b"anthropic-", b"x-stainless-", b"x-claude-code-")
"""Headers of a request that are passed on; any other could change what is billed, or to whom."""
DROPPED = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"trailers",
        b"transfer-encoding",
        b"upgrade",
        b"set-cookie",
        b"set-cookie2",
        b"alt-svc",
        b"strict-transport-security",
        b"date",
        b"server",
        b"content-security-policy",
        b"x-content-type-options",
    }
)
"""Headers of an answer that are about the connection to the upstream, or about its host."""
GUARD = [
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; sandbox"),
]
"""An answer is for programs: whatever an upstream sends, no browser may take it for a page of ours."""
KEYS = (b"authorization", b"x-api-key", b"x-goog-api-key")


def key_of(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The agent's key, however its client sends it; None when there is none, or there are several."""
    found = {value.removeprefix(b"Bearer ").strip() for name, value in headers if name in KEYS}
    return found.pop().decode("latin-1") if len(found) == 1 else None


def one(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> str | None:
    """The value of a header."""
    return next((value.decode("latin-1") for name, value in headers if name == wanted), None)


def to_upstream(
    headers: Iterable[tuple[bytes, bytes]], upstream: Upstream, host: bytes, size: int
) -> Headers:
    """The headers of the request that is forwarded, with the provider's key. ``size`` 0: there is no body."""
    passed = [(name, value) for name, value in headers if name in PASSED or name.startswith(PASSED_BEGIN)]
    made = [(b"host", host), (b"accept-encoding", b"identity"), *passed, *_credentials(upstream)]
    # what was read as JSON is sent as JSON: by another name of it an upstream could read another request
    return (
        [*made, (b"content-type", b"application/json"), (b"content-length", b"%d" % size)] if size else made
    )


def to_client(headers: Iterable[tuple[bytes, bytes]], *, edited: bool) -> Headers:
    """The headers of the answer that is passed on; its length only when nothing is taken out of it."""
    found = [(name.lower(), value) for name, value in headers]
    named = {
        part.strip().lower() for name, value in found if name == b"connection" for part in value.split(b",")
    }
    gone = DROPPED | named | ({b"content-length"} if edited else frozenset())
    return [*((name, value) for name, value in found if name not in gone), *GUARD]


def _credentials(upstream: Upstream) -> Headers:
    if upstream.key is None:
        return []
    key = upstream.key.encode()
    if upstream.api == "anthropic":
        return [(b"x-api-key", key)]
    if upstream.api == "gemini":
        return [(b"x-goog-api-key", key)]
    return [(b"authorization", b"Bearer " + key)]
