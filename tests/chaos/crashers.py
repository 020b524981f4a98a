"""What the processes do that are killed: one step of the engine each, and a death around a commit."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import handrail.app
import handrail.store.postgres
import handrail.store.sqlite_setup
from handrail.app import App, open_app
from handrail.engine import jobs
from handrail.engine.people import vote
from handrail.engine.rail import Rail
from handrail.engine.restrict import activate, halt, lift, set_rung
from handrail.engine.settle import resolve
from handrail.policy.load import load
from handrail.ports import AuditStreams, Commit, Store, Transaction
from handrail.words.approval import Choice
from handrail.words.level import Rung
from handrail.words.lifecycle import State
from tests.support.nursery import Meet
from tests.support.rail import LEAD

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

    def write(self, commit: Commit, work: Callable[[Transaction], Any]) -> Any:
        return self._around(self._store.write, commit, work)

    def restrict(self, commit: Commit, work: Callable[[Transaction], Any]) -> Any:
        return self._around(self._store.restrict, commit, work)

    def read(self, work: Callable[[Transaction], Any]) -> Any:
        return self._store.read(work)

    def audit(self) -> AuditStreams:
        return self._store.audit()

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

    def then_die(url: str, synchronous: str = "FULL") -> Store:
        opened(url, synchronous)
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


STEPS: dict[str, Callable[[App, Any, str], object]] = {
    "open": lambda *_: None,
    "call": call,
    "resume": lambda _app, tools, given: tools[0].resume(given),
    "reap": lambda app, *_: jobs.reap(app.engine),
    "expire": lambda app, *_: jobs.expire(app.engine),
    "seal": lambda app, *_: jobs.seal(app.engine),
    "vote": lambda app, _, given: vote(app.engine, given, LEAD, Choice.APPROVE, verified=False),
    "halt": lambda app, *_: halt(app.engine, "odd", "ops", agent="victim"),
    "lift": lambda app, _, given: lift(app.engine, given, "well", "ops"),
    "grant": lambda app, *_: set_rung(app.engine, "victim", "pay", Rung.SUGGEST, "odd", "ops"),
    "activate": lambda app, _, given: activate(app.engine, load(given, "handrail.yaml"), "ops", "new"),
    "resolve": lambda app, _, given: resolve(app.engine, given, State.DONE, "ops", "seen"),
}
