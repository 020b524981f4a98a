"""What holds for every request and answer, whatever the route: plain ASGI layers, from the outside in."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, cookie_parser

from handrail.server.auth.cookies import HOST, NAME
from handrail.server.auth.keys import digest_of
from handrail.server.errors import Problem, logger, problem, problem_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from handrail.server.limits import Limits

CONTENT = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
ALWAYS = {
    "content-security-policy": CONTENT,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
HSTS = "max-age=31536000; includeSubDomains"
Header = tuple[bytes, bytes]
PLAIN: tuple[Header, ...] = tuple((name.encode(), value.encode()) for name, value in ALWAYS.items())
CERTAIN: tuple[Header, ...] = ((b"strict-transport-security", HSTS.encode()),)
"""Said where https is certain."""
FILES, REST = (b"cache-control", b"no-cache"), (b"cache-control", b"no-store")
STATIC = "/static/"
ACTIONS = "/api/v1/actions"
WAITS = re.compile(rf"{ACTIONS}/[^/]+")
DIGESTS = "handrail.digests"
"""Where a request keeps the digests of its cookies: several layers ask for them."""
UNEXPECTED = 500
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OURS = frozenset({"same-origin", "none"})
TOO_LARGE = "The request's body is larger than this server reads."
FOREIGN = "This came from another site. Open Handrail itself and try again there."
UNSAID = (
    "This has a sign-in's cookie and does not say where it comes from, as every browser does. "
    "A program adds the header Origin with this server's own address."
)


class Shield:
    """The outermost layer: security headers on every answer, and a plain answer to what nobody expected."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        """``secure``: the public address is an https one."""
        self._app, self._secure = app, secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = False

        async def adorned(message: Message) -> None:
            nonlocal began
            if message["type"] == "http.response.start":
                began = True
                message["headers"] = self._adorned(scope, message["headers"])
            await send(message)

        try:
            await self._app(scope, receive, adorned)
        except ClientDisconnect:
            logger.debug("whoever sent %s %s went away", scope["method"], scope["path"])
        except Exception as error:
            if began:
                raise
            told = problem_of(error)
            if told.status_code == UNEXPECTED:
                logger.exception("%s %s failed", scope["method"], scope["path"])
            await problem(told.status_code, told.detail)(scope, receive, adorned)

    def _adorned(self, scope: Scope, given: Iterable[Header]) -> list[Header]:
        """The headers with all of ours that a route did not set itself."""
        headers = list(given)
        known = {name for name, _ in headers}
        ours = (*PLAIN, *(CERTAIN if self._secure or scope["scheme"] == "https" else ()))
        kept = FILES if scope["path"].startswith(STATIC) else REST
        return [*headers, *(each for each in (*ours, kept) if each[0] not in known)]


class Throttle:
    """So many requests of one address in a second, and no more; a person who is signed in counts alone."""

    def __init__(self, app: ASGIApp, *, limits: Limits) -> None:
        """``limits`` has the buckets, and knows the people."""
        self._app, self._limits = app, limits

    def _fits(self, scope: Scope) -> bool:
        subject = known_cookie(self._limits, scope) or (scope.get("client") or ("unknown",))[0]
        return self._limits.addresses.take(subject)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 429."""
        if scope["type"] == "http" and not self._fits(scope):
            answer = problem(429, "Too many requests from this address.", headers={"retry-after": "1"})
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)


class Turns:
    """Programs and strangers take turns, so that people who are signed in always find a thread for a halt.

    A turn begins when the request is there as a whole, and ends when its answer begins: nobody holds one by
    being slow. Proposals have turns of their own, and who waits for an answer needs none.
    """

    def __init__(self, app: ASGIApp, *, limits: Limits) -> None:
        """``limits`` knows the people, and how many others there may be."""
        self._app, self._limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, at once or when it is this one's turn."""
        if scope["type"] != "http" or _needs_none(scope) or known_cookie(self._limits, scope):
            await self._app(scope, receive, send)
            return
        came = deque(await _whole(receive))
        await self._limits.others.acquire()
        holds = True

        async def again() -> Message:
            return came.popleft() if came else await receive()

        async def begun(message: Message) -> None:
            nonlocal holds
            if holds:
                holds = False
                self._limits.others.release()
            await send(message)

        try:
            await self._app(scope, again, begun)
        finally:
            if holds:
                self._limits.others.release()


class SameSite:
    """Whatever changes something comes from our own pages or from a program: no other site can send it."""

    def __init__(self, app: ASGIApp, *, url: str | None) -> None:
        """``url``: the public address, if it is known."""
        self._app, self._url = app, url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 403."""
        if scope["type"] == "http" and scope["method"] not in SAFE:
            headers = Headers(scope=scope)
            if not self._is_ours(scope, headers):
                said = "sec-fetch-site" in headers or "origin" in headers
                await problem(403, FOREIGN if said else UNSAID)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _is_ours(self, scope: Scope, headers: Headers) -> bool:
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None:
            return site in OURS
        if origin is not None:
            return origin in {self._url, f"{scope['scheme']}://{headers.get('host', '')}"}
        return _has_key(headers) or not _has_cookie(headers)


class BodyLimit:
    """So many bytes of a body, counted while they come: what the request says of itself is not enough."""

    def __init__(self, app: ASGIApp, *, limit: int) -> None:
        """At most ``limit`` bytes."""
        self._app, self._limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        said = Headers(scope=scope).get("content-length", "0")
        if not said.isdigit() or int(said) > self._limit:
            await problem(413, TOO_LARGE)(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._limit:
                raise Problem(413, TOO_LARGE)
            return message

        await self._app(scope, counted, send)


def known_cookie(limits: Limits, scope: Scope) -> str | None:
    """The digest of the cookie of somebody who is signed in, as far as this process knows."""
    if DIGESTS not in scope:
        scope[DIGESTS] = tuple(_digests(Headers(scope=scope).get("cookie", "")))
    return next((each for each in scope[DIGESTS] if each in limits.known), None)


def _digests(given: str) -> Iterator[str]:
    if NAME in given:
        cookies = cookie_parser(given)
        yield from (digest_of(cookies[name]) for name in (f"{HOST}{NAME}", NAME) if name in cookies)


def _needs_none(scope: Scope) -> bool:
    path: str = scope["path"]
    if scope["method"] == "POST":
        return path == ACTIONS or (path.startswith(f"{ACTIONS}/") and path.endswith("/start"))
    if path == "/health" or path.startswith(STATIC):
        return True
    # only where waiting is known: anywhere else the word would be a way past the queue
    return WAITS.fullmatch(path) is not None and b"wait=" in scope["query_string"]


async def _whole(receive: Receive) -> list[Message]:
    """Every message of a request's body, or until whoever sends it goes away."""
    found = [await receive()]
    while found[-1]["type"] == "http.request" and found[-1].get("more_body", False):
        found.append(await receive())
    return found


def _has_cookie(headers: Headers) -> bool:
    """Whether a sign-in of ours, or one that is being made, comes along."""
    return NAME in headers.get("cookie", "")


def _has_key(headers: Headers) -> bool:
    """Whether it carries a key: no other site knows one."""
    return headers.get("authorization", "").lower().startswith("bearer ")
