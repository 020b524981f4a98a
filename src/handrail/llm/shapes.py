"""Refusals in the shape of each provider's own errors, so that its clients raise what they always raise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from handrail.llm.headers import GUARD

RETRY = b"x-should-retry"
"""The header by which OpenAI's and Anthropic's clients are told whether to try again."""
EXHAUSTED = 402
OPENAI = {400: "invalid_request_error", 401: "authentication_error", 402: "insufficient_quota"} | {
    403: "permission_error",
    404: "invalid_request_error",
    413: "invalid_request_error",
    429: "rate_limit_error",
}
ANTHROPIC = {400: "invalid_request_error", 401: "authentication_error", 402: "billing_error"} | {
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
}
GEMINI = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 402: "RESOURCE_EXHAUSTED"} | {
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


@dataclass(eq=False)
class Refusal(Exception):
    """An answer that the gateway gives itself: nothing was forwarded, or nothing came back."""

    status: int
    message: str
    code: str
    """One word for programs: budget_exhausted, halted, unmetered, …"""
    param: str | None = None
    again: bool = False
    """Whether trying the same again may help, and costs nothing."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """What else a program may want to know, under ``handrail``."""


def body(api: str, refusal: Refusal) -> bytes:
    """The error as this API's clients expect it."""
    more = {"handrail": {"code": refusal.code, **refusal.more}}
    status, message = refusal.status, refusal.message
    if api == "anthropic":
        kind = ANTHROPIC.get(status, "api_error")
        return msgspec.json.encode({"type": "error", "error": {"type": kind, "message": message, **more}})
    if api == "gemini":
        kind = GEMINI.get(status, "INTERNAL")
        details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": refusal.code, **more}]
        error = {"code": status, "message": message, "status": kind, "details": details}
        return msgspec.json.encode({"error": error})
    told = {"message": message, "type": OPENAI.get(status, "server_error"), "param": refusal.param}
    return msgspec.json.encode({"error": {**told, "code": refusal.code, **more}})


def headers(refusal: Refusal) -> list[tuple[bytes, bytes]]:
    """The headers of a refusal. Clients that try again by themselves are told whether that may help."""
    found = [(RETRY, b"true" if refusal.again else b"false"), (b"cache-control", b"no-store"), *GUARD]
    return [*found, (b"retry-after", b"1")] if refusal.again else found


def event(api: str, refusal: Refusal) -> bytes:
    """The error as an event of a stream that has begun."""
    data = body(api, refusal)
    return (b"event: error\ndata: " if api == "anthropic" else b"data: ") + data + b"\n\n"
