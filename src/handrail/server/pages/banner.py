"""The banner: what whoever runs this server has to say on every page, until a browser puts it away."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from handrail.engine.identity.sign_ins import LONGEST
from handrail.server.auth.cookies import cookie_name, cookie_of, set_cookie
from handrail.server.auth.keys import digest_of
from handrail.server.auth.who import secure_of, state_of
from handrail.server.pages.drawing import environment, ours

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form()]
AWAY = "handrail_banner"
"""The cookie of a browser that put a banner away. It holds which one: another text is shown again."""


class Banner(NamedTuple):
    """A text, and the page that is shown again once it was put away."""

    text: str
    to: str


@router.post("/banner/away")
def put_away(request: Request, to: Text = "/") -> Response:
    """Show it no more in this browser."""
    response = RedirectResponse(ours(to), 303)
    text = state_of(request).settings.banner
    if text is not None:
        name = cookie_name(secure_of(request), AWAY)
        set_cookie(response, name, digest_of(text), LONGEST // 1000)
    return response


def banner(request: Request) -> Banner | None:
    """What stands on this page; None when there is nothing to say, or it was put away here."""
    text = state_of(request).settings.banner
    if text is None or cookie_of(request, cookie_name(secure_of(request), AWAY)) == digest_of(text):
        return None
    query = f"?{request.url.query}" if request.url.query else ""
    return Banner(text, request.url.path + query if request.method == "GET" else "/")


def install() -> None:
    """Let every page's frame ask for it."""
    environment().globals["banner"] = banner
