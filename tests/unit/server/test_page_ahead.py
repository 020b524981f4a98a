"""What is answered ahead of the routes: one path, to people who are known, each let in anew."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from handrail.server.auth.keys import digest_of
from handrail.server.errors import Problem
from handrail.server.limits import limits_of
from handrail.server.pages.ahead import Ahead
from handrail.server.pages.packed import packed, whole
from handrail.server.security import Shield
from handrail.words.errors import StoreError
from tests.unit.server.test_security import COOKIE, ask

PART = "/overview"


async def route(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("the route")(scope, receive, send)


async def shared(request: Request) -> Response:
    return PlainTextResponse(f"shared with {request.cookies['handrail']}")


def ahead(answer: Callable[[Request], Awaitable[Response]] = shared) -> Ahead:
    """The layer in a process that knows the cookie."""
    limits = limits_of(100)
    limits.known.note(digest_of("secret"), works=True)
    return Ahead(route, path=PART, limits=limits, ask=answer)


async def test_who_is_known_is_answered_ahead_of_the_route() -> None:
    assert (await ask(ahead(), path=PART, headers=COOKIE)).text == "shared with secret"


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/", COOKIE),
        ("GET", f"{PART}/", COOKIE),
        ("POST", PART, COOKIE),
        ("GET", PART, {}),
        ("GET", PART, {"cookie": "handrail=another"}),
        ("GET", PART, {**COOKIE, "authorization": "Bearer hr_a_1_2"}),
    ],
)
async def test_everything_else_goes_on_to_its_route(method: str, path: str, headers: dict[str, str]) -> None:
    assert (await ask(ahead(), method, path, headers=headers)).text == "the route"


@pytest.mark.parametrize("error", [Problem(401, "not signed in"), Problem(403, "no"), StoreError("away")])
async def test_who_is_refused_goes_on_to_the_route_which_says_so(error: Exception) -> None:
    async def refuse(request: Request) -> Response:
        raise error

    assert (await ask(ahead(refuse), path=PART, headers=COOKIE)).text == "the route"


async def test_one_answer_is_sent_to_many_and_keeps_nothing_of_any() -> None:
    drawn = whole("<p>the same</p>"), packed("<p>the same</p>")
    for each in drawn:
        before = list(each.raw_headers)
        first, second = [await ask(Shield(each, secure=True)) for _ in range(2)]
        assert first.text == second.text == "<p>the same</p>"
        assert first.headers == second.headers
        assert first.headers["vary"] == "accept-encoding"
        assert each.raw_headers == before
