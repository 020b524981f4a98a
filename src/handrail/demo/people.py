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
    """Everything that the people will answer, by the ids of ``inbox``.

    Raises:
        KeyError: an answer names a ticket that is not there.
    """
    ids = {ticket.slug: ticket.id for ticket in inbox}
    raw = tomllib.loads(data("people.toml").read_text(encoding="utf-8"))["answer"]
    return tuple(
        Answer(ids[one["slug"]], one["tool"], one["by"], one["answer"] == "approve", one["note"])
        for one in raw
    )
