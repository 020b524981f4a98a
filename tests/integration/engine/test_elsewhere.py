"""Tools that run elsewhere are edited, stood for and taken back like those that run here."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from handrail.engine import blocking
from handrail.engine.attempt import Ended
from handrail.engine.cancel import cancel
from handrail.engine.context import About, Session
from handrail.engine.dispatch import arrived, dispatch, proposed, report, start, told
from handrail.engine.identity.keys import make_key, revoke_key
from handrail.engine.restrict import halt, lift
from handrail.policy.binding import binding
from handrail.ports import Commit, Transaction
from handrail.words.action import Action, Proposal
from handrail.words.entry import Kind
from handrail.words.errors import Refused
from handrail.words.lifecycle import State
from handrail.words.money import NANO
from handrail.words.person import KeyKind
from handrail.words.toolbox import ToolSchema
from tests.integration.engine.test_edits import edited
from tests.integration.engine.test_standings import left, stand
from tests.support.rail import HEAD, POLICY, Desk

SCHEMA = {
    "type": "object",
    "properties": {"order": {"type": "string"}, "amount": {"type": "number"}, "reason": {"type": "string"}},
    "required": ["order", "amount"],
}


@pytest.fixture
def bound(desk: Desk) -> str:
    """The binding of the tool ``refund``, which another process runs."""
    found = binding("refund", SCHEMA).digest

    def work(tx: Transaction) -> None:
        tx.toolbox.add(ToolSchema("refund", found, json.dumps(SCHEMA), 1, "key"))
        tx.toolbox.accept("refund", found, HEAD, 2)

    desk.app.store.restrict(Commit.TOOL, work)
    desk.app.engine.refresh()
    return found


def wanted(desk: Desk, bound: str, amount: int, key: str | None = None) -> Proposal:
    """A refund as a remote agent wants it."""
    values = {"order": "o-1", "amount": amount, "reason": ""}
    return proposed(desk.app.engine, "refund", values, Session("s", "support", "t"), About(key=key), bound)


def call(desk: Desk, bound: str, amount: int, key: str | None = None) -> tuple[Action, bytes | None]:
    """Propose a refund as a remote agent does."""
    engine, proposal = desk.app.engine, wanted(desk, bound, amount, key)
    found: tuple[Action, bytes | None] = blocking.walk(engine, dispatch(engine, proposal))
    return found


def test_what_was_edited_is_started_in_place_of_what_was_proposed(desk: Desk, bound: str) -> None:
    action, payload = call(desk, bound, 150, "k")
    assert (action.state, payload) == (State.HELD, None)
    new = edited(desk, action.id, {"order": "o-1", "amount": 120, "reason": ""})
    started, payload = blocking.walk(desk.app.engine, start(desk.app.engine, action.id, "support"))
    assert (started.id, started.state) == (new.id, State.RUNNING)
    assert json.loads(payload)["amount"] == 120


def test_the_key_of_what_was_edited_leads_to_the_edited_one(desk: Desk, bound: str) -> None:
    action, _ = call(desk, bound, 150, "k")
    new = edited(desk, action.id, {"order": "o-1", "amount": 120, "reason": "legal"})
    again, _ = call(desk, bound, 150, "k")
    assert (again.id, again.state) == (new.id, State.HELD)
    assert "as a person changed it" in told(desk.app.engine, again)
    other, _ = call(desk, bound, 7, "k")
    assert other.state is State.DENIED


def test_a_standing_approval_lets_it_run_and_is_counted_down(desk: Desk, bound: str) -> None:
    standing = stand(desk, actions=1, when="args.order == 'o-1'")
    action, payload = call(desk, bound, 150)
    assert (action.state, action.standing) == (State.RUNNING, standing.id)
    assert payload is not None
    assert left(desk, standing)[0] == 0
    assert call(desk, bound, 150)[0].state is State.HELD


def test_what_an_agent_took_back_is_not_started(desk: Desk, bound: str) -> None:
    action, _ = call(desk, bound, 150)
    desk.vote(action.id)
    cancel(desk.app.engine, action.id, "support", "not wanted")
    found, payload = blocking.walk(desk.app.engine, start(desk.app.engine, action.id, "support"))
    assert (found.state, payload) == (State.CANCELLED, None)
    assert "was cancelled" in told(desk.app.engine, found)


def test_a_proposal_that_is_sent_again_gets_its_leave_again_but_under_no_halt(desk: Desk, bound: str) -> None:
    """Whoever sends it again has not begun: nothing begins after a halt returned."""
    engine, proposal = desk.app.engine, wanted(desk, bound, 5)
    action, _ = blocking.walk(engine, dispatch(engine, proposal))
    again = arrived(engine, proposal)
    assert again is not None
    assert (again[0].token, again[1]) == (action.token, proposal.payload)
    thrown, [running] = halt(engine, "odd", HEAD, tool="refund")
    assert running.id == action.id
    again = arrived(engine, proposal)
    assert again is not None
    assert (again[0].state, again[0].token, again[1]) == (State.RUNNING, None, None)
    lift(engine, thrown, "well", HEAD)
    again = arrived(engine, proposal)
    assert again is not None
    assert again[1] == proposal.payload


def test_what_people_approved_is_never_given_again_by_its_proposal(desk: Desk, bound: str) -> None:
    engine, proposal = desk.app.engine, wanted(desk, bound, 150)
    action, _ = blocking.walk(engine, dispatch(engine, proposal))
    desk.vote(action.id)
    started, _ = blocking.walk(engine, start(engine, action.id, "support"))
    assert started.token is not None
    desk.sql(f"update actions set started_at = proposed_at where id = '{action.id}'")
    again = arrived(engine, proposal)
    assert again is not None
    assert (again[0].state, again[0].token, again[1]) == (State.RUNNING, None, None)


def test_nothing_starts_by_a_key_that_was_revoked_while_its_request_was_under_way(
    desk: Desk, bound: str
) -> None:
    """It was let in before; then the revocation returned, and another request told the server of it."""
    engine = desk.app.engine
    key, other = (
        make_key(engine, KeyKind.AGENT, name, ["support"], name * 64, HEAD).id for name in ("a", "b")
    )
    small, big = wanted(desk, bound, 5), wanted(desk, bound, 150)
    held, _ = blocking.walk(engine, dispatch(engine, replace(big, via=key)))
    desk.vote(held.id)
    revoke_key(engine, key, HEAD)
    engine.refresh()
    with pytest.raises(Refused, match="key has ended"):
        blocking.walk(engine, dispatch(engine, replace(small, via=key)))
    with pytest.raises(Refused, match="key has ended"):
        blocking.walk(engine, start(engine, held.id, "support", key))
    assert [each.state for each in desk.actions()] == [State.APPROVED]
    assert blocking.walk(engine, dispatch(engine, replace(small, via=other)))[0].state is State.RUNNING
    assert blocking.walk(engine, start(engine, held.id, "support", other))[0].state is State.RUNNING


def test_what_is_halted_is_not_started_and_may_be_once_that_is_lifted(desk: Desk, bound: str) -> None:
    """An approval is not used up by a halt."""
    engine, (action, _) = desk.app.engine, call(desk, bound, 150)
    desk.vote(action.id)
    thrown, _ = halt(engine, "odd", HEAD, agent="support")
    found, payload = blocking.walk(engine, start(engine, action.id, "support"))
    assert (found.state, payload, desk.action(action.id).state) == (State.APPROVED, None, State.APPROVED)
    assert "is stopped: odd. It stays approved" in told(engine, found)
    lift(engine, thrown, "well", HEAD)
    found, payload = blocking.walk(engine, start(engine, action.id, "support"))
    assert (found.state, payload is not None) == (State.RUNNING, True)


@pytest.mark.parametrize("nothing_done", [True, False])
def test_the_word_of_an_agent_elsewhere_gives_no_money_back(
    desk: Desk, bound: str, *, nothing_done: bool
) -> None:
    """It may be wrong, or lie. The tool's own process is believed, and so is a person (test_budgets)."""
    more = "budgets:\n  - {id: moved, tools: refund, amount: 1000, per: day}\n"
    desk.activate(POLICY.replace("budgets:\n", more))
    action, _ = call(desk, bound, 40)
    assert action.token is not None
    said = Ended(State.FAILED, None, "the bank is closed", nothing_done, 1)
    report(desk.app.engine, action.id, "support", action.token, said)
    assert desk.used() == 40 * NANO
    assert desk.body(action.id, Kind.FAILED)["nothing_done"] is nothing_done
