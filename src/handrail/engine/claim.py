"""The claim: the one transaction that records a proposal and, when it may run, starts it.

It tests that halts, grants and the policy are those that the verdict saw, reserves every budget, writes the
state and the entries, all or nothing. Restrictions are written under the other side of the same lock, so
nothing starts after one of them has returned.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from handrail.engine import record
from handrail.engine.ids import new_secret
from handrail.engine.questions import question
from handrail.words.action import Action
from handrail.words.entry import Entry, Kind
from handrail.words.errors import HandrailError
from handrail.words.lifecycle import State
from handrail.words.payload import Payload
from handrail.words.verdict import Decision, Measure, Outcome, Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from handrail.engine.core import Engine
    from handrail.engine.judge import Judged
    from handrail.ports import Transaction
    from handrail.words.action import Proposal
    from handrail.words.verdict import Verdict

STATES = {
    Decision.DENY: State.DENIED,
    Decision.SHADOW: State.SHADOWED,
    Decision.ASK: State.HELD,
    Decision.ALLOW: State.RUNNING,
}
_text = msgspec.json.Encoder(order="sorted", decimal_format="number", enc_hook=repr).encode


class Stale(HandrailError):
    """What the verdict rests on has changed since: decide anew."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A new action as it was written, or the id of the one that it repeats."""

    action: Action | None
    salt: str = ""
    repeats: str | None = None


def propose(
    engine: Engine, proposal: Proposal, judged: Judged, person: str | None = None
) -> Callable[[Transaction], Recorded]:
    """The transaction that records a judged proposal and starts it when it may run.

    Its work raises ``Stale`` or ``Overspent`` when it must be judged anew; then nothing is written.
    """
    verdict = judged.verdict
    salt = new_secret()
    raw = bytes.fromhex(salt)
    asked = engine.recorder.proposed(proposal, raw, person)
    decided = engine.recorder.decided(verdict, judged.facts, raw)
    args = None if proposal.refusal else proposal.payload.decode()
    payload = Payload(args, _text(judged.facts).decode() if judged.facts else None, salt)
    shadow = verdict.enforced is Decision.SHADOW

    def work(tx: Transaction) -> Recorded:
        _still(tx, judged)
        twin = tx.actions.twin(proposal, shadow=shadow) if _joins(verdict.enforced) else None
        if twin is not None:
            return Recorded(None, repeats=twin)
        at = tx.now()
        action = _action(engine, proposal, verdict, person, at)
        if not tx.actions.add(action, payload):
            return Recorded(None, repeats=tx.actions.twin(proposal, shadow=shadow))
        entries = [_entry(action, Kind.PROPOSED, at, asked), _entry(action, Kind.DECIDED, at, decided)]
        if action.state is State.RUNNING or (action.shadow and verdict.decision is Decision.ALLOW):
            tx.budgets.reserve(action.id, action.attempt, verdict.charges)
        if action.state is State.RUNNING:
            entries.append(
                record.about(action, Kind.INTENDED, at, attempt=action.attempt, owner=engine.owner)
            )
        if action.state is State.HELD:
            entries.append(question(engine, tx, action, verdict.asks, at))
        if tx.actions.open_session(action.session, action.agent, action.task, at):
            entries.insert(0, _opened(action, at))
        tx.journal.append(entries)
        return Recorded(action, salt)

    return work


def recheck(
    engine: Engine, action: Action, judged: Judged, salt: str
) -> Callable[[Transaction], Action | None]:
    """The transaction that starts an allowed or approved action after it was judged again.

    It gives the action as it now stands, or None when somebody else was faster.
    """
    verdict = _live(judged.verdict)
    decided = engine.recorder.decided(verdict, judged.facts, bytes.fromhex(salt))
    token = new_secret()

    def work(tx: Transaction) -> Action | None:
        _still(tx, judged)
        at = tx.now()
        if action.expires_at is not None and action.expires_at <= at:
            return None
        entries = [_entry(action, Kind.REDECIDED, at, decided)]
        target = STATES[verdict.enforced]
        if target is State.RUNNING:
            claimed = replace(action, token=token, owner=engine.owner, lease_until=at + engine.lease)
            attempt = tx.actions.claim(claimed, verdict, at)
            if attempt is None:
                return None
            tx.budgets.reserve(action.id, attempt, verdict.charges)
            entries.append(record.about(action, Kind.INTENDED, at, attempt=attempt, owner=engine.owner))
            result = replace(claimed, state=State.RUNNING, attempt=attempt, started_at=at, verdict=verdict)
        else:
            if not tx.actions.judge_again(action.id, verdict, target, at):
                return None
            if target is State.HELD:
                entries.append(question(engine, tx, action, verdict.asks, at))
            result = replace(action, state=target, verdict=verdict)
        tx.journal.append(entries)
        return result

    return work


def _live(verdict: Verdict) -> Verdict:
    """What was approved to run never becomes a trial: a tool that went back to the shadow rung is refused."""
    if verdict.enforced is not Decision.SHADOW:
        return verdict
    step = Step(Measure.LEVEL, Outcome.DENY, verdict.rung.word, "the tool is on trial now; nothing runs")
    steps = (*verdict.steps, step)
    return msgspec.structs.replace(
        verdict, decision=Decision.DENY, enforced=Decision.DENY, steps=steps, charges=()
    )


def _still(tx: Transaction, judged: Judged) -> None:
    seen = judged.restrictions
    # the policy is tested too: another thread may have taken up a new one between the verdict's two looks
    if tx.restrictions.generation() != seen.generation or seen.policy not in (None, judged.verdict.policy):
        raise Stale("halts, grants or the policy have changed since the verdict")


def _joins(enforced: Decision) -> bool:
    """A refusal is always told anew: what it repeats may have been refused for another reason."""
    return enforced is not Decision.DENY


def _action(engine: Engine, proposal: Proposal, verdict: Verdict, person: str | None, at: int) -> Action:
    state = STATES[verdict.enforced]
    runs = state is State.RUNNING
    return Action(
        id=proposal.id,
        agent=proposal.agent,
        tool=proposal.tool,
        session=proposal.session,
        task=proposal.task,
        state=state,
        digest=proposal.digest,
        binding=proposal.binding,
        policy=verdict.policy,
        rung=verdict.rung,
        verdict=verdict,
        proposed_at=at,
        updated_at=at,
        confidence=proposal.confidence,
        rationale=proposal.rationale,
        key=proposal.key,
        shadow=verdict.enforced is Decision.SHADOW,
        person=person,
        attempt=1 if runs else 0,
        token=new_secret() if runs else None,
        owner=engine.owner if runs else None,
        lease_until=at + engine.lease if runs else None,
        started_at=at if runs else None,
        amount=verdict.amount,
    )


def _entry(action: Action, kind: Kind, at: int, body: bytes) -> Entry:
    return Entry(kind, at, body, action.id, action.agent, action.tool, action.session, action.task)


def _opened(action: Action, at: int) -> Entry:
    return Entry(Kind.SESSION_OPENED, at, b"{}", None, action.agent, None, action.session, action.task)
