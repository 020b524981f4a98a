"""What holds after a process was killed around a commit on the road of an action."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

import handrail
from handrail.engine import jobs
from handrail.engine.budgets.leases import close
from handrail.engine.budgets.pauses import go_on
from handrail.engine.restrict import halt, lift, rung_of, set_rung
from handrail.ports import Commit
from handrail.words.entry import Kind
from handrail.words.level import Rung
from handrail.words.lifecycle import State
from handrail.words.money import NANO
from tests.chaos.crashers import take_chunk
from tests.chaos.site import POLICY, Site
from tests.support.rail import LEAD


def proposing(site: Site, when: str) -> None:
    """Before, nothing was; after, it was meant to run and nobody knows, and nothing was done."""
    order = site.order()
    site.crash("call", Commit.PROPOSE, when, order)
    site.reap()
    assert site.of(order) == ([] if when == "before" else [State.UNKNOWN])
    assert site.effects()[order] == 0


def settling(site: Site, when: str) -> None:
    """The effect is there: before, nobody knows what became of it; after, it is done."""
    order = site.order()
    site.crash("call", Commit.SETTLE, when, order)
    site.reap()
    assert site.of(order) == ([State.UNKNOWN] if when == "before" else [State.DONE])
    assert site.effects()[order] == 1


def beating(site: Site, when: str) -> None:
    """The effect is there and nobody knows."""
    order = site.order("beat")
    site.crash("call", Commit.BEAT, when, order)
    site.reap()
    assert site.of(order) == [State.UNKNOWN]
    assert site.effects()[order] == 1


def rechecking(site: Site, when: str) -> None:
    """Before, it is still approved and can be run; after, it was claimed and is never run again."""
    order, action = site.held()
    site.desk.vote(action)
    site.crash("resume", Commit.RECHECK, when, action)
    site.reap()
    if when == "before":
        assert site.desk.rail.resume(action) == "paid"
        assert site.effects()[order] == 1
    else:
        with pytest.raises(handrail.InProgress):
            site.desk.rail.resume(action)
        assert site.effects()[order] == 0


def reaping(site: Site, when: str) -> None:
    """A lost action is told of as unknown exactly once."""
    action = site.paid()
    site.desk.sql(
        f"update actions set state = 'running', lease_until = 1, owner = 'lost' where id = '{action}'"
    )
    site.crash("reap", Commit.REAP, when)
    assert site.desk.action(action).state is (State.RUNNING if when == "before" else State.UNKNOWN)
    site.reap()
    assert site.desk.kinds(action).count(Kind.UNKNOWN) == 1


def expiring(site: Site, when: str) -> None:
    """A question whose time is over expires exactly once."""
    _, action = site.held()
    site.desk.sql(f"update seats set expires_at = 1 where approval = '{site.desk.question(action).id}'")
    site.crash("expire", Commit.EXPIRE, when)
    assert site.desk.action(action).state is (State.HELD if when == "before" else State.EXPIRED)
    jobs.expire(site.desk.app.engine)
    assert site.desk.kinds(action).count(Kind.EXPIRED) == 1


def going_on(site: Site, when: str) -> None:
    """What waited for room in a budget goes on exactly once, and runs once."""
    order = site.order()
    with site.desk.rail.session("victim", order):
        site.pay(site.order(), 5)
        _fill(site, order, 5_000)
        with pytest.raises(handrail.Held) as held:
            site.pay(order, 5)
    action = held.value.action_id
    _fill(site, order, 5)
    site.crash("go_on", Commit.GO_ON, when)
    assert site.desk.action(action).state is (State.HELD if when == "before" else State.APPROVED)
    assert go_on(site.desk.app.engine) == (1 if when == "before" else 0)
    assert site.desk.kinds(action).count(Kind.RESUMED) == 1
    assert site.desk.rail.resume(action) == "paid"
    assert site.effects()[order] == 1


def _fill(site: Site, task: str, amount: int) -> None:
    """As if so much of a task's purse were used."""
    scope = f'["task","{task}"]'
    site.desk.sql(f"update budget_windows set used = {amount * NANO} where scope = '{scope}'")


def chunking(site: Site, when: str) -> None:
    """A part of a budget is taken or given back whole, and counts for nobody meanwhile."""
    site.paid()
    engine, store = site.desk.app.engine, site.desk.app.store
    [(window,)] = site.desk.sql("select max(starts_at) from budget_windows where budget = 'pays'")

    def chunks() -> Sequence[str]:
        return store.read(lambda tx: tx.budget_chunks.open("pays", "[]", window))

    site.crash("chunk", Commit.CHUNK, when, str(window))
    assert len(chunks()) == (when == "after")
    if when == "before":
        take_chunk(site.desk.app, str(window))
    used = store.read(lambda tx: tx.budgets.room("pays", "[]", window)).used
    [chunk] = chunks()
    site.crash("close_chunk", Commit.CHUNK, when, chunk)
    assert len(chunks()) == (when == "before")
    assert store.read(lambda tx: tx.budgets.room("pays", "[]", window)).used == used
    close(engine, chunks())
    assert site.desk.sql(
        f"select used from budget_windows where budget = 'pays' and starts_at = {window}"
    ) == [(used,)]


def voting(site: Site, when: str) -> None:
    """Before, nobody has answered; after, the answer counts and a second one is told so."""
    _, action = site.held()
    site.crash("vote", Commit.VOTE, when, site.desk.question(action).id)
    if when == "before":
        assert Kind.VOTED not in site.desk.kinds(action)
        site.desk.vote(action, LEAD)
    else:
        with pytest.raises(handrail.Conflict, match="approved already"):
            site.desk.vote(action, LEAD)
    assert site.desk.kinds(action).count(Kind.APPROVED) == 1


def halting(site: Site, when: str) -> None:
    """After, nothing of it starts; before, all goes on."""
    site.crash("halt", Commit.HALT, when)
    order = site.order()
    with site.desk.rail.session("victim", "t"):
        if when == "before":
            site.pay(order, 5)
        else:
            with pytest.raises(handrail.Denied, match="agent victim is stopped"):
                site.pay(order, 5)
    for thrown in site.desk.app.store.read(lambda tx: tx.restrictions.read()).halts:
        lift(site.desk.app.engine, thrown.id, "well", "ops")
    assert site.effects()[order] == (when == "before")


def lifting(site: Site, when: str) -> None:
    """Before, the halt is in force; after, it is not."""
    thrown, _ = halt(site.desk.app.engine, "odd", "ops", agent="victim")
    site.crash("lift", Commit.LIFT, when, thrown)
    if when == "before":
        lift(site.desk.app.engine, thrown, "well", "ops")
    else:
        with pytest.raises(handrail.NotFound):
            lift(site.desk.app.engine, thrown, "well", "ops")
    site.paid()


def granting(site: Site, when: str) -> None:
    """The rung is the old one or the new one."""
    site.crash("grant", Commit.GRANT, when)
    site.desk.app.engine.refresh()
    expected = Rung.BOUNDED if when == "before" else Rung.SUGGEST
    assert rung_of(site.desk.app.engine, "victim", "pay") is expected
    set_rung(site.desk.app.engine, "victim", "pay", Rung.BOUNDED, "well", "ops")


def activating(site: Site, when: str) -> None:
    """The policy is the old one or the new one."""
    engine = site.desk.app.engine
    old = engine.policy.digest
    site.crash("activate", Commit.ACTIVATE, when, POLICY + f"# {when}\n")
    engine.refresh()
    assert (engine.policy.digest == old) is (when == "before")
    site.paid()


def resolving(site: Site, when: str) -> None:
    """A person's word counts once."""
    order = site.order()
    site.crash("call", Commit.SETTLE, "before", order)
    site.reap()
    action = site.desk.actions()[-1].id
    site.crash("resolve", Commit.RESOLVE, when, action)
    assert site.desk.action(action).state is (State.UNKNOWN if when == "before" else State.DONE)
    assert site.desk.kinds(action).count(Kind.SETTLED) == (when == "after")


def sealing(site: Site, when: str) -> None:
    """What was not sealed is sealed by the next sealer."""
    site.paid()
    before = site.desk.verified()
    assert before.unsealed.count > 0
    site.crash("seal", Commit.SEAL, when)
    after = site.desk.verified()
    assert after.ok
    assert (after.unsealed.count == 0) is (when == "after")
