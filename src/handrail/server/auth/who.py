"""Who asks: nobody, a program with a key, or a person who is signed in. And who may."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from handrail.server.auth.cookies import cookie_name, cookie_of
from handrail.server.auth.keys import digest_of
from handrail.server.errors import Problem
from handrail.words.person import Key, Person, Role, SignIn

if TYPE_CHECKING:
    from handrail.server.state import ServerState

ANONYMOUS, AGENT, SERVICE = "anonymous", "agent", "service"
PEOPLE = (Role.VIEWER.value, Role.REVIEWER.value, Role.ADMIN.value)
"""Roles of people, from the lowest: each may do what those before it may."""
EVERYONE = (ANONYMOUS, AGENT, SERVICE, *PEOPLE)
BEARER = "Bearer"
_bearer = HTTPBearer(auto_error=False, scheme_name="key", description="An agent's or a service's key.")
_cookie = APIKeyCookie(
    name="handrail", auto_error=False, scheme_name="sign_in", description="A person's sign-in."
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and in which role.

    ``sign_in`` without ``person``: the password was right, and the second factor is still missing.
    """

    role: str
    person: Person | None = None
    key: Key | None = None
    sign_in: SignIn | None = None

    @property
    def name(self) -> str:
        """How the journal names this caller."""
        if self.person is not None:
            return self.person.id
        return f"key {self.key.id}" if self.key is not None else ANONYMOUS

    def human(self) -> Person:
        """The person who asks.

        Raises:
            Problem: no person does.
        """
        if self.person is None:
            raise Problem(403, "This is for people.")
        return self.person


NOBODY = Caller(ANONYMOUS)


def who(
    request: Request,
    _key: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)] = None,
    _sign_in: Annotated[str | None, Security(_cookie)] = None,
) -> Caller:
    """Who asks. A key that does not work is refused at once, not treated as nobody.

    Raises:
        Problem: the key or the sign-in does not work, or there were too many requests.
    """
    found: Caller | None = getattr(request.state, "caller", None)
    if found is None:
        found = identify(request)
        request.state.caller = found
    return found


def identify(request: Request) -> Caller:
    """As ``who``, for a route that looks by itself. It blocks: a read of the store.

    Raises:
        Problem: the key does not work, or there were too many requests.
    """
    state = state_of(request)
    given = request.headers.get("authorization")
    if given is not None:
        return _by_key(state, given, address_of(request))
    return _by_cookie(state, request)


def identify_all(requests: Sequence[Request]) -> Sequence[Caller | Problem]:
    """As ``who`` for many who ask at once: one look into the store for all who have a cookie, and no key."""
    state = state_of(requests[0])
    secrets = {id(each): secret_of(each) for each in requests if "authorization" not in each.headers}
    known = list({secret for secret in secrets.values() if secret is not None})
    found = dict(zip(known, state.sign_ins.find_all(known), strict=True))

    def one(request: Request) -> Caller | Problem:
        secret = secrets.get(id(request))
        if secret is not None:
            request.state.caller = _whose(state, secret, found[secret])
        try:
            return who(request)
        except Problem as refused:
            return refused

    return [one(each) for each in requests]


def allow(*roles: str) -> Callable[..., Caller]:
    """A dependency that lets only these roles pass; a person's role includes the lower ones.

    Raises:
        Problem: 401 for nobody, 403 for somebody else.
    """
    allowed = including(roles)

    def check(caller: Annotated[Caller, Depends(who)]) -> Caller:
        return permit(caller, allowed)

    return check


def including(roles: tuple[str, ...] | frozenset[str]) -> frozenset[str]:
    """These roles and every role of people above one of them."""
    unknown = [role for role in roles if role not in EVERYONE]
    if unknown:
        raise ValueError(f"no such role: {', '.join(unknown)}")
    lowest = min((PEOPLE.index(role) for role in roles if role in PEOPLE), default=len(PEOPLE))
    return frozenset((*roles, *PEOPLE[lowest:]))


def permit(caller: Caller, allowed: frozenset[str]) -> Caller:
    """The caller, if it has one of these roles.

    Raises:
        Problem: 401 for nobody, 403 for somebody else.
    """
    if caller.role in allowed:
        return caller
    if caller.role == ANONYMOUS:
        raise unauthenticated()
    raise Problem(403, f"This is not for {caller.role}s.")


def unauthenticated(detail: str = "Sign in, or send a key as a bearer token.") -> Problem:
    """The refusal of whoever did not say who they are."""
    return Problem(401, detail, headers={"www-authenticate": 'Bearer realm="handrail"'})


def state_of(request: Request) -> ServerState:
    """What the server has at hand."""
    state: ServerState = request.app.state.server
    return state


def address_of(request: Request) -> str:
    """Where the request comes from, as far as trusted proxies tell."""
    return request.client.host if request.client else "unknown"


def _by_key(state: ServerState, given: str, address: str) -> Caller:
    kind, _, text = given.partition(" ")
    key = state.keys.find(text.strip()) if kind.lower() == BEARER.lower() else None
    if key is None:
        # only keys that do not work wait: a neighbour's stale key must not stop the agents beside it
        if not state.limits.guessing.take(address):
            raise Problem(429, "Too many keys that do not work.", headers={"retry-after": "10"})
        raise unauthenticated("This key does not work: it is unknown, has ended, or was revoked.")
    if not state.limits.keys.take(key.id):
        raise Problem(429, "This key asks too often.", headers={"retry-after": "1"})
    return Caller(key.kind.value, key=key)


def _by_cookie(state: ServerState, request: Request) -> Caller:
    secret = secret_of(request)
    return NOBODY if secret is None else _whose(state, secret, state.sign_ins.find(secret))


def secret_of(request: Request) -> str | None:
    """The secret of the sign-in that comes along, whether or not it works."""
    return cookie_of(request, cookie_name(secure_of(request)))


def _whose(state: ServerState, secret: str, found: tuple[SignIn, Person] | None) -> Caller:
    complete = found is not None and (found[1].totp is None or found[0].second_factor)
    state.limits.known.note(digest_of(secret), works=complete)
    if found is None:
        return NOBODY
    sign_in, person = found
    if not complete:
        return Caller(ANONYMOUS, sign_in=sign_in)
    return Caller(person.role.value, person=person, sign_in=sign_in)


def secure_of(request: Request) -> bool:
    """Whether this reaches people over https."""
    return request.url.scheme == "https" or bool(state_of(request).settings.secure)


AnyCaller = Annotated[Any, Depends(who)]
