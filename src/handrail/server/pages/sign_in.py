"""Signing in and out: person and password, then the code of the second factor where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from handrail.engine.identity.sign_ins import LONGEST, end_sign_in
from handrail.server.auth.cookies import cookie_name, cookie_of, drop_cookie, set_cookie
from handrail.server.auth.sign_in import DEVICE, DEVICE_LIVES
from handrail.server.auth.who import Caller, address_of, secure_of, state_of, who
from handrail.server.errors import Problem
from handrail.server.pages.drawing import go, ours, page

if TYPE_CHECKING:
    from handrail.server.auth.sign_in import Came

router = APIRouter(include_in_schema=False)
Who = Annotated[Caller, Depends(who)]
Text = Annotated[str, Form()]


@router.get("/sign-in")
def ask(request: Request, caller: Who, to: str = "/") -> Response:
    """Ask who it is."""
    if caller.person is not None:
        return RedirectResponse(ours(to), 303)
    return _asked(request, to)


@router.post("/sign-in")
def come_in(request: Request, person: Text, password: Text, to: Text = "/") -> Response:
    """Check the password."""
    try:
        came = state_of(request).sign_ins.by_password(
            person,
            password,
            None,
            address=address_of(request),
            browser=request.headers.get("user-agent"),
            device=cookie_of(request, cookie_name(secure_of(request), DEVICE)),
        )
    except Problem as refused:
        return _asked(request, to, refused, person)
    return admitted(request, came, to)


@router.get("/sign-in/code")
def ask_code(request: Request, caller: Who, to: str = "/") -> Response:
    """Ask for the second factor."""
    if caller.person is not None or caller.sign_in is None:
        return RedirectResponse(ours(to), 303)
    return page(request, "code.html", to=ours(to), wrong=None)


@router.post("/sign-in/code")
def give_code(request: Request, caller: Who, code: Text, to: Text = "/") -> Response:
    """Check the second factor."""
    if caller.sign_in is None:
        return RedirectResponse("/sign-in", 303)
    try:
        came = state_of(request).sign_ins.by_code(caller.sign_in, code)
    except Problem as refused:
        return page(request, "code.html", refused.status_code, to=ours(to), wrong=refused.detail)
    return admitted(request, came, to)


@router.post("/sign-out")
def leave(request: Request, caller: Who) -> Response:
    """End this sign-in."""
    if caller.sign_in is not None:
        end_sign_in(state_of(request).engine, caller.sign_in.person, caller.sign_in.id, caller.sign_in.person)
    response = go(request, "/sign-in", "You are signed out.")
    drop_cookie(response, cookie_name(secure_of(request)))
    return response


def admitted(request: Request, came: Came, to: str) -> Response:
    """Give the cookie, and go on to the page or to the second factor."""
    where = ours(to)
    if not came.complete:
        where = str(request.url_for("ask_code").include_query_params(to=where).replace(scheme="", netloc=""))
    response = RedirectResponse(where, 303)
    secure, device = secure_of(request), state_of(request).sign_ins.device(came.person)
    set_cookie(response, cookie_name(secure), came.secret, LONGEST // 1000)
    set_cookie(response, cookie_name(secure, DEVICE), device, DEVICE_LIVES // 1000)
    return response


def _asked(request: Request, to: str, refused: Problem | None = None, person: str = "") -> Response:
    return page(
        request,
        "sign_in.html",
        refused.status_code if refused else 200,
        to=ours(to),
        wrong=refused.detail if refused else None,
        person=person,
        sign_on=state_of(request).settings.oidc_issuer is not None,
    )
