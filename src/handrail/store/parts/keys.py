"""Keys of programs in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from handrail.store.parts.base import Runner, values_of
from handrail.words.person import Key, KeyKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.store.codec import Row


_agents = msgspec.json.Decoder(tuple[str, ...])


@dataclass(frozen=True, slots=True)
class SqlKeys:
    """``ports.Keys`` over named queries."""

    sql: Runner

    def add(self, key: Key) -> None:
        """Only the digest of its secret is kept."""
        agents = msgspec.json.encode(key.agents).decode()
        self.sql.run("add_key", {**values_of(key), "agents": agents})

    def get(self, key: str) -> Key | None:
        """Whether it has ended is the caller's to see."""
        row = self.sql.row("key", {"id": key})
        return None if row is None else _key(row)

    def used(self, key: str, at: int) -> None:
        """To the minute; whoever sees in ``used_at`` that it was used in this one need not call it."""
        self.sql.run("key_used", {"id": key, "at": at})

    def expire(self, key: str, at: int) -> bool:
        """False when it is not known or was revoked."""
        return self.sql.changed("expire_key", {"id": key, "at": at})

    def revoke(self, key: str, at: int) -> bool:
        """False when it had ended."""
        return self.sql.changed("revoke_key", {"id": key, "at": at})

    def listing(self) -> Sequence[Key]:
        """Newest first."""
        return [_key(row) for row in self.sql.rows("keys")]


def _key(row: Row) -> Key:
    fields = list(row)
    fields[1], fields[3], fields[7] = KeyKind(fields[1]), _agents.decode(fields[3]), bool(fields[7])
    return Key(*fields)
