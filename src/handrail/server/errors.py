"""Every refusal in one shape: problem details (RFC 9457) for programs, a page for people."""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from handrail.words.errors import (
    BadArguments,
    Conflict,
    HandrailError,
    IllegalMove,
    NotFound,
    Overspent,
    PolicyError,
    PolicyLost,
    Refused,
    StoreError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fastapi import FastAPI, Request
    from starlette.responses import Response

logger = logging.getLogger("handrail.server")
STATUS: Mapping[type[HandrailError], int] = {
    BadArguments: 422,
    PolicyError: 422,
    NotFound: 404,
    Conflict: 409,
    IllegalMove: 409,
    Overspent: 409,
    Refused: 403,
    StoreError: 503,
}
LATER = "The store can't be used now. Look whether it happened before you try it again."
LOST = (
    "The active policy can't be read here, so nothing can be proposed or approved. Rejecting and stopping "
    "still work. An admin takes up a version that this server can read."
)
OURS = (
    "Something went wrong here; the server's log tells what. Look whether it happened before you try again."
)
NOWHERE: Mapping[int, str] = {
    404: "There is nothing at this address. GET /openapi.json tells every address of the API.",
    405: "This address does not take this method. GET /openapi.json tells which it takes.",
}
"""Instead of the bare words that the framework has for what no route takes."""
PROBLEM = "application/problem+json"
_PASSWORD = re.compile(r"(://[^:@/\s]*):[^@\s]*@|(password\s*=\s*)('[^']*'|\S+)", re.IGNORECASE)


class Problem(HTTPException):
    """A refusal with a status, and perhaps a list of what is wrong where."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Keep ``errors``."""
        super().__init__(status, detail, headers)
        self.errors = tuple(errors)


def problem(
    status: int,
    detail: str,
    errors: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The response of a refusal."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        body["errors"] = list(errors)
    return JSONResponse(body, status, dict(headers or {}), PROBLEM)


def scrubbed(text: str) -> str:
    """A text without the passwords of the addresses in it."""
    return _PASSWORD.sub(lambda found: f"{found[1]}:…@" if found[1] is not None else f"{found[2]}…", text)


def problem_of(error: Exception) -> Problem:
    """What is told of an error, and with which status; unknown ones tell nothing of the inside."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException):
        return Problem(error.status_code, str(error.detail), headers=error.headers)
    if isinstance(error, RequestValidationError):
        return Problem(422, "The request is not what was expected.", errors=_invalid(error))
    if isinstance(error, StoreError):
        logger.error("the store can't be used: %s", scrubbed(str(error)))
        return Problem(503, LATER, headers={"retry-after": "1"})
    if isinstance(error, PolicyLost):
        logger.error("%s", error)
        return Problem(503, LOST, headers={"retry-after": "10"})
    if isinstance(error, PolicyError):
        errors = [{"detail": str(each)} for each in error.problems]
        return Problem(422, str(error), errors=errors)
    if isinstance(error, HandrailError):
        status = next((status for kind, status in STATUS.items() if isinstance(error, kind)), 409)
        return Problem(status, str(error))
    return Problem(500, OURS)


def install(app: FastAPI) -> None:
    """Let every error of a route become a problem, or a page for people."""
    for kind in (HandrailError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, _answer)


async def _answer(request: Request, error: Exception) -> Response:
    told = problem_of(error)
    draw = getattr(request.app.state, "draw_problem", None)
    if draw is not None and for_people(request):
        response: Response = draw(request, told)
        return response
    return problem(told.status_code, _sentence(told), told.errors, told.headers)


def _sentence(told: Problem) -> str:
    bare = told.detail == HTTPStatus(told.status_code).phrase
    return NOWHERE.get(told.status_code, told.detail) if bare else told.detail


def for_people(request: Request) -> bool:
    """Whether a person looks at the answer: a page was asked for, outside the API."""
    path = request.url.path
    return not path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def _invalid(error: RequestValidationError) -> list[dict[str, Any]]:
    """Where what is wrong; never the value itself, which may be a secret."""
    return [
        {"pointer": "/" + "/".join(map(str, each["loc"])), "detail": str(each["msg"])}
        for each in error.errors()
    ]
