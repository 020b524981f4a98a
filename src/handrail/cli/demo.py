"""``handrail demo``: a small company's support desk, worked by an agent behind the rail."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from handrail.cli import screen

LAST_SECONDS = 60.0
"""Seconds in which the process ends once everything is said."""
Folder = Annotated[
    Path, typer.Option("--dir", metavar="DIR", help="Where the demo leaves its policy and database.")
]
Headless = Annotated[
    bool, typer.Option("--headless", help="Nobody looks on: it ends by itself. Also without a terminal.")
]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Print the board's link, and open nothing.")]
Pace = Annotated[
    float,
    typer.Option("--pace", metavar="SECONDS", min=0, help="Between two tickets, once the board is full."),
]


def demo(
    *,
    directory: Folder = Path("handrail-demo"),
    headless: Headless = False,
    no_browser: NoBrowser = False,
    pace: Pace = 4.0,
) -> None:
    """Watch agents work through a support desk's inbox, and answer, change and stop them on the board.

    Opens the board in your browser, signed in, on this machine only. Enter or Ctrl-C ends it all.
    """
    from handrail.demo.run import Visit, run
    from handrail.demo.visitor import end_within

    visit = Visit(browser=not no_browser, pace=pace)
    code = run(directory, headless=headless, console=screen.console(), visit=visit)
    end_within(LAST_SECONDS)
    raise typer.Exit(code)
