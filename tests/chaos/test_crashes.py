"""A real SIGKILL before and after every commit: nothing runs twice or is lost, nobody else is touched."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import handrail
from handrail.engine import jobs
from handrail.engine.restrict import halt, lift, rung_of, set_rung
from handrail.ports import Commit
from handrail.words.entry import Kind
from handrail.words.level import Rung
from handrail.words.lifecycle import RAN, State
from tests.chaos.crashers import crash
from tests.support import postgres
from tests.support.nursery import Ended, Nursery
from tests.support.rail import LEAD, Desk, opened

POLICY = """
handrail: 1
agents:
  victim: {may: [pay]}
  bystander: {may: [work]}
tools:
  pay: {does: pay, amount: args.amount, starts: bounded, at_most: bounded}
  work: {does: update, starts: bounded, at_most: bounded}
rules:
  - {id: big, tools: pay, when: "amount > 100", ask: leads}
budgets:
  - {id: pays, tools: pay, actions: 1000, per: day}
approvers:
  leads: {people: [lead@example.com], need: 1, answer_within: 4 h, if_no_answer: reject}
"""
Place = tuple[Path, str]
LONG = 600_000
JOB = f"{crash.__module__}:{crash.__name__}"


@dataclass
class Site:
    """A store that survives every crash, a desk on it, and what the outside witness saw."""

    desk: Desk
    folder: Path
    processes: Nursery
    pay: Callable[[str, float], str]
    orders: int = 0

    @property
    def witness(self) -> Path:
        """The file in which every effect is a line."""
        return self.folder / "witness"

    def effects(self) -> Counter[str]:
        """How often each order was paid."""
        return Counter(self.witness.read_text().split()) if self.witness.exists() else Counter()

    def order(self, kind: str = "o") -> str:
        """A new order."""
        self.orders += 1
        return f"{kind}-{self.orders}"

    def held(self) -> tuple[str, str]:
        """A new order that waits for a person, and its action."""
        order = self.order()
        with self.desk.rail.session("victim", order), pytest.raises(handrail.Held) as held:
            self.pay(order, 500)
        return order, held.value.action_id

    def paid(self) -> str:
        """The action of a new order that was paid."""
        with self.desk.rail.session("victim", "t"):
            self.pay(self.order(), 5)
        return self.desk.actions()[-1].id

    def crash(self, step: str, commit: Commit | str, when: str, given: str = "") -> None:
        """A process takes this step and is killed around this commit; leases that ended are reaped."""
        url, policy = self.desk.url, str(self.folder / "handrail.yaml")
        [ended] = self.processes.run([job_of(policy, url, self.witness, step, commit, when, given)])
        assert ended.code == -signal.SIGKILL, ended.stderr

    def reap(self) -> None:
        """Until database time has passed the dead process's lease."""
        done = self.desk.app.engine.owner
        while any(action.owner != done for action in self.desk.actions(State.RUNNING)):
            jobs.reap(self.desk.app.engine)

    def of(self, order: str) -> list[State]:
        """The states of the actions of an order."""
        found = []
        for action in self.desk.actions():
            payload = self.desk.app.store.read(lambda tx, a=action: tx.actions.payload(a.id))  # type: ignore[misc]
            if payload is not None and payload.args is not None and f'"{order}"' in payload.args:
                found.append(action.state)
        return found

    def sound(self) -> None:
        """What holds after every crash."""
        effects = self.effects()
        assert set(effects.values()) <= {1}, "something ran twice"
        paying = [entry for entry in self.desk.entries() if entry.tool == "pay"]
        intended = [entry for entry in paying if entry.kind is Kind.INTENDED]
        ran = [action for action in self.desk.actions() if action.tool == "pay" and action.state in RAN]
        assert Counter(entry.action for entry in intended) == Counter(action.id for action in ran)
        assert len(intended) >= len(effects), "an effect without its durable intention"
        assert self.desk.used() == len(ran)
        [live] = self.desk.actions(State.RUNNING)
        assert (live.tool, live.attempt) == ("work", 1)
        jobs.seal(self.desk.app.engine)
        report = self.desk.verified()
        assert report.ok, list(report.sentences())
        assert report.unsealed.count == 0


def job_of(
    policy: str, url: str, witness: Path, step: str, commit: Commit | str, when: str, given: str
) -> tuple[str, dict[str, str]]:
    """A job for the nursery."""
    told = {"policy": policy, "url": url, "witness": str(witness), "step": step}
    return JOB, {**told, "commit": str(commit), "when": when, "given": given}


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A folder and the URL of a store that all crashes of this module share."""
    folder = tmp_path_factory.mktemp("site")
    if request.param == "sqlite":
        yield folder, f"sqlite:///{folder / 'handrail.db'}"
        return
    with postgres.database(request.getfixturevalue("postgres_url")) as url:
        yield folder, url


@pytest.fixture(scope="module")
def site(store: Place, processes: Nursery) -> Iterator[Site]:
    """A desk that lives on while others die, with an action of its own that runs all the time."""
    folder, url = store
    with opened(folder, url, POLICY, LONG, keeper=False) as desk:
        started, go = threading.Event(), threading.Event()

        @desk.rail.tool
        def pay(order: str, amount: float) -> str:
            with (folder / "witness").open("a") as file:
                file.write(f"{order}\n")
            return "paid"

        @desk.rail.tool
        def work() -> str:
            started.set()
            assert go.wait(120)
            return "worked"

        def bystander() -> None:
            with desk.rail.session("bystander", "t"):
                outputs.append(work())

        outputs: list[str] = []
        thread = threading.Thread(target=bystander)
        thread.start()
        assert started.wait(10)
        yield Site(desk, folder, processes, pay)
        go.set()
        thread.join()
        assert outputs == ["worked"]
        assert not desk.actions(State.RUNNING)


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
            with pytest.raises(handrail.Denied, match="agent victim is halted"):
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


POINTS: dict[Commit, Callable[[Site, str], None]] = {
    Commit.PROPOSE: proposing,
    Commit.SETTLE: settling,
    Commit.BEAT: beating,
    Commit.RECHECK: rechecking,
    Commit.REAP: reaping,
    Commit.EXPIRE: expiring,
    Commit.VOTE: voting,
    Commit.HALT: halting,
    Commit.LIFT: lifting,
    Commit.GRANT: granting,
    Commit.ACTIVATE: activating,
    Commit.RESOLVE: resolving,
    Commit.SEAL: sealing,
}
FIRST_POINTS = ("set-up", Commit.START, Commit.ACTIVATE)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("commit", POINTS, ids=str)
def test_a_process_killed_around_a_commit_loses_nothing_and_repeats_nothing(
    site: Site, commit: Commit, when: str
) -> None:
    POINTS[commit](site, when)
    site.sound()
    order = site.order()
    with site.desk.rail.session("victim", "t"):
        assert site.pay(order, 5) == "paid"
    site.sound()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("commit", FIRST_POINTS, ids=str)
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_process_killed_while_it_makes_a_store_leaves_one_that_opens_and_works(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    processes: Nursery,
    kind: str,
    commit: Commit | str,
    when: str,
) -> None:
    url = f"sqlite:///{tmp_path / 'handrail.db'}"
    if kind == "postgres":
        url = request.getfixturevalue("postgres_database")
    policy = tmp_path / "handrail.yaml"
    policy.write_text(POLICY)
    ended: list[Ended] = processes.run(
        [job_of(str(policy), url, tmp_path / "witness", "open", commit, when, "")]
    )
    assert ended[0].code == -signal.SIGKILL, ended[0].stderr
    with opened(tmp_path, url, POLICY) as desk:

        @desk.rail.tool
        def pay(order: str, amount: float) -> str:
            return "paid"

        with desk.rail.session("victim", "t"):
            assert pay("o", 5) == "paid"
        assert desk.kinds().count(Kind.POLICY_ACTIVATED) == 1
        jobs.seal(desk.app.engine)
        assert desk.verified().ok
