"""The door of the demo's board: a one-time link lets a person of the demo in, without a password to invent.

Only the demo's own server has this door, and that listens on this machine alone, over made-up data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from handrail.demo.site import ENTRANCE
from handrail.ports import Commit
from handrail.remote.address import is_loopback
from handrail.server.auth import links
from handrail.server.auth.keys import digest_of
from handrail.server.auth.who import Caller, address_of, state_of, who
from handrail.server.errors import Problem
from handrail.server.pages.sign_in import admitted

if TYPE_CHECKING:
    from handrail.engine.core import Engine
    from handrail.ports import Transaction
    from handrail.words.person import Person

OVER = "This link was used already, or its time is over. Type link in the demo's terminal for another one."
router = APIRouter(include_in_schema=False)
Who = Annotated[Caller, Depends(who)]


@router.get(ENTRANCE)
def enter(request: Request, caller: Who, link: str = "") -> Response:
    """Use the link up, and sign its person in."""
    if caller.person is not None:
        return RedirectResponse("/", 303)
    state = state_of(request)
    address = address_of(request)
    if not is_loopback(address) or links.peek(state.engine, link) is None:
        raise Problem(404, OVER)
    came = state.sign_ins.open(
        _taken(state.engine, digest_of(link)),
        address=address,
        browser=request.headers.get("user-agent"),
        how="the demo's link",
    )
    return admitted(request, came, "/")


def _taken(engine: Engine, digest: str) -> Person:
    """Whose link this is. Taking it is one transaction, so that it lets one browser in.

    Raises:
        Problem: it does not work any more.
    """

    def work(tx: Transaction) -> Person:
        link = tx.people.take_link(digest, tx.now())
        person = None if link is None or link.person is None else tx.people.get(link.person)
        if person is None or not person.active:
            raise Problem(404, OVER)
        return person

    return engine.store.write(Commit.PERSON, work)
