"""Shapes that several measures of the API share: ids, times, money, actions, problems."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta, Struct

from handrail.words.money import from_nano

if TYPE_CHECKING:
    from handrail.words.action import Action
    from handrail.words.entry import StoredEntry
    from handrail.words.verdict import Step

ID = r"^[0-9a-f]{28}$"
NAME = r"^[^\x00-\x1f\x7f]+$"
WORD = NAME + r"(?!\n)"
"""As ``NAME``, where ``$`` would let a line break at the end pass: 'support\\n' reads like another agent."""
DIGEST = r"^[0-9a-f]{64}$"
LONGEST_TEXT = 20_000

Moment = Annotated[
    str, Meta(extra_json_schema={"format": "date-time"}, examples=["2026-11-22T10:00:00.000Z"])
]
Money = Annotated[str, Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?$", examples=["25.00"])]
Word = Annotated[str, Meta(pattern=WORD, max_length=500, min_length=1)]
TEXT = r"^[^\x00]*$"
Words = Annotated[str, Meta(max_length=LONGEST_TEXT, pattern=TEXT, examples=["It is what we promised."])]
Reason = Annotated[
    str,
    Meta(
        max_length=LONGEST_TEXT,
        min_length=1,
        pattern=r"^[^\x00]*\S[^\x00]*$",
        description="Why; it stays in the journal.",
    ),
]
Ident = Annotated[str, Meta(pattern=ID, max_length=28, examples=["0193a5e2c4d800000123456789ab"])]
Digest = Annotated[str, Meta(pattern=DIGEST, max_length=64)]
Object = dict[str, Any]


class Taken(Struct, forbid_unknown_fields=True):
    """What a route takes: an unknown field is a mistake."""


class Wrong(Struct):
    """One thing that is wrong, and where."""

    detail: str
    pointer: str | None = None
    line: int | None = None
    column: int | None = None
    file: str | None = None
    expected: str | None = None


class Refusal(Struct, omit_defaults=True):
    """Every refusal: problem details as in RFC 9457."""

    type: Annotated[str, Meta(examples=["about:blank"])]
    title: str
    status: int
    detail: str
    errors: list[Wrong] = []


class StepShape(Struct):
    """What one measure of the gate, or one of its rules, found."""

    measure: str
    outcome: str
    rule: str
    reason: str
    audience: str
    digest: str


class RunShape(Struct):
    """The right to run an action now: call the tool with exactly these arguments, then report."""

    token: str
    args: Annotated[msgspec.Raw, Meta(extra_json_schema={"type": "object"})]
    lease_until: Moment
    attempt: int


class ActionShape(Struct):
    """One proposed call of one tool. `told` is a sentence for the agent; `run` is there when it may start."""

    id: str
    agent: str
    tool: str
    session: str
    task: str | None
    state: str
    decision: str
    enforced: str
    rung: str
    reasons: list[str]
    steps: list[StepShape]
    digest: str
    binding: str
    policy: str
    proposed_at: Moment
    updated_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    expires_at: Moment | None
    lease_until: Moment | None
    confidence: Annotated[str, Meta(description="A decimal from 0 to 1, as the agent said it.")] | None
    rationale: str | None
    key: str | None
    shadow: bool
    person: str | None
    owner: str | None
    attempt: int
    error: str | None
    amount: Money | None
    cost: Money | None
    superseded_by: str | None
    supersedes: str | None
    edited_by: str | None
    standing: str | None
    told: str | None = None
    run: RunShape | None = None


class ActionPage(Struct):
    """Actions, newest first."""

    items: list[ActionShape]
    next: str | None


class EntryShape(Struct):
    """One entry of the journal: redacted, and sealed. ``body`` depends on its kind."""

    seq: int
    at: Moment
    kind: str
    action: str | None
    agent: str | None
    tool: str | None
    session: str | None
    task: str | None
    body: Annotated[msgspec.Raw, Meta(extra_json_schema={"type": "object"})]


def entry_shape(stored: StoredEntry) -> EntryShape:
    """An entry as the API and the stream tell it."""
    entry = stored.entry
    return EntryShape(
        seq=stored.seq,
        at=moment(entry.at),
        kind=entry.kind.value,
        action=entry.action,
        agent=entry.agent,
        tool=entry.tool,
        session=entry.session,
        task=entry.task,
        body=msgspec.Raw(entry.body),
    )


def moment(at: int) -> str:
    """Milliseconds since the epoch as RFC 3339 in UTC."""
    whole = datetime.fromtimestamp(at / 1000, UTC) if at >= 0 else datetime.fromtimestamp(0, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"


def maybe(at: int | None) -> str | None:
    """A moment, where there is one."""
    return None if at is None else moment(at)


def money(nano: int | None) -> str | None:
    """Nano-units as a decimal text."""
    return None if nano is None else f"{from_nano(nano):f}"


def action_shape(action: Action, told: str | None = None, run: RunShape | None = None) -> ActionShape:
    """An action as the API tells it: never with its token."""
    verdict = action.verdict
    return ActionShape(
        id=action.id,
        agent=action.agent,
        tool=action.tool,
        session=action.session,
        task=action.task,
        state=action.state.value,
        decision=verdict.decision.value,
        enforced=verdict.enforced.value,
        rung=action.rung.word,
        reasons=list(verdict.reasons),
        steps=[_step(step) for step in verdict.steps],
        digest=action.digest,
        binding=action.binding,
        policy=action.policy,
        proposed_at=moment(action.proposed_at),
        updated_at=moment(action.updated_at),
        started_at=maybe(action.started_at),
        finished_at=maybe(action.finished_at),
        expires_at=maybe(action.expires_at),
        lease_until=maybe(action.lease_until),
        confidence=None if action.confidence is None else f"{action.confidence:f}",
        rationale=action.rationale,
        key=action.key,
        shadow=action.shadow,
        person=action.person,
        owner=action.owner,
        attempt=action.attempt,
        error=action.error,
        amount=money(action.amount),
        cost=money(action.cost),
        superseded_by=action.superseded_by,
        supersedes=action.supersedes,
        edited_by=action.edited_by,
        standing=action.standing,
        told=told,
        run=run,
    )


def _step(step: Step) -> StepShape:
    return StepShape(
        step.measure.value, step.outcome.value, step.rule, step.reason, step.audience, step.digest
    )
