"""Cookies: one that says who is signed in, and a few that live for minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

NAME = "handrail"
HOST = "__Host-"
"""A browser takes such a cookie only from https, for the whole site, and from no other host."""


def cookie_name(secure: bool, what: str = NAME) -> str:  # noqa: FBT001 - the one thing that matters here
    """What the cookie is called."""
    return f"{HOST}{what}" if secure else what


def cookie_of(request: Request, name: str) -> str | None:
    """The cookie's value."""
    return request.cookies.get(name) or None


def set_cookie(response: Response, name: str, value: str, seconds: int | None) -> None:
    """Give the browser a cookie that no script can read and no other site's form can send."""
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=name.startswith(HOST), httponly=True, samesite="lax"
    )


def drop_cookie(response: Response, name: str) -> None:
    """Take it back."""
    response.set_cookie(
        name, "", max_age=0, path="/", secure=name.startswith(HOST), httponly=True, samesite="lax"
    )
