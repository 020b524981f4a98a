"""How a route of the API is declared: its roles, what it takes, gives and refuses, all documented."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
from anyio import to_thread
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from handrail.server.api.mistakes import explained
from handrail.server.api.shapes import ID, NAME, Refusal
from handrail.server.auth.who import Caller, permit, state_of, who
from handrail.server.errors import PROBLEM, Problem
from handrail.server.roles import ROLES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from handrail.engine.core import Engine
    from handrail.ports import Store

V1 = "/api/v1"
JSON = "application/json"
PAGE = 50
LONGEST_PAGE = 200
WHY = {
    400: "The body is not JSON.",
    401: "Nobody, or a key or sign-in that does not work.",
    403: "Not for this role, or refused with a reason.",
    404: "There is no such thing, or it is another agent's.",
    409: "Somebody was faster, or what was seen has changed. Nothing was done.",
    413: "The body is too large.",
    415: "The body is not called JSON.",
    422: "The request is not what was expected.",
    429: "Too many requests.",
    503: "The store, or the active policy, can't be used now.",
}
"""Every refusal that a route may give, in one shape."""
ALWAYS = (401, 403, 422, 429, 503)
WRITING = (409,)
READING = (400, 413, 415)
SECURE: dict[str, Any] = {"security": [{"key": []}, {"sign_in": []}]}
F = TypeVar("F", bound="Callable[..., Any]")
S = TypeVar("S", bound=msgspec.Struct)

Who = Annotated[Caller, Depends(who)]
Id = Annotated[str, Path(pattern=ID, description="The id.", examples=["0193a5e2c4d800000123456789ab"])]
Name = Annotated[str, Path(pattern=NAME, max_length=500, description="The name.", examples=["support"])]
Filter = Annotated[str | None, Query(pattern=NAME, max_length=500)]
Cursor = Annotated[
    str | None,
    Query(pattern=ID, description="What the page before gave as `next`; opaque."),
]
Limit = Annotated[int, Query(ge=1, le=LONGEST_PAGE, description="Items of a page at most.")]

SHAPES: set[type] = {Refusal}
"""Everything that any route takes or gives."""
_encode = msgspec.json.Encoder(decimal_format="number").encode


def routes(tag: str) -> APIRouter:
    """The routes of one measure."""
    return APIRouter(tags=[tag], responses={})


def route(  # noqa: PLR0913 - a route is all of this
    router: APIRouter,
    row: str,
    *,
    gives: type | None,
    takes: type | None = None,
    status: int = 200,
    shown: object = None,
    said: object = None,
    optional: bool = False,
    quick: bool = False,
    streams: bool = False,
) -> Callable[[F], F]:
    """Declare a route, by its row in ``ROLES`` without the prefix.

    ``shown`` and ``said`` are examples of what it gives and takes; ``optional``: it may take nothing.
    A ``quick`` route looks by itself who asks: it saves two hops between threads. One that ``streams`` gives
    server-sent events.
    """
    method, _, path = row.partition(" ")
    full = V1 + path
    known = {each for each in (gives, takes) if each is not None}
    SHAPES.update(known)

    def declare(function: F) -> F:
        lines = (function.__doc__ or "").strip().partition("\n")
        router.add_api_route(
            full,
            function,
            methods=[method],
            status_code=status,
            response_class=Response,
            operation_id=function.__name__,
            summary=lines[0].rstrip("."),
            description=" ".join(lines[2].split()) or None,
            dependencies=[] if quick else [Depends(_allowed(f"{method} {full}"))],
            responses=_responses(method, full, _good(gives, shown, streams=streams), status, takes=takes),
            openapi_extra=(_body(takes, said, required=not optional) or {}) | (SECURE if quick else {}),
        )
        return function

    return declare


def _allowed(row: str) -> Callable[..., Any]:
    roles = ROLES.get(row, frozenset())

    async def allowed(caller: Who) -> None:
        permit(caller, roles)

    return allowed


def reading(shape: type[S], *, optional: bool = False) -> Any:
    """A dependency that reads the body: strictly, with every number exact."""
    decoder = msgspec.json.Decoder(shape, float_hook=Decimal)

    async def body(request: Request) -> S:
        return decoded(decoder, await raw_body(request, optional=optional))

    return Depends(body)


async def raw_body(request: Request, *, optional: bool = False) -> bytes:
    """The body of a request that says that it is JSON.

    Raises:
        Problem: it says that it is something else.
    """
    data = await request.body()
    if optional and not data:
        return b"{}"
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON:
        raise Problem(415, f"Send {JSON}.")
    return data


def decoded(decoder: msgspec.json.Decoder[S], data: bytes) -> S:
    """What the body says.

    Raises:
        Problem: 400 for what is no JSON, 422 for what is not the expected shape, with the place.
    """
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        pointer, detail = explained(decoder.type, str(error))
        wrong = {"pointer": f"/body{pointer}", "detail": detail}
        raise Problem(422, "The request is not what was expected.", errors=[wrong]) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError) as error:
        raise Problem(400, f"The body is not JSON that can be read: {error}") from error


def answer(value: object, status: int = 200) -> Response:
    """A response with exact numbers."""
    return Response(_encode(value), status, media_type=JSON)


async def judging(request: Request, work: Callable[[], Response]) -> Response:
    """Judge in one of the threads for it: however many proposals come, people find a thread."""
    return await to_thread.run_sync(work, limiter=state_of(request).limits.proposals)


def engine_of(request: Request) -> Engine:
    """The engine that the request reaches."""
    return state_of(request).engine


def store_of(request: Request) -> Store:
    """The store that the request reaches."""
    return state_of(request).store


def following(items: Sequence[Any], limit: int, cursor: Callable[[Any], str]) -> str | None:
    """Where the next page begins; None after the last."""
    return cursor(items[-1]) if len(items) == limit else None


def _good(gives: type | None, shown: object, *, streams: bool) -> dict[str, Any]:
    if streams:
        schema = {"type": "string", "description": "Server-sent events."}
        return {"description": "The stream.", "content": {"text/event-stream": {"schema": schema}}}
    if gives is None:
        return {"description": "Done."}
    return {"description": "Done.", "content": {JSON: _content(gives, shown)}}


def _responses(
    method: str, path: str, good: dict[str, Any], status: int, *, takes: type | None
) -> dict[int | str, dict[str, Any]]:
    codes = {*ALWAYS, *(WRITING if method != "GET" else ()), *(READING if takes else ())}
    if "{" in path or takes:
        codes.add(404)
    refusals: dict[int | str, dict[str, Any]] = {code: _refusal(code) for code in sorted(codes)}
    return {status: good, **refusals}


def _refusal(code: int) -> dict[str, Any]:
    example = {"type": "about:blank", "title": "…", "status": code, "detail": WHY[code]}
    return {"description": WHY[code], "content": {PROBLEM: _content(Refusal, example)}}


def _body(takes: type | None, said: object, *, required: bool) -> dict[str, Any] | None:
    if takes is None:
        return None
    return {"requestBody": {"required": required, "content": {JSON: _content(takes, said)}}}


def _content(shape: type, example: object) -> dict[str, Any]:
    found: dict[str, Any] = {"schema": {"$ref": f"#/components/schemas/{shape.__name__}"}}
    return found if example is None else {**found, "example": example}
