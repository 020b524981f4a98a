"""Calls of models: who asked which, what it cost, what was said, and what the agent did next."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated

from fastapi import Depends, Query, Request, Response
from msgspec import Meta, Struct

from handrail.engine.models.prompts import prompt_of, search
from handrail.engine.models.story import call_story
from handrail.server.api.route import (
    PAGE,
    Cursor,
    Filter,
    Id,
    Limit,
    Who,
    answer,
    engine_of,
    following,
    route,
    routes,
    store_of,
)
from handrail.server.api.shapes import NAME, Moment, Money, maybe, moment, money
from handrail.server.auth.who import permit
from handrail.server.roles import ADMIN, REVIEWER
from handrail.words.model_call import CallFilter, ModelCall

router = routes("model calls")
MAY_READ = frozenset({REVIEWER, ADMIN})
"""Who may see what was asked and answered, and search in it."""
Time = Annotated[
    int | None, Query(ge=0, le=2**53, description="Milliseconds since the epoch; the end is excluded.")
]
State = Annotated[str | None, Query(pattern="^(running|done|failed|unknown)$")]
Text = Annotated[
    str | None,
    Query(
        pattern=NAME,
        max_length=500,
        description="Words that all stand in the request or the answer; for reviewers.",
    ),
]
EXAMPLE = {
    "id": "0193a5e2c4d800000123456789ab",
    "agent": "support",
    "session": "0193a5e2c4d800000123456789aa",
    "task": "ticket-17",
    "upstream": "openai",
    "model": "gpt-5-mini",
    "route": "chat/completions",
    "stream": True,
    "state": "done",
    "asked_at": "2026-11-22T10:00:00.000Z",
    "first_byte_at": "2026-11-22T10:00:00.412Z",
    "ended_at": "2026-11-22T10:00:03.120Z",
    "milliseconds": 3120,
    "cost": "0.00415",
    "at_most": "0.0412",
    "usage": {"input": 812, "output": 90, "cached": 512},
    "presumed": False,
    "status": 200,
    "error": None,
    "policy": "4a1f" * 16,
}


class CallShape(Struct):
    """One call of a model. `presumed`: nobody measured it, so its cost is the most that it could cost."""

    id: str
    agent: str
    session: str | None
    task: str | None
    upstream: str
    model: str
    route: str
    stream: bool
    state: Annotated[str, Meta(examples=["running", "done", "failed", "unknown"])]
    asked_at: Moment
    first_byte_at: Moment | None
    ended_at: Moment | None
    milliseconds: int | None
    cost: Money | None
    at_most: Money | None
    usage: dict[str, int] | None
    presumed: bool
    status: int | None
    error: str | None
    policy: str


class FollowedShape(Struct):
    """An action that the agent asked for after a call, before it asked a model again."""

    id: str
    tool: str
    state: str
    proposed_at: Moment


class CallStoryShape(Struct):
    """A call with what the agent did next, and the calls beside it in its session."""

    call: CallShape
    followed: list[FollowedShape]
    before: str | None
    after: str | None


class CallPage(Struct):
    """Calls, newest first. A search may give few or none, and a `next` to search further back."""

    items: list[CallShape]
    next: str | None


class PromptShape(Struct):
    """What was asked and answered, redacted; JSON as text where it was JSON, null where it was erased."""

    request: str | None
    response: str | None
    cut: Annotated[bool, Meta(description="Whether only the beginning of one of them was kept.")]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for; everything may be left out."""

    agent: Filter = None
    session: Filter = None
    task: Filter = None
    model: Filter = None
    state: State = None
    since: Time = None
    until: Time = None
    text: Text = None
    cursor: Cursor = None
    limit: Limit = PAGE

    @property
    def filter(self) -> CallFilter:
        """As the store is asked."""
        what = (self.agent, self.session, self.task, self.model)
        return CallFilter(*what, self.state, self.since, self.until, self.cursor, self.limit)


@route(router, "GET /model-calls", gives=CallPage, shown={"items": [EXAMPLE], "next": None})
def list_model_calls(request: Request, caller: Who, asked: Annotated[Asked, Depends(Asked)]) -> Response:
    """List calls of models, or search in what was asked and answered.

    With `text` only for reviewers and admins. A search looks through 2,000 calls at once; `next` says where
    to go on.
    """
    if asked.text is None or not asked.text.strip():
        found = store_of(request).read(lambda tx: tx.model_calls.listing(asked.filter))
        more = following(found, asked.limit, lambda call: call.id)
        return answer(CallPage([_shape(each) for each in found], more))
    permit(caller, MAY_READ)
    engine, text = engine_of(request), asked.text
    engine.catch_up()
    hits = engine.store.read(lambda tx: search(engine, tx, asked.filter, text))
    return answer(CallPage([_shape(each) for each in hits.calls], hits.next))


@route(
    router,
    "GET /model-calls/{call_id}",
    gives=CallStoryShape,
    shown={"call": EXAMPLE, "followed": [], "before": None, "after": None},
)
def get_model_call(request: Request, call_id: Id) -> Response:
    """Look at a call, and at what the agent did next."""
    engine = engine_of(request)
    found = engine.store.read(lambda tx: call_story(engine, tx, call_id, exact=False))
    next_ones = [
        FollowedShape(each.id, each.tool, each.state.value, moment(each.proposed_at))
        for each in found.followed
    ]
    return answer(CallStoryShape(_shape(found.call), next_ones, found.before, found.after))


@route(
    router,
    "GET /model-calls/{call_id}/prompt",
    gives=PromptShape,
    shown={"request": '{"messages": […]}', "response": '{"choices": […]}', "cut": False},
)
def get_prompt(request: Request, call_id: Id) -> Response:
    """Read what was asked and answered, without what the policy hides."""
    engine = engine_of(request)
    engine.catch_up()
    _, found = engine.store.read(lambda tx: prompt_of(engine, tx, call_id))
    return answer(PromptShape(found.request, found.response, found.cut))


def _shape(call: ModelCall) -> CallShape:
    usage = None if call.usage is None else {name: much for name, much in asdict(call.usage).items() if much}
    return CallShape(
        id=call.id,
        agent=call.agent,
        session=call.session or None,
        task=call.task,
        upstream=call.upstream,
        model=call.model,
        route=call.route,
        stream=call.stream,
        state=call.state.value,
        asked_at=moment(call.asked_at),
        first_byte_at=maybe(call.first_byte_at),
        ended_at=maybe(call.ended_at),
        milliseconds=call.milliseconds,
        cost=money(call.cost),
        at_most=money(call.bound_cost),
        usage=usage,
        presumed=call.presumed,
        status=call.status,
        error=call.error,
        policy=call.policy,
    )
