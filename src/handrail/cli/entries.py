"""Journal entries in one line each, for people, and as JSON for programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from handrail.journal.export import rfc3339
from handrail.words.entry import Entry, Kind

if TYPE_CHECKING:
    from handrail.words.entry import StoredEntry

Body = Mapping[str, Any]
LONGEST = 120
"""Characters of arguments or output in one line."""


def entry_json(stored: StoredEntry) -> dict[str, object]:
    """An entry for programs; its body is what was sealed."""
    entry = stored.entry
    return {
        "seq": stored.seq,
        "at": rfc3339(entry.at),
        "kind": entry.kind,
        "action": entry.action,
        "agent": entry.agent,
        "tool": entry.tool,
        "session": entry.session,
        "task": entry.task,
        "body": msgspec.Raw(entry.body),
    }


def summary(entry: Entry) -> str:
    """What an entry tells, in a few words."""
    told = TOLD.get(entry.kind)
    return "" if told is None else told(msgspec.json.decode(entry.body))


def _proposed(body: Body) -> str:
    by_hand = f"{body['person']} by hand: " if "person" in body else ""
    return by_hand + (body.get("refusal") or _cut(body.get("input", {})))


def _decided(body: Body) -> str:
    reasons = "; ".join(reason for _, outcome, _, reason, _ in body["steps"] if outcome != "pass")
    decision = (
        body["decision"] if body["decision"] == body["enforced"] else f"on trial, would {body['decision']}"
    )
    return f"{decision}: {reasons}" if reasons else str(decision)


def _asked(body: Body) -> str:
    return "asks " + ", ".join(sorted({audience for _, audience in body["asks"]}))


def _voted(body: Body) -> str:
    return f"{body['person']}: {body['choice']}" + _because(body)


def _escalated(body: Body) -> str:
    return f"{body['from']} did not answer, {body['to']} is asked"


def _done(body: Body) -> str:
    return f"{body.get('execution_time_ms')} ms: {_cut(body.get('output'))}"


def _failed(body: Body) -> str:
    return f"{body.get('error')}" + (" (nothing was done)" if body.get("nothing_done") else "")


def _settled(body: Body) -> str:
    return f"{body['person']}: {body['state']}" + _because(body)


def _halted(body: Body) -> str:
    scope = " ".join(f"{name} {body[name]}" for name in ("agent", "tool") if body.get(name)) or "everything"
    return f"{scope}, by {body['person']}" + _because(body)


def _lifted(body: Body) -> str:
    return f"halt {body['halt'][-8:]}, by {body['person']}" + _because(body)


def _moved(body: Body) -> str:
    return f"{body['from']} to {body['to']}, by {body['person']}" + _because(body)


def _activated(body: Body) -> str:
    return f"version {body['policy'][:12]}, by {body['person']}" + _because(body)


def _reason(body: Body) -> str:
    return body.get("reason") or ""


def _because(body: Body) -> str:
    return f" ({body['reason']})" if body.get("reason") else ""


def _cut(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


TOLD: dict[Kind, Callable[[Body], str]] = {
    Kind.PROPOSED: _proposed,
    Kind.DECIDED: _decided,
    Kind.REDECIDED: _decided,
    Kind.ASKED: _asked,
    Kind.VOTED: _voted,
    Kind.ESCALATED: _escalated,
    Kind.REJECTED: _reason,
    Kind.EXPIRED: _reason,
    Kind.CANCELLED: _reason,
    Kind.DONE: _done,
    Kind.FAILED: _failed,
    Kind.SETTLED: _settled,
    Kind.HALTED: _halted,
    Kind.LIFTED: _lifted,
    Kind.PROMOTED: _moved,
    Kind.DEMOTED: _moved,
    Kind.POLICY_ACTIVATED: _activated,
}
"""How each kind is told; one that is not here says enough by its name."""
