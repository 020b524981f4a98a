"""The company's sign-on: away to it, and back with its word for who this is."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from handrail.server.auth.cookies import cookie_name, cookie_of, drop_cookie, set_cookie
from handrail.server.auth.oidc import Going, SignOn, person_of
from handrail.server.auth.signed import opened, sealed
from handrail.server.auth.who import address_of, secure_of, state_of
from handrail.server.errors import Problem
from handrail.server.pages.drawing import ours
from handrail.server.pages.sign_in import admitted

router = APIRouter(include_in_schema=False, prefix="/oidc")
GOING = "handrail_oidc"
SECONDS = 600


@router.get("/start")
def away(request: Request, to: str = "/") -> Response:
    """Send the browser to the provider."""
    state = state_of(request)
    url, going = _sign_on(request).begin(ours(to))
    response = RedirectResponse(url, 303)
    kept = sealed(state.engine.key, GOING, going, state.engine.clock() + SECONDS * 1000)
    set_cookie(response, cookie_name(secure_of(request), GOING), kept, SECONDS)
    return response


@router.get("/callback")
def back(request: Request) -> Response:
    """The browser came back: believe only what the provider signed for this very sign-in."""
    state, sign_on = state_of(request), _sign_on(request)
    name = cookie_name(secure_of(request), GOING)
    kept = opened(state.engine.key, GOING, cookie_of(request, name), state.engine.clock())
    if kept is None:
        raise Problem(400, "This sign-in was not begun in this browser, or took too long. Begin it again.")
    going = Going(**kept)
    person = person_of(state.engine, sign_on, sign_on.finish(going, request.query_params))
    browser = request.headers.get("user-agent")
    came = state.sign_ins.open(person, address=address_of(request), browser=browser, how="sign-on")
    response = admitted(request, came, going.to)
    drop_cookie(response, name)
    return response


def _sign_on(request: Request) -> SignOn:
    found = state_of(request).sign_on
    if found is None:
        raise Problem(404, "This server has no company sign-on.")
    return found
