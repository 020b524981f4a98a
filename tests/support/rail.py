"""A whole rail over any store for tests: opened on a policy's text, with answers, looks inside, and more.

What production code keeps from agents (votes, the engine) is in reach here, as for people at a terminal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from handrail.app import App, meter_of, open_app
from handrail.engine.questions.votes import vote
from handrail.engine.rail import Rail
from handrail.engine.restrict import activate
from handrail.journal.report import Report
from handrail.journal.verify import verify
from handrail.policy.load import load
from handrail.ports import Commit, Store, Transaction
from handrail.words.action import Action
from handrail.words.approval import Approval, Choice
from handrail.words.entry import Entry, Kind
from handrail.words.lifecycle import State
from handrail.words.query import ActionFilter

LEAD, SECOND, HEAD = "lead@example.com", "second@example.com", "head@example.com"
LEASE = 60_000
NEWER = "0" * 64
"""The digest of a version that this release can't read."""

POLICY = """
handrail: 1
agents:
  support: {may: [refund, find, note, wipe, offer]}
  sales: {may: [refund, offer]}
tools:
  refund: {does: pay, amount: args.amount, starts: bounded, at_most: bounded}
  find: {does: read}
  note: {does: update, starts: bounded, at_most: bounded}
  wipe: {does: delete, starts: shadow, at_most: bounded}
  offer: {does: send, starts: bounded, at_most: bounded}
rules:
  - {id: huge, tools: refund, when: "amount > 1000", deny: "Nobody refunds that much."}
  - {id: big, tools: refund, when: "amount > 100", ask: leads}
  - {id: legal, tools: refund, when: 'args.reason == "legal"', ask: heads}
  - {id: pairs, tools: refund, when: 'args.reason == "pairs"', ask: pair}
budgets:
  - {id: few, tools: note, actions: 3, per: day}
approvers:
  leads: {people: [lead@example.com, second@example.com], need: 1, answer_within: 4 h, if_no_answer: heads}
  pair: {people: [lead@example.com, second@example.com], need: 2, answer_within: 4 h, if_no_answer: reject}
  heads: {people: [head@example.com], need: 1, answer_within: 1 day, if_no_answer: reject}
"""


@dataclass(frozen=True, slots=True)
class Desk:
    """One process's rail, and everything that a test does to it or sees of it."""

    app: App
    rail: Rail
    url: str

    def vote(
        self, action: str, person: str = LEAD, choice: Choice = Choice.APPROVE, reason: str | None = None
    ) -> Approval:
        """Answer the newest question about an action, as a person at a terminal does."""
        return vote(self.app.engine, self.question(action).id, person, choice, reason, verified=False)

    def question(self, action: str) -> Approval:
        """The newest question about an action."""
        found = self.app.store.read(lambda tx: tx.approvals.of(action))
        assert found is not None
        return found

    def activate(self, text: str) -> None:
        """Make another policy the running one."""
        activate(self.app.engine, load(text, "handrail.yaml"), "ops@example.com", "a test wants it")

    def action(self, action: str) -> Action:
        """An action as the store has it."""
        return self.rail.action(action)

    def actions(self, state: State | None = None) -> list[Action]:
        """Every action, oldest first."""
        wanted = ActionFilter(state=state, limit=1_000_000)
        return list(reversed(self.app.store.read(lambda tx: tx.actions.listing(wanted))))

    def entries(self, action: str | None = None) -> list[Entry]:
        """Every entry, or those of one action, in order."""

        def work(tx: Transaction) -> list[Entry]:
            found = tx.journal.after(0, 1_000_000) if action is None else tx.journal.of(action)
            return [stored.entry for stored in found]

        return self.app.store.read(work)

    def kinds(self, action: str | None = None) -> list[Kind]:
        """What was told, in order."""
        return [entry.kind for entry in self.entries(action)]

    def body(self, action: str, kind: Kind) -> dict[str, Any]:
        """What the newest entry of this kind tells of an action."""
        found = [entry.body for entry in self.entries(action) if entry.kind is kind]
        body: dict[str, Any] = json.loads(found[-1])
        return body

    def used(self) -> int:
        """How much of all budgets' windows is set aside or spent."""
        return int(self.sql("select coalesce(sum(used), 0) from budget_windows")[0][0])

    def sql(self, statement: str) -> list[Any]:
        """Run one statement in the store itself, such as one that moves a deadline into the past."""
        if self.url.startswith("postgresql"):
            with psycopg.connect(self.url, autocommit=True, options="-c search_path=handrail") as connection:
                cursor = connection.execute(statement.encode())
                return list(cursor.fetchall()) if cursor.description else []
        connection_of = self.app.store._writer  # type: ignore[attr-defined]
        return self.app.store.write(
            Commit.START, lambda _: list(connection_of.connection.execute(statement).fetchall())
        )

    def verified(self) -> Report:
        """What verification says of the journal."""
        streams = self.app.store.audit()
        try:
            return verify(streams.entries(), streams.leaves, streams.heads())
        finally:
            streams.close()


@contextmanager
def opened(
    folder: Path, url: str, policy: str = POLICY, lease: int = LEASE, *, keeper: bool = True
) -> Iterator[Desk]:
    """A desk over the store at ``url``; a second one on the same store is what another process would have.

    Without its keeper no job runs unless the test runs it.
    """
    path = folder / "handrail.yaml"
    if not path.exists():
        path.write_text(policy, encoding="utf-8")
    app = open_app(path, database=url, synchronous="NORMAL", lease=lease)
    if not keeper:
        app.keeper.stop()
    try:
        yield Desk(app, Rail(app.engine, app.close, meter_of(app.engine)), url)
    finally:
        app.close()
        app.store.close()


def lose_policy(store: Store) -> None:
    """Make a version active that this release can't read, as a newer server would."""

    def work(tx: Transaction) -> None:
        tx.restrictions.add_policy(NEWER, "handrail.yaml", {"handrail.yaml": "handrail: 99\n"}, tx.now())
        tx.restrictions.activate(NEWER, "ops", "a newer server does", tx.now())

    store.restrict(Commit.ACTIVATE, work)


def find_policy(desk: Desk) -> None:
    """Make the version that this process knows the active one again."""
    digest = desk.app.engine.policy.digest
    desk.app.store.restrict(
        Commit.ACTIVATE, lambda tx: tx.restrictions.activate(digest, "ops", "back", tx.now())
    )


def tool_that(desk: Desk, act: Any) -> Any:
    """The tool ``note``, which does what ``act`` does."""

    @desk.rail.tool
    def note(text: str) -> Any:
        return act(text)

    return note
