"""What several pages do alike: stay fresh, try something and tell what became of it, read a day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from handrail.server.auth.who import state_of
from handrail.server.pages.drawing import HTMX, NOTHING, go, page, part
from handrail.words.errors import BadArguments, HandrailError, StoreError

if TYPE_CHECKING:
    from fastapi import Request
    from starlette.responses import Response


def fresh(request: Request, template: str, /, **values: Any) -> Response:
    """A page; or only the part of it that changes, when the page itself asks at the address that drew it."""
    if HTMX in request.headers:
        return part(request, f"_{template}", **values)
    return page(request, template, **values)


def tried(
    request: Request, path: str, act: Callable[[], str], typed: Mapping[str, str] = NOTHING
) -> Response:
    """Do it and go on to a page that tells what was done; or why it was not, with what was ``typed``."""
    try:
        said = act()
    except StoreError:
        raise
    except HandrailError as error:
        return go(request, path, str(error), bad=True, typed=typed)
    return go(request, path, said)


def day_of(request: Request, text: str) -> int | None:
    """When a day begins in the policy's zone, in milliseconds; None when no day was given.

    Raises:
        BadArguments: it is no date.
    """
    if not text.strip():
        return None
    try:
        day = date.fromisoformat(text.strip())
    except ValueError as error:
        raise BadArguments(f"{text.strip()[:40]!r} is no date; expected one such as 2026-11-30") from error
    zone = ZoneInfo(state_of(request).engine.policy.policy.timezone)
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * 1000
