"""The exported log: one record an action, of the actions that were proposed in a time."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import msgspec

from handrail.journal.export import records, rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from handrail.ports import AuditStreams
    from handrail.words.query import EntryFilter

DAY = 86_400_000
"""How far an agent's clock may differ from the database's (ms) when ids narrow an export down."""
HIGHEST = "g"
"""Greater than every id, which are hexadecimal digits."""
COLUMNS = (
    *(
        "timestamp",
        "id",
        "session_id",
        "agent",
        "task",
        "action",
        "decision",
        "state",
        "decided_by",
        "reasons",
    ),
    *("amount", "confidence", "rationale", "started_at", "finished_at", "execution_time_ms"),
    *("input", "output", "error", "policy", "supersedes", "superseded_by"),
)
"""The fields of a record that stand in a table, in this order."""
FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""What begins a formula where tables are opened: a text that begins so gets an apostrophe before it."""
_json = msgspec.json.Encoder(decimal_format="number").encode


def within(
    streams: AuditStreams, wanted: EntryFilter, begin: int | None, end: int | None
) -> Iterator[dict[str, Any]]:
    """The records of actions that were proposed in this time, the end excluded."""
    first = "" if begin is None else f"{max(begin - DAY, 0):012x}"
    last = HIGHEST if end is None else f"{max(end + DAY, 0):012x}"
    after, before = rfc3339(begin or 0), HIGHEST if end is None else rfc3339(end)
    for record in records(streams.by_action(wanted, first, last)):
        if after <= record["timestamp"] < before:
            yield record


def as_lines(found: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """One line of JSON each."""
    for record in found:
        yield _json(record) + b"\n"


def as_table(found: Iterable[Mapping[str, Any]], columns: Sequence[str] = COLUMNS) -> Iterator[bytes]:
    """A CSV file with a heading: lists and objects as JSON, and nothing that a table would run."""
    yield _row(columns)
    for record in found:
        yield _row([_cell(record[name]) for name in columns])


def _row(cells: Iterable[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue().encode()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return _json(value).decode()
    return f"'{value}" if value.startswith(FORMULAS) else value
