"""The layers around every route: headers, other sites, sizes, floods, and what nobody expected."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from handrail.server.auth.keys import digest_of
from handrail.server.limits import OTHERS, Buckets, limits_of
from handrail.server.security import ALWAYS, BodyLimit, SameSite, Shield, Throttle, Turns

HERE = "http://desk.example"
COOKIE = {"cookie": "handrail=secret"}


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Says how long the body was."""
    if scope["path"] == "/broken":
        raise RuntimeError("postgresql://user:hunter2@db/x")
    body = await Request(scope, receive).body()
    await JSONResponse({"read": len(body)})(scope, receive, send)


async def ask(
    app: ASGIApp,
    method: str = "GET",
    path: str = "/",
    base: str = HERE,
    content: bytes | AsyncIterator[bytes] | None = None,
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    """One request to an application in this process."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base) as client:
        return await client.request(method, path, content=content, headers=headers)


async def test_every_answer_has_the_headers() -> None:
    found = await ask(Shield(echo, secure=False))
    for name, value in ALWAYS.items():
        assert found.headers[name] == value
    assert found.headers["cache-control"] == "no-store"
    assert "unsafe" not in found.headers["content-security-policy"]
    assert "strict-transport-security" not in found.headers


async def test_https_is_asked_for_only_where_it_is() -> None:
    assert "strict-transport-security" in (await ask(Shield(echo, secure=True))).headers
    assert (
        "strict-transport-security"
        in (await ask(Shield(echo, secure=False), base="https://desk.example")).headers
    )


async def test_an_unexpected_error_tells_nothing_of_the_inside(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL):
        found = await ask(Shield(echo, secure=False), path="/broken")
    assert found.status_code == 500
    assert found.headers["content-type"] == "application/problem+json"
    assert "content-security-policy" in found.headers
    assert "hunter2" not in found.text
    assert "Traceback" not in found.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin", **COOKIE}, 200),
        ({"sec-fetch-site": "none", **COOKIE}, 200),
        ({"sec-fetch-site": "same-site", **COOKIE}, 403),
        ({"sec-fetch-site": "cross-site", **COOKIE}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"origin": HERE, **COOKIE}, 200),
        ({"origin": "https://public.example", **COOKIE}, 200),
        ({"origin": "https://evil.example", **COOKIE}, 403),
        ({"origin": "null", **COOKIE}, 403),
        ({"origin": "https://evil.example"}, 403),
        (COOKIE, 403),
        ({"cookie": "__Host-handrail=secret"}, 403),
        ({"authorization": "Bearer hr_a_1_2"}, 200),
        ({}, 200),
    ],
)
async def test_no_other_site_changes_anything(headers: dict[str, str], status: int) -> None:
    app = SameSite(echo, url="https://public.example")
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert (await ask(app, method, headers=headers)).status_code == status
    assert (await ask(app, "GET", headers=headers)).status_code == 200


async def test_a_program_with_a_cookie_is_told_what_to_add_and_another_site_is_not() -> None:
    app = SameSite(echo, url=None)
    assert "adds the header Origin" in (await ask(app, "POST", headers=COOKIE)).json()["detail"]
    assert (await ask(app, "POST", headers={**COOKIE, "origin": HERE})).status_code == 200
    foreign = await ask(app, "POST", headers={**COOKIE, "origin": "https://evil.example"})
    assert "another site" in foreign.json()["detail"]


async def test_a_body_that_is_too_large_is_not_read() -> None:
    app = BodyLimit(echo, limit=1_000)
    assert (await ask(app, "POST", content=b"x" * 1_000)).json() == {"read": 1_000}
    assert (await ask(app, "POST", content=b"x" * 1_001)).status_code == 413


async def test_a_body_is_counted_whatever_the_request_says() -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"x" * 300

    app = Shield(BodyLimit(echo, limit=1_000), secure=False)
    assert (await ask(app, "POST", content=parts())).status_code == 413
    assert (await ask(app, "POST", content=b"x", headers={"content-length": "-1"})).status_code == 413


async def test_a_flood_of_one_address_is_held_back() -> None:
    now = [0.0]
    limits = replace(limits_of(1), addresses=Buckets(1, 2, lambda: now[0]))
    app = Throttle(echo, limits=limits)
    assert [(await ask(app)).status_code for _ in range(3)] == [200, 200, 429]
    now[0] = 1.0
    assert [(await ask(app)).status_code for _ in range(2)] == [200, 429]


async def test_a_person_who_is_signed_in_gets_through_a_flood_of_their_address() -> None:
    limits = replace(limits_of(1), addresses=Buckets(1, 2, lambda: 0.0))
    app = Throttle(echo, limits=limits)
    assert [(await ask(app)).status_code for _ in range(3)] == [200, 200, 429]
    assert (await ask(app, headers=COOKIE)).status_code == 429
    limits.known.note(digest_of("secret"), works=True)
    assert [(await ask(app, headers=COOKIE)).status_code for _ in range(3)] == [200, 200, 429]
    limits.known.note(digest_of("secret"), works=False)
    assert (await ask(app, headers=COOKIE)).status_code == 429


async def test_strangers_take_turns_and_who_is_signed_in_needs_none() -> None:
    limits = limits_of(1)
    app = Turns(echo, limits=limits)
    limits.known.note(digest_of("secret"), works=True)
    for _ in range(OTHERS):
        await limits.others.acquire()
    waiting = asyncio.create_task(ask(app, "POST", content=b"xyz"))
    assert (await ask(app, headers=COOKIE)).json() == {"read": 0}
    assert (await ask(app, path="/health")).status_code == 200
    assert not waiting.done()
    limits.others.release()
    assert (await waiting).json() == {"read": 3}
    assert (await ask(app, "POST", content=b"xyz")).json() == {"read": 3}, "a turn ends with the answer"


async def test_who_waits_for_an_answer_needs_no_turn_and_nobody_gets_past_by_saying_so_elsewhere() -> None:
    limits = limits_of(1)
    app = Turns(echo, limits=limits)
    for _ in range(OTHERS):
        await limits.others.acquire()
    assert (await ask(app, path="/api/v1/actions/a1?wait=5")).status_code == 200
    passing = [
        asyncio.create_task(ask(app, path=path))
        for path in ("/api/v1/actions?wait=5", "/?wait=5", "/api/v1/actions/a1")
    ]
    done, _ = await asyncio.wait(passing, timeout=0.2)
    assert not done
    limits.others.release()
    assert [(await each).status_code for each in passing] == [200, 200, 200]


async def test_a_turn_that_fails_ends() -> None:
    limits = limits_of(1)
    app = Shield(Turns(echo, limits=limits), secure=False)
    for _ in range(OTHERS + 1):
        assert (await ask(app, path="/broken")).status_code == 500
    assert not limits.others.locked()


def test_buckets_forget_who_was_quiet_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handrail.server.limits.REMEMBERED", 2)
    buckets = Buckets(0.001, 1, lambda: 0.0)
    assert all(buckets.take(each) for each in ("a", "b", "c"))
    assert not buckets.take("c")
    assert buckets.take("a")
    assert not buckets.take("a")
