"""The claim: the one transaction that records a proposal and, when it may run, starts it.

It tests that halts, grants and the policy are those that the verdict saw, reserves every budget, writes the
state and the entries, all or nothing. Restrictions are written under the other side of the same lock, so
nothing starts after one of them has returned.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec

from handrail.engine import record
from handrail.engine.budgets.holds import reserve_holds
from handrail.engine.deliveries.planning import plan_outcome
from handrail.engine.ids import new_secret
from handrail.engine.loops import look, must_go_on
from handrail.engine.questions.approvals import question
from handrail.words.action import Action
from handrail.words.entry import Entry, Kind
from handrail.words.errors import HandrailError, Refused
from handrail.words.lifecycle import State
from handrail.words.payload import Payload
from handrail.words.session import SessionRecord
from handrail.words.verdict import Decision, Measure, Outcome, Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from handrail.engine.core import Engine
    from handrail.engine.judge import Judged
    from handrail.ports import Transaction
    from handrail.words.action import Proposal
    from handrail.words.standing import Standing
    from handrail.words.verdict import Verdict

STATES = {
    Decision.DENY: State.DENIED,
    Decision.SHADOW: State.SHADOWED,
    Decision.ASK: State.HELD,
    Decision.ALLOW: State.RUNNING,
}
_text = msgspec.json.Encoder(order="sorted", decimal_format="number", enc_hook=repr).encode


class TooManyQuestions(HandrailError):
    """So many questions of the agent wait for people already that one more would only hide the others."""


class Stale(HandrailError):
    """What the verdict rests on has changed since: decide anew."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A new action as it was written, or the id of the one that it repeats."""

    action: Action | None
    salt: str = ""
    repeats: str | None = None


def propose(
    engine: Engine,
    proposal: Proposal,
    judged: Judged,
    person: str | None = None,
    standing: Standing | None = None,
) -> Callable[[Transaction], Recorded]:
    """The transaction that records a judged proposal and starts it when it may run.

    ``standing`` is the standing approval that lets it, counted down here. Nothing is written when its work
    raises ``Stale`` or ``Overspent``, ``SessionOver``, ``Looping``, ``TooManyQuestions``, ``Refused``.
    """
    verdict, seen = judged.verdict, judged.restrictions.generation
    salt = new_secret()
    raw = bytes.fromhex(salt)
    asked = engine.recorder.proposed(proposal, raw, person)
    decided = engine.recorder.decided(verdict, judged.facts, raw)
    args = None if proposal.refusal else proposal.payload.decode()
    payload = Payload(args, _text(judged.facts).decode() if judged.facts else None, salt)
    shadow = verdict.enforced is Decision.SHADOW
    state = STATES[verdict.enforced]

    def work(tx: Transaction) -> Recorded:
        still(tx, judged)
        _still_let_in(tx, proposal.via)
        twin = tx.actions.twin(proposal, shadow=shadow) if _joins(verdict.enforced) else None
        if twin is not None:
            return Recorded(None, repeats=twin)
        if state is State.HELD:
            _still_asks(engine, tx, proposal.agent)
        at = tx.now()
        more = _started(engine, at) if state is State.RUNNING else {}
        let_by = standing.id if standing else None
        action = new_action(proposal, verdict, state, at, person=person, standing=let_by, **more)
        if not tx.actions.add(action, payload):
            return _repeated(tx, proposal, shadow=shadow)
        entries = _session(engine, tx, action, proposal, at)
        entries += [record.of(action, Kind.PROPOSED, at, asked), record.of(action, Kind.DECIDED, at, decided)]
        if standing is not None:
            entries.append(_taken(tx, action, standing, at))
        if action.state is State.RUNNING or (action.shadow and verdict.decision is Decision.ALLOW):
            reserve_holds(engine, tx, action, verdict.charges, at, generation=seen, trial=action.shadow)
        if action.state is State.RUNNING:
            entries.append(_intended(engine, action, at))
        if action.state is State.HELD:
            entries.append(question(engine, tx, action, verdict.asks, at))
        tx.journal.append(entries)
        return Recorded(action, salt)

    return work


def _intended(engine: Engine, action: Action, at: int) -> Entry:
    return record.about(action, Kind.INTENDED, at, attempt=action.attempt, owner=engine.owner)


def _repeated(tx: Transaction, proposal: Proposal, *, shadow: bool) -> Recorded:
    """What a proposal repeats whose key is taken; ``Stale`` when that one has ended at this very moment."""
    twin = tx.actions.twin(proposal, shadow=shadow)
    if twin is None:
        raise Stale("the action that had this key is no longer in the way")
    return Recorded(None, repeats=twin)


def recheck(
    engine: Engine, action: Action, judged: Judged, salt: str, via: str | None = None
) -> Callable[[Transaction], Action | None]:
    """The transaction that starts an allowed or approved action after it was judged again.

    It gives the action as it now stands, or None when somebody else was faster. ``via`` is the key of who
    starts it, if it was one. Its work raises ``Stale``, ``Overspent``, ``SessionOver`` or ``Refused``; then
    nothing is written.
    """
    verdict = live(judged.verdict)
    decided = engine.recorder.decided(verdict, judged.facts, bytes.fromhex(salt))
    token = new_secret()

    def work(tx: Transaction) -> Action | None:
        still(tx, judged)
        _still_let_in(tx, via)
        at = tx.now()
        if action.expires_at is not None and action.expires_at <= at:
            return None
        entries = [record.of(action, Kind.REDECIDED, at, decided)]
        target = STATES[verdict.enforced]
        if target is State.RUNNING:
            still_open(tx, action.session, at)
            claimed = replace(action, token=token, owner=engine.owner, lease_until=at + engine.lease)
            attempt = tx.actions.claim(claimed, verdict, at)
            if attempt is None:
                return None
            seen = judged.restrictions.generation
            reserve_holds(engine, tx, replace(claimed, attempt=attempt), verdict.charges, at, generation=seen)
            entries.append(_intended(engine, replace(action, attempt=attempt), at))
            result = replace(claimed, state=State.RUNNING, attempt=attempt, started_at=at, verdict=verdict)
        else:
            if not tx.actions.judge_again(action.id, verdict, target, at):
                return None
            if target is State.HELD:
                entries.append(question(engine, tx, action, verdict.asks, at))
            else:
                plan_outcome(tx, action, at)
            result = replace(action, state=target, verdict=verdict)
        tx.journal.append(entries)
        return result

    return work


def live(verdict: Verdict) -> Verdict:
    """What was approved to run never becomes a trial: a tool that went back to the shadow rung is refused."""
    if verdict.enforced is not Decision.SHADOW:
        return verdict
    step = Step(Measure.LEVEL, Outcome.DENY, verdict.rung.word, "the tool is on trial now; nothing runs")
    steps = (*verdict.steps, step)
    return msgspec.structs.replace(
        verdict, decision=Decision.DENY, enforced=Decision.DENY, steps=steps, charges=()
    )


def still(tx: Transaction, judged: Judged) -> None:
    """Raise ``Stale`` unless everything that restricts is as the verdict saw it."""
    seen = judged.restrictions
    # the policy is tested too: another thread may have taken up a new one between the verdict's two looks
    if tx.restrictions.generation() != seen.generation or seen.policy not in (None, judged.verdict.policy):
        raise Stale("halts, grants or the policy have changed since the verdict")


def _still_let_in(tx: Transaction, via: str | None) -> None:
    """Raise ``Refused`` when the key that let this in has ended since: its revocation has returned."""
    key = None if via is None else tx.keys.get(via)
    if via is not None and (key is None or key.over(tx.now())):
        raise Refused("this key has ended meanwhile; nothing was started")


def _still_asks(engine: Engine, tx: Transaction, agent: str) -> None:
    """Raise when people have enough of this agent's questions; a few at one moment may pass together."""
    most = engine.open_questions
    if tx.actions.as_many_held(agent, most):
        raise TooManyQuestions(
            f"{most} questions of {agent} wait for people; nothing more is asked until some are answered"
        )


def still_open(tx: Transaction, session: str, at: int) -> None:
    """Raise unless a session goes on, on a clock that stands still while people think.

    ``SessionOver``: it or one around it has ended. ``SessionHeld``: a person must release it first.
    """
    known = tx.sessions.get(session)
    must_go_on(tx, known, known.lineage if known is not None else (), at)


def _session(engine: Engine, tx: Transaction, action: Action, proposal: Proposal, at: int) -> list[Entry]:
    """Open the action's session, or test that it goes on; a refusal is recorded also when it does not."""
    known = tx.sessions.get(action.session)
    if action.state is not State.DENIED:
        must_go_on(tx, known, known.lineage if known is not None else proposal.lineage, at)
        if action.person is None:
            look(engine, tx, known, proposal, at)
    if known is not None:
        return []
    made = SessionRecord(action.session, action.agent, action.task, at, lineage=proposal.lineage)
    if tx.sessions.open(made):
        return [_opened(made, at)]
    # another process opened it at the same moment
    if action.state is not State.DENIED:
        still_open(tx, action.session, at)
    return []


def _taken(tx: Transaction, action: Action, standing: Standing, at: int) -> Entry:
    if not tx.standings.take(standing.id, action.amount, at):
        raise Stale("the standing approval has ended or has too little left")
    body = {"standing": standing.id, "person": standing.person, "verified": standing.verified}
    return record.about(action, Kind.STANDING_USED, at, **body)


def _joins(enforced: Decision) -> bool:
    """A refusal is always told anew: what it repeats may have been refused for another reason."""
    return enforced is not Decision.DENY


def new_action(proposal: Proposal, verdict: Verdict, state: State, at: int, **more: Any) -> Action:
    """A judged proposal as an action that the store is about to have; ``more`` are further fields."""
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
        amount=verdict.amount,
        **more,
    )


def _started(engine: Engine, at: int) -> dict[str, Any]:
    """What an action carries that runs as it is proposed."""
    return {
        "attempt": 1,
        "token": new_secret(),
        "owner": engine.owner,
        "lease_until": at + engine.lease,
        "started_at": at,
    }


def _opened(made: SessionRecord, at: int) -> Entry:
    body = record.encode({"inside": made.lineage[-1]}) if made.lineage else b"{}"
    return Entry(Kind.SESSION_OPENED, at, body, None, made.agent, None, made.id, made.task)
