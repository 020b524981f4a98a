"""My account: password, second factor, where I am signed in, and until when I am away."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from handrail.engine.identity.accounts import change_password, rename, set_away, set_totp
from handrail.engine.identity.sign_ins import end_sign_in
from handrail.server.auth import passwords, totp
from handrail.server.auth.who import Caller, address_of, allow, state_of
from handrail.server.errors import Problem
from handrail.server.pages.doing import day_of, fresh
from handrail.server.pages.drawing import go, page
from handrail.words.errors import BadArguments, Conflict, NotFound
from handrail.words.person import Person, SignIn

router = APIRouter(include_in_schema=False, prefix="/account")
Viewer = Annotated[Caller, Depends(allow("viewer"))]
Text = Annotated[str, Form()]
HERE = "/account"
WRONG_CODE = "This code is not right. Is the phone's clock?"


@router.get("")
def shown(request: Request, caller: Viewer) -> Response:
    """The account."""
    me, _ = _mine(caller)
    return _drawn(
        request, caller, sign_ins=state_of(request).store.read(lambda tx: tx.people.sign_ins(me.id))
    )


@router.post("/name")
def call(request: Request, caller: Viewer, name: Text) -> Response:
    """Change the name that others see."""
    me, _ = _mine(caller)
    try:
        rename(state_of(request).engine, me.id, name, me.id)
    except BadArguments as error:
        return go(request, HERE, str(error), bad=True)
    return go(request, HERE, "Your name is changed.")


@router.post("/password")
def renew(request: Request, caller: Viewer, old: Text, password: Text, again: Text) -> Response:
    """Change the password; every other sign-in ends."""
    me, sign_in = _mine(caller)
    state = state_of(request)
    try:
        state.sign_ins.check_password(me, old, address_of(request))
        kept = passwords.hashed(password, me.id, again=again)
        change_password(state.engine, me.id, kept, keep=sign_in.id, only_if=me.password)
    except (BadArguments, Conflict) as error:
        return go(request, HERE, str(error), bad=True)
    except Problem as refused:
        return go(request, HERE, refused.detail, bad=True)
    return go(request, HERE, "Your password is changed, and you are signed out everywhere else.")


@router.get("/second-factor")
def offer(request: Request, caller: Viewer) -> Response:
    """Offer a secret to an authenticator app."""
    me, sign_in = _mine(caller)
    if me.totp is not None:
        return go(request, HERE)
    return _offered(request, me, sign_in)


@router.post("/second-factor")
def begin(request: Request, caller: Viewer, code: Text) -> Response:
    """Begin the second factor: the app proves that it has the secret."""
    me, sign_in = _mine(caller)
    engine = state_of(request).engine
    secret = totp.proposed_secret(engine.key, me, sign_in)
    step = totp.step_of(secret, code, engine.clock(), me.totp_step)
    if step is None:
        return _offered(request, me, sign_in, WRONG_CODE)
    try:
        set_totp(engine, me.id, secret, step, keep=sign_in.id)
    except Conflict as error:
        return go(request, HERE, str(error), bad=True)
    return go(request, HERE, "From now on a code of the app is needed to sign in.")


@router.post("/second-factor/end")
def end(request: Request, caller: Viewer, code: Text) -> Response:
    """End the second factor: only with a code of it."""
    me, sign_in = _mine(caller)
    state = state_of(request)
    try:
        state.sign_ins.prove(sign_in, code)
    except Problem as refused:
        return go(request, HERE, refused.detail, bad=True)
    set_totp(state.engine, me.id, None, 0, keep=sign_in.id)
    return go(request, HERE, "The second factor is ended.")


@router.post("/away")
def leave(request: Request, caller: Viewer, back: Text = "") -> Response:
    """Say on which day I am back; until then my deputies answer."""
    me, _ = _mine(caller)
    engine = state_of(request).engine
    try:
        until = day_of(request, back)
    except BadArguments as error:
        return go(request, HERE, str(error), bad=True)
    set_away(engine, me.id, until, me.id)
    return go(request, HERE, "You are back." if until is None else f"You are away until {back}.")


@router.post("/sign-ins/{sign_in_id}/end")
def sign_out(request: Request, caller: Viewer, sign_in_id: str) -> Response:
    """End a sign-in somewhere."""
    me, _ = _mine(caller)
    try:
        end_sign_in(state_of(request).engine, me.id, sign_in_id, me.id)
    except NotFound as error:
        return go(request, HERE, str(error), bad=True)
    return go(request, HERE, "Signed out there.")


def _mine(caller: Caller) -> tuple[Person, SignIn]:
    if caller.person is None or caller.sign_in is None:
        raise Problem(403, "This is for people.")
    return caller.person, caller.sign_in


def _drawn(request: Request, caller: Caller, **more: Any) -> Response:
    me, sign_in = _mine(caller)
    return fresh(request, "account.html", person=me, here=sign_in.id, shortest=passwords.SHORTEST, **more)


def _offered(request: Request, me: Person, sign_in: SignIn, wrong: str | None = None) -> Response:
    state = state_of(request)
    secret = totp.proposed_secret(state.engine.key, me, sign_in)
    address = totp.otpauth(secret, me.id, request.url.hostname or "")
    return page(
        request,
        "second_factor.html",
        422 if wrong else 200,
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        picture=totp.picture(address),
        wrong=wrong,
    )
