"""What processes do that race with each other over one store."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import handrail
from handrail.app import App, open_app
from handrail.engine.cancel import cancel
from handrail.engine.jobs import expire
from handrail.engine.questions.edits import edit
from handrail.engine.questions.votes import vote
from handrail.engine.rail import Rail
from handrail.engine.restrict import halt, lift
from handrail.words.approval import Choice
from tests.support.nursery import Meet

Calls = tuple[App, Rail, Callable[..., Any]]


def joined(policy: str, url: str, witness: str) -> Calls:
    """A rail on the shared store, with a tool that leaves a line in the witness's file."""
    app = open_app(Path(policy), database=url, synchronous="NORMAL")
    rail = Rail(app.engine, app.close)

    @rail.tool
    def refund(order: str, amount: float, reason: str = "") -> str:
        file = os.open(witness, os.O_APPEND | os.O_WRONLY | os.O_CREAT)
        os.write(file, f"{order}\n".encode())
        os.close(file)
        return order

    return app, rail, refund


def outcome(call: Callable[[], Any]) -> str:
    """How a call ended, in a word."""
    try:
        return f"gave {call()}"
    except handrail.HandrailError as error:
        return type(error).__name__


def resume(meet: Meet, policy: str, url: str, witness: str, action: str) -> str:
    """Run an approved action at the same moment as others."""
    app, rail, _ = joined(policy, url, witness)
    meet()
    found = outcome(lambda: rail.resume(action))
    app.close()
    return found


def answer(meet: Meet, policy: str, url: str, witness: str, question: str, person: str, choice: str) -> str:
    """Answer a question at the same moment as others."""
    app, _, _ = joined(policy, url, witness)
    meet()
    found = outcome(lambda: vote(app.engine, question, person, Choice(choice), verified=False).state.value)
    app.close()
    return found


def spend(meet: Meet, policy: str, url: str, witness: str, calls: int, key: str = "") -> list[str]:
    """Call a tool from four threads, as often as told."""
    app, rail, refund = joined(policy, url, witness)

    def one(number: int) -> str:
        with rail.session("support", "t"), rail.about(key=key or None):
            order = key or f"{os.getpid()}-{number}"
            return outcome(lambda: refund(order, 1))

    meet()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(one, range(calls)))
    app.close()
    return found


def stop(meet: Meet, policy: str, url: str, witness: str) -> list[str]:
    """Halt everything, and lift it, while others call."""
    app, _, _ = joined(policy, url, witness)
    meet()
    still = []
    for _ in range(5):
        thrown, running = halt(app.engine, "odd", "ops")
        still.append(str(len(running)))
        lift(app.engine, thrown, "well", "ops")
    app.close()
    return still


def fork(meet: Meet, policy: str, url: str, witness: str) -> list[int]:
    """Call, fork, and call from parent and child."""
    app, rail, refund = joined(policy, url, witness)
    with rail.session("support", "t"):
        refund("before", 1)
        child = os.fork()
        refund("child" if child == 0 else "parent", 1)
        if child == 0:
            app.close()
            os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    app.close()
    return [code]


def change(meet: Meet, policy: str, url: str, witness: str, question: str, person: str, amount: int) -> str:
    """Edit what a question is about at the same moment as others."""
    app, _, _ = joined(policy, url, witness)
    args = {"order": "edited", "amount": amount, "reason": ""}
    meet()
    found = outcome(lambda: edit(app.engine, question, person, args, "odd", verified=False).state.value)
    app.close()
    return found


def take_back(meet: Meet, policy: str, url: str, witness: str, action: str) -> str:
    """Cancel an action at the same moment as others do something with it."""
    app, _, _ = joined(policy, url, witness)
    meet()
    found = outcome(lambda: cancel(app.engine, action, "ops", "odd").state.value)
    app.close()
    return found


def look_for_due(meet: Meet, policy: str, url: str, witness: str) -> str:
    """Run the job that expires what is due at the same moment as others."""
    app, _, _ = joined(policy, url, witness)
    meet()
    found = outcome(lambda: expire(app.engine))
    app.close()
    return found
