"""The log: newest first, searched and narrowed by what stands in the address, and taken along as a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response, StreamingResponse

from handrail.engine.views.exports import as_lines, as_table, within
from handrail.engine.views.lookback import Look, look_back
from handrail.engine.views.story import told
from handrail.server.auth.who import Caller, allow, state_of
from handrail.server.errors import Problem
from handrail.server.pages.drawing import page, part
from handrail.server.pages.live import MEASURES
from handrail.server.pages.told import WORDS
from handrail.words.entry import Kind
from handrail.words.query import EntryFilter

router = APIRouter(include_in_schema=False, prefix="/log")
Viewer = Annotated[Caller, Depends(allow("viewer"))]
Word = Annotated[str, Query(max_length=500)]
Number = Annotated[str, Query(pattern=r"^[0-9]{0,18}$")]
ROWS = 50
COLUMNS = {
    "time": "Time",
    "kind": "What",
    "agent": "Agent",
    "tool": "Tool",
    "task": "For",
    "session": "Session",
    "told": "Told",
}
SHOWN = ("time", "kind", "agent", "tool", "task", "told")
"""The columns where none were chosen."""
WAYS: dict[str, tuple[str, Callable[[Iterable[dict[str, Any]]], Iterator[bytes]]]] = {
    "jsonl": ("application/jsonl", as_lines),
    "csv": ("text/csv; charset=utf-8", as_table),
}
"""How an export is written, by the ending of its name."""
Columns = Annotated[list[str] | None, Query(max_length=len(COLUMNS))]


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, as it stands in the address."""

    text: Word = ""
    kind: Word = ""
    agent: Word = ""
    tool: Word = ""
    task: Word = ""
    session: Word = ""
    since: Word = ""
    until: Word = ""


Wanted = Annotated[Asked, Depends(Asked)]


@router.get("")
def listed(
    request: Request, caller: Viewer, asked: Wanted, col: Columns = None, before: Number = ""
) -> Response:
    """The newest entries that fit, and as far back as one look goes."""
    del caller
    values = _values(request, asked, col, before)
    return page(request, "log.html", 422 if values["wrong"] else 200, **values)


@router.get("/rows")
def again(request: Request, caller: Viewer, asked: Wanted, col: Columns = None) -> Response:
    """The newest rows, when something came."""
    del caller
    return part(request, "_log.html", **_values(request, asked, col, ""))


@router.get("/export.{way}")
def export(request: Request, caller: Viewer, way: str, asked: Wanted) -> Response:
    """Each action as one line, oldest first, redacted as the log is."""
    del caller
    if way not in WAYS:
        raise Problem(404, f"There is no export as {way}: expected {' or '.join(WAYS)}.")
    engine = state_of(request).engine
    zone = engine.policy.policy.timezone
    try:
        begin, end = _moment(asked.since, zone), _moment(asked.until, zone)
    except ValueError as error:
        raise Problem(422, str(error)) from error
    wanted = EntryFilter(
        agent=asked.agent or None,
        tool=asked.tool or None,
        task=asked.task or None,
        session=asked.session or None,
    )
    kind, written = WAYS[way]

    def lines() -> Iterator[bytes]:
        streams = engine.store.audit()
        try:
            yield from written(within(streams, wanted, begin, end))
        finally:
            streams.close()

    headers = {"content-disposition": f'attachment; filename="handrail-log.{way}"'}
    return StreamingResponse(lines(), media_type=kind, headers=headers)


def _values(request: Request, asked: Asked, col: list[str] | None, before: str) -> dict[str, Any]:
    engine = state_of(request).engine
    engine.refresh()
    policy = engine.policy.policy
    try:
        wanted = _filter(asked, policy.timezone, before)
    except ValueError as error:
        found, wrong = Look((), None, None, full=False), str(error)
    else:
        found, wrong = engine.store.read(lambda tx: look_back(tx, wanted)), ""
    columns = [each for each in COLUMNS if each in (col or SHOWN)] or list(SHOWN)
    kept = [(name, value) for name, value in asdict(asked).items() if value]
    chosen = [("col", each) for each in columns] if tuple(columns) != SHOWN else []
    return {
        "rows": [(each.entry, told(each)) for each in found.entries],
        "look": found,
        "wrong": wrong,
        "asked": asked,
        "names": COLUMNS,
        "columns": columns,
        "agents": list(policy.agents),
        "tools": list(policy.tools),
        "first": not before,
        "here": _address("/log", kept + chosen),
        "fresh": _address("/log/rows", kept + chosen),
        "go_on": found.before and _address("/log", [*kept, *chosen, ("before", str(found.before))]),
        "export": urlencode([(name, value) for name, value in kept if name not in {"text", "kind"}]),
        "narrowed": bool(kept),
        "news": tuple(MEASURES),
        **WORDS,
    }


def _filter(asked: Asked, zone: str, before: str) -> EntryFilter:
    """What was asked for.

    Raises:
        ValueError: a kind or a time that is none.
    """
    kind = asked.kind
    if kind and kind not in set(Kind):
        raise ValueError(f"{kind!r} is nothing that the log tells of")
    text = asked.text.strip()
    return EntryFilter(
        kind=kind or None,
        agent=asked.agent or None,
        tool=asked.tool or None,
        session=asked.session or None,
        task=asked.task or None,
        text=_as_in_json(text) if text else None,
        before=int(before) if before else None,
        limit=ROWS,
        since=_moment(asked.since, zone),
        until=_moment(asked.until, zone),
    )


def _moment(text: str, zone: str) -> int | None:
    """A time as the browser's field writes it, in the policy's zone.

    Raises:
        ValueError: it is none.
    """
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no time: expected one such as 2026-11-22T10:00") from error
    return int((found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))).timestamp() * 1000)


def _as_in_json(text: str) -> str:
    """Text as it stands inside a JSON string, which is how entries hold it."""
    return msgspec.json.encode(text).decode()[1:-1]


def _address(path: str, parts: list[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(parts)}" if parts else path
