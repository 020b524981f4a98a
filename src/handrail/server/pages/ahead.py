"""What everybody who looks on fetches at each change is answered ahead of the routes: all get the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request

from handrail.server.errors import logger
from handrail.server.security import known_cookie
from handrail.words.errors import HandrailError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from handrail.server.limits import Limits

KEY = b"authorization"


class Ahead:
    """A layer that answers one path to people who were signed in when they were last looked at.

    Each is let in anew by ``ask``, as on the route. Whoever is refused, and all others, go on to the route.
    """

    def __init__(
        self, app: ASGIApp, *, path: str, limits: Limits, ask: Callable[[Request], Awaitable[Response]]
    ) -> None:
        """``ask`` gives the answer, or raises the refusal; ``limits`` knows the people."""
        self._app, self._path, self._limits, self._ask = app, path, limits, ask

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        found = await self._answer(scope) if self._is_it(scope) else None
        await (found or self._app)(scope, receive, send)

    def _is_it(self, scope: Scope) -> bool:
        return (
            scope["type"] == "http"
            and scope["path"] == self._path
            and scope["method"] == "GET"
            and all(name != KEY for name, _ in scope["headers"])
            and known_cookie(self._limits, scope) is not None
        )

    async def _answer(self, scope: Scope) -> Response | None:
        try:
            return await self._ask(Request(scope))
        except (HandrailError, HTTPException) as error:
            logger.debug("%s is left to its route: %s", self._path, type(error).__name__)
            return None
