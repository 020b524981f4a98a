"""The gateway in front of another application, which has all other paths."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from handrail.llm.routes import MOUNT

if TYPE_CHECKING:
    from handrail.llm.gateway import Gateway

App = Callable[..., Any]


class Mounted:
    """An ASGI application: ``/llm/`` is the gateway's; cookies, forms and pages have no part in it."""

    def __init__(self, inner: App, gateway: Gateway) -> None:
        """``inner`` has the other paths, and its start and end are the server's."""
        self._inner, self._gateway = inner, gateway

    async def __call__(self, scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        """Answer."""
        if scope["type"] == "http" and scope["path"].startswith(MOUNT):
            await self._gateway(scope, receive, send)
            return
        try:
            await self._inner(scope, receive, send)
        finally:
            if scope["type"] == "lifespan":
                await self._gateway.close()
