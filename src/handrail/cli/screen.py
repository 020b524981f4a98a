"""What a command prints: tables and sentences for people, JSON for programs, errors in one form.

Whatever comes from an agent is made visible before it reaches a terminal: an argument with escape sequences
or reversed text must not be able to draw another question than the one that is asked.
"""

from __future__ import annotations

import json
import os
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console

NARROW = 72
"""Columns below which a table becomes a list of cards."""
PIPED = 140
"""Columns when the output goes to a file or another program."""
STYLES = {
    **dict.fromkeys(("denied", "rejected", "failed", "unknown", "deny", "halted", "overdue"), "red"),
    **dict.fromkeys(("held", "expired", "ask", "asked", "open", "shadowed", "shadow", "override"), "yellow"),
    **dict.fromkeys(("done", "approved", "pass", "active"), "green"),
    "running": "cyan",
}
"""Colours repeat what the word says; they never say anything alone."""
SHORT = 16
"""Columns of a cell that is never broken over lines."""
Cell = str | int | Decimal | None


def plain(text: object, *, lines: bool = False) -> str:
    """``text`` with everything that can't be seen written as an escape; line breaks stay when ``lines``."""
    found = str(text)
    if found.isprintable():
        return found
    return "".join(_visible(sign, lines=lines) for sign in found)


def console(*, error: bool = False) -> Console:
    """A console on stdout or stderr, wide when nobody looks, without colours where ``NO_COLOR`` is set."""
    from rich.console import Console

    stream = sys.stderr if error else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PIPED
    return Console(stderr=error, width=width, highlight=False, markup=False, emoji=False)


def say(text: str, style: str = "", *, error: bool = False) -> None:
    """A sentence; the terminal breaks it, not we, so that it can be searched for."""
    from rich.text import Text

    console(error=error).print(Text(plain(text, lines=True), style), soft_wrap=True)


def complain(text: str, word: str = "error") -> None:
    """An error or a warning, on stderr, in the one form that they all have."""
    from rich.text import Text

    style = "bold red" if word == "error" else "bold yellow"
    message = Text.assemble((f"{word}: ", style), plain(text, lines=True))
    console(error=True).print(message, soft_wrap=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[Cell]], empty: str) -> None:
    """Rows under headings; cards on a narrow terminal; ``empty`` where there are none."""
    found = [["" if cell is None else plain(cell) for cell in row] for row in rows]
    screen = console()
    if not found:
        say(empty)
    elif screen.width < NARROW:
        for row in found:
            pairs([(name, cell) for name, cell in zip(columns, row, strict=True) if cell])
            say("")
    else:
        _table(screen, columns, found)


def pairs(values: Iterable[tuple[str, Cell]], *, error: bool = False) -> None:
    """Names and values, one below the other; what has no value is left out."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    for name, value in values:
        if value is not None and value != "":
            shown = plain(value, lines=True)
            grid.add_row(Text(plain(name)), Text(shown, STYLES.get(shown, "")))
    console(error=error).print(grid)


def document(value: object) -> None:
    """One JSON document."""
    import msgspec

    _write(msgspec.json.format(_json(value), indent=2))


def line(value: object, *, at_once: bool = True) -> None:
    """One JSON line of a list, out at once for whoever follows, or when there is enough to write."""
    _write(_json(value), at_once=at_once)


def table_file(rows: Iterable[Mapping[str, object]], columns: Sequence[str]) -> None:
    """Rows as a CSV file with a heading, in which nothing runs where tables are opened."""
    from handrail.engine.views.exports import as_table

    for each in as_table(rows, columns):
        sys.stdout.write(each.decode())
    sys.stdout.flush()


def exact(text: str, indent: int = 2) -> str:
    """JSON text laid out for reading: every digit kept, and what can't be seen written as JSON escapes."""
    import msgspec

    return _escaped(msgspec.json.format(text, indent=indent))


def _write(text: bytes, *, at_once: bool = True) -> None:
    sys.stdout.write(_escaped(text.decode()) + "\n")
    if at_once:
        sys.stdout.flush()


def _json(value: object) -> bytes:
    import msgspec

    return msgspec.json.Encoder(decimal_format="number").encode(value)


def _escaped(text: str) -> str:
    """JSON text that is safe to show: a sign that can't be seen can only stand inside a string."""
    if text.isascii() or text.isprintable():
        return text
    return "".join(sign if sign.isprintable() or sign == "\n" else json.dumps(sign)[1:-1] for sign in text)


def _table(screen: Console, columns: Sequence[str], rows: list[list[str]]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for number, name in enumerate(columns):
        short = all(" " not in row[number] and len(row[number]) <= SHORT for row in rows)
        shown.add_column(name, overflow="fold", no_wrap=short)
    for row in rows:
        cells: list[Any] = [Text(cell, STYLES.get(cell, "")) for cell in row]
        shown.add_row(*cells)
    screen.print(shown)


def _visible(sign: str, *, lines: bool) -> str:
    if sign.isprintable() or (lines and sign == "\n"):
        return sign
    return f"\\u{ord(sign):04x}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08x}"  # noqa: PLR2004 - the first plane's end
