"""One day at the desk: agents work the inbox, people answer, and what people let through runs at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Protocol

from handrail.demo import ledger
from handrail.demo.agent import Scripted
from handrail.demo.company import NAME, Ticket
from handrail.demo.hands import Ask, Attempt, Came, Hands
from handrail.demo.line import CallRefused, ModelFailed
from handrail.demo.model import Model
from handrail.demo.people import Answer, answers
from handrail.demo.providers import Provider, Tool
from handrail.demo.stops import Stops
from handrail.engine.signature import of_function
from handrail.words.lifecycle import State

if TYPE_CHECKING:
    from handrail.demo.office import Opened
    from handrail.demo.show import Show

MODEL_AT_ONCE = 6
"""Tickets that a real model works on at the same time."""
NOT_REAL = (
    "No real model is called and nothing is spent: what they read and write goes through the gateway for "
    "models to a stand-in on this machine, at a price that the policy makes up."
)
REAL = (
    "Each of its calls goes through the gateway for models, counts against the budgets, and costs real money."
)
LONG_POLL = 25.0
"""Seconds that one look for an answer waits for it."""


class Agent(Protocol):
    """Whoever plays the agents."""

    @property
    def name(self) -> str:
        """Who it is, for people."""

    def work(self, ticket: Ticket, hands: Hands) -> None:
        """Work on one ticket, inside a session for it."""

    def go_on(self, ticket: Ticket, attempt: Attempt, hands: Hands, *, edited: bool) -> None:
        """Go on once people have answered a question, inside a session for its ticket."""


class Pace(Protocol):
    """How fast the day goes, and what becomes of questions on the way."""

    model_seconds: float
    """How long a real model goes on taking tickets."""

    def looks(self, number: int) -> bool:
        """Whether the people look at their questions after so many tickets."""

    def before(self, number: int) -> None:
        """Wait until it is time for this ticket, the first being number one."""

    def asked(self, follow: Callable[[], None]) -> None:
        """A question waits for people; ``follow`` waits for their answer and goes on with its ticket."""

    def answered(self, follow: Callable[[], None]) -> None:
        """A colleague has answered a question, and ``follow`` is what waited for that."""


class Day:
    """One day. ``work`` runs in one thread; what follows an answer may run in others."""

    def __init__(self, office: Opened, inbox: Sequence[Ticket], show: Show, stops: Stops, pace: Pace) -> None:
        self._office, self._inbox, self._show = office, inbox, show
        self._stops, self._pace = stops, pace
        self._tickets = {ticket.id: ticket for ticket in inbox}
        self._store = office.store
        self._lock = threading.Lock()
        self._begun: set[str] = set()
        self._told: dict[str, Sequence[str]] = {
            name: agent.told for name, agent in office.policy.agents.items()
        }
        self._agent: Agent = Scripted(self._told)
        self._tools = {
            agent: [rail.tool(each) for each in office.tools] for agent, rail in office.rails.items()
        }

    def work(self, provider: Provider | None) -> None:
        """Work through the inbox, with a model if there is one.

        Raises:
            Over: the end came before the inbox was empty.
        """
        script = Scripted(self._told)
        if provider is None:
            self._open(script, NOT_REAL)
            self._with_script(script, self._inbox)
            return
        until = time.monotonic() + self._pace.model_seconds
        model = Model(provider, self._described(), self._told, until)
        self._open(model, REAL)
        failure = self._with_model(model, until)
        if failure is not None:
            self._show.say(
                f"{model.name} failed: {failure}\nThe scripted agent takes over from here.", "bold red"
            )
            self._show.say(NOT_REAL)
            self._with_script(script, [each for each in self._inbox if each.id not in self._begun])
        elif len(self._begun) < len(self._inbox):
            self._show.say(
                f"The time for the demo is over; {model.name} has not seen the rest of the inbox.", "bold"
            )

    def _open(self, agent: Agent, cost: str) -> None:
        self._agent = agent
        self._show.say(
            f"{NAME}, kitchenware: the support desk. Its agents are played by {agent.name}.", "bold"
        )
        self._show.say(f"{cost}\n")
        self._show.head()

    def _with_script(self, script: Scripted, inbox: Sequence[Ticket]) -> None:
        self._agent = script
        waiting = list(answers(self._inbox))
        for number, ticket in enumerate(inbox, start=1):
            self._pace.before(number)
            self._one(script, ticket)
            if self._pace.looks(number) or number == len(inbox):
                waiting = [given for given in waiting if not self._answer(given)]

    def _with_model(self, model: Model, until: float) -> ModelFailed | None:
        failures: list[ModelFailed] = []

        def one(ticket: Ticket) -> None:
            if failures or time.monotonic() > until:
                return
            try:
                self._one(model, ticket)
            except ModelFailed as error:
                failures.append(error)

        first = sorted(self._inbox, key=lambda ticket: not ticket.show)
        with ThreadPoolExecutor(MODEL_AT_ONCE) as pool:
            list(pool.map(one, first))
        return failures[0] if failures else None

    def _one(self, agent: Agent, ticket: Ticket) -> None:
        self._begun.add(ticket.id)
        held: list[Attempt] = []
        stopped: list[CallRefused] = []
        with self._stops.acting():
            with self._session(ticket) as ask:
                agent.work(ticket, self._hands(ticket, ask, held.append, stopped.append))
            with self._lock:
                self._show.ticket(ticket, ledger.of_ticket(self._store, ticket.id), stopped)
        self._ask(ticket, held)

    def answer(self, given: Answer) -> ledger.Row | None:
        """One colleague answers one ticket's question about one tool; None when there is none any more."""
        row = self._asked(given)
        question = None if row is None else ledger.question(self._store, row.action)
        if row is None or question is None:
            return None
        say = self._office.colleagues.answer
        return row if say(question, given.person, given.note, approve=given.approve) else None

    def _answer(self, given: Answer) -> bool:
        row = self.answer(given)
        if row is None:
            return False
        attempt = Attempt(row.tool, Came.HELD, given.note, row.action)
        self._pace.answered(partial(self.follow, self._tickets[given.ticket], attempt))
        return True

    def _asked(self, given: Answer) -> ledger.Row | None:
        found = ledger.of_ticket(self._store, given.ticket)
        return next((row for row in found if row.tool == given.tool and row.fate is ledger.Fate.ASKED), None)

    def follow(self, ticket: Ticket, asked: Attempt) -> None:
        """Wait for people's answer to a question, run what they let run, and go on with the ticket.

        Raises:
            Over: the end came first.
        """
        rail = self._office.rails[ticket.agent]
        while (answered := rail.wait(asked.action, LONG_POLL)).state is State.HELD:
            self._stops.check()
        self._stops.check()
        # a halt would refuse what people have approved for good
        self._stops.wait_out(ticket.agent, asked.tool)
        held: list[Attempt] = []
        with self._stops.acting():
            with self._session(ticket) as ask:
                hands = self._hands(ticket, ask, held.append, lambda _: None)
                attempt = hands.resume(asked.tool, answered.id)
                self._agent.go_on(ticket, attempt, hands, edited=answered.id != asked.action)
            with self._lock:
                said = ledger.said(self._store, asked.action)
                self._show.answered(ticket.id, said, ledger.one(self._store, answered.id))
                self._show.count(ledger.of_ticket(self._store, ticket.id))
        self._ask(ticket, held)

    def _ask(self, ticket: Ticket, held: Sequence[Attempt]) -> None:
        for attempt in held:
            self._pace.asked(partial(self.follow, ticket, attempt))

    @contextmanager
    def _session(self, ticket: Ticket) -> Iterator[Ask]:
        """One run of the ticket's agent for it; gives how a model is asked in it."""
        opened, ask = self._office.lines[ticket.agent].open(ticket.agent, ticket.id)
        with self._office.rails[ticket.agent].session(ticket.agent, ticket.id, opened=opened):
            yield ask

    def _hands(
        self,
        ticket: Ticket,
        ask: Ask,
        held: Callable[[Attempt], None],
        stopped: Callable[[CallRefused], None],
    ) -> Hands:
        return Hands(
            self._office.rails[ticket.agent],
            self._tools[ticket.agent],
            ask,
            before=self._stops.check,
            held=held,
            stopped=stopped,
            halted=partial(self._stops.wait_out, ticket.agent),
        )

    def _described(self) -> dict[str, Sequence[Tool]]:
        """What each agent may use, as models are told of it."""
        rails = self._office.rails
        return {name: [_tool(each) for each in rail.tools_for(name)] for name, rail in rails.items()}


def _tool(function: Callable[..., object]) -> Tool:
    return Tool(function.__name__, function.__doc__ or "", of_function(function).schema)
