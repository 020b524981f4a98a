"""Accounts, keys, sessions, standing approvals and deliveries for the store's tests."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any, TypeVar

from handrail.ports import Store
from handrail.words.delivery import Delivery, DeliveryKind, DeliveryState
from handrail.words.person import Key, KeyKind, Link, Person, Purpose, Role, SignIn
from handrail.words.session import SessionRecord
from handrail.words.standing import Standing
from handrail.words.toolbox import ToolSchema
from tests.contract.things import ASK, AT, SOON, new_id

T = TypeVar("T")
THREADS = 8


def person(**changes: Any) -> Person:
    """An account with every field filled in."""
    plain = Person(
        id="ann@example.com",
        name="Ann",
        role=Role.ADMIN,
        made_at=AT,
        password="$argon2id$hash",
        totp="JBSWY3DP",
        totp_step=7,
        oidc="https://id.example.com 42",
        slack="T1 U1",
        away_until=SOON,
    )
    return replace(plain, **changes)


def reviewer(address: str = "ben@example.com") -> Person:
    """One who was invited and has not come yet."""
    return Person(address, "Ben", Role.REVIEWER, AT)


def link(**changes: Any) -> Link:
    """An invitation."""
    return replace(Link(new_id(), Purpose.INVITE, "ann@example.com", AT, AT + 1000, "root"), **changes)


def sign_in(**changes: Any) -> SignIn:
    """Ann's, in a browser of hers."""
    plain = SignIn(new_id(), new_id(), "ann@example.com", AT, AT, AT + 1000, False, "10.0.0.1", "Firefox")  # noqa: FBT003 - the words' order
    return replace(plain, **changes)


def key(**changes: Any) -> Key:
    """An agent's key."""
    return replace(Key(new_id(), KeyKind.AGENT, "support", ("support",), "d" * 64, AT, "ann"), **changes)


def session(**changes: Any) -> SessionRecord:
    """One that a service opened for an hour."""
    plain = SessionRecord(new_id(), "support", "ticket-1", AT, "key", "ben@example.com", AT + 3_600_000)
    return replace(plain, **changes)


def standing(**changes: Any) -> Standing:
    """Three more refunds of at most 100 in all."""
    plain = Standing(
        id=new_id(),
        agent="support",
        tool="issue_refund",
        asks=frozenset({ASK}),
        when="amount < 40",
        left=3,
        amount_left=100,
        expires_at=SOON,
        person="ann@example.com",
        verified=True,
        reason="a known campaign",
        made_at=AT,
    )
    return replace(plain, **changes)


def delivery(**changes: Any) -> Delivery:
    """A question for a channel, due at once."""
    plain = Delivery(new_id(), DeliveryKind.ASKED, new_id(), "slack:#offers", DeliveryState.DUE, AT)
    return replace(plain, **changes)


def schema(**changes: Any) -> ToolSchema:
    """The first version of a tool's schema, pinned as it came."""
    plain = ToolSchema("crm_find", "b" * 64, '{"type":"object"}', AT, "key", AT, "key")
    return replace(plain, **changes)


def generation(store: Store) -> int:
    """The number that grows with every restriction."""
    return store.read(lambda tx: tx.restrictions.generation())


def at_once(act: Callable[[], T], threads: int = THREADS) -> list[T]:
    """What it gave each of several threads that begin together."""
    start = Barrier(threads)

    def begin(_: int) -> T:
        start.wait()
        return act()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(begin, range(threads)))
