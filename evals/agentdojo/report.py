"""Shows the figures: a table for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from evals.agentdojo.figures import Figures, percent
from evals.agentdojo.gates import PEOPLE

NOTE = (
    "nobody / rubber stamp / ideal: the person who answers questions. Finished: AgentDojo's checker says so "
    "and every call ran. Stopped: of those that reach their goal with no gate. "
    "Added: median per call that ran alone, by the clock and of the processor, without the tool's own time."
)


def table(gate: str, rows: Sequence[Figures]) -> Table:
    """Lay the figures out, one suite a row, the last row all of them."""
    shown = Table(title=f"AgentDojo, gate: {gate}", caption=NOTE, caption_justify="left")
    shown.add_column("suite")
    for heading in (
        "tasks",
        "finished %\nwithout a person",
        "finished %\nwith one",
        "questions\nper task",
        "injections",
        "stopped % by\nnobody / stamp / ideal",
        "pairs",
        "stopped % by\nnobody / stamp / ideal",
        "added µs\nclock",
        "added µs\ncpu",
    ):
        shown.add_column(heading, justify="right", no_wrap=True)
    for figures in rows:
        if figures is rows[-1] and len(rows) > 1:
            shown.add_section()
        shown.add_row(*_cells(figures))
    return shown


def _cells(figures: Figures) -> list[str]:
    return [
        figures.suite,
        str(figures.tasks),
        f"{percent(figures.finished['nobody'], figures.tasks)}",
        f"{percent(figures.finished['ideal'], figures.tasks)}",
        f"{figures.questions / max(figures.tasks, 1):.2f}",
        str(figures.injections),
        _stopped(figures.injections_stopped, figures.injections),
        str(figures.pairs),
        _stopped(figures.pairs_stopped, figures.pairs),
        f"{figures.added_wall:,.0f}",
        f"{figures.added_cpu:,.0f}",
    ]


def _stopped(stopped: dict[str, int], whole: int) -> str:
    return " / ".join(f"{percent(stopped[person], whole)}" for person in PEOPLE)


def as_json(gate: str, version: str, rows: Sequence[Figures], wrong: Sequence[str]) -> str:
    """Give the figures as one JSON document."""
    document: dict[str, Any] = {
        "gate": gate,
        "suites_version": version,
        "suites": [figures.row() for figures in rows],
        "differences": list(wrong),
    }
    return json.dumps(document, indent=2) + "\n"
