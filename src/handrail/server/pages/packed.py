"""Pages and their files are sent packed; programs, mostly on machines nearby, gain nothing from it."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, Response

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

PLAIN = ("/api/", "/live", "/slack/")
VARIES, PACKED = {"vary": "accept-encoding"}, {"content-encoding": "gzip"}
LEVEL = 5
"""Packs almost as well as the highest, in a third of its time."""


class Packed(GZipMiddleware):
    """Packs what people read."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, packed or as it is."""
        if scope["type"] == "http" and not scope["path"].startswith(PLAIN):
            await super().__call__(scope, receive, send)
        else:
            await self.app(scope, receive, send)


class Shared(HTMLResponse):
    """An answer that is sent to many: what other layers do to its headers does not stay in it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as others
        """Send it once more."""
        start = {"type": "http.response.start", "status": self.status_code, "headers": list(self.raw_headers)}
        await send(start)
        await send({"type": "http.response.body", "body": self.body})


def packed(text: str) -> Response:
    """A part of a page, packed once for everybody who asks for it."""
    return Shared(gzip.compress(text.encode(), LEVEL, mtime=0), headers=VARIES | PACKED)


def whole(text: str) -> Response:
    """The same as it is, for whoever can't unpack it."""
    return Shared(text, headers=VARIES)


def unpacks(request: Request) -> bool:
    """Whether whoever asks can unpack what is sent packed."""
    return "gzip" in request.headers.get("accept-encoding", "")
