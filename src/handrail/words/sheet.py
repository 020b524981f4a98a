"""The sheet: everything that a person sees of a question, the same in browser, Slack, mail and terminal."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from handrail.words.person import one_spelling

if TYPE_CHECKING:
    from decimal import Decimal

    from handrail.words.approval import Approval, Vote

LONG = 80
"""Characters from which a text in the arguments is worth lines of its own."""
CONTEXT = 2
"""Unchanged lines around a changed one."""
# numbers stay as they are written: only texts are looked at
_values = msgspec.json.Decoder(float_hook=str).decode


@dataclass(frozen=True, slots=True)
class Because:
    """One reason for which a person is asked: the gate's step, in plain words, and the rule's own text."""

    step: str
    rule: str
    reason: str
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One argument that an edit changed: JSON texts; None where it was absent."""

    name: str
    before: str | None
    after: str | None

    @property
    def lines(self) -> tuple[str, ...]:
        """Line by line: ``-`` goes, ``+`` comes, a space stays; texts as they are, all else as JSON."""
        raw = all(text is None or text.startswith('"') for text in (self.before, self.after))
        before, after = _lines(self.before, raw=raw), _lines(self.after, raw=raw)
        if len(before) <= 1 and len(after) <= 1:
            return (*(f"-{line}" for line in before), *(f"+{line}" for line in after))
        return tuple(difflib.unified_diff(before, after, lineterm="", n=CONTEXT))[2:]


@dataclass(frozen=True, slots=True)
class BudgetAfter:
    """One budget once this has run, ready to show: "``after`` of ``limit``" is "12 of 20 actions today"."""

    budget: str
    used: str
    after: str
    limit: str
    share: int
    """Per cent of the limit that are used after it."""


@dataclass(frozen=True, slots=True)
class Similar:
    """How an action like this one was answered before."""

    action: str
    at: int
    answer: str
    by: str
    what: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class SeatView:
    """One audience: who may answer, how many are still needed, until when, and what happens then."""

    audience: str
    people: tuple[str, ...]
    deputies: tuple[str, ...]
    need: int
    answered: int
    expires_at: int | None
    then: str
    group: str = ""
    """Who is asked now: another group than ``audience`` once the question was escalated."""
    anyone: bool = False
    """No group limits who may answer; ``people`` is empty then."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One question, ready to be drawn. Texts are plain text: whoever draws them escapes them.

    ``args`` and ``facts`` are exact and for who may answer; ``shown_args`` and ``shown_facts`` are redacted:
    what channels show.
    """

    approval: Approval
    what: str
    """What will happen, in one plain sentence."""
    agent: str
    tool: str
    task: str | None
    session: str
    behalf: str | None
    does: str
    why: tuple[Because, ...]
    undo: str
    """Whether and how it can be undone, in one sentence."""
    amount: str | None
    """What it costs or moves, with its currency."""
    budgets: tuple[BudgetAfter, ...]
    args: str | None
    """The exact arguments as JSON text; None when they were erased."""
    shown_args: Mapping[str, object]
    changes: tuple[Change, ...]
    """Against the action that it replaces, when a person edited it."""
    facts: Mapping[str, object]
    shown_facts: Mapping[str, object]
    confidence: Decimal | None
    rationale: str | None
    seats: tuple[SeatView, ...]
    votes: tuple[Vote, ...]
    similar: tuple[Similar, ...]
    digest: str
    action_state: str
    outcome: str | None
    """What became of it, once it has ended."""
    schema: Mapping[str, object] | None
    """The tool's JSON Schema, for a form to edit with; None when it is not known here."""
    shown_changes: tuple[Change, ...] = ()
    """``changes``, redacted."""
    notes: tuple[str, ...] = ()
    """What else one must know before one answers, a sentence each: it is halted, the policy has changed, …"""
    edited_by: str | None = None
    """Who edited the action that it replaces into this one."""
    supersedes: str | None = None
    superseded_by: str | None = None
    money: int | None = None
    """``amount`` in nano-units, for programs."""
    runs_until: int | None = None
    """Until when it may be started, once it was approved."""

    def asks(self, person: str) -> bool:
        """Whether this person is among those who may answer now: whoever proposed it, or for whom, is not."""
        key = one_spelling(person)
        if key in {one_spelling(each) for each in (self.agent, self.behalf) if each is not None}:
            return False
        may = {one_spelling(each) for seat in self.seats for each in (*seat.people, *seat.deputies)}
        return key in may or any(seat.anyone for seat in self.seats)

    @property
    def texts(self) -> Mapping[str, str]:
        """Arguments that are long texts, such as SQL or a mail: to be shown as lines, beside the JSON."""
        found = _values(self.args) if self.args is not None else {}
        texts = {name: value for name, value in found.items() if isinstance(value, str)}
        return {name: text for name, text in texts.items() if len(text) > LONG or "\n" in text.strip()}


def _lines(text: str | None, *, raw: bool) -> list[str]:
    """A JSON text as lines: those of the text that it is when ``raw``, else the JSON laid out."""
    if text is None:
        return []
    return (_values(text) if raw else msgspec.json.format(text, indent=2)).split("\n")
