"""Salted digests: an entry can prove what a field was, and tells nothing once the salt is erased.

Each field has a key of its own, made of the payload's salt by HMAC-SHA256; the digest is SHA-256 over that
key and the value's JSON. Whoever is shown one field gets its value and key, and learns nothing of the others.
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Mapping
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

WHOLE = ""
"""The name under which a value without fields, or with more than ``MAX_FIELDS``, is digested as a whole."""
MAX_FIELDS = 64
MIN_SALT = 16
BLOCK = 64
DIGEST_BYTES = 24
"""192 bits, 32 characters of base64."""
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


def field_digests(root: str, value: object, salt: bytes) -> dict[str, str]:
    """A digest per top-level field of ``value``, which is JSON as decoded from the payload, not redacted.

    Raises ValueError for a salt shorter than 16 or longer than 64 bytes, TypeError for what is not JSON.
    """
    derive = _hmac(salt)
    if (type(value) is dict or isinstance(value, Mapping)) and len(value) <= MAX_FIELDS:
        return {name: _digest(derive(_json((root, name))), item) for name, item in value.items()}
    return {WHOLE: _digest(derive(_json((root,))), value)}


def field_key(root: str, field: str | None, salt: bytes) -> bytes:
    """The key to show with a field's value (None: with the whole), so that it can be checked. 32 bytes.

    Raises ValueError for a salt shorter than 16 or longer than 64 bytes.
    """
    return _hmac(salt)(_json((root,) if field is None else (root, field)))


def proves(digest: str, value: object, key: bytes) -> bool:
    """Whether an entry's ``digest`` was made of this very value; ``key`` comes from ``field_key``.

    Raises TypeError for a value that is not JSON.
    """
    return compare_digest(digest.encode(), _digest(key, value).encode())


def _digest(key: bytes, value: object) -> str:
    """The digest of one value under its field's key."""
    return b2a_base64(sha256(key + _json(value)).digest()[:DIGEST_BYTES], newline=False).decode()


def _hmac(salt: bytes) -> Callable[[bytes], bytes]:
    """HMAC-SHA256 under ``salt``, its two key blocks hashed once for all fields of an entry."""
    if not MIN_SALT <= len(salt) <= BLOCK:
        raise ValueError(f"a salt has {MIN_SALT} to {BLOCK} bytes; got {len(salt)}")
    block = salt.ljust(BLOCK, b"\0")
    inner, outer = sha256(block.translate(_INNER)), sha256(block.translate(_OUTER))

    def mac(message: bytes) -> bytes:
        first, second = inner.copy(), outer.copy()
        first.update(message)
        second.update(first.digest())
        return second.digest()

    return mac


def _plain(value: object) -> object:
    """A read-only mapping as a dict, for the JSON encoder."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} is not JSON; digest the value as decoded from the payload")


_json = msgspec.json.Encoder(order="sorted", decimal_format="number", enc_hook=_plain).encode
