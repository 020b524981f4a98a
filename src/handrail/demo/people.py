"""The company's people: they answer some of the agent's questions; the rest stays open for the visitor."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass

from handrail.demo.company import Ticket, data


@dataclass(frozen=True, slots=True)
class Answer:
    """What one person will answer to one ticket's question about one tool."""

    ticket: str
    tool: str
    person: str
    approve: bool
    note: str


def answers(inbox: Iterable[Ticket]) -> tuple[Answer, ...]:
    """What the people answer by themselves, by the ids of ``inbox``.

    Raises:
        KeyError: an answer names a ticket that is not there.
    """
    return _read("answer", inbox)


def late_answers(inbox: Iterable[Ticket]) -> tuple[Answer, ...]:
    """What they answer when the visitor leaves it, and the demo goes on.

    Raises:
        KeyError: an answer names a ticket that is not there.
    """
    return _read("late", inbox)


def _read(which: str, inbox: Iterable[Ticket]) -> tuple[Answer, ...]:
    ids = {ticket.slug: ticket.id for ticket in inbox}
    raw = tomllib.loads(data("people.toml").read_text(encoding="utf-8"))[which]
    return tuple(
        Answer(ids[one["slug"]], one["tool"], one["by"], one["answer"] == "approve", one["note"])
        for one in raw
    )
