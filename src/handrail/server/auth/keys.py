"""Keys of programs: shown once, kept as a digest, looked up once for each change of what restricts."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from handrail.engine.identity.keys import key_used
from handrail.words.person import KeyKind

if TYPE_CHECKING:
    from handrail.engine.core import Engine
    from handrail.words.person import Key

MARKS = {KeyKind.AGENT: "hr_a_", KeyKind.SERVICE: "hr_s_"}
KNOWN = 10_000
"""Keys that a process remembers."""
MINUTE = 60_000
LONGEST = 200


@dataclass(frozen=True, slots=True)
class _Known:
    generation: int
    key: Key


def new_key_secret() -> tuple[str, str]:
    """256 random bits in hexadecimal, and their digest."""
    secret = secrets.token_hex(32)
    return secret, digest_of(secret)


def digest_of(secret: str) -> str:
    """What is kept of a secret. It has 256 random bits, so that a slow hash would add nothing."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def shown(kind: KeyKind, key: str, secret: str) -> str:
    """A key as its holder writes it down."""
    return f"{MARKS[kind]}{key}_{secret}"


def parsed(text: str) -> tuple[KeyKind, str, str] | None:
    """Kind, id and secret of a key; None when it is none."""
    if len(text) > LONGEST or not text.isascii():
        return None
    for kind, mark in MARKS.items():
        if text.startswith(mark):
            key, _, secret = text.removeprefix(mark).partition("_")
            return (kind, key, secret) if key and secret else None
    return None


class KeyRing:
    """Looks keys up, and remembers them until anything restricts: a revoked key is refused at once."""

    def __init__(self, engine: Engine) -> None:
        """Nothing is known yet."""
        self._engine = engine
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._used: dict[str, int] = {}
        self._lock = Lock()

    def find(self, text: str) -> Key | None:
        """The key that this text is, if it is one that works now."""
        parts = parsed(text)
        if parts is None:
            return None
        kind, name, secret = parts
        key = self._get(name)
        digest = digest_of(secret)
        if key is None or not hmac.compare_digest(digest, key.digest) or key.kind is not kind:
            return None
        at = self._engine.clock()
        if key.over(at):
            return None
        self._note(key, at)
        return key

    def _get(self, name: str) -> Key | None:
        """The key with this id, read anew when anything was restricted since it was read."""
        store = self._engine.store
        known = self._known.get(name)
        generation = store.read(lambda tx: tx.restrictions.generation())
        if known is not None and known.generation == generation:
            return known.key
        generation, key = store.read(lambda tx: (tx.restrictions.generation(), tx.keys.get(name)))
        with self._lock:
            if key is None:
                self._known.pop(name, None)
                return None
            self._known[name] = _Known(generation, key)
            while len(self._known) > KNOWN:
                self._known.popitem(last=False)
        return key

    def _note(self, key: Key, at: int) -> None:
        """Write down once a minute that a key is used."""
        last = self._used.get(key.id, key.used_at or 0)
        if at - last < MINUTE:
            return
        with self._lock:
            if len(self._used) > KNOWN:
                self._used.clear()
            self._used[key.id] = at
        key_used(self._engine, key.id)
