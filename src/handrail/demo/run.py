"""The demo, from an empty folder to a day's journal: agents work the inbox, people answer some questions."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from rich.console import Console

from handrail.demo import ledger
from handrail.demo.agent import Scripted, answer_customer
from handrail.demo.company import NAME, Ticket, build, tickets, tidy
from handrail.demo.folder import NotOurs, prepare
from handrail.demo.hands import Hands
from handrail.demo.model import Model
from handrail.demo.office import Opened, answer, opened, who_may
from handrail.demo.people import Answer, answers
from handrail.demo.providers import ModelFailed, Provider, Tool, chosen
from handrail.demo.show import Show
from handrail.demo.summary import Example, hints, summary
from handrail.engine.signature import of_function
from handrail.words.errors import NotRun

PEOPLE_LOOK_EVERY = 20
"""Tickets between two looks that the people take at their questions."""
MODEL_SECONDS = 40
"""How long a real model goes on taking tickets."""
MODEL_AT_ONCE = 6
"""Tickets that a real model works on at the same time."""
CANNOT_START = 2


class Agent(Protocol):
    """Whoever plays the agents."""

    @property
    def name(self) -> str:
        """Who it is, for people."""

    def work(self, ticket: Ticket, hands: Hands) -> None:
        """Work on one ticket, inside a session for it."""


def run(directory: Path, *, headless: bool, console: Console) -> int:
    """Run the whole demo in ``directory``; the exit code: 0, or 2 when it can't start.

    Raises:
        handrail.HandrailError: the policy or the store can't be used.
    """
    show = Show(console, headless=headless)
    if find_spec("aiosmtpd") is None:
        show.say(
            "The demo sends real mail to a sink of its own and needs: pip install 'handrail[demo]'", "red"
        )
        return CANNOT_START
    try:
        folder = prepare(directory)
    except (NotOurs, OSError) as error:
        show.say(str(error), "red")
        return CANNOT_START
    inbox = tickets()
    build(folder.database, inbox, datetime.now(UTC))
    with opened(folder) as desk:
        day = _Day(desk, inbox, show)
        day.work(chosen(os.environ))
        found = ledger.everything(desk.engine.store)
        summary(show, found, desk.engine.policy.policy.tools)
        example = _example(desk, found)
    tidy(folder.database)
    hints(show, directory, example)
    return 0


class _Day:
    """One day at the desk."""

    def __init__(self, desk: Opened, inbox: Sequence[Ticket], show: Show) -> None:
        self._desk = desk
        self._inbox = inbox
        self._show = show
        self._hands = Hands(desk.rail, desk.tools)
        self._store = desk.engine.store
        self._lock = threading.Lock()
        self._begun: set[str] = set()

    def work(self, provider: Provider | None) -> None:
        """Work through the inbox, with a model if there is one."""
        script = Scripted()
        if provider is None:
            self._open(script)
            self._with_script(script, self._inbox)
            return
        until = time.monotonic() + MODEL_SECONDS
        model = Model(provider, *_told(self._desk), until)
        self._open(model)
        failure = self._with_model(model, until)
        if failure is not None:
            self._show.say(
                f"{model.name} failed: {failure}\nThe scripted agent takes over from here.", "bold red"
            )
            self._with_script(script, [each for each in self._inbox if each.id not in self._begun])
        elif len(self._begun) < len(self._inbox):
            self._show.say(
                f"The time for the demo is over; {model.name} has not seen the rest of the inbox.", "bold"
            )

    def _open(self, agent: Agent) -> None:
        self._show.say(
            f"{NAME}, kitchenware: the support desk. Its agents are played by {agent.name}.\n", "bold"
        )

    def _with_script(self, script: Scripted, inbox: Sequence[Ticket]) -> None:
        waiting = list(answers(self._inbox))
        with self._show.watching():
            for number, ticket in enumerate(inbox, start=1):
                self._one(script, ticket)
                if number % PEOPLE_LOOK_EVERY == 0 or number == len(inbox):
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
        with self._show.watching(), ThreadPoolExecutor(MODEL_AT_ONCE) as pool:
            list(pool.map(one, first))
        return failures[0] if failures else None

    def _one(self, agent: Agent, ticket: Ticket) -> None:
        self._begun.add(ticket.id)
        with self._desk.rail.session(agent=ticket.agent, task=ticket.id):
            agent.work(ticket, self._hands)
        with self._lock:
            so_far = ledger.everything(self._store) if self._show.moving else ()
            self._show.ticket(ticket, ledger.of_ticket(self._store, ticket.id), so_far)

    def _answer(self, given: Answer) -> bool:
        """One person answers, if the question is there; what is approved runs and the customer is told."""
        row = self._asked(given)
        if row is None or (approval := ledger.question(self._store, row.action)) is None:
            return False
        answer(self._desk, approval.id, given)
        if given.approve:
            self._resume(row, next(ticket for ticket in self._inbox if ticket.id == given.ticket))
        self._show.answered(given, ledger.one(self._store, row.action))
        return True

    def _asked(self, given: Answer) -> ledger.Row | None:
        found = ledger.of_ticket(self._store, given.ticket)
        return next((row for row in found if row.tool == given.tool and row.fate is ledger.Fate.ASKED), None)

    def _resume(self, row: ledger.Row, ticket: Ticket) -> None:
        try:
            self._desk.rail.resume(row.action)
        except NotRun as error:
            self._show.say(f"{row.action} did not run after all: {error}", "red")
            return
        if ticket.reply is not None and row.tool != "send_reply":
            with self._desk.rail.session(agent=ticket.agent, task=ticket.id):
                answer_customer(ticket, self._hands)


def _example(desk: Opened, found: Sequence[ledger.Row]) -> Example | None:
    """An open question about a refund that one person can answer, for the visitor to try."""
    for row in found:
        if row.fate is ledger.Fate.ASKED and row.tool == "issue_refund":
            question = ledger.question(desk.engine.store, row.action)
            person = question and who_may(desk, question)
            if person:
                return Example(row, person)
    return None


def _told(desk: Opened) -> tuple[dict[str, list[Tool]], dict[str, Sequence[str]]]:
    """For each agent the tools that it may use, and the policy's lines for its prompt."""
    agents = desk.engine.policy.policy.agents
    told: dict[str, Sequence[str]] = {name: agent.told for name, agent in agents.items()}
    return {name: [_tool(each) for each in desk.rail.tools_for(name)] for name in agents}, told


def _tool(function: Callable[..., object]) -> Tool:
    return Tool(function.__name__, function.__doc__ or "", of_function(function).schema)
