"""Signing in and out, and one's own account: name, password, second factor, and where one is signed in."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import Request, Response
from msgspec import UNSET, Meta, Struct, UnsetType

from handrail.engine.identity.accounts import change_password, rename, set_away, set_totp
from handrail.engine.identity.sign_ins import LONGEST, end_sign_in
from handrail.server.api.people import PersonShape, Until, away, person_shape
from handrail.server.api.route import Id, Who, answer, engine_of, reading, route, routes, store_of
from handrail.server.api.shapes import Moment, Taken, Word, moment
from handrail.server.auth import passwords, totp
from handrail.server.auth.cookies import cookie_name, drop_cookie, set_cookie
from handrail.server.auth.who import Caller, address_of, secure_of, state_of
from handrail.server.errors import Problem
from handrail.words.errors import Conflict
from handrail.words.person import Person, SignIn

router = routes("me")
LONG = 1_000
Secret = Annotated[str, Meta(max_length=LONG)]
Code = Annotated[str, Meta(max_length=20, examples=["123456"])]
WRONG_CODE = "This code is not right. Is the phone's clock?"


class NewSignIn(Taken):
    """A person, their password, and the code of their second factor where there is one."""

    person: Secret
    password: Secret
    code: Code | None = None


class MeChange(Taken):
    """What is to be changed; what is left out stays. `away_until` null: I am back."""

    name: Word | UnsetType = UNSET
    away_until: Until | UnsetType | None = UNSET


class NewPassword(Taken):
    """The present password, and the one to come."""

    old: Secret
    password: Secret


class Offered(Struct):
    """The secret of a second factor that is not in force before a code of it was given."""

    secret: str
    uri: str


class GivenCode(Taken):
    """A code of the second factor."""

    code: Code


class SignInShape(Struct):
    """One browser in which one is signed in."""

    id: str
    opened_at: Moment
    seen_at: Moment
    expires_at: Moment
    address: str | None
    browser: str | None
    here: bool


class SignInList(Struct):
    """Where one is signed in, newest first."""

    items: list[SignInShape]


@route(
    router,
    "POST /sign-in",
    takes=NewSignIn,
    gives=PersonShape,
    said={"person": "lead@example.com", "password": "correct horse battery staple"},
)
def sign_in(request: Request, given: Annotated[NewSignIn, reading(NewSignIn)]) -> Response:
    """Sign in: the answer carries the cookie."""
    state = state_of(request)
    came = state.sign_ins.by_password(
        given.person,
        given.password,
        given.code,
        address=address_of(request),
        browser=request.headers.get("user-agent"),
    )
    if not came.complete:
        end_sign_in(state.engine, came.person.id, came.sign_in.id, came.person.id)
        raise Problem(401, "The code of the second factor is needed, too.")
    response = answer(person_shape(came.person, every=True))
    set_cookie(response, cookie_name(secure_of(request)), came.secret, LONGEST // 1000)
    return response


@route(router, "POST /sign-out", gives=None, status=204)
def sign_out(request: Request, caller: Who) -> Response:
    """Sign out, here."""
    me, here = mine(caller)
    end_sign_in(engine_of(request), me.id, here.id, me.id)
    response = Response(status_code=204)
    drop_cookie(response, cookie_name(secure_of(request)))
    return response


@route(router, "GET /me", gives=PersonShape)
def get_me(caller: Who) -> Response:
    """Look at one's own account."""
    return answer(person_shape(caller.human(), every=True))


@route(router, "PATCH /me", takes=MeChange, gives=PersonShape, said={"name": "Lea"})
def change_me(request: Request, caller: Who, given: Annotated[MeChange, reading(MeChange)]) -> Response:
    """Change one's name, or say until when deputies answer."""
    engine, me = engine_of(request), caller.human()
    if given.name is not UNSET:
        me = rename(engine, me.id, given.name, me.id)
    if given.away_until is not UNSET:
        me = set_away(engine, me.id, away(given.away_until), me.id)
    return answer(person_shape(me, every=True))


@route(
    router,
    "POST /me/password",
    takes=NewPassword,
    gives=None,
    status=204,
    said={"old": "…", "password": "correct horse battery staple"},
)
def renew_password(
    request: Request, caller: Who, given: Annotated[NewPassword, reading(NewPassword)]
) -> Response:
    """Change one's password: every other sign-in ends."""
    me, here = mine(caller)
    state = state_of(request)
    state.sign_ins.check_password(me, given.old, address_of(request))
    kept = passwords.hashed(given.password, me.id)
    change_password(state.engine, me.id, kept, keep=here.id, only_if=me.password)
    return Response(status_code=204)


@route(router, "POST /me/totp", gives=Offered)
def offer_totp(request: Request, caller: Who) -> Response:
    """Offer the secret of a second factor; a code of it puts it in force."""
    me, here = mine(caller)
    if me.totp is not None:
        raise Conflict("a second factor is in force; end it first")
    state = state_of(request)
    secret = totp.proposed_secret(state.engine.key, me, here)
    return answer(Offered(secret, totp.otpauth(secret, me.id, request.url.hostname or "")))


@route(router, "POST /me/totp/confirm", takes=GivenCode, gives=PersonShape, said={"code": "123456"})
def confirm_totp(request: Request, caller: Who, given: Annotated[GivenCode, reading(GivenCode)]) -> Response:
    """Put the second factor in force."""
    me, here = mine(caller)
    engine = engine_of(request)
    if me.totp is not None:
        raise Conflict("a second factor is in force already")
    secret = totp.proposed_secret(engine.key, me, here)
    step = totp.step_of(secret, given.code, engine.clock(), me.totp_step)
    if step is None:
        raise Problem(422, WRONG_CODE)
    return answer(person_shape(set_totp(engine, me.id, secret, step, keep=here.id), every=True))


@route(router, "DELETE /me/totp", takes=GivenCode, gives=PersonShape, said={"code": "123456"})
def end_totp(request: Request, caller: Who, given: Annotated[GivenCode, reading(GivenCode)]) -> Response:
    """End the second factor, with a code of it."""
    me, here = mine(caller)
    state = state_of(request)
    if me.totp is None:
        raise Conflict("there is no second factor")
    try:
        state.sign_ins.prove(here, given.code)
    except Problem as refused:
        # who is signed in is known: a wrong code is a wrong body
        wrong = refused.status_code == HTTPStatus.UNAUTHORIZED
        raise Problem(422 if wrong else refused.status_code, refused.detail) from refused
    return answer(person_shape(set_totp(state.engine, me.id, None, 0, keep=here.id), every=True))


@route(router, "GET /me/sign-ins", gives=SignInList)
def list_sign_ins(request: Request, caller: Who) -> Response:
    """List where one is signed in."""
    me, here = mine(caller)
    found = store_of(request).read(lambda tx: tx.people.sign_ins(me.id))
    return answer(SignInList([_sign_in(each, here) for each in found]))


@route(router, "POST /me/sign-ins/{sign_in_id}/end", gives=None, status=204)
def end_one_sign_in(request: Request, caller: Who, sign_in_id: Id) -> Response:
    """Sign out somewhere."""
    me, _ = mine(caller)
    end_sign_in(engine_of(request), me.id, sign_in_id, me.id)
    return Response(status_code=204)


def mine(caller: Caller) -> tuple[Person, SignIn]:
    """The person, and the sign-in through which they ask."""
    if caller.person is None or caller.sign_in is None:
        raise Problem(403, "This is for people.")
    return caller.person, caller.sign_in


def _sign_in(each: SignIn, here: SignIn) -> SignInShape:
    return SignInShape(
        each.id,
        moment(each.opened_at),
        moment(each.seen_at),
        moment(each.expires_at),
        each.address,
        each.browser,
        each.id == here.id,
    )
