"""Keys of programs: an admin makes them, follows them with new ones, and ends them. Each is shown once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from handrail.engine.identity.keys import make_key, revoke_key, rotate_key
from handrail.server.auth.keys import new_key_secret
from handrail.server.auth.keys import shown as written
from handrail.server.auth.who import Caller, allow, state_of
from handrail.server.pages.doing import day_of, fresh, tried
from handrail.server.pages.drawing import NOTHING, go, page
from handrail.words.errors import BadArguments, HandrailError, StoreError
from handrail.words.person import Key, KeyKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

router = APIRouter(include_in_schema=False, prefix="/agents/keys")
Admin = Annotated[Caller, Depends(allow("admin"))]
Text = Annotated[str, Form()]
Names = Annotated[list[str], Form()]
HERE = "/agents"
HOUR = 3_600_000
OVERLAPS = {"0": "at once", "1": "after an hour", "24": "after a day", "168": "after a week"}
"""Hours for which a key works beside the one that follows it."""
KEEP = "The program sends it as its bearer token, or reads it from HANDRAIL_KEY."


@router.get("/new")
def ask(request: Request, caller: Admin) -> Response:
    """The form for a new key."""
    del caller
    engine = state_of(request).engine
    engine.refresh()
    return page(request, "new_key.html", agents=list(engine.policy.policy.agents))


@router.post("")
def make(
    request: Request,
    caller: Admin,
    kind: Text,
    name: Text = "",
    agent: Names = [],  # noqa: B006 - a form's default
    opens_sessions: Text = "",
    until: Text = "",
) -> Response:
    """Make a key; it is shown once."""

    def act() -> tuple[Key, str]:
        secret, digest = new_key_secret()
        made = make_key(
            state_of(request).engine,
            _kind(kind),
            name,
            agent,
            digest,
            caller.human().id,
            opens_sessions=opens_sessions == "on" or kind == KeyKind.SERVICE,
            expires_at=day_of(request, until),
        )
        return made, secret

    typed = {"name": name, "kind": kind, "until": until, **{f"agent.{each}": "on" for each in agent}}
    typed |= {} if opens_sessions == "on" else {"closed": "on"}
    return _once(request, "/agents/keys/new", act, typed)


@router.get("/key")
def shown(request: Request, caller: Admin, id: str) -> Response:  # noqa: A002 - a query's word
    """One key, and the ways to follow or end it."""
    del caller
    engine = state_of(request).engine
    found = engine.store.read(lambda tx: tx.keys.get(id))
    if found is None:
        return go(request, HERE, f"There is no key {id[:40]}.", bad=True)
    works = working(found, engine.clock())
    return fresh(request, "key.html", key=found, works=works, overlaps=OVERLAPS)


@router.post("/rotate")
def rotate(request: Request, caller: Admin, key: Text, overlap: Text = "1") -> Response:
    """Make the key that follows another; both work for a while."""

    def act() -> tuple[Key, str]:
        if overlap not in OVERLAPS:
            raise BadArguments("this is none of the choices for when the old key ends")
        secret, digest = new_key_secret()
        engine, by = state_of(request).engine, caller.human().id
        return rotate_key(engine, key, digest, int(overlap) * HOUR, by), secret

    return _once(request, HERE, act)


@router.post("/revoke")
def revoke(request: Request, caller: Admin, key: Text, reason: Text = "") -> Response:
    """End a key now."""

    def act() -> str:
        ended = revoke_key(state_of(request).engine, key, caller.human().id, reason)
        return f"The key {ended.name} is revoked: no server lets it in any more."

    return tried(request, HERE, act)


def working(key: Key, at: int) -> bool:
    """Whether it lets a program in."""
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > at)


def of_agents(keys: Sequence[Key], at: int) -> dict[str, int]:
    """How many keys that work each agent has."""
    found: dict[str, int] = {}
    for key in keys:
        if working(key, at):
            for agent in key.agents:
                found[agent] = found.get(agent, 0) + 1
    return found


def _once(
    request: Request, back: str, act: Callable[[], tuple[Key, str]], typed: Mapping[str, str] = NOTHING
) -> Response:
    try:
        made, secret = act()
    except StoreError:
        raise
    except HandrailError as error:
        return go(request, back, str(error), bad=True, typed=typed)
    text = written(made.kind, made.id, secret)
    return page(request, "once.html", 201, title=f"The key {made.name}", secret=text, what=KEEP, back=HERE)


def _kind(word: str) -> KeyKind:
    try:
        return KeyKind(word)
    except ValueError as error:
        raise BadArguments(f"{word[:40]!r} is no kind of key; expected agent or service") from error
