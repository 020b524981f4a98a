"""What the visitor sees while the agents work: one line or more for each ticket, and the tally below."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from handrail.demo.company import Ticket, rows
from handrail.demo.ledger import Fate, Row, Said
from handrail.demo.phrases import done, wanted
from handrail.words.approval import Choice

PAPER_WIDTH = 120
"""Columns where there is no window, as in a log of CI."""
VERBS: Mapping[Choice, str] = {
    Choice.APPROVE: "says yes to",
    Choice.REJECT: "says no to",
    Choice.EDIT: "changed it to",
    Choice.ANSWER: "has something to say to",
}
COLOURS: Mapping[Fate, str] = {
    Fate.ALONE: "green",
    Fate.AFTER_YES: "bright_green",
    Fate.ASKED: "yellow",
    Fate.YES: "yellow",
    Fate.NO: "magenta",
    Fate.CHANGED: "cyan",
    Fate.REFUSED: "red",
    Fate.TRIAL: "blue",
    Fate.FAILED: "magenta",
}


class Show:
    """Prints to ``console``, with a tally that moves where somebody is watching. Callers take turns."""

    def __init__(self, console: Console, *, moving: bool) -> None:
        self._console = console
        self._moving = moving
        if not console.is_terminal:
            console.width = max(console.width, PAPER_WIDTH)
        self._names = {row["id"]: row["name"].partition(" (")[0] for row in rows("customers.csv")}
        self._fates: dict[str, Fate] = {}
        self._live: Live | None = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Show the tally below everything while the block runs, if somebody is watching."""
        if not self._moving:
            yield
            return
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            self._live = live
            yield
        self._live = None

    def head(self) -> None:
        """The table's head."""
        table = self._table()
        table.add_row("TICKET", "FROM", "WHAT THE AGENT DID OR WANTED", "OUTCOME", "WHY", style="bold")
        self.print(table)

    def ticket(self, ticket: Ticket, did: Sequence[Row], stopped: Sequence[Exception] = ()) -> None:
        """One ticket is worked on: what ran alone in one line, and a line for each thing that did not.

        ``stopped`` are the calls of models that were refused.
        """
        table = self._table()
        first = [ticket.id, escape(self._names[ticket.customer])]
        refused = [("ask the model once more", Fate.REFUSED, str(each)) for each in stopped]
        for what, fate, why in [*_lines(did), *refused]:
            outcome = Text(fate, style=COLOURS[fate])
            table.add_row(*first, Text(what), outcome, Text(why, style="dim"))
            first = ["", ""]
        self.print(table)
        self.count(did)

    def answered(self, ticket: str, said: Said | None, row: Row) -> None:
        """A question is settled, mostly because a person has answered it."""
        who = "Nobody" if said is None else said.person.partition("@")[0].capitalize()
        verb = "answers any more" if said is None else VERBS[said.choice]
        what = f"{who} {verb}: {wanted(row.tool, row.args)}"
        why = f"“{said.why}”" if said is not None and said.why else ""
        table = self._table()
        outcome = Text(row.fate, style=COLOURS[row.fate])
        table.add_row(ticket, "", Text(what, style="italic"), outcome, Text(why, style="dim"))
        self.print(table)

    def count(self, did: Iterable[Row]) -> None:
        """Bring the tally up to date."""
        self._fates.update((row.action, row.fate) for row in did)
        if self._live is not None:
            self._live.update(tally(self._fates.values()), refresh=True)

    def say(self, text: str, style: str = "") -> None:
        """A sentence of its own. Only the terminal breaks it, so that a link in it stays whole."""
        self._console.print(Text(text, style=style), soft_wrap=True)

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2, 0, 0))
        table.width = self._console.width
        for width, ratio in ((6, None), (16, None), (None, 5), (17, None), (None, 4)):
            table.add_column(width=width, ratio=ratio, overflow="fold")
        return table

    def print(self, what: RenderableType) -> None:
        """Print something of rich's."""
        self._console.print(what)


def tally(fates: Iterable[Fate]) -> Text:
    """How many actions came to what, in one line."""
    counts = Counter(fates)
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
