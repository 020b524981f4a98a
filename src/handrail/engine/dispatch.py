"""The road for tools that run elsewhere: judged, recorded and claimed here, run there, reported back.

The gate, the claim and the settling are those of the embedded road; only the call is missing. Who started an
action holds its token: a report by that token settles it, also after its lease was over.
"""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import TYPE_CHECKING

from handrail.engine.door import digest, thaw
from handrail.engine.effects import Do, Road
from handrail.engine.outcomes import WAITS, denied, ended
from handrail.engine.road import (
    RESUMABLE,
    claiming,
    is_halted,
    key_used,
    newest,
    recording,
    refusing,
    stems_from,
)
from handrail.engine.settle import Outcome, write
from handrail.engine.texts import fit
from handrail.ports import Commit
from handrail.words.errors import BadArguments, Conflict, NotFound
from handrail.words.lifecycle import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from handrail.engine.attempt import Ended
    from handrail.engine.context import About, Session
    from handrail.engine.core import Engine
    from handrail.ports import Transaction
    from handrail.words.action import Action, Proposal
    from handrail.words.payload import Payload
    from handrail.words.restriction import Halt

CHANGED = (
    "the tool's schema is not the one that is accepted: it has changed and waits for a person, "
    "or this agent runs an old version of it"
)
REPORTED = (State.DONE, State.FAILED)
DAY = 86_400_000


def proposed(
    engine: Engine, tool: str, values: Mapping[str, object], session: Session, about: About, binding: str
) -> Proposal:
    """Freeze a call of a tool that runs elsewhere. ``binding``: the schema that its arguments were made for.

    Another binding than the accepted one becomes a refusal, which the gate denies.
    """
    known = engine.tools.get(tool)
    if known is None or known.binding.digest != binding:
        engine.refresh()
        known = engine.tools.get(tool)
    collected: Mapping[str, object] | str = values
    if known is not None:
        try:
            collected = known.signature.collect((), dict(values))
        except TypeError as error:
            collected = str(error)
    made = engine.proposal(tool, collected, session, about)
    if known is None or made.binding == binding:
        return made
    other = digest(engine.key, tool, binding, made.payload)
    return replace(made, binding=binding, digest=other, refusal=CHANGED)


def named(proposal: Proposal, name: str, at: int) -> Proposal:
    """The proposal under the id that its maker gave it, so that it can be sent again when no answer came.

    Raises:
        BadArguments: the id is not one of about now: ids sort by time.
    """
    if abs((int(name, 16) >> 64) - at) > DAY:
        raise BadArguments("the id does not begin with the milliseconds of about now; is the clock right?")
    return replace(proposal, id=name)


def arrived(engine: Engine, proposal: Proposal) -> tuple[Action, bytes | None] | None:
    """What became of this very proposal when it arrived before, as ``dispatch`` says; None when it did not.

    Leave to run is given again only where the proposal itself got it: what people approved, others may run.
    Under a halt it is not: nobody knows whether it was used, and nothing starts any more.

    Raises:
        Conflict: the id is another action's.
    """

    def work(tx: Transaction) -> tuple[Action | None, Sequence[Halt]]:
        found = tx.actions.get(proposal.id)
        return found, tx.restrictions.read().halts if found is not None else ()

    action, halts = engine.store.read(work)
    if action is None:
        return None
    same = (action.agent, action.tool, action.session, action.digest)
    if same != (proposal.agent, proposal.tool, proposal.session, proposal.digest):
        raise Conflict(f"the id {proposal.id} is that of another action; make a new one for each proposal")
    at_once = action.started_at == action.proposed_at and not action.approved
    halted = any(halt.covers(action.agent, action.tool) for halt in halts)
    if action.state is State.RUNNING and at_once and not halted:
        return action, proposal.payload
    return hidden(action), None


def dispatch(engine: Engine, proposal: Proposal) -> Road:
    """Propose an action that runs elsewhere: as it then stands, and its frozen bytes when it may start now.

    An equal proposal finds the action that is under way, and starts it when people have approved it since.
    """
    recorded, _ = yield from recording(engine, proposal)
    if recorded.repeats is None and recorded.action is None:
        return (yield from _again(engine, proposal))
    if recorded.repeats is None:
        action = recorded.action
        return action, proposal.payload if action.state is State.RUNNING else None
    twin = yield Do(lambda: engine.store.read(lambda tx: tx.actions.get(recorded.repeats)))
    stems = yield Do(lambda: engine.store.read(lambda tx: stems_from(tx, twin, proposal.digest)))
    if not stems:
        refused, _ = yield from refusing(engine, proposal, key_used(proposal, twin.id))
        return refused.action, None
    return (
        (yield from _go_on(engine, twin, proposal.via)) if twin.state in RESUMABLE else (hidden(twin), None)
    )


def _again(engine: Engine, proposal: Proposal) -> Road:
    """The same proposal was sent twice at the same moment, and the other one was recorded."""
    found = yield Do(lambda: arrived(engine, proposal))
    if found is None:
        raise Conflict(f"the id {proposal.id} or its key is taken; look before you propose it again")
    return found


def start(engine: Engine, action_id: str, agent: str, via: str | None = None) -> Road:
    """Start an approved action after judging it again; of one that people edited, the edited one.

    As ``dispatch`` it gives the action as it then stands, and its arguments when its holder may run it now.
    ``via`` is the key of who starts it.

    Raises:
        NotFound: there is no such action of this agent.
        Refused: the key has ended.
        Conflict: its arguments were erased, or policy and halts kept changing.
    """
    action = yield Do(lambda: own(engine, action_id, agent, follow=True))
    return (yield from _go_on(engine, action, via)) if action.state in RESUMABLE else (hidden(action), None)


def _go_on(engine: Engine, action: Action, via: str | None) -> Road:
    started, payload = yield from claiming(engine, action, via)
    if started is None:
        now = yield Do(lambda: engine.store.read(lambda tx: tx.actions.get(action.id)))
        return hidden(now), None
    return started, payload.args.encode() if started.state is State.RUNNING else None


def hidden(action: Action) -> Action:
    """The action without its token: only who started it holds that."""
    return replace(action, token=None)


def told(engine: Engine, action: Action) -> str:
    """One sentence for the agent: what became of its call, and what it can do."""
    if action.state is State.RUNNING and action.token is not None:
        return f"{action.tool} may run now."
    if action.state is State.DONE:
        return f"{action.tool} has run."
    if action.state in RESUMABLE and is_halted(action.verdict):
        return str(denied(action.id, action.tool, action.verdict, WAITS))
    if action.state in RESUMABLE:
        return f"{action.tool} was approved; it may be started."
    return str(ended(action, engine.policy.policy))


def report(engine: Engine, action_id: str, agent: str, token: str, said: Ended) -> Action:
    """Settle an attempt by the word of who started it; the same report a second time changes nothing.

    A report that comes after the lease was over settles what nobody knew.

    Raises:
        NotFound: there is no such action of this agent.
        Conflict: the token is not that of the attempt, or another outcome was reported before.
        BadArguments: the state is none that a report can have.
    """
    if said.state not in REPORTED or (said.nothing_done and said.state is State.DONE):
        raise BadArguments("an outcome is done, or failed; nothing_done goes with failed only")

    def work(tx: Transaction) -> tuple[Action, bool]:
        action = _held_by(tx, action_id, agent, token)
        payload = tx.actions.payload(action.id)
        why = None if said.state is State.DONE else _error(engine, said.error, payload)
        took, salt = said.milliseconds, payload.salt if payload else ""
        ended = (said.state, said.output, why, said.nothing_done, took, salt)
        outcome = Outcome(action, token, *ended, proven=False)
        if write(engine, tx, outcome):
            return tx.actions.get(action.id) or action, True
        kept = payload.output if payload else None
        return action, action.state is said.state and action.error == why and kept in (None, said.output)

    found, agreed = engine.store.write(Commit.SETTLE, work)
    if not agreed:
        raise Conflict(f"action {action_id} is {found.state} already; this report says something else")
    engine.stir()
    return hidden(found)


def _error(engine: Engine, error: str | None, payload: Payload | None) -> str:
    text = fit(error or "the tool failed and gave no reason")
    args = thaw(payload.args.encode()) if payload and payload.args else {}
    return engine.recorder.hidden(text, args)


def beat_one(engine: Engine, action_id: str, agent: str, token: str) -> tuple[int, bool]:
    """Extend the lease of a running action: until when, and whether a halt covers it now.

    Raises:
        NotFound: there is no such action of this agent.
        Conflict: it does not run any more, or another attempt does.
    """

    def work(tx: Transaction) -> tuple[Action, int, int]:
        action = _held_by(tx, action_id, agent, token)
        until = tx.now() + engine.lease
        if not tx.actions.beat(action_id, token, until):
            raise Conflict(f"action {action_id} is {action.state}; report what became of it")
        return action, until, tx.restrictions.generation()

    action, until, generation = engine.store.write(Commit.BEAT, work)
    if generation != engine.restrictions.generation:
        engine.refresh()
    halts = engine.restrictions.halts
    return until, any(halt.covers(action.agent, action.tool) for halt in halts)


def own(engine: Engine, action_id: str, agent: str | None, *, follow: bool = False) -> Action:
    """The action, if it is this agent's; of whatever agent when None. ``follow`` leads to its edited version.

    Raises:
        NotFound: there is none. Another agent's is not told apart from none: ids don't leak.
    """
    action = engine.store.read(
        lambda tx: newest(tx, action_id) if follow else tx.actions.get(action_id),
    )
    if action is None or agent not in (None, action.agent):
        raise _unknown(action_id)
    return action


def _held_by(tx: Transaction, action_id: str, agent: str, token: str) -> Action:
    action = tx.actions.get(action_id)
    if action is None or action.agent != agent:
        raise _unknown(action_id)
    if action.token is None or not hmac.compare_digest(action.token.encode(), token.encode()):
        raise Conflict(f"this token did not start action {action_id}")
    return action


def _unknown(action_id: str) -> NotFound:
    return NotFound(f"there is no action {action_id}")
