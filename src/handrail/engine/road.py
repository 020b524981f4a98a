"""The road of one action, written once: judge, claim, run, settle. Drivers walk it blocking or async."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from handrail.engine.claim import Stale, propose, recheck
from handrail.engine.core import logger
from handrail.engine.door import recorded_output, thaw
from handrail.engine.effects import Call, Do, NotBegun, Road, Write
from handrail.engine.judge import Judged, judge, refusal
from handrail.engine.outcomes import denied, ended, held, shadowed
from handrail.engine.settle import Outcome, flush, must_be_over, output_text, settle
from handrail.engine.texts import error_text, fit, said
from handrail.gate import BY_HAND, ORDER
from handrail.ports import Commit
from handrail.words.action import Action, Proposal
from handrail.words.errors import Conflict, Denied, NotDone, NotFound, Overspent
from handrail.words.lifecycle import State

if TYPE_CHECKING:
    from handrail.engine.core import Engine

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
    recorded, judged = yield from _record(engine, proposal, person)
    if recorded.repeats is not None:
        return (yield from _repeat(engine, recorded.repeats, proposal))
    action = recorded.action
    if action.state is State.RUNNING:
        return (yield from _run(engine, action, proposal.payload, recorded.salt))
    if action.state is State.SHADOWED:
        return (yield from _shadowed(engine, action, proposal.payload))
    raise (denied if action.state is State.DENIED else held)(action.id, action.tool, judged.verdict)


def resume(engine: Engine, action_id: str) -> Road:
    """Run an action that was approved, after judging it again; give its output.

    One that is done already gives the output it gave then.

    Raises:
        NotFound: there is no such action.
        Denied, Held, Shadowed, InProgress, ToolFailed: it does not run.
    """
    action = yield Do(lambda: engine.store.read(lambda tx: tx.actions.get(action_id)))
    if action is None:
        raise NotFound(f"there is no action {action_id}")
    return (yield from _go_on(engine, action))


def _record(engine: Engine, proposal: Proposal, person: str | None) -> Road:
    """Judge and record; anew when the restrictions or a budget changed in between."""
    order = BY_HAND if person else ORDER
    if engine.unrecorded:
        yield Do(lambda: flush(engine))
    if engine.restrictions.generation == 0:
        yield Do(engine.refresh)
    for _ in range(TRIES):
        judged = yield from judge(engine, proposal, order=order)
        try:
            recorded = yield Write(Commit.PROPOSE, propose(engine, proposal, judged, person))
        except Stale:
            yield Do(engine.refresh)
        except Overspent:
            continue
        else:
            engine.stir()
            return recorded, judged
    reason = "Policy, halts or budgets kept changing while this was decided; nothing was run."
    return (yield from _refuse(engine, proposal, reason))


def _refuse(engine: Engine, proposal: Proposal, reason: str) -> Road:
    """Record a refusal that no judgement is needed for."""
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
    if action.digest != proposal.digest:
        reason = (
            f"The key {proposal.key!r} was used for another call of {proposal.tool} (action {action_id}); "
            "use a new key for a new action."
        )
        recorded, judged = yield from _refuse(engine, proposal, reason)
        raise denied(recorded.action.id, proposal.tool, judged.verdict)
    if action.state is State.SHADOWED:
        return (yield from _shadowed(engine, action, proposal.payload))
    return (yield from _go_on(engine, action))


def _go_on(engine: Engine, action: Action) -> Road:
    if action.state is State.DONE:
        return (yield from _recorded_output(engine, action.id))
    if action.state not in RESUMABLE:
        raise ended(action)
    if action.tool not in engine.tools:
        raise Conflict(f"this process does not have the tool {action.tool}; resume it where the tool is")
    return (yield from _start(engine, action))


def _start(engine: Engine, action: Action) -> Road:
    """Judge an approved action again and claim it."""
    if engine.unrecorded:
        yield Do(lambda: flush(engine))
    payload = yield Do(lambda: engine.store.read(lambda tx: tx.actions.payload(action.id)))
    if payload is None or payload.args is None:
        raise Conflict(f"the arguments of action {action.id} were erased; it can't run any more")
    proposal = _again(action, payload.args.encode())
    for _ in range(TRIES):
        yield Do(engine.refresh)
        judged = yield from judge(engine, proposal, approved=action.approved)
        try:
            started = yield Write(Commit.RECHECK, recheck(engine, action, judged, payload.salt))
        except (Stale, Overspent):
            continue
        engine.stir()
        if started is None:
            return (yield from _lost(engine, action))
        if started.state is State.RUNNING:
            return (yield from _run(engine, started, proposal.payload, payload.salt))
        raise ended(started)
    raise Conflict(f"policy, halts or budgets kept changing; action {action.id} was not started, try again")


def _lost(engine: Engine, action: Action) -> Road:
    """Somebody else was faster, or it is too late."""
    now = yield Do(lambda: engine.store.read(lambda tx: tx.actions.get(action.id)))
    if now.state is State.DONE:
        return (yield from _recorded_output(engine, action.id))
    if now.state in RESUMABLE:
        raise Denied(f"{action.tool} was approved, but its time to run is over.", action.id, action.verdict)
    raise ended(now)


def _recorded_output(engine: Engine, action_id: str) -> Road:
    payload = yield Do(lambda: engine.store.read(lambda tx: tx.actions.payload(action_id)))
    return None if payload is None or payload.output is None else recorded_output(payload.output)


def _again(action: Action, payload: bytes) -> Proposal:
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
    )


def _run(engine: Engine, action: Action, payload: bytes, salt: str) -> Road:
    """Call the tool and settle. However this ends, the lease of what is not settled is no longer extended."""
    token = action.token or ""
    engine.running[action.id] = token
    try:
        return (yield from _call(engine, action, token, payload, salt))
    finally:
        engine.running.pop(action.id, None)


def _call(engine: Engine, action: Action, token: str, payload: bytes, salt: str) -> Road:
    begun = time.perf_counter_ns()

    def outcome(
        state: State, output: str | None, error: str | None, *, nothing_done: bool = False
    ) -> Outcome:
        took = round((time.perf_counter_ns() - begun) / 1e6, 3)
        return Outcome(action, token, state, output, error, nothing_done, took, salt)

    def hidden(text: str) -> str:
        return engine.recorder.hidden(text, thaw(payload))

    try:
        output: Any = yield Call(engine.tools[action.tool], payload)
        must_be_over(action.tool, output)
    except GeneratorExit:
        raise
    except (NotDone, NotBegun) as error:
        why = hidden(fit(said(error) or "the tool did nothing"))
        yield from settle(engine, outcome(State.FAILED, None, why, nothing_done=True))
        raise
    except BaseException as error:
        why = hidden(error_text(error))
        logger.info("action %s failed: %s", action.id, why)
        yield from settle(engine, outcome(State.FAILED, None, why))
        raise
    yield from settle(engine, outcome(State.DONE, output_text(output), None), output)
    return output
