"""Actions: an agent proposes, starts, keeps alive and reports its own; people look, cancel and settle."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from fastapi import Query, Request, Response
from msgspec import Meta, Struct
from starlette.concurrency import run_in_threadpool

from handrail.engine import blocking
from handrail.engine.attempt import Ended
from handrail.engine.cancel import cancel
from handrail.engine.context import About, Session, confidence_of
from handrail.engine.core import Engine
from handrail.engine.dispatch import (
    arrived,
    beat_one,
    dispatch,
    hidden,
    named,
    own,
    proposed,
    report,
    start,
    told,
)
from handrail.engine.door import thaw_any
from handrail.engine.sessions import proven
from handrail.engine.settle import output_text, resolve
from handrail.server.api.route import (
    PAGE,
    V1,
    Cursor,
    Filter,
    Id,
    Limit,
    Who,
    answer,
    decoded,
    engine_of,
    following,
    judging,
    raw_body,
    reading,
    route,
    routes,
    store_of,
)
from handrail.server.api.shapes import (
    ActionPage,
    ActionShape,
    Ident,
    Moment,
    Object,
    Reason,
    RunShape,
    Taken,
    Word,
    Words,
    action_shape,
    moment,
)
from handrail.server.auth.who import Caller, identify, permit, state_of
from handrail.server.roles import ROLES
from handrail.words.action import Action
from handrail.words.errors import BadArguments, Conflict, NotFound
from handrail.words.lifecycle import State
from handrail.words.payload import Payload
from handrail.words.person import Key
from handrail.words.query import ActionFilter

router = routes("actions")
PROPOSE = "POST /actions"
LONGEST_WAIT = 60
LOOK = 5.0
"""Seconds after which somebody who waits looks again although nobody told of news."""
TOKEN = "5d" * 16
NULL = msgspec.Raw(b"null")


class NewAction(Taken):
    """One call that an agent wants to make. ``binding`` is what registering its tool gave."""

    session: Ident
    session_token: Annotated[str, Meta(max_length=200)]
    tool: Word
    binding: Annotated[str, Meta(pattern=r"^[0-9a-f]{0,64}$", examples=["a3" * 32])]
    args: Object = msgspec.field(default_factory=dict)
    id: (
        Annotated[Ident, Meta(description="Made by the caller, who may then send the same once more.")] | None
    ) = None
    refusal: (
        Annotated[Words, Meta(description="Why the arguments don't fit the tool: recorded, and denied.")]
        | None
    ) = None
    confidence: Annotated[Decimal, Meta(description="From 0 to 1; it may only restrict.")] | None = None
    rationale: Words | None = None
    key: (
        Annotated[Word, Meta(description="Once per agent and tool: the same key is the same action.")] | None
    ) = None


class Token(Taken):
    """What proves that the caller started the action."""

    token: Annotated[str, Meta(max_length=200)]


class Beat(Struct):
    """Until when the action counts as running, and whether a halt covers it: then stop if you can."""

    lease_until: Moment
    halted: bool


class NewOutcome(Taken):
    """What became of a call. ``nothing_done`` only when the tool provably had no effect."""

    token: Annotated[str, Meta(max_length=200)]
    state: Literal["done", "failed"]
    output: msgspec.Raw = msgspec.field(default_factory=lambda: NULL)
    error: Annotated[str, Meta(max_length=20_000)] | None = None
    nothing_done: bool = False
    milliseconds: Annotated[float, Meta(ge=0, le=1e12)] = 0.0


class Why(Taken):
    """A reason, which stays in the journal."""

    reason: Reason


class Settlement(Taken):
    """A person's word about an action whose effect nobody knew."""

    state: Literal["done", "failed"]
    reason: Reason
    nothing_done: bool = False


class PayloadShape(Struct):
    """What executes, exactly. Facts are for people. Null: there is none, or it was erased."""

    args: Annotated[msgspec.Raw, Meta(extra_json_schema={"type": ["object", "null"]})]
    facts: Annotated[msgspec.Raw, Meta(extra_json_schema={"type": ["object", "null"]})]
    output: msgspec.Raw


_new = msgspec.json.Decoder(NewAction, float_hook=Decimal)


@route(
    router,
    PROPOSE,
    takes=NewAction,
    gives=ActionShape,
    status=201,
    quick=True,
    said={
        "session": "0193a5e2c4d800000123456789ab",
        "session_token": "…",
        "tool": "issue_refund",
        "args": {"order_id": "o-17", "amount": 25.00},
        "binding": "a3" * 32,
        "confidence": 0.95,
        "rationale": "The parcel never came.",
    },
)
async def propose_action(request: Request) -> Response:
    """Propose an action.

    The gate judges it at once. `state` says what became of it: `running` with `run` (call the tool with
    exactly these arguments, then report), `held` (people are asked: long-poll it, then start it), `denied`,
    `shadowed` (on trial: nothing runs). An equal call of the same session finds the one that is under way.
    """
    # one hop to a thread for everything that blocks: who asks, the session, the verdict, the claim
    data = await raw_body(request)
    return await judging(request, lambda: _propose(request, data))


def _propose(request: Request, data: bytes) -> Response:
    caller = permit(identify(request), ROLES[f"POST {V1}/actions"])
    given = decoded(_new, data)
    engine = engine_of(request)
    opened = proven(engine, given.session, given.session_token, _agents(caller))
    session = Session(opened.id, opened.agent, opened.task, lineage=opened.lineage)
    about = About(confidence_of(given.confidence), given.rationale, given.key)
    proposal = proposed(engine, given.tool, given.args, session, about, given.binding)
    proposal = replace(proposal, refusal=proposal.refusal or given.refusal, via=_key(caller).id)
    if given.id is not None:
        proposal = named(proposal, given.id, engine.clock())
        before = arrived(engine, proposal)
        if before is not None:
            return _dispatched(engine, before, 201)
    try:
        made = blocking.walk(engine, dispatch(engine, proposal))
    except Conflict:
        # the same one may have come twice at this moment: then the other has become the action
        made = arrived(engine, proposal)
        if made is None:
            raise
    return _dispatched(engine, made, 201)


@route(router, "POST /actions/{action_id}/start", gives=ActionShape)
async def start_action(request: Request, caller: Who, action_id: Id) -> Response:
    """Start an approved action after a fresh check.

    Of one that people edited, the edited one starts: its id differs, and `supersedes` names yours.
    """
    return await judging(request, lambda: _start(engine_of(request), action_id, _key(caller)))


def _start(engine: Engine, action_id: str, key: Key) -> Response:
    return _dispatched(engine, blocking.walk(engine, start(engine, action_id, key.agents[0], key.id)), 200)


@route(
    router,
    "POST /actions/{action_id}/beat",
    takes=Token,
    gives=Beat,
    said={"token": TOKEN},
    shown={"lease_until": "2026-11-22T10:01:00.000Z", "halted": False},
)
def beat_action(
    request: Request, caller: Who, action_id: Id, given: Annotated[Token, reading(Token)]
) -> Response:
    """Say that an action still runs; without it, its outcome counts as unknown after a minute."""
    until, halted = beat_one(engine_of(request), action_id, _agents(caller)[0], given.token)
    return answer(Beat(moment(until), halted))


@route(
    router,
    "POST /actions/{action_id}/outcome",
    takes=NewOutcome,
    gives=ActionShape,
    said={"token": TOKEN, "state": "done", "output": {"refund": "r-9"}, "milliseconds": 41.5},
)
def report_outcome(
    request: Request, caller: Who, action_id: Id, given: Annotated[NewOutcome, reading(NewOutcome)]
) -> Response:
    """Report what became of an action.

    The same report a second time is answered like the first; another one is a conflict. A late report settles
    an action that counts as unknown.
    """
    output = _output(bytes(given.output)) if given.state == "done" else None
    said = Ended(State(given.state), output, given.error, given.nothing_done, given.milliseconds)
    settled = report(engine := engine_of(request), action_id, _agents(caller)[0], given.token, said)
    return answer(action_shape(settled, told(engine, settled)))


@route(
    router,
    "POST /actions/{action_id}/cancel",
    takes=Why,
    gives=ActionShape,
    said={"reason": "The customer found the parcel."},
)
def cancel_action(
    request: Request, caller: Who, action_id: Id, given: Annotated[Why, reading(Why)]
) -> Response:
    """Take back an action that has not started."""
    engine = engine_of(request)
    own(engine, action_id, _only(caller))
    cancel(engine, action_id, caller.name, given.reason)
    return _now(request, caller, action_id)


@route(
    router,
    "POST /actions/{action_id}/settle",
    takes=Settlement,
    gives=ActionShape,
    said={"state": "done", "reason": "The provider shows the refund."},
)
def settle_action(
    request: Request, caller: Who, action_id: Id, given: Annotated[Settlement, reading(Settlement)]
) -> Response:
    """Say what became of an action whose effect nobody knew."""
    said = (State(given.state), caller.human().id, given.reason)
    resolve(engine_of(request), action_id, *said, nothing_done=given.nothing_done)
    return _now(request, caller, action_id)


@route(router, "GET /actions", gives=ActionPage)
def list_actions(  # noqa: PLR0913, PLR0917 - every filter is a parameter
    request: Request,
    caller: Who,
    state: Annotated[State | None, Query()] = None,
    agent: Filter = None,
    tool: Filter = None,
    session: Filter = None,
    task: Filter = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> Response:
    """List actions, newest first; an agent sees its own."""
    mine = _only(caller)
    if mine is not None and agent not in (None, mine):
        return answer(ActionPage([], None))
    wanted = ActionFilter(
        state=state.value if state else None,
        agent=mine or agent,
        tool=tool,
        session=session,
        task=task,
        before=cursor,
        limit=limit,
    )
    found = store_of(request).read(lambda tx: tx.actions.listing(wanted))
    return answer(
        ActionPage([action_shape(each) for each in found], following(found, limit, lambda it: it.id))
    )


@route(router, "GET /actions/{action_id}", gives=ActionShape)
async def get_action(
    request: Request,
    caller: Who,
    action_id: Id,
    wait: Annotated[
        float, Query(ge=0, le=LONGEST_WAIT, description="Seconds to wait at most while it is held.")
    ] = 0,
) -> Response:
    """Look at an action; with `wait`, the answer comes once it is no longer held."""
    engine, mine = engine_of(request), _only(caller)
    found = await run_in_threadpool(own, engine, action_id, mine)
    if wait and found.state is State.HELD:
        state, end = state_of(request), time.monotonic() + wait
        with state.live.watching(action_id) as bell:
            while True:
                bell.clear()
                found = await run_in_threadpool(own, engine, action_id, mine)
                left = end - time.monotonic()
                if found.state is not State.HELD or left <= 0 or state.closing.is_set():
                    break
                with suppress(TimeoutError):
                    await asyncio.wait_for(bell.wait(), min(left, LOOK))
    if wait:  # a key may have ended meanwhile, even before the first look
        await run_in_threadpool(lambda: permit(identify(request), ROLES[f"GET {V1}/actions/{{action_id}}"]))
    return answer(action_shape(found, told(engine, hidden(found))))


@route(router, "GET /actions/{action_id}/payload", gives=PayloadShape)
def get_payload(request: Request, caller: Who, action_id: Id) -> Response:
    """Give the exact arguments and output; people who may answer also see the facts that were used."""
    own(engine_of(request), action_id, _only(caller))
    found = store_of(request).read(lambda tx: tx.actions.payload(action_id)) or Payload(None, None, "")
    facts = found.facts if caller.key is None else None
    return answer(PayloadShape(_raw(found.args), _raw(facts), _raw(found.output)))


def _output(given: bytes) -> str:
    try:
        return output_text(thaw_any(given))
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise BadArguments(f"the output can't be read: {error}") from error


def _raw(text: str | None) -> msgspec.Raw:
    return NULL if text is None else msgspec.Raw(text.encode())


def _dispatched(engine: Engine, found: tuple[Action, bytes | None], status: int) -> Response:
    action, args = found
    if args is None or action.token is None or action.lease_until is None:
        return answer(action_shape(action, told(engine, hidden(action))), status)
    run = RunShape(action.token, msgspec.Raw(args), moment(action.lease_until), action.attempt)
    return answer(action_shape(action, told(engine, action), run), status)


def _now(request: Request, caller: Caller, action_id: str) -> Response:
    engine = engine_of(request)
    found = own(engine, action_id, _only(caller))
    return answer(action_shape(found, told(engine, hidden(found))))


def _agents(caller: Caller) -> tuple[str, ...]:
    return _key(caller).agents


def _key(caller: Caller) -> Key:
    if caller.key is None:
        raise NotFound("only an agent's key acts for an agent")
    return caller.key


def _only(caller: Caller) -> str | None:
    """Whose actions the caller may touch; None for people: everybody's."""
    return None if caller.key is None else caller.key.agents[0]
