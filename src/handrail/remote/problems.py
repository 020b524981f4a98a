"""The server's refusals of a request (RFC 9457) as the errors that an embedded rail raises."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from handrail.words.errors import BadArguments, Conflict, HandrailError, NotFound, Refused, StoreError
from handrail.words.problem import Problem

KINDS: dict[int, type[HandrailError]] = {
    400: BadArguments,
    401: Refused,
    403: Refused,
    404: NotFound,
    409: Conflict,
    413: BadArguments,
    422: BadArguments,
}
_PLACED = re.compile(r"(?P<file>[^:\n]*):(?P<line>\d+):(?P<column>\d+): (?P<message>.*)", re.DOTALL)


def error_of(status: int, body: bytes) -> HandrailError:
    """The error of an answer with this status; what is nothing that we know means that it can't be used."""
    told = _problem(body)
    detail = str(told.get("detail") or told.get("title") or "")
    if status not in KINDS:
        return StoreError(f"the server answered {status}{f': {detail}' if detail else ''}")
    if status == 401:  # noqa: PLR2004 - the one status that is about the key
        detail = f"the server does not accept this key{f': {detail}' if detail else ''}"
    return KINDS[status](detail + _each(told) or f"the server answered {status}")


def policy_problems(error: BadArguments) -> tuple[Problem, ...]:
    """What the server says of a tool that does not fit its policy, placed in that policy where it can be."""
    return tuple(_placed(line) for line in str(error).splitlines() if line.strip())


def _placed(line: str) -> Problem:
    found = _PLACED.fullmatch(line)
    if found is None:
        return Problem("the server's policy", 1, 1, line)
    return Problem(found["file"], int(found["line"]), int(found["column"]), found["message"])


def _each(told: dict[str, Any]) -> str:
    """Where what is wrong, for a request that was not what the server expects."""
    errors = told.get("errors")
    named = [each for each in errors if isinstance(each, dict)] if isinstance(errors, list) else []
    return "".join(f"; {each['pointer']}: {each.get('detail')}" for each in named if "pointer" in each)


def _problem(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
