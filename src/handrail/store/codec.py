"""Rows to values and back. Column order is the order of the ``select`` lists in the named queries."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from handrail.words.action import Action
from handrail.words.approval import Approval, ApprovalState, Choice, Seat, Vote
from handrail.words.entry import Entry, Kind, StoredEntry
from handrail.words.level import Rung
from handrail.words.lifecycle import State
from handrail.words.verdict import Ask, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from handrail.words.payload import Payload

Row = tuple[Any, ...]
"""One row as a driver gives it; its types are those of the schema."""

encode = msgspec.json.Encoder(order="deterministic").encode
_words = {rung: rung.word for rung in Rung}
_verdict = msgspec.json.Decoder(Verdict)
_asks = msgspec.json.Decoder(list[Ask])


def verdict_text(verdict: Verdict) -> str:
    """A verdict as JSON."""
    return encode(verdict).decode()


def asks_text(asks: frozenset[Ask]) -> str:
    """A set of asks as JSON, always in the same order."""
    return encode(sorted(asks)).decode()


def asks_of(text: str | None) -> frozenset[Ask]:
    """The set of asks that a row keeps."""
    return frozenset(_asks.decode(text)) if text else frozenset()


def action_row(action: Action) -> dict[str, object]:
    """The parameters of ``add_action``."""
    return {
        "id": action.id,
        "agent": action.agent,
        "tool": action.tool,
        "session": action.session,
        "task": action.task,
        "state": str(action.state),
        "digest": action.digest,
        "binding": action.binding,
        "policy": action.policy,
        "rung": _words[action.rung],
        "verdict": verdict_text(action.verdict),
        "at": action.proposed_at,
        "confidence": None if action.confidence is None else str(action.confidence),
        "rationale": action.rationale,
        "repeat_key": action.key,
        "shadow": int(action.shadow),
        "person": action.person,
        "attempt": action.attempt,
        "token": action.token,
        "owner": action.owner,
        "lease_until": action.lease_until,
        "started_at": action.started_at,
        "expires_at": action.expires_at,
        "amount": action.amount,
        "approved": asks_text(action.approved) if action.approved else None,
        "supersedes": action.supersedes,
        "edited_by": action.edited_by,
        "standing": action.standing,
    }


def payload_row(action: str, payload: Payload) -> dict[str, object]:
    """The parameters of ``add_payload``."""
    return {
        "action": action,
        "args": payload.args,
        "facts": payload.facts,
        "output": payload.output,
        "salt": payload.salt,
    }


def action_of(row: Row) -> Action:
    """The action of one row of ``action`` or ``list_actions``."""
    return Action(
        id=row[0],
        agent=row[1],
        tool=row[2],
        session=row[3],
        task=row[4],
        state=State(row[5]),
        digest=row[6],
        binding=row[7],
        policy=row[8],
        rung=Rung.of(row[9]),
        verdict=_verdict.decode(row[10]),
        proposed_at=row[11],
        updated_at=row[12],
        confidence=None if row[13] is None else Decimal(row[13]),
        rationale=row[14],
        key=row[15],
        shadow=bool(row[16]),
        person=row[17],
        approved=asks_of(row[18]),
        attempt=row[19],
        token=row[20],
        owner=row[21],
        lease_until=row[22],
        started_at=row[23],
        finished_at=row[24],
        expires_at=row[25],
        error=row[26],
        amount=row[27],
        cost=row[28],
        superseded_by=row[29],
        supersedes=row[30],
        edited_by=row[31],
        standing=row[32],
    )


def approval_of(row: Row, seats: Sequence[Row]) -> Approval:
    """The question of one row and its seats."""
    return Approval(
        id=row[0],
        action=row[1],
        digest=row[2],
        asks=asks_of(row[3]),
        seats=tuple(Seat(*seat) for seat in seats),
        state=ApprovalState(row[4]),
        opened_at=row[5],
        closed_at=row[6],
        reason=row[7],
    )


def vote_of(row: Row) -> Vote:
    """One answer."""
    approval, person, choice, reason, verified, at = row
    return Vote(approval, person, Choice(choice), reason, bool(verified), at)


def entry_row(entry: Entry) -> dict[str, object]:
    """The parameters of ``add_entry``."""
    return {
        "kind": str(entry.kind),
        "at": entry.at,
        "action": entry.action,
        "agent": entry.agent,
        "tool": entry.tool,
        "session": entry.session,
        "task": entry.task,
        "body": entry.body.decode(),
    }


def entry_of(row: Sequence[Any]) -> StoredEntry:
    """One journal entry; further columns are the caller's."""
    seq, kind, at, action, agent, tool, session, task, body = row[:9]
    return StoredEntry(seq, Entry(Kind(kind), at, body.encode(), action, agent, tool, session, task))


def files_text(files: Mapping[str, str]) -> str:
    """A policy's files as JSON."""
    return encode(dict(files)).decode()
