"""Drawing pages: everything is escaped, what can't be seen is made visible, what was done is told."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.exceptions import HTTPException

from handrail.server.auth.cookies import cookie_name, cookie_of, drop_cookie, set_cookie
from handrail.server.auth.signed import opened, sealed
from handrail.server.auth.who import Caller, identify, secret_of, secure_of, state_of
from handrail.server.errors import LATER, logger
from handrail.server.pages.listing import laid_out, listed
from handrail.words.errors import HandrailError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from handrail.engine.core import Engine
    from handrail.server.errors import Problem
    from handrail.server.state import ServerState
    from handrail.words.restriction import Halt

TEMPLATES = Path(__file__).parents[1] / "templates"
HTMX = "hx-request"
SAID = "handrail_said"
MINUTE = 60_000
LONGEST_SAID = 600
MOST_TYPED = 1_500
"""Characters of what was typed that a cookie carries back into its form."""
HOUR = 60 * MINUTE
NOT_FOUND, UNAVAILABLE = 404, 503
TITLES = {
    403: "This is not for you",
    NOT_FOUND: "There is nothing here",
    UNAVAILABLE: "Not at this moment",
}
"""What a page says of a problem, above its sentence."""
AWAY = "The store does not answer"
NOTHING: Mapping[str, str] = {}
UNITS = ((24 * HOUR, "day", "days"), (HOUR, "hour", "hours"), (MINUTE, "minute", "minutes"))
SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"))
MORE_SYSTEMS = (("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"))
BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"))


def page(request: Request, template: str, status: int = 200, /, **values: Any) -> HTMLResponse:
    """Draw a template."""
    state = state_of(request)
    caller: Caller | None = getattr(request.state, "caller", None)
    signed = cookie_name(secure_of(request), SAID)
    said = opened(state.engine.key, SAID, cookie_of(request, signed), state.engine.clock())
    text = (
        environment()
        .get_template(template)
        .render(
            request=request,
            me=caller.person if caller else None,
            said=said,
            typed_before=said.get("typed", {}) if said else {},
            now=state.engine.clock(),
            zone=state.engine.policy.policy.timezone,
            **{**_frame(request, caller, status), **values},
        )
    )
    drawn = HTMLResponse(text, status)
    if said is not None:
        drop_cookie(drawn, signed)
    return drawn


def begun(request: Request) -> None:
    """Note where a page's news goes on, before anything of it is read: a change meanwhile is news to it."""
    if HTMX not in request.headers and secret_of(request) is not None:
        request.state.cursor = _newest(state_of(request))


def part(request: Request, template: str, /, **values: Any) -> HTMLResponse:
    """Draw a part of a page, as the page that holds it does."""
    state = state_of(request)
    return HTMLResponse(part_text(state, template, stopped=_stopped(state.engine), **values))


def part_text(state: ServerState, template: str, /, **values: Any) -> str:
    """A part of a page that is the same for everybody."""
    known = {"now": state.engine.clock(), "zone": state.engine.policy.policy.timezone}
    return environment().get_template(template).render(**known, **values)


def _frame(request: Request, caller: Caller | None, status: int) -> dict[str, Any]:
    """What the head of each page tells a person: what is stopped, what can be, and where news goes on."""
    if caller is None or caller.person is None or status >= 500:  # noqa: PLR2004 - the store may not answer
        return {"stopped": (), "cursor": None, "may_stop": False, "stoppable": ()}
    state = state_of(request)
    noted = hasattr(request.state, "cursor")
    cursor = request.state.cursor if noted else _newest(state)
    stopped = _stopped(state.engine)
    policy = state.engine.policy.policy
    return {
        "stopped": stopped,
        "cursor": cursor,
        "may_stop": caller.role != "viewer",
        "stoppable": (("agent", list(policy.agents)), ("tool", list(policy.tools))),
    }


def _newest(state: ServerState) -> str | None:
    """Everything up to here can be read now."""
    return state.store.read(lambda tx: tx.journal.newest_cursor())


def _stopped(engine: Engine) -> Sequence[Halt]:
    """What is halted now: also where the policy can't be had, for then a halt is what is left."""
    if engine.catch_up():
        return engine.restrictions.halts
    return engine.store.read(lambda tx: tx.restrictions.read().halts)


def go(
    request: Request,
    path: str,
    said: str | None = None,
    *,
    bad: bool = False,
    typed: Mapping[str, str] = NOTHING,
) -> RedirectResponse:
    """Send the browser to a page of ours, where it is told what was done.

    ``typed`` stands in that page's form again, by the names that its template asks for.
    """
    response = RedirectResponse(path, 303)
    if said is not None:
        state = state_of(request)
        kept = typed if sum(map(len, typed.values())) <= MOST_TYPED else NOTHING
        value = {"text": said[:LONGEST_SAID], "bad": bad, "typed": kept}
        text = sealed(state.engine.key, SAID, value, state.engine.clock() + MINUTE)
        set_cookie(response, cookie_name(secure_of(request), SAID), text, 60)
    return response


def draw_problem(request: Request, told: Problem) -> Response:
    """A refusal as a page; nobody is first asked to sign in."""
    if told.status_code == 401 and HTMX in request.headers:  # noqa: PLR2004 - the well-known number
        # a part of a page can't hold the form for signing in: the whole page is loaded anew
        return HTMLResponse("", 401, {"hx-refresh": "true"})
    if told.status_code == 401 and request.method == "GET":  # noqa: PLR2004 - the well-known number
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/sign-in?to={quote(path)}", 303)
    if told.status_code == NOT_FOUND:
        _known(request)
    drawn = page(
        request,
        "problem.html",
        told.status_code,
        title=AWAY if told.detail == LATER else TITLES.get(told.status_code, "That did not work"),
        detail="There is no page at this address." if told.detail == "Not Found" else told.detail,
        errors=told.errors,
        again=told.status_code == UNAVAILABLE and request.method == "GET",
    )
    if told.status_code == UNAVAILABLE and request.method == "GET":
        drawn.headers["refresh"] = "5"
    return drawn


def _known(request: Request) -> None:
    """Whoever is signed in keeps the head of their pages, with its stop, also where there is no page."""
    try:
        request.state.caller = identify(request)
    except (HandrailError, HTTPException) as error:
        logger.debug("nobody is known on a page that is not there: %s", type(error).__name__)


def ours(path: str) -> str:
    """A path of ours to go on to; anything else is the first page."""
    fine = path.startswith("/") and not path.startswith("//") and path.isascii() and path.isprintable()
    return path if fine and "\\" not in path else "/"


@cache
def environment() -> Environment:
    """The templates."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        moment=moment,
        machine=machine,
        clock=clock,
        span=span,
        percent=percent,
        browser_name=browser_name,
        laid_out=laid_out,
        listed=listed,
        capital=capital,
    )
    return made


def visible(value: Any) -> Any:
    """Every text with what can't be seen written as an escape: reversed or hidden text deceives nobody."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return "" if value is None else value
    if value.isprintable():
        return value
    return "".join(sign if sign.isprintable() or sign in "\n\t" else _escape(sign) for sign in value)


def moment(at: int, zone: str) -> str:
    """A time as people read it."""
    return _local(at, zone).strftime("%a %d %b %Y, %H:%M %Z")


def clock(at: int, zone: str) -> str:
    """The time of a day."""
    return _local(at, zone).strftime("%H:%M")


def machine(at: int) -> str:
    """A time as programs read it."""
    return _local(at, "UTC").strftime("%Y-%m-%dT%H:%M:%SZ")


def span(milliseconds: int) -> str:
    """A length of time in its two largest fitting units."""
    left = abs(milliseconds)
    told: list[str] = []
    for unit, one, many in UNITS:
        count, left = divmod(left, unit)
        if count or told:
            told.append(f"{count} {one if count == 1 else many}" if count else "")
    return " ".join(filter(None, told[:2])) or "less than a minute"


def browser_name(agent: str | None) -> str:
    """What a browser calls itself, short enough to be recognised; its own words where we don't know it."""
    given = agent or ""
    name = next((name for mark, name in (*BROWSERS, ("Safari/", "Safari")) if mark in given), None)
    system = next((name for mark, name in (*SYSTEMS, *MORE_SYSTEMS) if mark in given), None)
    if name is None:
        return given or "an unknown browser"
    return f"{name} on {system}" if system else name


def percent(share: Decimal) -> str:
    """A number from 0 to 1 as per cent, exactly."""
    return f"{(share * 100).normalize():f} %"


def capital(text: str, rule: str = "") -> str:
    """A reason as a sentence of its own: the gate joins several in one. The name of a rule stays as it is."""
    return text if rule and text.startswith(rule) else text[:1].upper() + text[1:]


def _local(at: int, zone: str) -> datetime:
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone))


def _escape(sign: str) -> str:
    return f"\\u{ord(sign):04x}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08x}"  # noqa: PLR2004 - first plane
