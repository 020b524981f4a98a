"""Keys of programs: made and rotated here, shown once, kept as digests."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Request, Response
from msgspec import Meta, Struct

from handrail.engine.identity.keys import make_key, revoke_key, rotate_key
from handrail.server.api.route import Id, Who, answer, engine_of, reading, route, routes, store_of
from handrail.server.api.shapes import Moment, Taken, Word, Words, maybe, moment
from handrail.server.auth.keys import new_key_secret, shown
from handrail.words.person import Key, KeyKind

router = routes("keys")
WEEK = 7 * 86_400
Until = Annotated[datetime, Meta(tz=True)]


class KeyShape(Struct):
    """A key. Its secret is never given again."""

    id: str
    kind: str
    name: str
    agents: list[str]
    opens_sessions: bool
    made_at: Moment
    made_by: str
    expires_at: Moment | None
    used_at: Moment | None
    revoked_at: Moment | None
    replaces: str | None


class KeyList(Struct):
    """Every key, newest first."""

    items: list[KeyShape]


class NewKey(Taken):
    """A key for one agent, or for a service that opens sessions for several."""

    kind: KeyKind
    name: Word
    agents: Annotated[list[Word], Meta(min_length=1, max_length=1000)]
    opens_sessions: Annotated[
        bool, Meta(description="False: the agent acts only in sessions that a service opened for it.")
    ] = True
    expires_at: Until | None = None


class ShownKey(Struct):
    """A new key with its secret: keep it now, it is not shown again."""

    key: KeyShape
    secret: Annotated[str, Meta(description="What the program sends as its bearer token.")]


class Rotation(Taken):
    """For how long the old key works beside the new one, in seconds."""

    overlap: Annotated[int, Meta(ge=0, le=WEEK)] = 3600


class Revocation(Taken):
    """Why the key ends."""

    reason: Words = ""


@route(router, "GET /keys", gives=KeyList)
def list_keys(request: Request) -> Response:
    """List every key."""
    found = store_of(request).read(lambda tx: tx.keys.listing())
    return answer(KeyList([_shape(each) for each in found]))


@route(
    router,
    "POST /keys",
    takes=NewKey,
    gives=ShownKey,
    status=201,
    said={"kind": "agent", "name": "support on host 3", "agents": ["support"]},
)
def make_a_key(request: Request, caller: Who, given: Annotated[NewKey, reading(NewKey)]) -> Response:
    """Make a key; this answer shows it once."""
    secret, digest = new_key_secret()
    until = None if given.expires_at is None else int(given.expires_at.timestamp() * 1000)
    made = make_key(
        engine_of(request),
        given.kind,
        given.name,
        given.agents,
        digest,
        caller.human().id,
        opens_sessions=given.opens_sessions,
        expires_at=until,
    )
    return answer(ShownKey(_shape(made), shown(made.kind, made.id, secret)), 201)


@route(
    router,
    "POST /keys/{key_id}/rotate",
    takes=Rotation,
    gives=ShownKey,
    optional=True,
    said={"overlap": 3600},
)
def rotate_a_key(
    request: Request, caller: Who, key_id: Id, given: Annotated[Rotation, reading(Rotation, optional=True)]
) -> Response:
    """Make the key that follows this one; both work for a while."""
    secret, digest = new_key_secret()
    made = rotate_key(engine_of(request), key_id, digest, given.overlap * 1_000, caller.human().id)
    return answer(ShownKey(_shape(made), shown(made.kind, made.id, secret)))


@route(
    router,
    "POST /keys/{key_id}/revoke",
    takes=Revocation,
    gives=KeyShape,
    optional=True,
    said={"reason": "The host was lost."},
)
def revoke_a_key(
    request: Request,
    caller: Who,
    key_id: Id,
    given: Annotated[Revocation, reading(Revocation, optional=True)],
) -> Response:
    """End a key: once this is answered, no server lets it in."""
    return answer(_shape(revoke_key(engine_of(request), key_id, caller.human().id, given.reason)))


def _shape(found: Key) -> KeyShape:
    return KeyShape(
        found.id,
        found.kind.value,
        found.name,
        list(found.agents),
        found.opens_sessions,
        moment(found.made_at),
        found.made_by,
        maybe(found.expires_at),
        maybe(found.used_at),
        maybe(found.revoked_at),
        found.replaces,
    )
