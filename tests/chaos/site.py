"""Where processes are killed: a store that survives it, a desk on it, and a witness from outside."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import handrail
from handrail.engine import jobs
from handrail.engine.budgets.leases import close_own
from handrail.ports import Commit
from handrail.words.entry import Kind
from handrail.words.lifecycle import RAN, State
from tests.chaos.crashers import crash
from tests.support.nursery import Nursery
from tests.support.rail import Desk

POLICY = """
handrail: 1
agents:
  victim: {may: [pay, note]}
  bystander: {may: [work]}
tools:
  pay: {does: pay, amount: args.amount, starts: bounded, at_most: bounded}
  note: {does: update, starts: bounded, at_most: bounded}
  work: {does: update, starts: bounded, at_most: bounded}
rules:
  - {id: big, tools: pay, when: "amount > 100", ask: leads}
budgets:
  - {id: pays, tools: pay, actions: 1000, per: day}
  - {id: purse, tools: pay, amount: 5000, per: task, at_limit: pause}
  - {id: calls, cost: 100000, per: month}
models:
  "openai:gpt-5": {price: {input: 1, output: 1}}
approvers:
  leads: {people: [lead@example.com], need: 1, answer_within: 4 h, if_no_answer: reject}
data: {keep: {payloads: 30 days}}
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

    def called(self) -> int:
        """What all calls of models hold or have spent, as they themselves say."""
        [(found,)] = self.desk.sql("select coalesce(sum(coalesce(cost, bound_cost)), 0) from model_calls")
        return int(found)

    def sound(self) -> None:
        """What holds after every crash, once this process gave back what it had leased of a busy budget."""
        close_own(self.desk.app.engine)
        effects = self.effects()
        assert set(effects.values()) <= {1}, "something ran twice"
        paying = [entry for entry in self.desk.entries() if entry.tool == "pay"]
        intended = [entry for entry in paying if entry.kind is Kind.INTENDED]
        ran = [action for action in self.desk.actions() if action.tool == "pay" and action.state in RAN]
        assert Counter(entry.action for entry in intended) == Counter(action.id for action in ran)
        assert len(intended) >= len(effects), "an effect without its durable intention"
        for budget, spent in (("pays", len(ran)), ("calls", self.called())):
            [(used,)] = self.desk.sql(
                f"select coalesce(sum(used), 0) from budget_windows where budget = '{budget}'"
            )
            assert used == spent, budget
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
