"""One record per action, made of its journal entries: the shape of the exported log.

It begins with ten fields in a fixed order; details follow. Everything comes from entries, so it is redacted,
and what it says can be compared with the sealed log. docs/reference/log-export.md describes every field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from typing import Any

import msgspec

from handrail.words.entry import Entry, Kind, StoredEntry
from handrail.words.lifecycle import State
from handrail.words.money import from_nano
from handrail.words.verdict import Decision, Measure, Outcome

FIRST = (
    *("timestamp", "session_id", "action", "input", "decision"),
    *("confidence", "safety_checks", "output", "cost", "execution_time_ms"),
)
"""The fields that every record begins with, in this order."""
POLICY = "policy"
"""Who decided, when it was the policy alone."""


class Said(StrEnum):
    """What was decided about an action, in the end."""

    APPROVED = "approved"
    ASKED = "asked"
    DENIED = "denied"
    SHADOWED = "shadowed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    ANSWERED = "answered"
    EDITED = "edited"


ENFORCED: dict[str, tuple[Said, State]] = {
    Decision.ALLOW: (Said.APPROVED, State.ALLOWED),
    Decision.ASK: (Said.ASKED, State.HELD),
    Decision.DENY: (Said.DENIED, State.DENIED),
    Decision.SHADOW: (Said.SHADOWED, State.SHADOWED),
}
"""What follows from a verdict."""
_decode = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode


@dataclass(slots=True)
class Draft:
    """A record while its entries are read, in order."""

    first: StoredEntry
    last: int = 0
    decision: Said | None = None
    state: State = State.PROPOSED
    decided_by: list[str] = field(default_factory=list)
    proposed: Mapping[str, Any] = field(default_factory=dict)
    decided: Mapping[str, Any] = field(default_factory=dict)
    outcome: Mapping[str, Any] = field(default_factory=dict)
    questions: dict[str, dict[str, Any]] = field(default_factory=dict)
    settled: Mapping[str, Any] | None = None
    reason: str | None = None
    standing: str | None = None
    superseded_by: str | None = None
    attempt: int = 0
    started_at: int | None = None
    finished_at: int | None = None


def records(entries: Iterable[StoredEntry]) -> Iterator[dict[str, Any]]:
    """A record for each action; ``entries`` come action by action, those of one action in order."""
    for _, group in groupby(entries, key=lambda stored: stored.entry.action):
        yield record(group)


def record(entries: Iterable[StoredEntry]) -> dict[str, Any]:
    """The record of one action, of at least one entry.

    Raises:
        ValueError: there is no entry.
    """
    draft: Draft | None = None
    for stored in entries:
        draft = Draft(stored) if draft is None else draft
        draft.last = stored.seq
        read = READ.get(stored.entry.kind)
        if read is not None:
            read(draft, stored.entry, _decode(stored.entry.body))
    if draft is None:
        raise ValueError("an action has at least one entry")
    return {**_beginning(draft), **_details(draft)}


def rfc3339(at: int) -> str:
    """Milliseconds since the epoch as RFC 3339 in UTC: ``2026-03-01T09:30:05.120Z``."""
    text = datetime.fromtimestamp(at // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{at % 1000:03d}Z"


def _beginning(draft: Draft) -> dict[str, Any]:
    entry, proposed = draft.first.entry, draft.proposed
    return {
        "timestamp": rfc3339(entry.at),
        "session_id": entry.session,
        "action": entry.tool,
        "input": proposed.get("input", {}),
        "decision": draft.decision,
        "confidence": proposed.get("confidence"),
        "safety_checks": [_passed(step) for step in _steps(draft) if step["outcome"] == Outcome.PASS],
        "output": draft.outcome.get("output"),
        "cost": None,
        "execution_time_ms": draft.outcome.get("execution_time_ms"),
    }


def _details(draft: Draft) -> dict[str, Any]:
    entry, decided, steps = draft.first.entry, draft.decided, _steps(draft)
    amount = decided.get("amount")
    return {
        "id": entry.action,
        "agent": entry.agent,
        "task": entry.task,
        "state": draft.state,
        "decided_by": draft.decided_by,
        "reasons": [step["reason"] for step in steps if step["outcome"] != Outcome.PASS],
        "check_results": [
            _check(step) for step in steps if step["measure"] in (Measure.CHECK, Measure.JUDGE)
        ],
        "rationale": draft.proposed.get("rationale"),
        "rung": decided.get("rung"),
        "would_have": decided.get("decision") if draft.decision is Said.SHADOWED else None,
        "policy": decided.get("policy"),
        "steps": steps,
        "facts": decided.get("facts", {}),
        "amount": None if amount is None else from_nano(amount),
        "questions": list(draft.questions.values()),
        "key": draft.proposed.get("key"),
        "by_hand": draft.proposed.get("person"),
        "refusal": draft.proposed.get("refusal"),
        "error": draft.outcome.get("error"),
        "nothing_done": draft.outcome.get("nothing_done"),
        "settled": draft.settled,
        "ended_because": draft.reason,
        "standing": draft.standing,
        "supersedes": draft.proposed.get("supersedes"),
        "edited_by": draft.proposed.get("edited_by"),
        "superseded_by": draft.superseded_by,
        "attempt": draft.attempt,
        "started_at": None if draft.started_at is None else rfc3339(draft.started_at),
        "finished_at": None if draft.finished_at is None else rfc3339(draft.finished_at),
        "digest": draft.proposed.get("digest"),
        "binding": draft.proposed.get("binding"),
        "entries": [draft.first.seq, draft.last],
    }


def _steps(draft: Draft) -> list[dict[str, str]]:
    names = ("measure", "outcome", "rule", "reason", "audience")
    return [dict(zip(names, step, strict=True)) for step in draft.decided.get("steps", ())]


def _passed(step: Mapping[str, str]) -> str:
    """``budget_ok`` for a measure, ``pushy_words_ok`` for a check or rule that is named."""
    return f"{(step['rule'] or step['measure']).replace('-', '_')}_ok"


def _check(step: Mapping[str, str]) -> dict[str, str]:
    return {"check": step["rule"], "outcome": step["outcome"], "reason": step["reason"]}


def _proposed(draft: Draft, _: Entry, body: Mapping[str, Any]) -> None:
    draft.proposed = body


def _decided(draft: Draft, _: Entry, body: Mapping[str, Any]) -> None:
    draft.decided = body
    draft.decision, draft.state = ENFORCED[body["enforced"]]
    by_hand = draft.proposed.get("person")
    draft.decided_by = [by_hand] if by_hand else [POLICY]


def _redecided(draft: Draft, entry: Entry, body: Mapping[str, Any]) -> None:
    """After an approval: that it may run was decided by people; a refusal or a new question by the policy."""
    people = draft.decided_by
    _decided(draft, entry, body)
    if draft.decision is Said.APPROVED:
        draft.decided_by = people


def _asked(draft: Draft, entry: Entry, body: Mapping[str, Any]) -> None:
    until = body.get("expires_at", {})
    draft.questions[body["approval"]] = {
        "id": body["approval"],
        "state": "open",
        "opened_at": rfc3339(entry.at),
        "asks": [{"step": step, "audience": audience} for step, audience in body["asks"]],
        "expires_at": {who: None if at is None else rfc3339(at) for who, at in until.items()},
        "votes": [],
        "escalations": [],
    }


def _question(draft: Draft, body: Mapping[str, Any]) -> dict[str, Any]:
    return draft.questions.get(body.get("approval", ""), {"votes": [], "escalations": []})


def _voted(draft: Draft, entry: Entry, body: Mapping[str, Any]) -> None:
    vote = {name: body.get(name) for name in ("person", "choice", "verified", "reason")}
    _question(draft, body)["votes"].append({**vote, "at": rfc3339(entry.at)})


def _escalated(draft: Draft, entry: Entry, body: Mapping[str, Any]) -> None:
    step = {name: body.get(name) for name in ("audience", "from", "to")}
    _question(draft, body)["escalations"].append({**step, "at": rfc3339(entry.at)})


def _answered(said: Said, state: State, choice: str) -> Callable[[Draft, Entry, Mapping[str, Any]], None]:
    def read(draft: Draft, _: Entry, body: Mapping[str, Any]) -> None:
        draft.decision, draft.state = said, state
        asked = _question(draft, body)
        asked["state"] = state
        people = [vote["person"] for vote in asked["votes"] if vote["choice"] == choice]
        edited_by = draft.proposed.get("edited_by")
        # an edit that nobody needs to be asked about is let run by the person who made it
        draft.decided_by = people or ([edited_by] if edited_by else [])
        draft.reason = body.get("reason")

    return read


def _ended(said: Said, state: State) -> Callable[[Draft, Entry, Mapping[str, Any]], None]:
    def read(draft: Draft, _: Entry, body: Mapping[str, Any]) -> None:
        draft.decision, draft.state, draft.reason = said, state, body.get("reason")
        draft.decided_by = [body["by"]] if body.get("by") else []
        _question(draft, body)["state"] = state

    return read


def _told_instead(draft: Draft, _: Entry, body: Mapping[str, Any]) -> None:
    """A person told the agent something: the action is cancelled."""
    draft.decision, draft.state, draft.reason = Said.ANSWERED, State.CANCELLED, body.get("text")
    draft.decided_by = [body["person"]]
    _question(draft, body)["state"] = Said.ANSWERED.value


def _resumed(draft: Draft, _: Entry, body: Mapping[str, Any]) -> None:
    """Nobody needed to answer: its budget had room again."""
    draft.decision, draft.state, draft.reason = Said.APPROVED, State.APPROVED, body.get("reason")
    draft.decided_by = [POLICY]
    _question(draft, body)["state"] = Kind.RESUMED.value


def _edited(draft: Draft, _: Entry, body: Mapping[str, Any]) -> None:
    """A person replaced it: what became of that is another action's record."""
    draft.decision, draft.state, draft.reason = Said.EDITED, State.SUPERSEDED, body.get("reason")
    draft.decided_by, draft.superseded_by = [body["person"]], body.get("superseded_by")
    _question(draft, body)["state"] = State.SUPERSEDED


def _stood_for(draft: Draft, _: Entry, body: Mapping[str, Any]) -> None:
    """A person had answered for it before it was asked."""
    draft.standing, draft.decided_by = body["standing"], [body["person"]]


def _intended(draft: Draft, entry: Entry, body: Mapping[str, Any]) -> None:
    draft.state, draft.started_at, draft.attempt = State.RUNNING, entry.at, body.get("attempt", 1)


def _outcome(state: State) -> Callable[[Draft, Entry, Mapping[str, Any]], None]:
    def read(draft: Draft, entry: Entry, body: Mapping[str, Any]) -> None:
        draft.state, draft.finished_at, draft.outcome = state, entry.at, body

    return read


def _unknown(draft: Draft, _: Entry, __: Mapping[str, Any]) -> None:
    draft.state = State.UNKNOWN


def _settled(draft: Draft, entry: Entry, body: Mapping[str, Any]) -> None:
    draft.state = State(body["state"])
    said = {name: body.get(name) for name in ("person", "state", "reason")}
    draft.settled = {**said, "at": rfc3339(entry.at)}


READ: dict[Kind, Callable[[Draft, Entry, Mapping[str, Any]], None]] = {
    Kind.PROPOSED: _proposed,
    Kind.DECIDED: _decided,
    Kind.REDECIDED: _redecided,
    Kind.ASKED: _asked,
    Kind.VOTED: _voted,
    Kind.ESCALATED: _escalated,
    Kind.APPROVED: _answered(Said.APPROVED, State.APPROVED, "approve"),
    Kind.REJECTED: _answered(Said.REJECTED, State.REJECTED, "reject"),
    Kind.EXPIRED: _ended(Said.EXPIRED, State.EXPIRED),
    Kind.CANCELLED: _ended(Said.CANCELLED, State.CANCELLED),
    Kind.ANSWERED: _told_instead,
    Kind.RESUMED: _resumed,
    Kind.EDITED: _edited,
    Kind.STANDING_USED: _stood_for,
    Kind.INTENDED: _intended,
    Kind.DONE: _outcome(State.DONE),
    Kind.FAILED: _outcome(State.FAILED),
    Kind.UNKNOWN: _unknown,
    Kind.SETTLED: _settled,
}
"""How each kind of entry changes the record."""
