"""What an upstream echoes of the provider's key goes no further: neither in a header nor in an error.

An error is read whole before a byte of it goes on, so that no key is cut in two and missed. A good answer is
not: it passes as it comes.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import quote

from handrail.llm import shapes
from handrail.llm.connection import Broken
from handrail.llm.pool import Answer
from handrail.llm.shapes import Refusal

if TYPE_CHECKING:
    from handrail.llm.headers import Headers
    from handrail.llm.settings import Upstream

HIDDEN = b"[redacted]"
LIMIT = 1024 * 1024
"""Bytes of an error that are read at most; a longer one is told of, and not passed on."""
SECRET = 8
"""Characters of a key at least: shorter ones are what local servers are given in place of a key."""
GOOD = 2
"""The hundreds of a status that tells of success."""
ABOUT_BYTES = frozenset({b"content-length", b"content-encoding"})
GZIP = 47
"""zlib's word for: gzip or deflate, as the first bytes say."""


@dataclass(eq=False)
class _Unreadable(Exception):
    """Nobody here can say whether a key is in it."""

    why: str


async def shown(answer: Answer, upstream: Upstream) -> Answer:
    """The answer as an agent may have it and the store may keep it."""
    spelled = _spelled(upstream.key)
    if not spelled:
        return answer
    headers = answer.headers
    if _holds(b"\n".join(value for _, value in headers), spelled):
        headers = [(name, value) for name, value in headers if not _holds(value, spelled)]
    if answer.status // 100 == GOOD:
        return replace(answer, headers=headers)
    try:
        came = await _read(answer)
        text = _plain(came, answer.headers)
    except _Unreadable as error:
        return _instead(answer, headers, upstream, error.why)
    if not _holds(text, spelled):
        return replace(answer, headers=headers, pieces=_one(came))
    for each in spelled:
        text = text.replace(each, HIDDEN)
    return _changed(answer, headers, text)


@cache
def _spelled(key: str | None) -> tuple[bytes, ...]:
    """A key as it may stand in an answer: as it is, in JSON, in an address; the longest first."""
    if key is None or len(key) < SECRET:
        return ()
    in_json = key.replace("\\", "\\\\").replace('"', '\\"')
    ways = {key, in_json, in_json.replace("/", "\\/"), quote(key), quote(key, safe="")}
    return tuple(sorted((each.encode() for each in ways), key=len, reverse=True))


def _holds(text: bytes, spelled: tuple[bytes, ...]) -> bool:
    return any(each in text for each in spelled)


async def _read(answer: Answer) -> bytes:
    """All of an error, as it came."""
    found = bytearray()
    try:
        async for piece in answer.pieces:
            found += piece
            if len(found) > LIMIT:
                raise _Unreadable(f"is longer than {LIMIT:,} bytes")
    except Broken as broken:
        raise _Unreadable(f"did not come whole: {broken.why}") from broken
    return bytes(found)


def _plain(came: bytes, headers: Headers) -> bytes:
    """An error as it reads. We ask upstreams for no encoding; some encode all the same."""
    said = [value.lower() for name, value in headers if name.lower() == b"content-encoding"]
    if not came or said in ([], [b"identity"]):
        return came
    if said not in ([b"gzip"], [b"x-gzip"], [b"deflate"]):
        raise _Unreadable("is in an encoding that was not asked for")
    unpacked = zlib.decompressobj(GZIP)
    try:
        text = unpacked.decompress(came, LIMIT + 1)
    except zlib.error as error:
        raise _Unreadable("is not in the encoding that it names") from error
    if not unpacked.eof or unpacked.unused_data or len(text) > LIMIT:
        raise _Unreadable("does not unpack to one whole text, or to one that is too long")
    return text


def _instead(answer: Answer, headers: Headers, upstream: Upstream, why: str) -> Answer:
    said = f"{upstream.name} answered {answer.status}. What it says of it {why}, so it is not passed on."
    kept = [(name, value) for name, value in headers if name.lower() != b"content-type"]
    kept.append((b"content-type", b"application/json"))
    return _changed(answer, kept, shapes.body(upstream.api, Refusal(answer.status, said, "upstream")))


def _changed(answer: Answer, headers: Headers, text: bytes) -> Answer:
    kept = [(name, value) for name, value in headers if name.lower() not in ABOUT_BYTES]
    kept.append((b"content-length", b"%d" % len(text)))
    return replace(answer, headers=kept, pieces=_one(text))


async def _one(text: bytes) -> AsyncIterator[bytes]:
    yield text
