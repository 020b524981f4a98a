"""What tests of questions share: a refund that waits for people, accounts, and sessions of a server."""

from __future__ import annotations

from typing import Any

import pytest

from handrail.engine.context import Session, entered
from handrail.ports import Commit, Transaction
from handrail.words.errors import Held
from handrail.words.person import Person, Role
from handrail.words.session import SessionRecord
from tests.support.rail import Desk

ALWAYS = 9_000_000_000_000
"""Milliseconds since the epoch that no test will see."""


def account(desk: Desk, person: str, role: Role = Role.REVIEWER, **more: Any) -> None:
    """An account, or a change of it."""
    wanted = Person(person, person, role, 1, **more)

    def work(tx: Transaction) -> None:
        if not tx.people.add(wanted):
            tx.people.save(wanted)

    desk.app.store.restrict(Commit.PERSON, work)


def opened(desk: Desk, session: str, **more: Any) -> None:
    """A session as a server opens it."""
    record = SessionRecord(session, "support", "t-1", 1, opened_by="key", **more)
    desk.app.store.write(Commit.SESSION, lambda tx: tx.sessions.open(record))


def record_of(desk: Desk, session: str) -> SessionRecord:
    """A session as the store has it."""
    found = desk.app.store.read(lambda tx: tx.sessions.get(session))
    assert found is not None
    return found


def refund(
    desk: Desk, amount: float = 150, reason: str = "", *, session: str = "s", order: str = "o-1"
) -> Any:
    """Call the tool ``refund`` as the agent ``support``; it gives what it was called with."""
    if "refund" not in desk.app.engine.tools:

        @desk.rail.tool(name="refund")
        def _refund(order: str, amount: float, reason: str = "") -> list[object]:
            return [order, amount, reason]

    [call] = [each for each in desk.rail.tools_for("support") if each.__name__ == "_refund"]
    with entered(Session(session, "support", "t-1")):
        return call(order, amount, reason)


def held(desk: Desk, amount: float = 150, reason: str = "", *, session: str = "s", order: str = "o-1") -> str:
    """The id of a refund that waits for people."""
    with pytest.raises(Held) as raised:
        refund(desk, amount, reason, session=session, order=order)
    return raised.value.action_id
