"""What people and programs may ask the store for: filters, all optional, and a limit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ActionFilter:
    """Actions newest first; ``before`` is the id of the last one seen."""

    state: str | None = None
    agent: str | None = None
    tool: str | None = None
    session: str | None = None
    task: str | None = None
    before: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Entries newest first; ``before`` is the number of the last one seen, ``text`` any text in it.

    ``after`` bounds how far back is looked; ``since`` and ``until`` are times, the end excluded.
    """

    kind: str | None = None
    action: str | None = None
    agent: str | None = None
    tool: str | None = None
    session: str | None = None
    task: str | None = None
    text: str | None = None
    before: int | None = None
    limit: int = 50
    after: int | None = None
    since: int | None = None
    until: int | None = None
