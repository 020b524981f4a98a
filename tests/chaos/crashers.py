"""What the processes do that are killed: one step of the engine each, and a death around a commit."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import handrail.app
import handrail.store.postgres
import handrail.store.sqlite_setup
from handrail.app import App, open_app
from handrail.engine import jobs
from handrail.engine.budgets.changes import freeze, top_up
from handrail.engine.budgets.leases import close
from handrail.engine.budgets.pauses import go_on
from handrail.engine.cancel import cancel
from handrail.engine.deliveries.sending import deliver
from handrail.engine.identity.accounts import invite
from handrail.engine.identity.keys import revoke_key
from handrail.engine.identity.sign_ins import open_sign_in
from handrail.engine.ids import new_id
from handrail.engine.models.calls import ModelGate
from handrail.engine.questions.edits import edit
from handrail.engine.questions.standings import asks_of, make_standing
from handrail.engine.questions.votes import vote
from handrail.engine.rail import Rail
from handrail.engine.restored import begin_anew
from handrail.engine.restrict import activate, halt, lift, set_rung
from handrail.engine.retention import erase
from handrail.engine.sessions import open_session
from handrail.engine.settle import resolve
from handrail.engine.toolbox import register
from handrail.policy.load import load
from handrail.ports import AuditStreams, Commit, Message, News, Store, Transaction
from handrail.store.backup import opened, restore
from handrail.store.migrate import Older
from handrail.words.approval import Choice
from handrail.words.errors import ModelRefused
from handrail.words.level import Rung
from handrail.words.lifecycle import State
from handrail.words.model_call import Bound, CallState, ModelAsked, ModelEnded, Usage
from handrail.words.person import Role
from handrail.words.verdict import Charge
from tests.support.nursery import Meet
from tests.support.rail import LEAD

CHANNEL = "notify:scribe"
BINDING_TOOL = "note"
"""A tool that runs elsewhere."""
SHORT = 1
"""Milliseconds of the lease of a process that will be killed."""


def die() -> NoReturn:
    """As if the power were cut."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("a killed process runs on")


class Deadly:
    """The real store, in which this process dies directly before or after one kind of commit."""

    def __init__(self, store: Store, commit: Commit | None, when: str) -> None:
        self._store = store
        self._commit = commit
        self._when = when
        self.leases = store.leases

    def write(self, commit: Commit, work: Callable[[Transaction], Any]) -> Any:
        return self._around(self._store.write, commit, work)

    def restrict(self, commit: Commit, work: Callable[[Transaction], Any]) -> Any:
        return self._around(self._store.restrict, commit, work)

    def read(self, work: Callable[[Transaction], Any]) -> Any:
        return self._store.read(work)

    def audit(self) -> AuditStreams:
        return self._store.audit()

    def news(self) -> News:
        return self._store.news()

    def close(self) -> None:
        self._store.close()

    def _around(self, write: Any, commit: Commit, work: Callable[[Transaction], Any]) -> Any:
        if commit is not self._commit:
            return write(commit, work)

        def deadly(tx: Transaction) -> Any:
            done = work(tx)
            return die() if self._when == "before" else done

        write(commit, deadly)
        die()


def crash(
    meet: Meet, *, policy: str, url: str, witness: str, step: str, commit: str, when: str, given: str
) -> None:
    """Open a rail, take one step of the engine, and die on the way."""
    point = None if commit == "set-up" else Commit(commit)
    if point is None:
        die_in_set_up(when)
    opened = handrail.app.open_store
    handrail.app.open_store = lambda url, *more: Deadly(opened(url, *more), point, when)
    app = open_app(Path(policy), database=url, lease=SHORT)
    app.engine.stir = lambda: None
    STEPS[step](app, pay_of(app, witness), given)
    raise AssertionError(f"{step} made no commit {commit}")


def die_in_set_up(when: str) -> None:
    """Die around the commit that makes the tables: the only one that is no engine's."""
    module: Any
    for module in (handrail.store.sqlite_setup, handrail.store.postgres):
        real = module.bring_up

        def deadly(*arguments: Any, real: Any = real) -> None:
            real(*arguments)
            die()

        if when == "before":
            module.bring_up = deadly
    opened = handrail.app.open_store

    def then_die(url: str, synchronous: str = "FULL", *, older: Older = Older.REFUSE) -> Store:
        opened(url, synchronous, older=older)
        return die()

    if when == "after":
        handrail.app.open_store = then_die


def pay_of(app: App, witness: str) -> tuple[Rail, Callable[..., str]]:
    """A rail with the tool whose effects an outside witness counts."""
    rail = Rail(app.engine, app.close)

    @rail.tool
    def pay(order: str, amount: float) -> str:
        file = os.open(witness, os.O_APPEND | os.O_WRONLY | os.O_CREAT)
        os.write(file, f"{order}\n".encode())
        os.close(file)
        if order.startswith("beat"):
            jobs.beat(app.engine)
        return "paid"

    return rail, pay


def call(_: App, tools: tuple[Rail, Callable[..., str]], given: str) -> None:
    """Call the tool."""
    rail, pay = tools
    with rail.session("victim", "t"):
        pay(given, 5)


class Scribe:
    """A channel that writes each subject on a line of a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def tell(self, message: Message) -> str | None:
        with self.file.open("a") as file:
            file.write(f"{message.delivery.subject}\n")
        return None


def edit_it(app: App, _: object, given: str) -> None:
    """To an amount that nobody is asked about."""
    approval, order = given.split()
    edit(app.engine, approval, LEAD, {"order": order, "amount": 50}, "less", verified=False)


def stand(app: App, *_: object) -> None:
    """Answer the next question about a payment."""
    make_standing(
        app.engine,
        agent="victim",
        tool="pay",
        asks=frozenset({asks_of(app.engine.policy.policy, "pay")["ask:big"]}),
        when=None,
        actions=1,
        amount=1000 * 10**9,
        expires_at=app.engine.clock() + 3_600_000,
        person=LEAD,
        reason="a known customer",
        verified=False,
    )


def sign_in(app: App, _: object, given: str) -> None:
    """Sign a person in."""
    person = app.store.read(lambda tx: tx.people.get(given))
    assert person is not None
    open_sign_in(
        app.engine,
        person,
        f"cookie of {given}",
        second_factor=False,
        address=None,
        browser=None,
        how="password",
    )


def take_chunk(app: App, given: str) -> None:
    """Take a part of a window of the budget of payments."""
    charge = Charge("pays", "[]", int(given), 1, 2**62)
    app.store.write(
        Commit.CHUNK, lambda tx: tx.budget_chunks.lease(new_id(), app.engine.owner, charge, 100, 1, 60_000)
    )


def register_it(app: App, _: object, given: str) -> None:
    """Register a version of a tool's schema that has this title."""
    schema = {"type": "object", "title": given, "properties": {"text": {"type": "string"}}}
    register(app.engine, BINDING_TOOL, schema, "victim", "key")


def restore_it(app: App, _: object, given: str) -> None:
    """Restore a backup into another store."""
    file, url = given.split()
    store = handrail.app.open_store(url)
    restore(store, opened(Path(file)), lambda tx, sealed: begin_anew(tx, sealed, "a backup", "ops"))


BOUND = Bound(cost=7 * 10**9, tokens=50)


def asking(session: str, model: str = "gpt-5") -> ModelAsked:
    """A call of the victim's."""
    return ModelAsked("victim", session, "t", "openai", model, "responses", BOUND, b'{"input": "hello"}')


def measured() -> ModelEnded:
    """It answered, and less than the bound was measured."""
    return ModelEnded(CallState.DONE, Usage(input=9, output=3), cost=2 * 10**9, status=200)


def settle_model(app: App, _: object, given: str) -> None:
    """Ask a model, and tell how it ended."""
    gate = ModelGate(app.engine)
    gate.settle(gate.claim(asking(given)), measured())


def refuse_model(app: App, _: object, given: str) -> None:
    """Ask a model that nobody may ask."""
    with suppress(ModelRefused):
        ModelGate(app.engine).claim(asking(given, "o3"))


STEPS: dict[str, Callable[[App, Any, str], object]] = {
    "open": lambda *_: None,
    "call": call,
    "resume": lambda _app, tools, given: tools[0].resume(given),
    "reap": lambda app, *_: jobs.reap(app.engine),
    "expire": lambda app, *_: jobs.expire(app.engine),
    "go_on": lambda app, *_: go_on(app.engine),
    "seal": lambda app, *_: jobs.seal(app.engine),
    "vote": lambda app, _, given: vote(app.engine, given, LEAD, Choice.APPROVE, verified=False),
    "halt": lambda app, *_: halt(app.engine, "odd", "ops", agent="victim"),
    "lift": lambda app, _, given: lift(app.engine, given, "well", "ops"),
    "grant": lambda app, *_: set_rung(app.engine, "victim", "pay", Rung.SUGGEST, "odd", "ops"),
    "activate": lambda app, _, given: activate(app.engine, load(given, "handrail.yaml"), "ops", "new"),
    "resolve": lambda app, _, given: resolve(app.engine, given, State.DONE, "ops", "seen"),
    "cancel": lambda app, _, given: cancel(app.engine, given, "victim", "changed my mind"),
    "edit": edit_it,
    "stand": stand,
    "session": lambda app, _, given: open_session(app.engine, "victim", "key", task=given),
    "deliver": lambda app, _, given: deliver(app.engine, lambda _: Scribe(Path(given)), None),
    "register": register_it,
    "invite": lambda app, _, given: invite(app.engine, given, "P", Role.VIEWER, f"link of {given}", "ops"),
    "sign_in": sign_in,
    "erase": lambda app, *_: erase(app.engine),
    "restore": restore_it,
    "ask_model": lambda app, _, given: ModelGate(app.engine).claim(asking(given)),
    "settle_model": settle_model,
    "refuse_model": refuse_model,
    "freeze": lambda app, _, given: freeze(app.engine, given, "ops", "odd"),
    "chunk": lambda app, _, given: take_chunk(app, given),
    "close_chunk": lambda app, _, given: close(app.engine, [given]),
    "top_up": lambda app, _, given: top_up(app.engine, "pays", 1, "ops", given),
    "revoke": lambda app, _, given: revoke_key(app.engine, given, "ops"),
}
