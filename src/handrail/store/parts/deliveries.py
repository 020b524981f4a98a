"""Deliveries in SQL: planned once, leased to one sender at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from handrail.store.parts.base import Runner, values_of
from handrail.words.delivery import Delivery, DeliveryKind, DeliveryState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.store.codec import Row


@dataclass(frozen=True, slots=True)
class SqlDeliveries:
    """``ports.Deliveries`` over named queries."""

    sql: Runner

    def add(self, delivery: Delivery) -> bool:
        """False when there is one of this kind, subject and channel."""
        return self.sql.changed("add_delivery", values_of(delivery))

    def take(self, at: int, lease_until: int, limit: int) -> Sequence[Delivery]:
        """In one statement; each is one try more."""
        values = {"at": at, "lease_until": lease_until, "limit": limit}
        found = map(_delivery, self.sql.rows("take_deliveries", values))
        return sorted(found, key=lambda each: (each.due_at, each.id))

    def sent(self, delivery: str, at: int, reference: str | None) -> None:
        """Once: a second report of it changes nothing."""
        self.sql.run("delivery_sent", {"id": delivery, "at": at, "reference": reference})

    def later(self, delivery: str, due_at: int, error: str) -> None:
        """Free for whoever comes then."""
        self.sql.run("delivery_later", {"id": delivery, "due_at": due_at, "error": error})

    def gave_up(self, delivery: str, at: int, error: str) -> None:
        """Its ``due_at`` tells when."""
        self.sql.run("delivery_gave_up", {"id": delivery, "at": at, "error": error})

    def next_due(self) -> int | None:
        """Also when a lease ends: its sender may have died."""
        row = self.sql.row("next_delivery")
        return None if row is None else int(row[0])

    def of(self, subject: str) -> Sequence[Delivery]:
        """Oldest first: ids begin with their time."""
        return [_delivery(row) for row in self.sql.rows("deliveries_of", {"subject": subject})]

    def listing(self, state: str | None, limit: int) -> Sequence[Delivery]:
        """Newest first."""
        values = {"state": None if state is None else str(state), "limit": limit}
        return [_delivery(row) for row in self.sql.rows("list_deliveries", values)]


def _delivery(row: Row) -> Delivery:
    delivery, kind, subject, channel, state, *rest = row
    return Delivery(delivery, DeliveryKind(kind), subject, channel, DeliveryState(state), *rest)
