"""One-time links: the first admin, an invitation, a new password. Looking at one does not use it up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from handrail.engine.identity.accounts import person_id, use_link
from handrail.server.auth import links, passwords
from handrail.server.auth.keys import digest_of
from handrail.server.auth.who import state_of
from handrail.server.errors import Problem
from handrail.server.pages.drawing import go, page
from handrail.words.errors import BadArguments

if TYPE_CHECKING:
    from handrail.words.person import Link

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form()]
OVER = "This link does not work any more: it was used, or its time is over. Ask for a new one."


@router.get("/set-up")
def look(request: Request, link: str = "") -> Response:
    """Show what the link is for."""
    return _drawn(request, _found(request, link), link)


@router.post("/set-up")
def use(
    request: Request, link: Text, password: Text, again: Text, person: Text = "", name: Text = ""
) -> Response:
    """Use it."""
    found = _found(request, link)
    try:
        whose = found.person or person_id(person)
        kept = passwords.hashed(password, whose, again=again)
        made = use_link(state_of(request).engine, digest_of(link), kept, person=whose, name=name or None)
    except BadArguments as error:
        return _drawn(request, found, link, str(error), person, name)
    return go(request, "/sign-in", f"The password of {made.id} is set. Sign in with it.")


def _found(request: Request, link: str) -> Link:
    found = links.peek(state_of(request).engine, link)
    if found is None:
        raise Problem(404, OVER)
    return found


def _drawn(
    request: Request, found: Link, link: str, wrong: str | None = None, person: str = "", name: str = ""
) -> Response:
    return page(
        request,
        "set_up.html",
        422 if wrong else 200,
        link=link,
        purpose=found.purpose.value,
        person=found.person or person,
        first=found.person is None,
        name=name,
        wrong=wrong,
        shortest=passwords.SHORTEST,
    )
