"""Who asks: the key of an agent, and the session that it proves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handrail.engine.sessions import proven
from handrail.llm.shapes import Refusal
from handrail.words.errors import NotFound
from handrail.words.person import KeyKind

if TYPE_CHECKING:
    from handrail.engine.core import Engine
    from handrail.words.person import Key

SESSION = b"x-handrail-session"
"""The header with a session and its token, as ``POST /api/v1/sessions`` gave them, and a colon between."""


@dataclass(frozen=True, slots=True)
class Door:
    """What the server knows of keys, and of who asks too often."""

    find: Callable[[str], Key | None]
    """The key that a text is, if it works now."""
    address_may: Callable[[str], bool]
    key_may: Callable[[str], bool]
    may_guess: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Caller:
    """An agent, its key, and its session as far as it proved one; no session is an empty one."""

    agent: str
    key: str
    session: str = ""
    task: str | None = None


def let_in(door: Door, engine: Engine, address: str, key: str | None, session: str | None) -> Caller:
    """Who asks. It blocks: a read of the store.

    Raises:
        Refusal: nobody whom we know, or somebody who asks too often.
    """
    found = door.find(key) if key else None
    if found is None:
        if not door.may_guess(address):
            raise Refusal(429, "Too many keys that do not work.", "too_many", again=True)
        missing = "Send an agent's key of Handrail, as this API's clients send theirs."
        raise Refusal(401, missing if key is None else "This key does not work.", "key")
    if not door.key_may(found.id):
        raise Refusal(429, "This key asks too often.", "too_many", again=True)
    if found.kind is not KeyKind.AGENT:
        raise Refusal(403, "Models are called with an agent's key, and this is a service's.", "key")
    return _in_session(engine, found, session)


def _in_session(engine: Engine, key: Key, given: str | None) -> Caller:
    agent = key.agents[0]
    if given is None:
        if not key.opens_sessions:
            raise Refusal(
                403,
                "This key acts only in sessions that a service opens: send the header X-Handrail-Session.",
                "session",
            )
        return Caller(agent, key.id)
    name, _, token = given.partition(":")
    try:
        session = proven(engine, name.strip(), token.strip(), key.agents)
    except NotFound as error:
        raise Refusal(403, f"{error}: X-Handrail-Session is ID:TOKEN of one.", "session") from error
    return Caller(agent, key.id, session.id, session.task)
