"""Sessions: one run of an agent for one piece of business, opened by a program that may say for which."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request, Response
from msgspec import Meta, Struct

from handrail.engine.loops import hold, release
from handrail.engine.sessions import LONGEST, end_session, open_session, proven, session_token
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
    reading,
    route,
    routes,
    store_of,
)
from handrail.server.api.shapes import Ident, Moment, Reason, Taken, Word, maybe, moment
from handrail.server.auth.who import AGENT, SERVICE, Caller
from handrail.server.errors import Problem
from handrail.words.errors import NotFound
from handrail.words.session import SessionRecord

router = routes("sessions")


class Around(Taken):
    """The session inside which another is opened, and its token."""

    session: Ident
    session_token: Annotated[str, Meta(max_length=200)]


class NewSession(Taken):
    """Whose session, and for what. An agent opens its own; a service says for which agent.

    One that is opened inside another serves the same task for the same person, and spends from its budgets.
    """

    agent: Word | None = None
    task: Annotated[Word, Meta(examples=["ticket-17"])] | None = None
    behalf: Annotated[Word, Meta(description="For whom it works: who may not answer for it.")] | None = None
    expires_in: Annotated[int, Meta(ge=1, le=LONGEST, description="Seconds on its own clock.")] | None = None
    inside: Around | None = None


class OpenedSession(Struct):
    """A session with its token, which proposals carry; shown once."""

    id: str
    agent: str
    task: str | None
    token: str
    expires_at: Moment | None


class Because(Taken):
    """Why it is held, or may go on."""

    reason: Reason


class SessionShape(Struct):
    """A session. Its clock stands still while a question of it is open."""

    id: str
    agent: str
    task: str | None
    opened_at: Moment
    opened_by: str | None
    behalf: str | None
    expires_at: Moment | None
    questions: int
    paused_at: Moment | None
    ended_at: Moment | None
    inside: str | None
    held_at: Moment | None
    held_reason: str | None


class SessionPage(Struct):
    """Sessions, newest first."""

    items: list[SessionShape]
    next: str | None


@route(
    router,
    "POST /sessions",
    takes=NewSession,
    gives=OpenedSession,
    status=201,
    optional=True,
    said={"agent": "support", "task": "ticket-17", "expires_in": 3600},
)
def open_a_session(
    request: Request, caller: Who, given: Annotated[NewSession, reading(NewSession, optional=True)]
) -> Response:
    """Open a session.

    An agent's key opens sessions of its agent, unless it was made to act only in sessions that services open.
    A service's key opens sessions for its agents, and may say on whose behalf; so a budget per task can't be
    dodged with invented tasks. Inside a session whose token it has, any key may open another.
    """
    engine = engine_of(request)
    agents = caller.key.agents if caller.key is not None else ()
    around = given.inside and proven(engine, given.inside.session, given.inside.session_token, agents)
    made = open_session(
        engine,
        _agent(caller, given),
        caller.name,
        task=given.task,
        behalf=given.behalf,
        expires_in=given.expires_in,
        inside=around or None,
    )
    shape = OpenedSession(made.id, made.agent, made.task, session_token(engine, made), maybe(made.expires_at))
    return answer(shape, 201)


@route(router, "GET /sessions", gives=SessionPage)
def list_sessions(
    request: Request,
    agent: Filter = None,
    task: Filter = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> Response:
    """List sessions."""
    found = store_of(request).read(lambda tx: tx.sessions.listing(agent, task, cursor, limit))
    return answer(SessionPage([_shape(each) for each in found], following(found, limit, lambda it: it.id)))


@route(router, "GET /sessions/{session_id}", gives=SessionShape)
def get_session(request: Request, caller: Who, session_id: Id) -> Response:
    """Look at a session; programs see those of their agents."""
    return answer(_shape(_own(request, caller, session_id)))


@route(router, "POST /sessions/{session_id}/end", gives=SessionShape)
def end_a_session(request: Request, caller: Who, session_id: Id) -> Response:
    """End a session: it proposes nothing more."""
    _own(request, caller, session_id)
    return answer(_shape(end_session(engine_of(request), session_id, caller.name)))


@route(
    router,
    "POST /sessions/{session_id}/hold",
    takes=Because,
    gives=SessionShape,
    said={"reason": "It asks for the same page again and again."},
)
def hold_a_session(
    request: Request, caller: Who, session_id: Id, given: Annotated[Because, reading(Because)]
) -> Response:
    """Hold a session: nothing of it, or inside it, is proposed or started until it is released."""
    return answer(_shape(hold(engine_of(request), session_id, given.reason, caller.human().id)))


@route(
    router,
    "POST /sessions/{session_id}/release",
    takes=Because,
    gives=SessionShape,
    said={"reason": "The page is there again."},
)
def release_a_session(
    request: Request, caller: Who, session_id: Id, given: Annotated[Because, reading(Because)]
) -> Response:
    """Release a session that a person or the loop breaker holds; what repeated before counts no more."""
    return answer(_shape(release(engine_of(request), session_id, given.reason, caller.human().id)))


def _agent(caller: Caller, given: NewSession) -> str:
    key = caller.key
    if key is None:
        raise AssertionError("a program has a key")
    agent = given.agent or (key.agents[0] if len(key.agents) == 1 else "")
    if not agent:
        raise Problem(422, f"Say for which agent: one of {', '.join(key.agents)}.")
    if agent not in key.agents:
        raise Problem(403, f"This key is not for the agent {agent}.")
    if caller.role == AGENT and not key.opens_sessions and given.inside is None:
        raise Problem(403, "This key acts only in sessions that a service opens for its agent.")
    if caller.role != SERVICE and given.behalf is not None:
        raise Problem(403, "Only a service says on whose behalf an agent works.")
    return agent


def _own(request: Request, caller: Caller, session_id: str) -> SessionRecord:
    found = store_of(request).read(lambda tx: tx.sessions.get(session_id))
    if found is None or (caller.key is not None and found.agent not in caller.key.agents):
        raise NotFound(f"there is no session {session_id}")
    return found


def _shape(found: SessionRecord) -> SessionShape:
    return SessionShape(
        found.id,
        found.agent,
        found.task,
        moment(found.opened_at),
        found.opened_by,
        found.behalf,
        maybe(found.expires_at),
        found.questions,
        maybe(found.paused_at),
        maybe(found.ended_at),
        found.lineage[-1] if found.lineage else None,
        maybe(found.held_at),
        found.held_reason,
    )
