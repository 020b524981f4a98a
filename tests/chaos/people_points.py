"""What holds after a process was killed around a commit of people's, of their programs' or of a channel's."""

from __future__ import annotations

import pytest

import handrail
from handrail.engine.budgets.changes import freeze, thaw
from handrail.engine.cancel import cancel
from handrail.engine.deliveries.sending import deliver
from handrail.engine.identity.accounts import invite
from handrail.ports import Commit, Transaction
from handrail.words.delivery import Delivery, DeliveryKind, DeliveryState
from handrail.words.entry import Kind
from handrail.words.errors import Conflict
from handrail.words.lifecycle import State
from handrail.words.person import Key, KeyKind, Person, Role
from tests.chaos.crashers import BINDING_TOOL, CHANNEL, Scribe
from tests.chaos.site import Site


def told(site: Site, kind: Kind, what: str) -> int:
    """How many entries of a kind name this."""
    return sum(entry.kind is kind and what.encode() in entry.body for entry in site.desk.entries())


def cancelling(site: Site, when: str) -> None:
    """Before, it waits for its answer as it did; after, nobody can answer it or take it back again."""
    _, action = site.held()
    site.crash("cancel", Commit.CANCEL, when, action)
    if when == "before":
        assert site.desk.action(action).state is State.HELD
        cancel(site.desk.app.engine, action, "victim", "changed my mind")
    else:
        with pytest.raises(Conflict):
            site.desk.vote(action)
    assert site.desk.action(action).state is State.CANCELLED
    assert site.desk.kinds(action).count(Kind.CANCELLED) == 1


def editing(site: Site, when: str) -> None:
    """Before, the question is open as it was; after, what took its place can be run once."""
    order, action = site.held()
    site.crash("edit", Commit.EDIT, when, f"{site.desk.question(action).id} {order}")
    if when == "before":
        assert site.desk.action(action).state is State.HELD
        assert site.of(order) == [State.HELD]
        return
    old = site.desk.action(action)
    assert old.state is State.SUPERSEDED
    assert old.superseded_by is not None
    assert site.desk.action(old.superseded_by).supersedes == action
    assert site.desk.rail.resume(old.superseded_by) == "paid"
    assert site.effects()[order] == 1


def standing(site: Site, when: str) -> None:
    """Before, the next one asks; after, exactly one does not."""
    site.crash("stand", Commit.STANDING, when)
    for left in [False] if when == "before" else [True, False]:
        order = site.order()
        with site.desk.rail.session("victim", order):
            if left:
                assert site.pay(order, 500) == "paid"
            else:
                with pytest.raises(handrail.Held):
                    site.pay(order, 500)
        assert site.effects()[order] == left


def opening(site: Site, when: str) -> None:
    """A session is there with the entry that tells of it, or neither is."""
    task = site.order("session")
    site.crash("session", Commit.SESSION, when, task)
    found = site.desk.app.store.read(lambda tx: tx.sessions.listing("victim", task, None, 9))
    opened = [entry for entry in site.desk.entries() if entry.task == task]
    assert len(found) == len(opened) == (when == "after")


def delivering(site: Site, when: str) -> None:
    """Before, it is due; after, it is somebody's until the lease ends. Then it is sent by whoever comes."""
    store = site.desk.app.store
    plan = Delivery(site.order("delivery"), DeliveryKind.TEST, site.order(), CHANNEL, DeliveryState.DUE, 1)
    store.write(Commit.DELIVER, lambda tx: tx.deliveries.add(plan))
    site.crash("deliver", Commit.DELIVER, when, str(site.folder / "told"))
    (left,) = store.read(lambda tx: tx.deliveries.of(plan.subject))
    assert left.state is (DeliveryState.DUE if when == "before" else DeliveryState.SENDING)
    scribe = Scribe(site.folder / "told")
    if when == "after":
        assert deliver(site.desk.app.engine, lambda _: scribe, None) == 0
        site.desk.sql(f"update deliveries set lease_until = 1 where id = '{plan.id}'")
    assert deliver(site.desk.app.engine, lambda _: scribe, None) == 1
    assert scribe.file.read_text().split().count(plan.subject) == 1
    assert deliver(site.desk.app.engine, lambda _: scribe, None) == 0


def accepting(site: Site, when: str) -> None:
    """A schema is there with the entry that tells of it, or neither is; registering again heals it."""
    title = site.order("schema")
    site.crash("register", Commit.TOOL, when, title)
    found = site.desk.app.store.read(lambda tx: tx.toolbox.listing())
    assert sum(title in schema.schema for schema in found) == (when == "after")
    entries = sum(entry.kind is Kind.TOOL_REGISTERED for entry in site.desk.entries())
    assert entries == len(found)
    assert {schema.tool for schema in found} <= {BINDING_TOOL}


def inviting(site: Site, when: str) -> None:
    """An account comes with its link and its entry, or nothing of the three does."""
    person = f"{site.order('person')}@example.com"
    site.crash("invite", Commit.PERSON, when, person)
    store, engine = site.desk.app.store, site.desk.app.engine
    link = store.read(lambda tx: tx.people.peek_link(f"link of {person}", 1))
    assert (link is not None) == (when == "after")
    if when == "before":
        invite(engine, person, "P", Role.VIEWER, f"another link of {person}", "ops")
    else:
        with pytest.raises(Conflict):
            invite(engine, person, "P", Role.VIEWER, f"another link of {person}", "ops")
    assert told(site, Kind.PERSON_INVITED, person) == 1


def signing_in(site: Site, when: str) -> None:
    """A browser is signed in and told of, or neither."""
    person = Person(f"{site.order('person')}@example.com", "P", Role.VIEWER, 1)
    store = site.desk.app.store
    store.write(Commit.PERSON, lambda tx: tx.people.add(person))
    site.crash("sign_in", Commit.SIGN_IN, when, person.id)
    assert len(store.read(lambda tx: tx.people.sign_ins(person.id))) == (when == "after")
    assert told(site, Kind.SIGNED_IN, person.id) == (when == "after")


def revoking(site: Site, when: str) -> None:
    """A key opens doors until its end is durable, and never after it; it is told of once."""
    key = Key(site.order("key"), KeyKind.AGENT, "victim", ("victim",), "d" * 64, 1, "ops")
    store = site.desk.app.store

    def found(tx: Transaction) -> tuple[Key | None, int]:
        return tx.keys.get(key.id), tx.restrictions.generation()

    store.write(Commit.KEY, lambda tx: tx.keys.add(key))
    _, before = store.read(found)
    site.crash("revoke", Commit.KEY, when, key.id)
    left, after = store.read(found)
    assert left is not None
    assert (left.revoked_at is not None) == (after > before) == (when == "after")
    assert told(site, Kind.KEY_REVOKED, key.id) == (when == "after")


def freezing(site: Site, when: str) -> None:
    """A freeze is there with its entry, or neither is; a top-up counts once, or not at all."""
    store, engine = site.desk.app.store, site.desk.app.engine
    site.crash("freeze", Commit.BUDGET, when, "pays")
    assert ("pays" in store.read(lambda tx: tx.restrictions.read()).frozen) == (when == "after")
    if when == "before":
        freeze(engine, "pays", "ops", "odd")
    else:
        with pytest.raises(Conflict):
            freeze(engine, "pays", "ops", "odd")
    with site.desk.rail.session("victim", "t"), pytest.raises(handrail.Denied, match="frozen by ops"):
        site.pay(site.order(), 5)
    thaw(engine, "pays", "ops", "well")
    reason = site.order("top-up")
    site.crash("top_up", Commit.BUDGET, when, reason)
    raised = [each for each in store.read(lambda tx: tx.budgets.raises("pays")) if each.reason == reason]
    assert len(raised) == told(site, Kind.BUDGET_RAISED, reason) == (when == "after")


PEOPLE_POINTS = {
    Commit.BUDGET: freezing,
    Commit.CANCEL: cancelling,
    Commit.EDIT: editing,
    Commit.STANDING: standing,
    Commit.SESSION: opening,
    Commit.DELIVER: delivering,
    Commit.TOOL: accepting,
    Commit.PERSON: inviting,
    Commit.SIGN_IN: signing_in,
    Commit.KEY: revoking,
}
