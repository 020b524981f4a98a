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
    "Added: gated minus direct, medians of the calls that ran alone, without the tool's own time. "
    "Floor: a direct call in this harness, without the tool's own time."
)


def table(title: str, columns: Sequence[Figures]) -> Table:
    """Lay the figures out, one suite a column; narrow enough for any terminal."""
    shown = Table(title=title, title_justify="left", caption=NOTE, caption_justify="left")
    shown.add_column("")
    for figures in columns:
        shown.add_column(figures.suite, justify="right", no_wrap=True)
    for rows in zip(*(_groups(figures) for figures in columns), strict=True):
        for cells in zip(*rows, strict=True):
            shown.add_row(cells[0][0], *(text for _label, text in cells))
        shown.add_section()
    return shown


def _groups(figures: Figures) -> list[list[tuple[str, str]]]:
    return [
        [
            ("user tasks", str(figures.tasks)),
            ("finished without a person, %", f"{percent(figures.finished['nobody'], figures.tasks)}"),
            ("finished with one, %", f"{percent(figures.finished['ideal'], figures.tasks)}"),
            ("questions per task", f"{figures.questions / max(figures.tasks, 1):.2f}"),
        ],
        [("injections", str(figures.injections)), *_stopped(figures.injections_stopped, figures.injections)],
        [("pairs", str(figures.pairs)), *_stopped(figures.pairs_stopped, figures.pairs)],
        [
            ("added per call, µs", f"{figures.added_wall:,.0f}"),
            ("… of the processor, µs", f"{figures.added_cpu:,.0f}"),
            ("floor per call, µs", f"{figures.floor_wall:,.0f}"),
        ],
    ]


def _stopped(stopped: dict[str, int], whole: int) -> list[tuple[str, str]]:
    return [(f"stopped with {person}, %", f"{percent(stopped[person], whole)}") for person in PEOPLE]


def as_json(gate: str, version: str, rows: Sequence[Figures], wrong: Sequence[str]) -> str:
    """Give the figures as one JSON document."""
    document: dict[str, Any] = {
        "gate": gate,
        "suites_version": version,
        "suites": [figures.row() for figures in rows],
        "differences": list(wrong),
    }
    return json.dumps(document, indent=2) + "\n"
