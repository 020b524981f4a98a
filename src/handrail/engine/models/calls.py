"""Calls of models: each is claimed before it is forwarded, and settled once, whatever became of it.

The claim is one transaction, as an action's is: halts, the key and the session are tested under the
restriction lock, every budget is reserved, and the call is written down with what it asks. So nothing is
forwarded that is not paid for, and nothing after a halt has returned.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from handrail.engine import record
from handrail.engine.budgets.holds import release_holds, reserve_holds, settle_holds
from handrail.engine.budgets.leases import reclaim, tend
from handrail.engine.claim import Stale
from handrail.engine.core import logger
from handrail.engine.ids import first_id, new_id, new_secret
from handrail.engine.loops import MINUTE, Looping, SessionOver, must_go_on, trip
from handrail.engine.models.budgets import Counting, counted
from handrail.engine.models.calling import Untold
from handrail.engine.models.prompts import packed
from handrail.engine.models.stops import Lookout, frozen, halted
from handrail.engine.texts import fit
from handrail.ports import Commit
from handrail.words.entry import Entry, Kind
from handrail.words.errors import BudgetExhausted, ModelRefused, Overspent, StoreError
from handrail.words.model_call import CallState, ModelCall, Prompt, Usage
from handrail.words.session import SessionRecord

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from handrail.engine.core import Engine
    from handrail.ports import Transaction
    from handrail.words.model_call import ModelAsked, ModelEnded
    from handrail.words.restriction import Restrictions

ATTEMPT = 1
"""A model call is never tried again: whoever wants to, asks anew."""
TRIES = 50
"""How often a claim is tried when others change what it rests on, or take room that it saw."""
NO_SESSION = (
    "The policy lets no model be called outside a session (models: {sessions: required}); nothing was "
    "forwarded. Open one, and send its id and token in the header X-Handrail-Session."
)
COUNTED = tuple(each.name for each in fields(Usage))
ENDS = {CallState.DONE: Kind.MODEL_DONE, CallState.FAILED: Kind.MODEL_FAILED}


class ModelGate:
    """``ports.ModelGate`` over an engine."""

    def __init__(self, engine: Engine) -> None:
        """Nothing runs yet."""
        self._engine = engine
        self._lookout = Lookout(engine)

    def claim(self, asked: ModelAsked, *, whole: bool = False) -> ModelCall:
        """As the port says."""
        engine = self._engine
        if whole:
            asked = replace(asked, bound=replace(asked.bound, least=asked.bound.output))
        try:
            flush(engine)
            return _claimed(engine, asked)
        except Looping as error:
            trip(engine, error)
            raise self._told(asked, ModelRefused(f"The session is held: {error}.", "session")) from error
        except ModelRefused as error:
            if whole and isinstance(error, BudgetExhausted):
                raise
            raise self._told(asked, error) from None

    def refuse(self, asked: ModelAsked, sentence: str, cause: str) -> ModelRefused:
        """The refusal of a call that can't even be claimed: its model has no price, a field no bound."""
        return self._told(asked, ModelRefused(sentence, cause))

    def settle(self, call: ModelCall, ended: ModelEnded) -> bool:
        """As the port says."""
        engine = self._engine
        try:
            response, cut = packed(engine.recorder, "response", ended.response, cut=ended.cut)
        except Exception:  # noqa: BLE001 - whatever an upstream sent, what the call cost is known
            logger.exception("the answer to model call %s can't be kept", call.id)
            response, cut = b"", True
        told = Untold(
            call,
            replace(ended, response=b"", cut=cut, error=None if ended.error is None else fit(ended.error)),
            response,
        )
        try:
            return settled(engine, told)
        except StoreError as error:
            logger.warning("the end of model call %s can't be written now: %s", call.id, error)
            engine.calling.untold.append(told)
            return True
        finally:
            engine.stir()

    def let_go(self, call: ModelCall) -> None:
        """As the port says. It writes nothing, so that any thread may call it at any moment."""
        self._engine.calling.running.pop(call.id, None)

    def stopped(self, call: ModelCall) -> ModelRefused | None:
        """As the port says; the store is asked at most twice a second, however many calls run."""
        return self._lookout.refusal(call)

    def _told(self, asked: ModelAsked, error: ModelRefused) -> ModelRefused:
        """Journal a refusal; of many equal ones the first in a minute, with how many came before it."""
        engine = self._engine
        budget = error.budget if isinstance(error, BudgetExhausted) else None
        kind = (asked.agent, asked.upstream, asked.model, error.cause, budget or "")
        more = engine.calling.refused(kind, engine.clock())
        if more is not None:
            body = {"cause": error.cause, "reason": str(error), "budget": budget, "before": more}
            kept = {name: value for name, value in body.items() if value not in (None, 0)}

            def work(tx: Transaction) -> None:
                tx.journal.append([_entry(Kind.MODEL_REFUSED, tx.now(), asked, **kept)])

            engine.store.write(Commit.MODEL_REFUSE, work)
            engine.stir()
        return error


def flush(engine: Engine) -> None:
    """Write every end that could not be written before.

    Raises:
        StoreError: it still can't be; what is left stays kept.
    """
    for told in tuple(engine.calling.untold):
        settled(engine, told)
        # two threads may write the same one: the second changes nothing, and finds it gone from the list
        if told in engine.calling.untold:
            engine.calling.untold.remove(told)


def settled(engine: Engine, told: Untold) -> bool:
    """Write how a call ended; False when it was written before."""
    call, ended = told.call, told.ended

    def work(tx: Transaction) -> bool:
        at = tx.now()
        done = _done(call, ended, at)
        if not tx.model_calls.finish(done):
            return False
        if told.response or ended.cut:
            tx.prompts.answered(call.id, told.response, cut=ended.cut)
        if ended.unspent:
            release_holds(engine, tx, call.id, ATTEMPT)
        else:
            settle_holds(engine, tx, done, _spent(done), at)
        tx.journal.append([_entry(ENDS[done.state], at, call, **_body(done))])
        return True

    written = engine.store.write(Commit.MODEL_SETTLE, work)
    engine.calling.running.pop(call.id, None)
    return written


def presume(tx: Transaction, lapsed: Sequence[ModelCall], at: int) -> None:
    """Calls whose process was lost are taken for spent at their bound, and told of."""
    for call in lapsed:
        tx.budgets.presume(call.id, call.attempt)
        body = {"call": call.id, "cost": call.cost, "owner": call.owner}
        tx.journal.append([_entry(Kind.MODEL_PRESUMED, at, call, **body)])


def _claimed(engine: Engine, asked: ModelAsked) -> ModelCall:
    request, cut = packed(engine.recorder, "request", asked.request)
    for _ in range(TRIES):
        seen = engine.restrictions
        if not seen.generation:
            engine.refresh()
            continue
        try:
            counting = _counting(engine, seen, asked)
        except ModelRefused:
            # a halt may have been lifted, or another policy be active, since this was read
            engine.refresh()
            if engine.restrictions.generation != seen.generation:
                continue
            raise
        if engine.chunks is not None and engine.chunks.wanted:
            tend(engine)
        case = _Case(engine, asked, counting, seen, Prompt("", request, cut=cut))
        try:
            call = engine.store.write(Commit.MODEL_CLAIM, case.claim)
        except Stale:
            engine.refresh()
        except Overspent as full:
            # somebody took the room that was seen: look again how much there is
            reclaim(engine, full)
        else:
            engine.calling.running[call.id] = call
            engine.stir()
            return call
    raise ModelRefused("What this call rests on keeps changing; nothing was forwarded, ask again.", "busy")


def _counting(engine: Engine, seen: Restrictions, asked: ModelAsked) -> Counting:
    """What a call counts against, if halts and the policy let it.

    Raises:
        ModelRefused: they don't.
    """
    policy = engine.policy
    if found := halted(seen, asked.agent):
        raise found
    if refused := policy.models.permits(asked.agent, asked.upstream, asked.model):
        raise ModelRefused(refused, "policy")
    if policy.models.sessions_required and not asked.session:
        raise ModelRefused(NO_SESSION, "session")
    budgets = policy.models.budgets(asked.agent, asked.upstream, asked.model)
    if found := frozen(seen, budgets):
        raise found
    return Counting(policy.digest, budgets, policy.loops.calls_per_minute, policy.loops.depth)


@dataclass(frozen=True, slots=True)
class _Case:
    """One call that is to be claimed, and all that its claim rests on."""

    engine: Engine
    asked: ModelAsked
    counting: Counting
    seen: Restrictions
    prompt: Prompt

    def claim(self, tx: Transaction) -> ModelCall:
        """The transaction. It raises ``Stale`` or ``Overspent`` when it must be looked at anew."""
        policy = self.counting.policy
        if tx.restrictions.generation() != self.seen.generation or self.seen.policy not in (None, policy):
            raise Stale("halts, grants or the policy have changed since they were looked at")
        at = tx.now()
        _let_in(tx, self.asked.via, at)
        session, entries = _session(tx, self.asked, self.counting, at)
        output, charges = counted(tx, self.counting, self.asked, session, at)
        call = self._call(output, at)
        reserve_holds(self.engine, tx, call, charges, at, generation=self.seen.generation)
        tx.model_calls.add(call)
        tx.prompts.add(replace(self.prompt, call=call.id))
        body = {"call": call.id, "at_most": call.bound_cost, "tokens_at_most": call.bound_tokens}
        tx.journal.append([*entries, _entry(Kind.MODEL_ASKED, at, call, **body)])
        return call

    def _call(self, output: int, at: int) -> ModelCall:
        asked, engine = self.asked, self.engine
        return ModelCall(
            id=new_id(),
            agent=asked.agent,
            session=asked.session,
            task=asked.task,
            upstream=asked.upstream,
            model=asked.model,
            route=asked.route,
            stream=asked.stream,
            state=CallState.RUNNING,
            policy=self.counting.policy,
            asked_at=at,
            bound_cost=asked.bound.cost_of(output),
            bound_tokens=asked.bound.tokens_of(output),
            output=output,
            via=asked.via,
            attempt=ATTEMPT,
            owner=engine.owner,
            token=new_secret(),
            lease_until=at + engine.lease,
        )


def _let_in(tx: Transaction, via: str | None, at: int) -> None:
    key = None if via is None else tx.keys.get(via)
    if via is not None and (key is None or key.over(at)):
        raise ModelRefused("This key has ended; nothing was forwarded.", "key")


def _session(
    tx: Transaction, asked: ModelAsked, counting: Counting, at: int
) -> tuple[SessionRecord | None, list[Entry]]:
    """The session, which must go on, and the entry that opened it now; None where none was named."""
    if not asked.session:
        return None, []
    known = tx.sessions.get(asked.session)
    lineage = asked.lineage if known is None else known.lineage
    try:
        must_go_on(tx, known, lineage, at)
    except SessionOver as error:
        raise ModelRefused(f"Nothing was forwarded: {error}", "session") from error
    if counting.depth is not None and len(lineage) > counting.depth:
        what = f"sessions are nested {len(lineage)} deep; the policy's limit is {counting.depth}"
        raise Looping(what, lineage[0])
    if known is None:
        return _opened(tx, asked, at)
    if known.agent != asked.agent:
        raise ModelRefused("This session is not of this agent; open another.", "session")
    _pace(tx, known, counting.calls_per_minute, at)
    return known, []


def _opened(tx: Transaction, asked: ModelAsked, at: int) -> tuple[SessionRecord, list[Entry]]:
    """A session that begins with this call: what it spends is that of the one around it."""
    lineage = asked.lineage
    made = SessionRecord(asked.session, asked.agent, asked.task, at, lineage=lineage)
    if not tx.sessions.open(made):
        raise Stale("another process opened it at the same moment")
    inside = {"inside": lineage[-1]} if lineage else {}
    return made, [_entry(Kind.SESSION_OPENED, at, asked, **inside)]


def _pace(tx: Transaction, known: SessionRecord, most: int | None, at: int) -> None:
    """Raise ``Looping`` for the call that is one too many in a minute."""
    if most is None:
        return
    released = known.released_at + 1 if known.released_at is not None else 0
    since = first_id(max(at - MINUTE, released))
    if len(tx.model_calls.in_session(known.id, since, most)) >= most:
        raise Looping(f"it made more than {most} calls of models in a minute", known.id)


def _done(call: ModelCall, ended: ModelEnded, at: int) -> ModelCall:
    """A call with how it ended. What nobody measured is presumed spent at the bound."""
    presumed = ended.cost is None and not ended.unspent
    cost = 0 if ended.unspent else ended.cost
    return replace(
        call,
        state=ended.state,
        first_byte_at=ended.first_byte_at,
        ended_at=at,
        cost=call.bound_cost if cost is None else cost,
        usage=ended.usage,
        presumed=presumed,
        status=ended.status,
        error=ended.error,
    )


def _spent(done: ModelCall) -> Mapping[str, int] | None:
    """What was measured, by unit; a hold of which nobody measured anything stays spent in full."""
    if done.presumed or done.cost is None:
        return None
    return {"cost": done.cost} | ({} if done.usage is None else {"tokens": done.usage.tokens})


def _body(done: ModelCall) -> dict[str, object]:
    first = None if done.first_byte_at is None else max(0, done.first_byte_at - done.asked_at)
    usage = (
        None
        if done.usage is None
        else {name: much for name in COUNTED if (much := getattr(done.usage, name))}
    )
    told: dict[str, object] = {
        "call": done.id,
        "cost": done.cost,
        "usage": usage,
        "milliseconds": done.milliseconds,
        "first_byte_ms": first,
        "status": done.status,
        "error": done.error,
    }
    kept = {name: value for name, value in told.items() if value is not None}
    return {**kept, "presumed": True} if done.presumed else kept


def _entry(kind: Kind, at: int, what: ModelCall | ModelAsked, **body: object) -> Entry:
    """An entry about a call: never with what was asked or answered."""
    named = (
        {} if kind is Kind.SESSION_OPENED else {"model": f"{what.upstream}:{what.model}", "route": what.route}
    )
    encoded = record.encode({**named, **body})
    return Entry(kind, at, encoded, None, what.agent, None, what.session or None, what.task)
