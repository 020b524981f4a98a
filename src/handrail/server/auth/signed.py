"""Small values that a browser keeps for us for minutes, and can't alter: signed with the store's own key."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import msgspec

SIZE = 32


def sealed(key: bytes, use: str, value: Any, until: int) -> str:
    """The value as text for one use, good until then (milliseconds since the epoch)."""
    body = msgspec.json.encode([until, value])
    return base64.urlsafe_b64encode(_seal(key, use, body) + body).decode().rstrip("=")


def opened(key: bytes, use: str, text: str | None, now: int) -> Any:
    """The value; None for a text that was altered, is of another use, or too old."""
    try:
        whole = base64.urlsafe_b64decode((text or "") + "=" * (-len(text or "") % 4))
    except ValueError:
        return None
    seal, body = whole[:SIZE], whole[SIZE:]
    if not hmac.compare_digest(seal, _seal(key, use, body)):
        return None
    until, value = msgspec.json.decode(body)
    return value if now < until else None


def _seal(key: bytes, use: str, body: bytes) -> bytes:
    return hmac.digest(key, b"handrail page " + use.encode() + b"\0" + body, hashlib.sha256)
