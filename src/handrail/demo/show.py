"""What the visitor sees while the agents work: one line or more for each ticket, and the tally below."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from handrail.demo.company import Ticket, rows
from handrail.demo.ledger import Fate, Row
from handrail.demo.people import Answer
from handrail.demo.phrases import done, wanted

PAPER_WIDTH = 120
"""Columns where there is no window, as in a log of CI."""
PACE = 0.07
"""Seconds between two tickets when somebody is watching."""
COLOURS: Mapping[Fate, str] = {
    Fate.ALONE: "green",
    Fate.AFTER_YES: "bright_green",
    Fate.ASKED: "yellow",
    Fate.YES: "yellow",
    Fate.NO: "magenta",
    Fate.REFUSED: "red",
    Fate.TRIAL: "blue",
    Fate.FAILED: "magenta",
}


class Show:
    """Prints to ``console``; slowly, with a tally that moves, unless ``headless``."""

    def __init__(self, console: Console, *, headless: bool) -> None:
        self._console = console
        self._moving = not headless and console.is_terminal
        if not console.is_terminal:
            console.width = max(console.width, PAPER_WIDTH)
        self._names = {row["id"]: row["name"].partition(" (")[0] for row in rows("customers.csv")}
        self._live: Live | None = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Show the table's head, and the tally below it while the block runs."""
        table = self._table()
        table.add_row("TICKET", "FROM", "WHAT THE AGENT DID OR WANTED", "OUTCOME", "WHY", style="bold")
        self.print(table)
        if not self._moving:
            yield
            return
        with Live(console=self._console, refresh_per_second=8, transient=True) as live:
            self._live = live
            yield
        self._live = None

    @property
    def moving(self) -> bool:
        """Whether somebody is watching, so that a tally is wanted."""
        return self._moving

    def ticket(self, ticket: Ticket, did: Sequence[Row], so_far: Iterable[Row]) -> None:
        """One ticket is worked on: what ran alone in one line, and a line for each thing that did not."""
        table = self._table()
        first = [ticket.id, escape(self._names[ticket.customer])]
        for what, fate, why in _lines(did):
            outcome = Text(fate, style=COLOURS[fate])
            table.add_row(*first, Text(what), outcome, Text(why, style="dim"))
            first = ["", ""]
        self.print(table)
        if self._live is not None:
            self._live.update(tally(so_far))
            time.sleep(PACE)

    def answered(self, given: Answer, row: Row) -> None:
        """A person has answered a question."""
        said = "yes" if given.approve else "no"
        who = given.person.partition("@")[0].capitalize()
        table = self._table()
        outcome = Text(row.fate, style=COLOURS[row.fate])
        what = f"{who} says {said} to: {wanted(row.tool, row.args)}"
        table.add_row(
            given.ticket, "", Text(what, style="italic"), outcome, Text(f"“{given.note}”", style="dim")
        )
        self.print(table)

    def say(self, text: str, style: str = "") -> None:
        """A sentence of its own."""
        self._console.print(Text(text, style=style))

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2, 0, 0))
        table.width = self._console.width
        for width, ratio in ((6, None), (16, None), (None, 5), (17, None), (None, 4)):
            table.add_column(width=width, ratio=ratio, overflow="fold")
        return table

    def print(self, what: RenderableType) -> None:
        """Print something of rich's."""
        self._console.print(what)


def tally(so_far: Iterable[Row]) -> Text:
    """How many actions came to what, in one line."""
    counts = Counter(row.fate for row in so_far)
    parts = [(f" {counts[fate]} {fate} ", COLOURS[fate]) for fate in Fate if counts[fate]]
    return Text.assemble(f"\n {sum(counts.values())} actions:", *parts)


def _lines(did: Sequence[Row]) -> Iterator[tuple[str, Fate, str]]:
    alone = Counter(done(row.tool, row.args) for row in did if row.fate is Fate.ALONE)
    if alone:
        yield ", ".join(_times(what, count) for what, count in alone.items()), Fate.ALONE, ""
    others = Counter(
        (wanted(row.tool, row.args), row.fate, " · ".join(row.why))
        for row in did
        if row.fate is not Fate.ALONE
    )
    for (what, fate, why), count in others.items():
        yield _times(what, count), fate, why


def _times(what: str, count: int) -> str:
    return f"{what} (x{count})" if count > 1 else what
