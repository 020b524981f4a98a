"""The desk at work: its rail opened on the demo's folder, its tools behind it, and its people who answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from handrail.app import open_app
from handrail.demo.folder import Folder
from handrail.demo.people import Answer
from handrail.demo.sink import outbox
from handrail.demo.tools import Desk, Office
from handrail.engine.core import Engine
from handrail.engine.people import vote
from handrail.engine.questions import sits_on
from handrail.engine.rail import Rail
from handrail.words.approval import Approval, Choice


@dataclass(frozen=True, slots=True)
class Opened:
    """A rail with the desk's tools behind it."""

    rail: Rail
    engine: Engine
    tools: Sequence[Callable[..., Any]]


@contextmanager
def opened(folder: Folder) -> Iterator[Opened]:
    """Open the rail and the outbox on ``folder`` while the block runs.

    Raises:
        handrail.HandrailError: the policy or the store can't be used.
        OSError: the outbox can't be made.
    """
    here = folder.path.resolve()
    app = open_app(
        folder.policy,
        database=f"sqlite:///{here / 'handrail.db'}",
        databases={"shop": f"sqlite:///{here / 'company.db'}"},
    )
    with Rail(app.engine, app.close) as rail, outbox(folder.outbox) as (host, port):
        desk = Desk(Office(folder.database, host, port))
        yield Opened(rail, app.engine, [rail.tool(tool) for tool in desk.tools()])


def who_may(opened: Opened, question: Approval) -> str | None:
    """Somebody who can answer this question all alone."""
    groups = opened.engine.policy.policy.approvers
    people = dict.fromkeys(person for group in groups.values() for person in group.people)
    alone = (one for one in people if all(sits_on(groups, seat, one) for seat in question.seats))
    return next(alone, None)


def answer(opened: Opened, approval: str, given: Answer) -> None:
    """One person answers one question; nobody proves who they are here, so the answer is unverified.

    Raises:
        Conflict: it has been answered already.
        Refused: this person may not answer it.
    """
    choice = Choice.APPROVE if given.approve else Choice.REJECT
    vote(opened.engine, approval, given.person, choice, given.note, verified=False)
