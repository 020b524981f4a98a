"""The road of one action, written once: judge, claim, run, settle. Drivers walk it blocking or async."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from handrail.engine.attempt import Ended, attempt
from handrail.engine.budgets.leases import reclaim, tend
from handrail.engine.claim import Stale, TooManyQuestions, propose, recheck
from handrail.engine.door import recorded_output, thaw
from handrail.engine.effects import Call, Do, Road, Stop, Write
from handrail.engine.judge import Judged, judge, refusal
from handrail.engine.loops import Looping, SessionHeld, SessionOver, trip
from handrail.engine.outcomes import WAITS, denied, ended, shadowed
from handrail.engine.questions.seats import still_approved
from handrail.engine.questions.standings import covered
from handrail.engine.sessions import lineage_of
from handrail.engine.settle import Outcome, flush, settle
from handrail.gate import BY_HAND, ORDER
from handrail.ports import Commit
from handrail.words.action import Action, Proposal
from handrail.words.errors import Conflict, Denied, NotFound, Overspent
from handrail.words.lifecycle import State
from handrail.words.verdict import Measure
from handrail.words.verdict import Outcome as Refusal

if TYPE_CHECKING:
    from handrail.engine.core import Engine
    from handrail.ports import Transaction
    from handrail.words.payload import Payload
    from handrail.words.verdict import Verdict

TRIES = 16
"""How often a verdict is made anew because what it rests on changed meanwhile; then it is a refusal."""
RESUMABLE = (State.APPROVED, State.ALLOWED)


def act(engine: Engine, proposal: Proposal, person: str | None = None) -> Road:
    """Propose an action and run it when it may run alone; give its output.

    Raises:
        Denied, Held, Shadowed, InProgress, ToolFailed: it did not run.
        OutcomeUnrecorded: it ran, and its outcome could not be written.
        StoreError: the store can't be used; it did not run.
    """
    recorded, _ = yield from recording(engine, proposal, person)
    if recorded.repeats is not None:
        return (yield from _repeat(engine, recorded.repeats, proposal))
    action = recorded.action
    if action.state is State.RUNNING:
        return (yield from _run(engine, action, proposal.payload, recorded.salt))
    if action.state is State.SHADOWED:
        return (yield from _shadowed(engine, action, proposal.payload))
    raise ended(action, engine.policy.policy)


def resume(engine: Engine, action_id: str) -> Road:
    """Run an action that was approved, after judging it again; give its output.

    One that is done already gives the output it gave then. Of one that people edited, the edited one runs.

    Raises:
        NotFound: there is no such action.
        Denied, Held, Shadowed, InProgress, ToolFailed: it does not run.
    """
    action = yield Do(lambda: engine.store.read(lambda tx: newest(tx, action_id)))
    if action is None:
        raise NotFound(f"there is no action {action_id}")
    return (yield from _go_on(engine, action))


def newest(tx: Transaction, action_id: str) -> Action | None:
    """The action, or the one that people edited it into."""
    action = tx.actions.get(action_id)
    while action is not None and action.state is State.SUPERSEDED and action.superseded_by:
        action = tx.actions.get(action.superseded_by)
    return action


def recording(engine: Engine, proposal: Proposal, person: str | None = None) -> Road:
    """Judge and record, anew when restrictions or budgets changed meanwhile; what was recorded and judged."""
    order = BY_HAND if person else ORDER
    if engine.unrecorded:
        yield Do(lambda: flush(engine))
    if engine.restrictions.generation == 0:
        yield Do(engine.refresh)
    for _ in range(TRIES):
        if engine.chunks is not None and engine.chunks.wanted:
            yield Do(partial(tend, engine))
        judged = yield from judge(engine, proposal, order=order)
        judged, standing = yield from covered(engine, proposal, judged)
        try:
            recorded = yield Write(Commit.PROPOSE, propose(engine, proposal, judged, person, standing))
        except Stale:
            yield Do(engine.refresh)
        except Overspent as full:
            yield Do(partial(reclaim, engine, full))
        except Looping as looping:
            yield Do(partial(trip, engine, looping))
            return (yield from refusing(engine, proposal, f"the session is held: {looping}"))
        except (SessionOver, TooManyQuestions) as why:
            return (yield from refusing(engine, proposal, str(why)))
        else:
            engine.stir()
            return recorded, judged
    reason = "Policy, halts or budgets kept changing while this was decided; nothing was run."
    return (yield from refusing(engine, proposal, reason))


def refusing(engine: Engine, proposal: Proposal, reason: str) -> Road:
    """Record a refusal that no judgement is needed for; what was recorded, and its judgement."""
    for _ in range(TRIES):
        yield Do(engine.refresh)
        judged = Judged(refusal(engine.policy.digest, reason), {}, engine.restrictions)
        with suppress(Stale):
            recorded = yield Write(Commit.PROPOSE, propose(engine, proposal, judged))
            engine.stir()
            return recorded, judged
    raise Conflict(f"policy and halts kept changing; {proposal.tool} was refused: {reason}")


def _shadowed(engine: Engine, action: Action, payload: bytes) -> Road:
    tool = engine.tools.get(action.tool)
    if tool is None or tool.simulate is None:
        raise shadowed(action.id, action.tool, action.verdict)
    return (yield Call(replace(tool, function=tool.simulate, is_async=tool.simulates_async), payload))


def _repeat(engine: Engine, action_id: str, proposal: Proposal) -> Road:
    """An equal proposal met an action that is under way or, by its key, over."""
    action = yield Do(lambda: engine.store.read(lambda tx: tx.actions.get(action_id)))
    stems = yield Do(lambda: engine.store.read(lambda tx: stems_from(tx, action, proposal.digest)))
    if not stems:
        recorded, judged = yield from refusing(engine, proposal, key_used(proposal, action_id))
        raise denied(recorded.action.id, proposal.tool, judged.verdict)
    if action.state is State.SHADOWED:
        return (yield from _shadowed(engine, action, proposal.payload))
    return (yield from _go_on(engine, action))


def stems_from(tx: Transaction, action: Action, digest: str) -> bool:
    """Whether this is the action with that digest, or what people made of it."""
    current: Action | None = action
    while current is not None and current.digest != digest:
        current = tx.actions.get(current.supersedes) if current.supersedes else None
    return current is not None


def key_used(proposal: Proposal, action_id: str) -> str:
    """Why a key that another call has used is refused."""
    return (
        f"The key {proposal.key!r} was used for another call of {proposal.tool} (action {action_id}); "
        "use a new key for a new action."
    )


def _go_on(engine: Engine, action: Action) -> Road:
    if action.state is State.DONE:
        return (yield from _recorded_output(engine, action.id))
    if action.state not in RESUMABLE:
        raise ended(action, engine.policy.policy)
    tool = engine.tools.get(action.tool)
    if tool is None or tool.elsewhere:
        raise Conflict(f"this process does not have the tool {action.tool}; resume it where the tool is")
    started, payload = yield from claiming(engine, action)
    if started is None:
        return (yield from _lost(engine, action))
    if started.state is State.RUNNING:
        return (yield from _run(engine, started, payload.args.encode(), payload.salt))
    if started.state in RESUMABLE:
        raise denied(started.id, started.tool, started.verdict, WAITS)
    raise ended(started, engine.policy.policy)


def is_halted(verdict: Verdict) -> bool:
    """Whether it is a halt that refuses."""
    return any(step.measure is Measure.HALT and step.outcome is Refusal.DENY for step in verdict.steps)


def claiming(engine: Engine, action: Action, via: str | None = None) -> Road:
    """Judge an allowed or approved action again and claim it: as it then stands, and its payload.

    None stands for the action when somebody else was faster, or it is too late. What is halted, or of a held
    session, stays as it is: it may run once that is lifted. ``via``: the starter's key.
    """

    def kept(tx: Transaction) -> tuple[Payload | None, tuple[str, ...]]:
        return tx.actions.payload(action.id), lineage_of(tx, action.session)

    if engine.unrecorded:
        yield Do(lambda: flush(engine))
    payload, lineage = yield Do(lambda: engine.store.read(kept))
    if payload is None or payload.args is None:
        raise Conflict(f"the arguments of action {action.id} were erased; it can't run any more")
    proposal = _again(action, payload.args.encode(), lineage)
    over: SessionOver | None = None
    for _ in range(TRIES):
        yield Do(engine.refresh)
        judged = yield from _judging(engine, proposal, action, over)
        if is_halted(judged.verdict):
            return replace(action, verdict=judged.verdict), payload
        try:
            started = yield Write(Commit.RECHECK, recheck(engine, action, judged, payload.salt, via))
        except Stale:
            continue
        except Overspent as full:
            yield Do(partial(reclaim, engine, full))
            continue
        except SessionHeld as error:
            return replace(action, verdict=refusal(engine.policy.digest, str(error))), payload
        except SessionOver as error:
            over = error
            continue
        engine.stir()
        return started, payload
    raise Conflict(f"policy, halts or budgets kept changing; action {action.id} was not started, try again")


def _judging(engine: Engine, proposal: Proposal, action: Action, over: SessionOver | None) -> Road:
    """Judge an action again with the answers that still count; refuse it once its session is over."""
    if over is not None:
        return Judged(refusal(engine.policy.digest, str(over)), {}, engine.restrictions)
    groups = engine.policy.policy.approvers
    approved = yield Do(lambda: engine.store.read(lambda tx: still_approved(tx, groups, action)))
    return (yield from judge(engine, proposal, approved=approved))


def _lost(engine: Engine, action: Action) -> Road:
    """Somebody else was faster, or it is too late."""
    now = yield Do(lambda: engine.store.read(lambda tx: tx.actions.get(action.id)))
    if now.state is State.DONE:
        return (yield from _recorded_output(engine, action.id))
    if now.state in RESUMABLE:
        raise Denied(f"{action.tool} was approved, but its time to run is over.", action.id, action.verdict)
    raise ended(now, engine.policy.policy)


def _recorded_output(engine: Engine, action_id: str) -> Road:
    payload = yield Do(lambda: engine.store.read(lambda tx: tx.actions.payload(action_id)))
    return None if payload is None or payload.output is None else recorded_output(payload.output)


def _again(action: Action, payload: bytes, lineage: tuple[str, ...]) -> Proposal:
    """The proposal that was approved, from the stored bytes: an approval runs exactly what was seen."""
    return Proposal(
        id=action.id,
        agent=action.agent,
        tool=action.tool,
        session=action.session,
        task=action.task,
        payload=payload,
        args=thaw(payload),
        digest=action.digest,
        binding=action.binding,
        confidence=action.confidence,
        rationale=action.rationale,
        key=action.key,
        lineage=lineage,
    )


def _run(engine: Engine, action: Action, payload: bytes, salt: str) -> Road:
    """Call the tool and settle. However this ends, the lease of what is not settled is no longer extended."""
    token = action.token or ""
    tool = engine.tools[action.tool]
    stop = Stop(action) if tool.cancel and action.person is None else None

    def hidden(text: str) -> str:
        return engine.recorder.hidden(text, thaw(payload))

    def written(ended: Ended, output: object) -> Road:
        outcome = Outcome(
            action,
            token,
            ended.state,
            ended.output,
            ended.error,
            ended.nothing_done,
            ended.milliseconds,
            salt,
        )
        return settle(engine, outcome, output)

    engine.running[action.id] = token
    if stop is not None:
        engine.cancels[action.id] = stop
    try:
        return (yield from attempt(Call(tool, payload, stop), action.id, hidden, written))
    finally:
        engine.running.pop(action.id, None)
        engine.cancels.pop(action.id, None)
